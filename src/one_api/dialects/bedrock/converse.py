"""Bedrock's Converse API, by which Amazon gives out models of any vendor, and its streams.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from one_api import ir
from one_api.dialects.bedrock import failure
from one_api.dialects.bedrock.converse_request import NAME, encode_request, must_be_enclosed
from one_api.dialects.bedrock.frames import Broken, Frame, FrameReader
from one_api.dialects.decoding import BROKEN, NOTHING, UNREADABLE, Count, believed, whole
from one_api.lib import json

__all__ = ["StreamDecoder", "decode_answer", "decoder", "encode_request", "must_be_enclosed"]

_REASONS: Final[Mapping[str, ir.Reason]] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}


class _Kept(msgspec.Struct, rename="camel"):
    ttl: str = ""
    input_tokens: Count = 0


class _Usage(msgspec.Struct, rename="camel"):
    """`inputTokens` are those that neither came from the cache nor went to it."""

    input_tokens: Count
    output_tokens: Count
    cache_read_input_tokens: Count = 0
    cache_write_input_tokens: Count = 0
    cache_details: tuple[_Kept, ...] = ()


class _Reasoning(msgspec.Struct, rename="camel"):
    reasoning_text: "_Reasoning | None" = None
    text: str = ""
    signature: str = ""
    redacted_content: str = ""


class _Call(msgspec.Struct, rename="camel"):
    tool_use_id: str = ""
    name: str = ""
    input: msgspec.Raw = msgspec.Raw(b"{}")


class _Block(msgspec.Struct, rename="camel"):
    """A block, the start of one, or a piece."""

    text: str = ""
    tool_use: _Call | None = None
    reasoning_content: _Reasoning | None = None


class _Message(msgspec.Struct):
    content: tuple[_Block, ...] = ()


class _Output(msgspec.Struct):
    message: _Message | None = None


class _Body(msgspec.Struct, rename="camel"):
    """An answer, or any event of a stream."""

    output: _Output | None = None
    stop_reason: str = ""
    usage: msgspec.Raw = NOTHING
    content_block_index: int = 0
    start: _Block | None = None
    delta: _Block | None = None


_body = msgspec.json.Decoder(_Body)
_usage: msgspec.json.Decoder[_Usage | None] = msgspec.json.Decoder(_Usage | None)


def decode_answer(body: bytes) -> ir.Answer | ir.Failed:
    """Raises json.InvalidJSON for what is no answer."""
    found = whole(_body, body)
    if found.output is None or found.output.message is None:
        raise json.InvalidJSON("an answer without a message")
    blocks = tuple(said for block in found.output.message.content if (said := _said(block)) is not None)
    reason = _REASONS.get(found.stop_reason, "stop")
    return ir.Answer(id="", model="", blocks=blocks, reason=reason, usage=_counted(found.usage))


def _said(block: _Block) -> ir.Said | None:
    if block.tool_use is not None:
        return ir.ToolCall(block.tool_use.tool_use_id, block.tool_use.name, bytes(block.tool_use.input).decode())
    if block.reasoning_content is not None:
        return _thought(block.reasoning_content)
    return ir.Text(block.text) if block.text else None


def _thought(told: _Reasoning) -> ir.Thinking | ir.Redacted:
    if told.redacted_content:
        return ir.Redacted(told.redacted_content, NAME)
    inner = told.reasoning_text or told
    return ir.Thinking(inner.text, inner.signature, NAME)


def _counted(raw: msgspec.Raw) -> ir.Usage | None:
    found = believed(_usage, raw)
    if found is None:
        return None
    read, written = found.cache_read_input_tokens, found.cache_write_input_tokens
    total = found.input_tokens + read + written
    hour = sum(each.input_tokens for each in found.cache_details if each.ttl == "1h")
    return ir.Usage(
        input=total,
        output=found.output_tokens,
        cached=read,
        cache_write=written,
        cache_write_1h=min(hour, written),
    )


class StreamDecoder:
    """Reads one stream, cut anywhere. Its counts come after its end."""

    __slots__ = ("_argued", "_block", "_finished", "_frames", "_over", "_thought", "prompt", "usage")

    def __init__(self) -> None:
        self._frames = FrameReader()
        self._block = ""
        self._argued = False
        self._thought = _Reasoning()
        self._finished = False
        self._over = False
        self.prompt: ir.Usage | None = None
        self.usage: ir.Usage | None = None

    def feed(self, data: bytes) -> list[ir.Event]:
        events: list[ir.Event] = []
        if self._over:
            return events
        try:
            for frame in self._frames.feed(data):
                events.extend(self._read(frame))
                if events and isinstance(events[-1], (ir.Ended, ir.Failed)):
                    break
        except Broken as error:
            self._over = True
            events.append(ir.Failed("", str(error)))
        return events

    def close(self) -> list[ir.Event]:
        """A stream that said why it stopped is complete, its counts or not."""
        if self._over or not self._finished:
            return []
        self._over = True
        return [ir.Ended(self.usage)]

    def _read(self, frame: Frame) -> Iterator[ir.Event]:
        if frame.kind != "event":
            self._over = True
            yield failure(frame)
            return
        try:
            found = _body.decode(frame.payload)
        except BROKEN:
            raise Broken(UNREADABLE) from None
        match frame.name:
            case "messageStart":
                yield ir.Started("", "")
            case "contentBlockStart" if found.start is not None and found.start.tool_use is not None:
                self._block, self._argued = "call", False
                yield ir.CallStarted(found.start.tool_use.tool_use_id, found.start.tool_use.name)
            case "contentBlockDelta" if found.delta is not None:
                yield from self._delta(found.delta)
            case "contentBlockStop":
                yield from self._stop(found.content_block_index)
            case "messageStop":
                self._finished = True
                yield ir.Finished(_REASONS.get(found.stop_reason, "stop"))
            case "metadata":
                self.usage = _counted(found.usage)
                if self._finished:
                    self._over = True
                    yield ir.Ended(self.usage)
            case _:
                pass

    def _delta(self, delta: _Block) -> Iterator[ir.Event]:
        if delta.text:
            yield ir.TextDelta(delta.text)
        if delta.tool_use is not None and self._block == "call":
            text = _text(delta.tool_use.input)
            if text:
                self._argued = True
                yield ir.ArgumentsDelta(text)
        told = delta.reasoning_content
        if told is not None:
            if self._block != "thought":
                self._block, self._thought = "thought", _Reasoning()
            self._thought.text += told.text
            self._thought.signature += told.signature
            self._thought.redacted_content += told.redacted_content
            if told.text:
                yield ir.ThinkingDelta(told.text)

    def _stop(self, index: int) -> Iterator[ir.Event]:
        block, self._block = self._block, ""
        if block == "call" and not self._argued:
            yield ir.ArgumentsDelta("{}")
        if block == "thought":
            yield ir.ThinkingEnded(index, _thought(self._thought))


def _text(raw: msgspec.Raw) -> str:
    """The arguments of a call come in pieces of text."""
    try:
        return msgspec.json.decode(raw, type=str)
    except BROKEN:
        raise Broken(UNREADABLE) from None


def decoder() -> StreamDecoder:
    return StreamDecoder()
