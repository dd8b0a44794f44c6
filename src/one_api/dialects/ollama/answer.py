"""Answers of Ollama, whole or as lines of JSON: https://docs.ollama.com/api/streaming."""

from collections.abc import Iterable
from typing import Annotated, Final

import msgspec

from one_api import ir
from one_api.lib import json
from one_api.lib.lines import LineReader, LineTooLong

Count = Annotated[int, msgspec.Meta(ge=0)]
UNREADABLE: Final = "the upstream sent a line that cannot be read"
ERROR: Final = "ollama_error"
"""What One API calls their errors, which have no type."""
_BROKEN: Final = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)
_EMPTY: Final = msgspec.Raw(b"{}")
_NOTHING: Final = msgspec.Raw(b"null")


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
    prompt_eval_count: msgspec.Raw = _NOTHING
    eval_count: msgspec.Raw = _NOTHING
    error: str | None = None

    @property
    def id(self) -> str:
        """They have none; the time, to the nanosecond, is one."""
        return "".join(each for each in self.created_at if each.isalnum())


_line = msgspec.json.Decoder(_Line)
_count: msgspec.json.Decoder[Count | None] = msgspec.json.Decoder(Count | None)


def decode_answer(body: bytes) -> ir.Answer | ir.Failed:
    """Raises json.InvalidJSON."""
    try:
        found = _line.decode(body)
    except _BROKEN as error:
        raise json.InvalidJSON(str(error)) from None
    if found.error is not None:
        return ir.Failed(ERROR, found.error or "the upstream reported an error")
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
    try:
        read, written = _count.decode(line.prompt_eval_count), _count.decode(line.eval_count)
    except _BROKEN:
        return None
    return None if read is None or written is None else ir.Usage(input=read, output=written)


class StreamDecoder:
    """Reads a stream cut anywhere. `prompt` is never told before the end."""

    __slots__ = ("_calls", "_id", "_over", "_reader", "_started", "prompt", "usage")

    def __init__(self) -> None:
        self._reader = LineReader()
        self._calls = 0
        self._id = ""
        self._started = False
        self._over = False
        self.prompt: ir.Usage | None = None
        self.usage: ir.Usage | None = None

    def feed(self, data: bytes) -> list[ir.Event]:
        if self._over:
            return []
        try:
            lines = self._reader.feed(data)
        except LineTooLong:
            return self._fail(ir.Failed("", "the upstream sent a line larger than 16 MiB"))
        return [event for line in lines for event in self._read(line)]

    def close(self) -> list[ir.Event]:
        """A last line without its end; half a line is none."""
        found = [event for line in self._reader.close() for event in self._read(line)]
        return [event for event in found if not (isinstance(event, ir.Failed) and event.message == UNREADABLE)]

    def _read(self, data: bytes) -> list[ir.Event]:
        if self._over:
            return []
        try:
            line = _line.decode(data)
        except _BROKEN:
            return self._fail(ir.Failed("", UNREADABLE))
        if line.error is not None:
            return self._fail(ir.Failed(ERROR, line.error or "the upstream reported an error"))
        return list(self._events(line))

    def _events(self, line: _Line) -> Iterable[ir.Event]:
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

    def _fail(self, failure: ir.Failed) -> list[ir.Event]:
        self._over = True
        return [failure]
