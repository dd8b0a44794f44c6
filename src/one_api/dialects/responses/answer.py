"""A whole answer of the Responses API, read into the neutral model."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from one_api import ir
from one_api.dialects.decoding import BROKEN, REPORTED, Count
from one_api.dialects.openai_notes import decode_annotations, decode_tokens, moved
from one_api.dialects.reading import text_of
from one_api.dialects.responses import reasoning
from one_api.dialects.responses.tools import wrapped
from one_api.lib import json

REASONS: Final[Mapping[str, ir.Reason]] = {"max_output_tokens": "length", "content_filter": "content_filter"}


class Details(msgspec.Struct):
    cached_tokens: Count | None = None
    cache_write_tokens: Count | None = None
    reasoning_tokens: Count | None = None


class Counts(msgspec.Struct):
    input_tokens: Count
    output_tokens: Count
    input_tokens_details: Details | None = None
    output_tokens_details: Details | None = None

    @property
    def usage(self) -> ir.Usage:
        """Theirs include what was cached and what was thought."""
        before, after = self.input_tokens_details or Details(), self.output_tokens_details or Details()
        cached = min(before.cached_tokens or 0, self.input_tokens)
        return ir.Usage(
            input=self.input_tokens,
            output=self.output_tokens,
            cached=cached,
            cache_write=min(before.cache_write_tokens or 0, self.input_tokens - cached),
            reasoning=min(after.reasoning_tokens or 0, self.output_tokens),
        )


class Part(msgspec.Struct):
    type: str = ""
    text: str | None = None
    refusal: str | None = None
    annotations: Any = None
    logprobs: Any = None


class Item(msgspec.Struct):
    """An item of a type that is read here; what it does not have is empty."""

    type: str = ""
    id: str | None = None
    content: list[Part] | None = None
    summary: list[Part] | None = None
    encrypted_content: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    input: str | None = None
    result: str | None = None
    output_format: str | None = None

    @property
    def image(self) -> ir.Image | None:
        """What a tool of theirs drew."""
        if self.type != "image_generation_call" or not self.result:
            return None
        return ir.Image(media_type=f"image/{self.output_format or 'png'}", data=self.result)

    @property
    def thought(self) -> ir.Thinking | ir.Redacted | None:
        return reasoning.decode(msgspec.to_builtins(self))

    @property
    def called(self) -> str:
        """What a tool is called with, as the text the model wrote."""
        return self.arguments or self.input or ""


class _Typed(msgspec.Struct):
    type: str = ""


class Incomplete(msgspec.Struct):
    reason: str | None = None


class Response(msgspec.Struct):
    id: str = ""
    model: str = ""
    status: str | None = None
    output: tuple[msgspec.Raw, ...] | None = None
    usage: msgspec.Raw = msgspec.Raw(b"null")
    error: Any = None
    incomplete_details: Incomplete | None = None


_response = msgspec.json.Decoder(Response)
_item = msgspec.json.Decoder(Item)
_typed = msgspec.json.Decoder(_Typed)
_any = msgspec.json.Decoder(dict[str, Any])
_counts: msgspec.json.Decoder[Counts | None] = msgspec.json.Decoder(Counts | None)


def decode_answer(body: bytes) -> ir.Answer | ir.Failed:
    """Raises json.InvalidJSON for what is no answer."""
    try:
        response = _response.decode(body)
        if response.error or response.status == "failed":
            return failure(response.error)
        if response.output is None:
            raise json.InvalidJSON("a response without output")
        blocks = tuple(_placed(block for raw in response.output for block in _blocks(raw)))
    except BROKEN as error:
        raise json.InvalidJSON(str(error)) from None
    called = any(isinstance(block, ir.ToolCall) for block in blocks)
    return ir.Answer(
        id=response.id,
        model=response.model,
        blocks=blocks,
        reason=reason_of(response, called=called),
        usage=usage_of(response),
    )


def reason_of(response: Response, *, called: bool) -> ir.Reason:
    """Why it ended: theirs say so only where an answer is not complete."""
    if response.status == "incomplete" and response.incomplete_details is not None:
        return REASONS.get(response.incomplete_details.reason or "", "stop")
    return "tool_calls" if called else "stop"


def failure(error: Any) -> ir.Failed:
    """Their errors are told apart by `code`; `type` is rarely there."""
    told = error if isinstance(error, dict) else {"message": error}
    kind = next((each for each in (told.get("code"), told.get("type")) if isinstance(each, str) and each), "")
    message = told.get("message")
    return ir.Failed(kind, text_of(message) or REPORTED)


TOOLS: Final[Mapping[str, str]] = {
    "web_search_call": "web_search",
    "file_search_call": "file_search",
    "code_interpreter_call": "code_interpreter",
    "image_generation_call": "image_generation",
}
"""Of what OpenAI runs, what it has a price for: https://platform.openai.com/docs/pricing#built-in-tools."""


def usage_of(response: Response) -> ir.Usage | None:
    """None for counts that no meter shows. The calls of tools that have a price are counted from the answer."""
    try:
        counts = _counts.decode(response.usage)
    except BROKEN:
        return None
    if counts is None:
        return None
    ran = Counter(TOOLS.get(_kind(raw), "") for raw in response.output or ())
    del ran[""]
    return msgspec.structs.replace(counts.usage, tools=tuple(sorted(ran.items()))) if ran else counts.usage


def _kind(raw: msgspec.Raw) -> str:
    try:
        return _typed.decode(raw).type
    except BROKEN:
        return ""


def decode_item(raw: msgspec.Raw) -> Item | None:
    """None for an item that has another form than those that are read here, as some of the vendor's own tools have."""
    try:
        return _item.decode(raw)
    except BROKEN:
        return None


def _placed(blocks: Iterator[ir.Said]) -> Iterator[ir.Said]:
    """Places are theirs in a part, and ours in the whole text."""
    length = 0
    for block in blocks:
        if isinstance(block, ir.Text):
            yield moved(block, length)
            length += len(block.text)
        else:
            yield block


def _blocks(raw: msgspec.Raw) -> Iterator[ir.Said]:
    item = decode_item(raw) or Item()
    match item.type:
        case "message":
            for part in item.content or ():
                if part.text:
                    cited, tokens = decode_annotations(part.annotations), decode_tokens(part.logprobs)
                    yield ir.Text(part.text, citations=cited, tokens=tokens)
                elif part.refusal:
                    yield ir.Text(part.refusal, refused=True)
        case "function_call":
            yield ir.ToolCall(item.call_id or "", item.name or "", item.called)
        case "custom_tool_call":
            yield ir.ToolCall(item.call_id or "", item.name or "", wrapped(item.called))
        case "reasoning":
            thought = item.thought
            if thought is not None:
                yield thought
        case "image_generation_call" if item.image is not None:
            yield item.image
        case _:
            yield ir.Opaque(reasoning.NAME, _any.decode(raw))
