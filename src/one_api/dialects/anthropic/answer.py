"""A whole answer of Anthropic's Messages API, read into the neutral model."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import msgspec

from one_api import ir
from one_api.dialects.anthropic.blocks import NAME
from one_api.dialects.decoding import BROKEN, REPORTED
from one_api.dialects.reading import text_of
from one_api.lib import json

Count = Annotated[int, msgspec.Meta(ge=0)]

REASONS: Final[Mapping[str, ir.Reason]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
"""https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons"""


class Thought(msgspec.Struct, frozen=True, order=True):
    thinking_tokens: Count = 0


class Kept(msgspec.Struct, frozen=True, order=True):
    """What was written to a cache, by the time it is kept."""

    ephemeral_1h_input_tokens: Count = 0
    ephemeral_5m_input_tokens: Count = 0


class Ran(msgspec.Struct, frozen=True, order=True):
    """Tools that Anthropic ran: https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool#usage-and-pricing."""

    web_search_requests: Count = 0
    web_fetch_requests: Count = 0


class Counts(msgspec.Struct, frozen=True):
    """`input_tokens` are those after the last cache mark: what was read from the cache and written to it comes on top.

    https://platform.claude.com/docs/en/build-with-claude/prompt-caching#tracking-cache-performance.
    """

    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None
    output_tokens_details: Thought | None = None
    cache_creation: Kept | None = None
    server_tool_use: Ran | None = None

    @property
    def usage(self) -> ir.Usage:
        kept, ran = self.cache_creation or Kept(), self.server_tool_use or Ran()
        written, read = self.cache_creation_input_tokens or 0, self.cache_read_input_tokens or 0
        tools = (("web_search", ran.web_search_requests), ("web_fetch", ran.web_fetch_requests))
        return ir.Usage(
            input=(self.input_tokens or 0) + written + read,
            output=self.output_tokens or 0,
            cached=read,
            cache_write=written,
            reasoning=min(self.output_tokens or 0, (self.output_tokens_details or Thought()).thinking_tokens),
            cache_write_1h=min(kept.ephemeral_1h_input_tokens, written),
            tools=tuple((name, count) for name, count in tools if count),
        )


class Block(msgspec.Struct):
    """A content block of any type; what a type does not have is empty."""

    type: str
    text: str = ""
    thinking: str = ""
    signature: str = ""
    data: str = ""
    id: str = ""
    name: str = ""
    input: msgspec.Raw = msgspec.Raw(b"{}")
    citations: Any = None


class Fault(msgspec.Struct):
    type: str = ""
    message: str = ""


class _Message(msgspec.Struct):
    type: str = ""
    id: str = ""
    model: str = ""
    content: tuple[msgspec.Raw, ...] = ()
    stop_reason: str | None = None
    usage: msgspec.Raw = msgspec.Raw(b"null")
    error: Fault | None = None


_message = msgspec.json.Decoder(_Message)
_block = msgspec.json.Decoder(Block)
_counts: msgspec.json.Decoder[Counts | None] = msgspec.json.Decoder(Counts | None)


def decode_answer(body: bytes) -> ir.Answer | ir.Failed:
    """Raises json.InvalidJSON for what is no answer."""
    try:
        message = _message.decode(body)
        blocks = tuple(_blocks(message.content))
    except BROKEN as error:
        raise json.InvalidJSON(str(error)) from None
    if message.type == "error" or message.error is not None:
        fault = message.error or Fault()
        return ir.Failed(fault.type, fault.message or REPORTED)
    counts = decode_counts(message.usage)
    return ir.Answer(
        id=message.id,
        model=message.model,
        blocks=blocks,
        reason=reason_of(message.stop_reason),
        usage=None if counts is None else counts.usage,
    )


def reason_of(stop_reason: str | None) -> ir.Reason:
    """A reason they thought of later is an end like any other."""
    return REASONS.get(stop_reason or "", "stop")


def decode_counts(raw: msgspec.Raw) -> Counts | None:
    """None for counts that no meter shows."""
    try:
        counts: Counts | None = _counts.decode(raw)
    except BROKEN:
        return None
    return counts


def cited(found: Any, start: int, end: int) -> tuple[ir.Citation, ...]:
    """Pages on the web that a block from `start` to `end` has for its sources.

    https://platform.claude.com/docs/en/build-with-claude/citations; of places in documents only their clients know.
    """
    return tuple(
        ir.Citation(each["url"], text_of(each.get("title")), start, end, text_of(each.get("cited_text")))
        for each in (found if isinstance(found, list) else ())
        if isinstance(each, dict) and isinstance(each.get("url"), str)
    )


def _blocks(content: tuple[msgspec.Raw, ...]) -> Iterator[ir.Said]:
    length = 0
    for raw in content:
        block = _said(raw, length)
        yield block
        length += len(block.text) if isinstance(block, ir.Text) else 0


def _said(raw: msgspec.Raw, at: int) -> ir.Said:
    block = _block.decode(raw)
    match block.type:
        case "text":
            return ir.Text(block.text, citations=cited(block.citations, at, at + len(block.text)))
        case "tool_use":
            return ir.ToolCall(block.id, block.name, bytes(block.input).decode())
        case "thinking":
            return ir.Thinking(block.thinking, block.signature, NAME)
        case "redacted_thinking":
            return ir.Redacted(block.data, NAME)
        case _:
            value: Any = json.decode(bytes(raw))
            return ir.Opaque(NAME, value)
