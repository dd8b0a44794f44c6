"""OpenAI's wire: what is read from an answer that is forwarded as received, and the few patches a request may get.

Formats: https://platform.openai.com/docs/api-reference/chat/streaming and .../completions.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final

import msgspec

from one_api.dialects.decoding import BROKEN, whole
from one_api.lib import json


class Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class ToolCall(msgspec.Struct):
    function: Function | None = None


class Delta(msgspec.Struct, gc=False):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCall] | None = None
    function_call: Function | None = None


class Choice(msgspec.Struct, gc=False):
    delta: Delta | None = None
    text: str | None = None
    finish_reason: str | None = None


class Chunk(msgspec.Struct, gc=False):
    choices: list[Choice] | None = None
    usage: Any = None
    error: Any = None


_read_chunk: Final = msgspec.json.Decoder(Chunk).decode
END: Final = b"data: [DONE]\n\n"


class Verdict(Enum):
    """What a stream's event means to the one who forwards it."""

    CONTENT = "content"
    FORWARD = "forward"
    DROP = "drop"
    USAGE_ONLY = "usage only"
    LAST = "last"  # of a stream without a mark at its end
    MORE = "more"  # content after what looked like the last
    ERROR = "error"
    DONE = "done"


_CONTENT: Final = Verdict.CONTENT  # to find it in the class takes as long as to read a small event


class StreamTap:
    """Reads along while a stream of chat or completion chunks passes.

    `usage` is the last usage object seen, `pieces` the text delivered (reasoning, refusals and tool calls included),
    `error` the error object found in the stream, `finished` whether a finish reason, or usage alone, came by.
    """

    __slots__ = ("error", "events", "finished", "pieces", "usage")

    def __init__(self) -> None:
        self.usage: Any = None
        self.error: Any = None
        self.pieces: list[str] = []
        self.finished = False
        self.events = 0

    @property
    def end(self) -> bytes:
        """What a stream ends with that has said all and not that it has."""
        return END

    @property
    def begun(self) -> Any:
        """What the stream said of its prompt before anything else, as a usage object; OpenAI's say nothing."""
        return None

    def event(self, data: bytes | None) -> Verdict:
        """Judge one event by its data."""
        if data is None:
            return Verdict.FORWARD
        if data == b"[DONE]":
            return Verdict.DONE
        try:
            chunk = _read_chunk(data)
        except BROKEN:
            return self._loose(data)
        if chunk.error:
            self.error = chunk.error
            return Verdict.ERROR
        if chunk.usage is not None:
            self.usage = chunk.usage
        choices = chunk.choices
        if not choices:
            # One API drops what has neither choices nor usage (Azure's content filter prelude):
            # clients index choices[0]. Usage alone is the last thing a stream says.
            if chunk.usage is None:
                return Verdict.DROP
            self.finished = True
            return Verdict.USAGE_ONLY
        self.events += 1
        for choice in choices:
            self._choice(choice)
        return _CONTENT

    def _choice(self, choice: Choice) -> None:
        delta = choice.delta
        if delta is not None:
            if delta.content:
                self.pieces.append(delta.content)
            if delta.reasoning_content or delta.reasoning or delta.refusal or delta.tool_calls or delta.function_call:
                self.pieces.extend(_rest_of(delta))
        elif choice.text:
            self.pieces.append(choice.text)
        if choice.finish_reason is not None:
            self.finished = True

    def _loose(self, data: bytes) -> Verdict:
        """An event that is JSON of another shape (content as a list of parts, say), or not JSON at all."""
        try:
            value = json.decode(data)
        except json.InvalidJSON:
            return Verdict.CONTENT
        if not isinstance(value, dict):
            return Verdict.CONTENT
        if value.get("error"):
            self.error = value["error"]
            return Verdict.ERROR
        if value.get("usage") is not None:
            self.usage = value["usage"]
        choices = value.get("choices")
        if isinstance(choices, list):
            for choice in choices:
                if isinstance(choice, dict):
                    self.finished = self.finished or choice.get("finish_reason") is not None
                    self.pieces.extend(strings(choice.get("delta")))
        self.events += 1
        return Verdict.CONTENT


def _rest_of(delta: Delta) -> Iterator[str]:
    # Providers that send both names of the reasoning text send the same text twice.
    thought = delta.reasoning_content or delta.reasoning
    if thought:
        yield thought
    if delta.refusal:
        yield delta.refusal
    functions = [call.function for call in delta.tool_calls or () if call.function is not None]
    if delta.function_call is not None:
        functions.append(delta.function_call)
    for function in functions:
        if function.name:
            yield function.name
        if function.arguments:
            yield function.arguments


_NOT_SAID = frozenset(("role", "id", "type", "index", "finish_reason", "object"))


def strings(value: Any) -> Iterator[str]:
    """Every string a model said in a message or delta of any shape."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in _NOT_SAID:
                yield from strings(item)


class Whole(msgspec.Struct):
    """What is read from an answer in one piece; the rest is skipped without being built."""

    usage: msgspec.Raw = msgspec.Raw(b"null")
    error: Any = None
    choices: msgspec.Raw = msgspec.Raw(b"null")


_whole = msgspec.json.Decoder(Whole)


def read_whole(body: bytes) -> Whole:
    """Raises json.InvalidJSON when the body is not a JSON object."""
    return whole(_whole, body)


def said(choices: msgspec.Raw) -> list[str]:
    """The text of an answer's choices: message content, reasoning, refusals, tool calls, or a completion's text."""
    value = json.decode(bytes(choices))
    found: list[str] = []
    for choice in value if isinstance(value, list) else ():
        if isinstance(choice, dict):
            found.extend(strings(choice["message"] if "message" in choice else choice.get("text")))
    return found


def patch(
    document: Mapping[str, Any], *, model: str | None = None, system_prompt: str = "", include_usage: bool = False
) -> dict[str, Any] | None:
    """The document with what the gateway has to change, every other field kept; None when nothing changes.

    A channel's system prompt replaces the content of a first message of role `system`, or goes in front.
    """
    changes: dict[str, Any] = {}
    if model is not None and document.get("model") != model:
        changes["model"] = model
    messages = document.get("messages")
    if system_prompt and isinstance(messages, list) and messages:
        first = messages[0]
        if isinstance(first, dict) and first.get("role") == "system":
            changes["messages"] = [{**first, "content": system_prompt}, *messages[1:]]
        else:
            changes["messages"] = [{"role": "system", "content": system_prompt}, *messages]
    if include_usage and not asks_usage(document):
        options = document.get("stream_options")
        changes["stream_options"] = {**(options if isinstance(options, dict) else {}), "include_usage": True}
    return {**document, **changes} if changes else None


def asks_usage(document: Mapping[str, Any]) -> bool:
    """Whether the caller himself asked for the usage chunk at the end of a stream."""
    options = document.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True
