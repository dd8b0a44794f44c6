"""Answers of vendors that took OpenAI's messages over under other names: what was thought, said and called."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from one_api import ir
from one_api.dialects.decoding import MIXED, CallPieces, EventDecoder


class Function(Protocol):
    @property
    def name(self) -> str | None: ...
    @property
    def arguments(self) -> str | None: ...


class Call(Protocol):
    @property
    def id(self) -> str | None: ...
    @property
    def index(self) -> int | None: ...
    @property
    def function(self) -> Function | None: ...


class Message(Protocol):
    """A message, or the piece of one in a stream."""

    @property
    def reasoning_content(self) -> str | None: ...
    @property
    def text(self) -> str: ...
    @property
    def tool_calls(self) -> Sequence[Call] | None: ...


def blocks(message: Message) -> Iterable[ir.Said]:
    if message.reasoning_content:
        yield ir.Thinking(message.reasoning_content)
    if message.text:
        yield ir.Text(message.text)
    for place, call in enumerate(message.tool_calls or ()):
        name, arguments = _called(call)
        yield ir.ToolCall(call.id or f"call_{place}", name, arguments or "{}")


def events(piece: Message, calls: CallPieces) -> list[ir.Event] | None:
    """None if the pieces of several calls are mixed."""
    found: list[ir.Event] = []
    if piece.reasoning_content:
        found.append(ir.ThinkingDelta(piece.reasoning_content))
    if piece.text:
        found.append(ir.TextDelta(piece.text))
    for call in piece.tool_calls or ():
        taken = calls.take(calls.last if call.index is None else call.index, call.id, *_called(call))
        if taken is None:
            return None
        found += taken
    return found


class MessageDecoder(EventDecoder):
    """A stream of such pieces. It has no mark at its end: one that gave a reason and ends is complete."""

    __slots__ = ("_calls",)

    def __init__(self) -> None:
        super().__init__()
        self._calls = CallPieces()

    def _said(self, piece: Message | None, reason: ir.Reason | None) -> list[ir.Event]:
        found = [] if piece is None else events(piece, self._calls)
        if found is None:
            return self._fail(MIXED)
        if reason is not None and not self._finished:
            self._finished = True
            found.append(ir.Finished(reason))
        return found


def _called(call: Call) -> tuple[str, str]:
    function = call.function
    return ("", "") if function is None else (function.name or "", function.arguments or "")
