"""Answers to chat completions, read in one piece: https://platform.openai.com/docs/api-reference/chat/object."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from one_api import ir
from one_api.dialects.decoding import NOTHING, REPORTED, Count, believed, whole
from one_api.dialects.openai_notes import decode_annotations, decode_tokens, searched
from one_api.lib import json

REASONS: Final[Mapping[str, ir.Reason]] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


class _Details(msgspec.Struct):
    cached_tokens: Count | None = None
    cache_write_tokens: Count | None = None
    reasoning_tokens: Count | None = None
    audio_tokens: Count | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: Count
    completion_tokens: Count
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None


class Function(msgspec.Struct):
    """`arguments` are a text, and an object at some providers."""

    name: str | None = None
    arguments: str | dict[str, Any] | None = None

    @property
    def argued(self) -> str:
        if isinstance(self.arguments, dict):
            return json.encode(self.arguments).decode()
        return self.arguments or ""


class Call(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: Function | None = None


class _Part(msgspec.Struct):
    """A part of a content that is a list: https://docs.mistral.ai/capabilities/reasoning."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None
    thinking: "str | list[_Part] | None" = None


class Message(msgspec.Struct):
    content: str | list[_Part] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[Call] | None = None
    annotations: Any = None
    images: Any = None

    @property
    def plain(self) -> str:
        """The text, if that is all there is, as nearly always in a stream."""
        content = self.content
        if (
            type(content) is not str
            or self.reasoning_content
            or self.reasoning
            or self.refusal
            or self.tool_calls
            or self.annotations
            or self.images
        ):
            return ""
        return content

    @property
    def thought(self) -> str:
        told = self.reasoning_content or self.reasoning or ""
        if type(self.content) is not list:
            return told
        return told or "".join(_text(part.thinking) for part in self.content)

    @property
    def said(self) -> str:
        content = self.content
        return content if type(content) is str else _text(content)

    @property
    def refused(self) -> str:
        told = self.refusal or ""
        if type(self.content) is not list:
            return told
        return told or "".join(part.refusal or "" for part in self.content)


def _text(content: str | list[_Part] | None) -> str:
    if isinstance(content, list):
        return "".join(part.text or "" for part in content)
    return content or ""


class Choice(msgspec.Struct):
    index: int | None = None
    message: Message | None = None
    delta: Message | None = None
    finish_reason: str | None = None
    logprobs: Any = None

    @property
    def tokens(self) -> tuple[ir.Token, ...]:
        return decode_tokens(self.logprobs.get("content")) if isinstance(self.logprobs, dict) else ()


class Body(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    choices: list[Choice] | None = None
    usage: msgspec.Raw = NOTHING
    error: Any = None
    search_results: Any = None
    citations: Any = None

    @property
    def sources(self) -> Any:
        return self.search_results or self.citations


body_decoder = msgspec.json.Decoder(Body)
_usage: msgspec.json.Decoder[_Usage | None] = msgspec.json.Decoder(_Usage | None)


def decode_answer(body: bytes) -> ir.Answer | ir.Failed:
    """Raises json.InvalidJSON for what is no answer."""
    found = whole(body_decoder, body)
    if found.error:
        return failed(found.error)
    choice = found.choices[0] if found.choices else None
    if choice is None or choice.message is None:
        raise json.InvalidJSON("an answer without choices")
    blocks, reason = _answered(choice, found)
    others = tuple(ir.Choice(*_answered(each, found)) for each in (found.choices or ())[1:])
    return ir.Answer(
        id=found.id or "",
        model=found.model or "",
        blocks=blocks,
        reason=reason,
        usage=counted(found.usage),
        others=others,
    )


def _answered(choice: Choice, found: Body) -> tuple[tuple[ir.Said, ...], ir.Reason]:
    blocks = _blocks(choice.message or Message(), choice.tokens, searched(found.sources))
    return tuple(blocks), REASONS.get(choice.finish_reason or "", "stop")


def _blocks(message: Message, tokens: tuple[ir.Token, ...], sources: tuple[ir.Citation, ...]) -> Iterable[ir.Said]:
    if message.thought:
        yield ir.Thinking(message.thought)
    if message.said:
        yield ir.Text(message.said, citations=decode_annotations(message.annotations) or sources, tokens=tokens)
    if message.refused:
        yield ir.Text(message.refused, refused=True)
    yield from images(message.images)
    for call in message.tool_calls or ():
        function = call.function or Function()
        yield ir.ToolCall(call.id or "", function.name or "", function.argued or "{}")


def images(found: Any) -> Iterable[ir.Image]:
    """What a model drew: https://openrouter.ai/docs/features/multimodal/image-generation."""
    for each in found if isinstance(found, list) else ():
        inner = each.get("image_url") if isinstance(each, dict) else None
        url = inner.get("url") if isinstance(inner, dict) else None
        if not isinstance(url, str) or not url:
            continue
        kind, mark, data = url.removeprefix("data:").partition(";base64,")
        yield ir.Image(media_type=kind, data=data) if mark and url.startswith("data:") else ir.Image(url=url)


def failed(error: Any) -> ir.Failed:
    told = error if isinstance(error, dict) else {"message": error}
    kind, message = told.get("type"), told.get("message")
    return ir.Failed(
        kind if isinstance(kind, str) else "",
        message if isinstance(message, str) and message else REPORTED,
    )


def counted(raw: msgspec.Raw) -> ir.Usage | None:
    found = believed(_usage, raw)
    if found is None:
        return None
    before, after = found.prompt_tokens_details or _Details(), found.completion_tokens_details or _Details()
    return ir.Usage(
        input=found.prompt_tokens,
        output=found.completion_tokens,
        cached=min(before.cached_tokens or 0, found.prompt_tokens),
        cache_write=min(before.cache_write_tokens or 0, found.prompt_tokens),
        reasoning=min(after.reasoning_tokens or 0, found.completion_tokens),
        audio_in=min(before.audio_tokens or 0, found.prompt_tokens),
        audio_out=min(after.audio_tokens or 0, found.completion_tokens),
    )
