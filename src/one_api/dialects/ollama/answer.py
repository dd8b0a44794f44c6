"""Answers of Ollama, whole or as lines of JSON: https://docs.ollama.com/api/streaming."""

from collections.abc import Iterable
from typing import Final

import msgspec

from one_api import ir
from one_api.dialects.decoding import BROKEN, NOTHING, REPORTED, UNREADABLE, Count, EventDecoder, believed, whole
from one_api.lib import json
from one_api.lib.lines import LineReader

ERROR: Final = "ollama_error"
"""What One API calls their errors, which have no type."""
_EMPTY: Final = msgspec.Raw(b"{}")


class _Function(msgspec.Struct):
    name: str = ""
    arguments: msgspec.Raw = _EMPTY


class _Call(msgspec.Struct):
    function: _Function
    id: str | None = None


class _Message(msgspec.Struct):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[_Call] | None = None


class _Line(msgspec.Struct):
    """A whole answer, or a piece of one. Counts are looked at apart: absurd ones are no reason to lose an answer."""

    model: str | None = None
    created_at: str = ""
    message: _Message | None = None
    done: bool | None = None
    done_reason: str | None = None
    prompt_eval_count: msgspec.Raw = NOTHING
    eval_count: msgspec.Raw = NOTHING
    error: str | None = None

    @property
    def id(self) -> str:
        """They have none; the time, to the nanosecond, is one."""
        return "".join(each for each in self.created_at if each.isalnum())


_line = msgspec.json.Decoder(_Line)
_count: msgspec.json.Decoder[Count | None] = msgspec.json.Decoder(Count | None)


def decode_answer(body: bytes) -> ir.Answer | ir.Failed:
    """Raises json.InvalidJSON."""
    found = whole(_line, body)
    if found.error is not None:
        return ir.Failed(ERROR, found.error or REPORTED)
    if found.message is None:
        raise json.InvalidJSON("an answer without a message")
    blocks = tuple(_blocks(found.message, found.id))
    called = any(isinstance(block, ir.ToolCall) for block in blocks)
    return ir.Answer(
        id=found.id,
        model=found.model or "",
        blocks=blocks,
        reason=_reason(found, called=called),
        usage=_usage(found),
    )


def _blocks(message: _Message, number: str) -> Iterable[ir.Said]:
    if message.thinking:
        yield ir.Thinking(message.thinking)
    if message.content:
        yield ir.Text(message.content)
    for place, call in enumerate(message.tool_calls or ()):
        yield ir.ToolCall(call.id or f"call_{number}_{place}", call.function.name, _arguments(call))


def _arguments(call: _Call) -> str:
    """As the text they came in."""
    return bytes(call.function.arguments).decode("utf-8", "replace")


def _reason(line: _Line, *, called: bool) -> ir.Reason:
    if line.done_reason == "length":
        return "length"
    return "tool_calls" if called else "stop"


def _usage(line: _Line) -> ir.Usage | None:
    """None where one half is missing: a prompt that was kept in memory is not always counted."""
    read, written = believed(_count, line.prompt_eval_count), believed(_count, line.eval_count)
    return None if read is None or written is None else ir.Usage(input=read, output=written)


class StreamDecoder(EventDecoder):
    """Reads a stream of lines cut anywhere. `prompt` is never told before the end."""

    __slots__ = ("_calls", "_id")

    def __init__(self) -> None:
        super().__init__(LineReader())
        self._calls = 0
        self._id = ""

    def read(self, data: bytes) -> list[ir.Event]:
        try:
            line = _line.decode(data)
        except BROKEN:
            return self._fail(UNREADABLE)
        if line.error is not None:
            return self._fail(line.error or REPORTED, ERROR)
        return list(self._told(line))

    def _told(self, line: _Line) -> Iterable[ir.Event]:
        if not self._started:
            self._started = True
            self._id = line.id
            yield ir.Started(self._id, line.model or "")
        message = line.message or _Message()
        if message.thinking:
            yield ir.ThinkingDelta(message.thinking)
        if message.content:
            yield ir.TextDelta(message.content)
        for call in message.tool_calls or ():
            yield ir.CallStarted(call.id or f"call_{self._id}_{self._calls}", call.function.name)
            yield ir.ArgumentsDelta(_arguments(call))
            self._calls += 1
        if line.done:
            self._over = True
            self.usage = _usage(line)
            yield ir.Finished(_reason(line, called=self._calls > 0))
            yield ir.Ended(self.usage)
