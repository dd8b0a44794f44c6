"""Counting tokens for what an upstream did not report, without holding up the loop: long texts go to a thread."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from one_api.dialects import openai_chat, reranking
from one_api.dialects.gemini import embeddings
from one_api.lib import json
from one_api.options import Options
from one_api.pricing import vision
from one_api.pricing.tokens import TokenCounter
from one_api.providers import Mode
from one_api.relay.calls import Ask
from one_api.relay.spoken import MEASURED_MODES

INLINE = 8 * 1024  # bytes of text that are counted where we stand: half a millisecond
MOST_IMAGES = 16
NOT_AN_IMAGE = (0, 0)

T = TypeVar("T")


class ImageSource(Protocol):
    """Who fetches the images that requests name by address."""

    async def head_of_image(self, url: str) -> bytes | None:
        """The first bytes of the image; b"" if something else is there; None if it cannot be fetched."""


class Counting:
    """`exact` and `approximate` count for the option that says which; `clock` is the loop's."""

    def __init__(
        self, *, exact: TokenCounter, approximate: TokenCounter, images: ImageSource, clock: Callable[[], float]
    ) -> None:
        self._exact = exact
        self._approximate = approximate
        self._images = images
        self.clock = clock

    async def prompt(self, ask: Ask, model: str, options: Options) -> int:
        """Input tokens of a request."""
        counter, document = self._counter(options), ask.document
        match ask.mode:
            case Mode.CHAT:
                sizes = await self._sizes(document)
                return await _run(counter, model, ask.text, lambda: counter.chat(model, dict(document), _sizer(sizes)))
            case mode if (dialect := MEASURED_MODES.get(mode)) is not None:
                return await _run(counter, model, ask.text, lambda: counter.value(model, dialect.written(document)))
            case Mode.EMBED | Mode.BATCH_EMBED:
                return await _run(counter, model, ask.text, lambda: counter.prompt(model, embeddings.written(document)))
            case Mode.COMPLETIONS:
                return await _run(counter, model, ask.text, lambda: counter.prompt(model, document.get("prompt")))
            case Mode.RERANK:
                return await _run(counter, model, ask.text, lambda: counter.prompt(model, reranking.written(document)))
            case Mode.EDITS:
                parts = [document.get("input"), document.get("instruction")]
                return await _run(counter, model, ask.text, lambda: counter.prompt(model, parts))
            case _:
                return await _run(counter, model, ask.text, lambda: counter.prompt(model, document.get("input")))

    async def text(self, model: str, pieces: Sequence[str], options: Options) -> int:
        """Tokens of what was delivered in pieces."""
        counter, whole = self._counter(options), "".join(pieces)
        return await _run(counter, model, len(whole), lambda: counter.text(model, whole))

    async def answer(self, model: str, choices: msgspec.Raw, options: Options) -> int:
        """Output tokens of an answer in one piece, choice by choice."""
        counter = self._counter(options)

        def count() -> int:
            return sum(_choice(counter, model, choice) for choice in _choices(choices))

        return await _run(counter, model, len(bytes(choices)), count)

    def _counter(self, options: Options) -> TokenCounter:
        return self._approximate if options.approximate_token_enabled else self._exact

    async def _sizes(self, document: Mapping[str, Any]) -> dict[str, vision.Size | None]:
        urls = list(dict.fromkeys(_image_urls(document.get("messages"))))[:MOST_IMAGES]
        heads = await asyncio.gather(*(self._images.head_of_image(url) for url in urls))
        return {url: _size(head) for url, head in zip(urls, heads, strict=True)}


def _choices(choices: msgspec.Raw) -> list[Any]:
    value = json.decode(bytes(choices))
    return value if isinstance(value, list) else []


def _choice(counter: TokenCounter, model: str, choice: Any) -> int:
    if not isinstance(choice, dict):
        return 0
    if "message" in choice:
        return counter.answer(model, choice["message"])
    return counter.text(model, "".join(openai_chat.strings(choice.get("text"))))


def _size(head: bytes | None) -> vision.Size | None:
    if head is None:
        return None
    return vision.image_size(head) if head else NOT_AN_IMAGE


def _sizer(known: Mapping[str, vision.Size | None]) -> Callable[[str], vision.Size | None]:
    def size(url: str) -> vision.Size | None:
        return known[url] if url in known else vision.data_url_size(url)

    return size


def _image_urls(messages: Any) -> list[str]:
    """Addresses whose size matters: data URLs need no fetching, and low detail has one price."""
    found: list[str] = []
    for message in messages if isinstance(messages, list) else ():
        content = message.get("content") if isinstance(message, dict) else None
        for part in content if isinstance(content, list) else ():
            image = part.get("image_url") if isinstance(part, dict) else None
            url = image.get("url") if isinstance(image, dict) and image.get("detail") != "low" else None
            if isinstance(url, str) and url.startswith(("http://", "https://")):
                found.append(url)
    return found


async def _run(counter: TokenCounter, model: str, size: int, count: Callable[[], T]) -> T:
    return count() if size <= INLINE and counter.ready(model) else await asyncio.to_thread(count)
