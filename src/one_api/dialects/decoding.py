"""What decoders of answers do alike: telling what is broken, cutting streams into events, knowing their end."""

from codecs import BOM_UTF8
from typing import Annotated, Final, Protocol, TypeVar

import msgspec

from one_api import ir
from one_api.lib import json
from one_api.lib.sse import EventTooLong, SSEReader

T = TypeVar("T")
Count = Annotated[int, msgspec.Meta(ge=0)]
Piece = tuple[bytes, bytes | None]
BROKEN: Final = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)
NOTHING: Final = msgspec.Raw(b"null")
UNREADABLE: Final = "the upstream sent an event that cannot be read"
MIXED: Final = "the upstream mixes the calls of several tools"
REPORTED: Final = "the upstream reported an error"


def believed(decoder: msgspec.json.Decoder[T], raw: msgspec.Raw) -> T | None:
    """Counts, looked at apart: absurd ones are no reason to lose an answer."""
    try:
        return decoder.decode(raw)
    except BROKEN:
        return None


def whole(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """An answer in one piece. Raises json.InvalidJSON for what is none."""
    try:
        return decoder.decode(body)
    except BROKEN as error:
        raise json.InvalidJSON(str(error)) from None


class Reader(Protocol):
    """Cuts bytes into pieces, each as it came and the data in it. Raises EventTooLong."""

    def feed(self, chunk: bytes, /) -> list[Piece]: ...
    def close(self) -> list[Piece]: ...


class EventDecoder:
    """`feed` takes bytes cut anywhere and gives the events that are complete; after one that ends the stream there are
    no more.

    `prompt` is what the upstream said it has read, `usage` its whole report once it is final. A dialect says in `read`
    what the data of a piece mean, and that it has `_started`. Where a reason for the end may be the last that comes it
    says `_finished`; where there is a mark at the end it says `_over`.

    A base class and no wrapper: a wrapper would cost every event one call more.
    """

    __slots__ = ("_finished", "_over", "_reader", "_started", "number", "prompt", "usage")

    def __init__(self, reader: Reader | None = None) -> None:
        self._reader = reader or SSEReader()
        self._started = False
        self._finished = False
        self._over = False
        self.number = 0
        self.prompt: ir.Usage | None = None
        self.usage: ir.Usage | None = None

    def read(self, data: bytes) -> list[ir.Event]:
        """The events of one `data` field. Never called where events have names: those decoders take `_events` over, and
        so this is not abstract.
        """
        raise NotImplementedError

    def feed(self, data: bytes) -> list[ir.Event]:
        if self._over:
            return []
        try:
            pieces = self._reader.feed(data)
        except EventTooLong:
            return self._fail("the upstream sent an event larger than 16 MiB")
        return self._events(pieces)

    def close(self) -> list[ir.Event]:
        """What the end of the stream left open, if it is whole, and the end if a reason for it was given."""
        if self._over:
            return []
        found = [event for event in self._events(self._reader.close()) if not _unreadable(event)]
        if self._finished and not self._over:
            found.append(ir.Ended(self.usage))
        self._over = True
        return found

    def _events(self, pieces: list[Piece]) -> list[ir.Event]:
        """A piece without data is a sign of life, which nobody needs before the start."""
        found: list[ir.Event] = []
        for _, data in pieces:
            if self._over:
                break
            if data is not None:
                found += self.read(data)
            elif self._started:
                found.append(ir.Alive())
        return found

    def _fail(self, message: str, kind: str = "upstream_error", *, refused: bool = False) -> list[ir.Event]:
        return self._failed(ir.Failed(kind, message, refused=refused))

    def _failed(self, failure: ir.Failed) -> list[ir.Event]:
        self._over = True
        return [failure]


class CallPieces:
    """Calls of tools that come in numbered pieces, as OpenAI has them. One that was left for another has no place."""

    __slots__ = ("_index",)

    def __init__(self) -> None:
        self._index = -1

    @property
    def any(self) -> bool:
        return self._index >= 0

    @property
    def last(self) -> int:
        """Of a piece without a number."""
        return max(self._index, 0)

    def take(self, index: int | None, number: str | None, name: str | None, arguments: str) -> list[ir.Event] | None:
        """The events of a piece, None if it is one of an earlier call."""
        if index is None:
            index = self._index + bool(number) if self._index >= 0 else 0
        if index < self._index:
            return None
        found: list[ir.Event] = []
        if index > self._index:
            self._index = index
            found.append(ir.CallStarted(number or f"call_{index}", name or ""))
        if arguments:
            found.append(ir.ArgumentsDelta(arguments))
        return found


def event_name(raw: bytes) -> bytes:
    """Of a server-sent event whose name says what its data mean. The first may begin with a byte order mark."""
    for line in raw.removeprefix(BOM_UTF8).splitlines():
        if line.startswith(b"event:"):
            return line[6:].strip()
    return b""


def _unreadable(event: ir.Event) -> bool:
    return isinstance(event, ir.Failed) and event.message == UNREADABLE
