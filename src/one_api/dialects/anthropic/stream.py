"""A stream of Anthropic's Messages API, read into the neutral model's events from bytes cut anywhere.

https://platform.claude.com/docs/en/build-with-claude/streaming. "New event types may be added": those, and deltas of a
kind not known here, are passed over.
"""

from typing import Any, TypeVar

import msgspec

from one_api import ir
from one_api.dialects.anthropic.answer import Block, Counts, Fault, Kept, Ran, Thought, cited, decode_counts, reason_of
from one_api.dialects.anthropic.blocks import NAME
from one_api.dialects.decoding import BROKEN, REPORTED, UNREADABLE, EventDecoder

T = TypeVar("T", int, Thought, Kept, Ran)


class _Message(msgspec.Struct):
    id: str = ""
    model: str = ""
    usage: msgspec.Raw = msgspec.Raw(b"null")


class _Delta(msgspec.Struct):
    type: str = ""
    text: str = ""
    thinking: str = ""
    signature: str = ""
    partial_json: str = ""
    citation: Any = None
    stop_reason: str | None = None


class _Event(msgspec.Struct):
    type: str
    index: int = 0
    message: _Message | None = None
    content_block: Block | None = None
    delta: _Delta | None = None
    usage: msgspec.Raw = msgspec.Raw(b"null")
    error: Fault | None = None


_event = msgspec.json.Decoder(_Event)


class StreamDecoder(EventDecoder):
    """`prompt` is what the upstream said it has read, `usage` the whole report once it is final."""

    __slots__ = ("_argued", "_begun", "_block", "_cited", "_counts", "_length", "_signature", "_thought")

    def __init__(self) -> None:
        super().__init__()
        self._block: Block | None = None
        self._argued = False
        self._thought: list[str] = []
        self._signature = ""
        self._counts = Counts()
        self._length = 0  # of all text
        self._begun = 0  # where the block under way began in it
        self._cited: list[Any] = []

    def read(self, data: bytes) -> list[ir.Event]:
        try:
            event = _event.decode(data)
        except BROKEN:
            return self._fail(UNREADABLE)
        return self._read(event)

    def _read(self, event: _Event) -> list[ir.Event]:
        match event.type:
            case "message_start" if event.message is not None:
                self._started = True
                counts = self._count(event.message.usage)
                self.prompt = (
                    None if counts is None else msgspec.structs.replace(counts.usage, output=0, reasoning=0, tools=())
                )
                return [ir.Started(event.message.id, event.message.model, self.prompt)]
            case "content_block_start" if event.content_block is not None:
                return self._start(event.content_block)
            case "content_block_delta" if event.delta is not None:
                return self._delta(event.delta)
            case "content_block_stop":
                return self._stop(event.index)
            case "message_delta":
                return self._finish(event)
            case "message_stop":
                self._over = True
                return [ir.Ended(self.usage)]
            case "error":
                fault = event.error or Fault()
                return self._fail(fault.message or REPORTED, fault.type)
            case "ping":
                return [ir.Alive()]
            case _:
                return []

    def _start(self, block: Block) -> list[ir.Event]:
        self._block, self._argued, self._thought, self._signature = block, False, [], block.signature
        match block.type:
            case "text":
                self._begun, self._cited = self._length, list(block.citations or ())
                return self._say(block.text) if block.text else []
            case "thinking" if block.thinking:
                return self._think(block.thinking)
            case "tool_use":
                return [ir.CallStarted(block.id, block.name)]
            case _:
                return []

    def _delta(self, delta: _Delta) -> list[ir.Event]:
        match delta.type:
            case "text_delta" if delta.text:
                return self._say(delta.text)
            case "thinking_delta" if delta.thinking:
                return self._think(delta.thinking)
            case "citations_delta":
                self._cited.append(delta.citation)
                return []
            case "signature_delta":
                self._signature += delta.signature
                return []
            case "input_json_delta" if delta.partial_json and self._calling:
                self._argued = True
                return [ir.ArgumentsDelta(delta.partial_json)]
            case _:
                return []

    @property
    def _calling(self) -> bool:
        """Not a tool that Anthropic runs itself: its arguments are nobody's business here."""
        return self._block is not None and self._block.type == "tool_use"

    def _say(self, text: str) -> list[ir.Event]:
        self._length += len(text)
        return [ir.TextDelta(text)]

    def _think(self, text: str) -> list[ir.Event]:
        self._thought.append(text)
        return [ir.ThinkingDelta(text)]

    def _stop(self, index: int) -> list[ir.Event]:
        """A call without arguments ends as the empty object its block began with."""
        block, self._block = self._block, None
        if block is None:
            return []
        match block.type:
            case "tool_use" if not self._argued:
                return [ir.ArgumentsDelta(bytes(block.input).decode() or "{}")]
            case "text" if self._cited:
                return [ir.Cited(each) for each in cited(self._cited, self._begun, self._length)]
            case "thinking":
                return [ir.ThinkingEnded(index, ir.Thinking("".join(self._thought), self._signature, NAME))]
            case "redacted_thinking":
                return [ir.ThinkingEnded(index, ir.Redacted(block.data, NAME))]
            case _:
                return []

    def _finish(self, event: _Event) -> list[ir.Event]:
        """Its counts "are cumulative"."""
        counts = self._count(event.usage)
        self.usage = None if counts is None or counts.output_tokens is None else counts.usage
        reason = None if event.delta is None else event.delta.stop_reason
        if reason is None:
            return []
        self._finished = True
        return [ir.Finished(reason_of(reason))]

    def _count(self, raw: msgspec.Raw) -> Counts | None:
        """What was counted up to now; None when this report cannot be believed."""
        counts = decode_counts(raw)
        if counts is None:
            return None
        names = Counts.__struct_fields__
        pairs: dict[str, Any] = {name: _larger(getattr(self._counts, name), getattr(counts, name)) for name in names}
        self._counts = Counts(**pairs)
        return self._counts


def _larger(known: T | None, told: T | None) -> T | None:
    return told if known is None else known if told is None else max(known, told)
