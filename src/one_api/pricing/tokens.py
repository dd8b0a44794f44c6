"""Counting tokens without an upstream's help, as One API counts them, for what an upstream did not report.

A count never raises and is never too low by an error: what cannot be encoded counts a token a byte. Beyond One API,
tools, tool calls, schemas, reasoning and arrays count too. Counting costs about 50 microseconds a kilobyte: do it after
a call, and long texts in a thread.
"""

from collections.abc import Callable, Collection, Iterator
from threading import Lock
from typing import Any, Final, Literal, Protocol

from one_api.lib import json
from one_api.pricing import vision
from one_api.pricing.text import size

Encoding = Literal["cl100k_base", "o200k_base"]
ImageSizer = Callable[[str], vision.Size | None]
"""From the address in an image part to the size of the image, if it can be known."""

_APPROXIMATE_PER_BYTE: Final = 0.38
_OLDEST_CHAT: Final = "gpt-3.5-turbo-0301"  # four tokens a message, and a name replaces the role


class Encoder(Protocol):
    """What turns text into tokens; special tokens spelled out in it are text."""

    def encode_ordinary(self, text: str) -> list[int]: ...


def _load(encoding: Encoding) -> Encoder:
    import splintr  # noqa: PLC0415  # most processes need no count: their upstreams report

    encoder: Encoder = splintr.Tokenizer.from_pretrained(encoding)
    return encoder


class Encoders:
    """The encoders in use, loaded when first asked for, once, by whichever thread asks."""

    def __init__(self, load: Callable[[Encoding], Encoder] = _load) -> None:
        self._load = load
        self._lock = Lock()
        self._loaded: dict[Encoding, Encoder] = {}

    def loaded(self, encoding: Encoding) -> bool:
        """Loading takes a tenth of a second, and 15 to 30 MiB."""
        return encoding in self._loaded

    def get(self, encoding: Encoding) -> Encoder:
        found = self._loaded.get(encoding)
        if found is None:
            with self._lock:
                found = self._loaded.get(encoding) or self._loaded.setdefault(encoding, self._load(encoding))
        return found


class TokenCounter:
    """Counts with the encoder of a model. `names` are the models of the ratio table when the process started.

    One API counts `gpt-4o` names of that table with o200k_base and all others with cl100k_base; the encodings of its
    oldest completion models are not available offline, cl100k_base counts them up to a third lower.
    """

    def __init__(self, encoders: Encoders, names: Collection[str], *, approximate: bool = False) -> None:
        self._encoders = encoders
        self._names = frozenset(names)
        self._approximate = approximate

    def ready(self, model: str) -> bool:
        """Whether a count for this model begins at once; the first has its encoder loaded."""
        return self._approximate or self._encoders.loaded(self._encoding(model))

    def text(self, model: str, text: str) -> int:
        """Tokens of one piece of text."""
        if self._approximate:
            return int(size(text) * _APPROXIMATE_PER_BYTE)
        if not text:
            return 0
        try:
            return len(self._encoders.get(self._encoding(model)).encode_ordinary(_whole(text)))
        except Exception:  # noqa: BLE001  # whatever a tokenizer chokes on is estimated high, not given away
            return size(text)

    def chat(self, model: str, body: Any, image_size: ImageSizer = vision.data_url_size) -> int:
        """Prompt tokens of the body of a chat request: messages, tools and the schema of the answer."""
        if not isinstance(body, dict):
            return self.value(model, body)
        total = self.messages(model, body.get("messages"), image_size)
        return total + sum(self.value(model, body.get(name)) for name in ("tools", "functions", "response_format"))

    def messages(self, model: str, messages: Any, image_size: ImageSizer = vision.data_url_size) -> int:
        """Prompt tokens of chat messages.

        https://github.com/openai/openai-cookbook/blob/main/examples/How_to_count_tokens_with_tiktoken.ipynb
        """
        if not isinstance(messages, list):
            return self.value(model, messages)
        each, named = (4, -1) if model == _OLDEST_CHAT else (3, 1)
        total = 3 + each * len(messages)
        for message in messages:
            if not isinstance(message, dict):
                total += self.value(model, message)
                continue
            total += self._content(model, message.get("content"), image_size)
            total += self._string(model, message.get("role"))
            if isinstance(message.get("name"), str):
                total += named + self.text(model, message["name"])
            total += self._extras(model, message)
        return total

    def answer(self, model: str, message: Any) -> int:
        """Completion tokens of a delivered message or of the sum of its deltas: text, reasoning, refusal, calls."""
        if not isinstance(message, dict):
            return 0
        written = "".join(_texts(message.get("content")))
        return self.text(model, written) + self._string(model, message.get("refusal")) + self._extras(model, message)

    def prompt(self, model: str, prompt: Any) -> int:
        """Tokens of a `prompt` or an `input`: a string, tokens, or arrays of either."""
        total, left = 0, [prompt]
        while left:
            item = left.pop()
            if isinstance(item, list):
                total += sum(isinstance(element, int) for element in item)
                left.extend(element for element in item if not isinstance(element, int))
            elif isinstance(item, dict) and isinstance(item.get("text"), str):
                total += self.text(model, item["text"])  # a part of a moderation input
            else:
                total += self.value(model, item)
        return total

    def value(self, model: str, value: Any) -> int:
        """Tokens of any JSON value: of a string its text, of nothing 0, of the rest its JSON."""
        if value is None:
            return 0
        if isinstance(value, str):
            return self.text(model, value)
        try:
            return self.text(model, json.encode(value).decode())
        except (TypeError, ValueError, RecursionError):
            return size(repr(value))

    def _encoding(self, model: str) -> Encoding:
        return "o200k_base" if model.startswith("gpt-4o") and model in self._names else "cl100k_base"

    def _content(self, model: str, content: Any, image_size: ImageSizer) -> int:
        if not isinstance(content, list):
            return self._string(model, content)  # numbers and objects are no content: the upstream refuses them
        total = sum(self.text(model, text) for text in _texts(content))
        for part in content:
            image = part.get("image_url") if isinstance(part, dict) and part.get("type") == "image_url" else None
            if isinstance(image, dict) and isinstance(image.get("url"), str):
                total += self._image(model, image["url"], image.get("detail"), image_size)
        return total

    def _image(self, model: str, url: str, detail: Any, image_size: ImageSizer) -> int:
        known = detail if isinstance(detail, str) else ""
        found = None if known == "low" else image_size(url)
        return vision.cost(model, known, found)

    def _extras(self, model: str, message: dict[str, Any]) -> int:
        """What a message may hold beside its content, in a prompt and in an answer alike."""
        # Providers that send both names of the reasoning text send the same text twice.
        total = self._string(model, message.get("reasoning_content") or message.get("reasoning"))
        calls = message.get("tool_calls")
        for call in (*(calls if isinstance(calls, list) else ()), message):
            function = call.get("function_call" if call is message else "function") if isinstance(call, dict) else None
            if isinstance(function, dict):
                total += self._string(model, function.get("name")) + self.value(model, function.get("arguments"))
        return total

    def _string(self, model: str, value: Any) -> int:
        return self.text(model, value) if isinstance(value, str) else 0


def _texts(content: Any) -> Iterator[str]:
    """The text of a content, plain or in parts."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for part in content:
            if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
                yield part["text"]


def _whole(text: str) -> str:
    """`text` with halves of surrogate pairs replaced: no encoder takes them."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
