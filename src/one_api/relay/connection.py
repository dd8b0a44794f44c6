"""One HTTP/1.1 connection to an upstream: writes a request, reads its answer within limits, hands it to a sink.

What one read brought is parsed first and handed on afterwards, so that no sink runs inside the parser: it may abort,
pause or send again as it likes, and what follows an answer in the same bytes is seen before the answer's end is told.
"""

import asyncio
from collections.abc import Callable
from operator import itemgetter
from typing import Any, Final, Protocol

import httptools
import structlog

from one_api.relay.exchange import DirectExchange, Key
from one_api.relay.outgoing import Outgoing
from one_api.relay.transport import FailureKind, Head, Sink, TransportError
from one_api.relay.transport_inflate import Bomb, Inflater, NotInflatable
from one_api.relay.transport_repeats import RepeatedAnswer, whole_chunk
from one_api.relay.transport_sips import SIP, Sips, read_by

log = structlog.get_logger(__name__)

MAX_HEADERS: Final = 64 * 1024  # bytes; also of what comes between two pieces of a body
MAX_HEADER_COUNT: Final = 256
MAX_STRANGERS: Final = 16  # then nothing is to be known again on this connection
JOIN: Final = 4 * 1024  # bodies up to this are joined with their head

_NAME: Final = itemgetter(0)
_VALUE: Final = itemgetter(1)
_LENGTHS: Final = frozenset((b"content-length", b"transfer-encoding"))
_CODINGS: Final = frozenset((b"transfer-encoding", b"content-encoding"))
_NOT_SHOWN: Final = (b"content-length", b"content-encoding")  # of an answer that was inflated
_VERSIONS: Final = ("1.1", "1.0")


class Owner(Protocol):
    """The transport a connection belongs to."""

    outgoing: Outgoing

    def now(self) -> float: ...
    def soon(self, callback: Callable[[], None], /) -> object: ...
    def forget(self, exchange: DirectExchange, /) -> None: ...
    def retry(self, exchange: DirectExchange, /) -> None: ...
    def release(self, connection: "Connection", /) -> None: ...
    def lost(self, connection: "Connection", /) -> None: ...


class Connection(asyncio.Protocol):
    """Belongs to one origin and serves one exchange at a time."""

    def __init__(self, owner: Owner, key: Key) -> None:
        self.key = key
        self.idle_since = 0.0
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._exchange: DirectExchange | None = None
        self._parser: Any = None
        self._served = 0
        self._pieces: list[bytes] = []
        self._inflater: Inflater | None = None
        self._sips = False
        self._known: RepeatedAnswer | None = None
        self._strangers = 0  # answers that were not like the one before
        self._held = False  # the inflater may hold more than the sink wants now
        self._reset()

    def _reset(self) -> None:
        """Nothing has come yet of the next answer."""
        self._answered = False
        self._head: Head | None = None
        self._lines: list[tuple[bytes, bytes]] = []  # of the head as they came; what trails a body is not looked at
        self._overhead = 0
        self._coding = b""
        self._framed = False
        self._interim = False
        self._in_body = False
        self._between_chunks = False
        self._complete = False
        self._reusable = False

    # For the transport.

    @property
    def made(self) -> bool:
        """Whether it ever stood; only then is there an end to hear of."""
        return self._transport is not None

    @property
    def closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def begin(self, exchange: DirectExchange) -> None:
        """Send a request on a connection that is not closing; its answer goes to the exchange's sink."""
        transport = self._transport
        if transport is None:
            raise AssertionError("a connection begins after it was made")
        request = exchange.request
        exchange.connection = self
        exchange.phase, exchange.phase_since = "first_byte", self._owner.now()
        self._exchange = exchange
        if self._parser is None:
            self._parser = httptools.HttpResponseParser(self)
        self._reset()
        self._served += 1
        body = request.body
        if len(body) <= JOIN:
            self._owner.outgoing.write(transport, exchange.head + body)
        else:  # at once, while it is in the caches: in one system call, without a copy
            transport.writelines((exchange.head, body))
        if exchange.paused:
            transport.pause_reading()

    def pause(self) -> None:
        if not self.closing:
            self._transport.pause_reading()  # type: ignore[union-attr]  # `closing` looked

    def resume(self) -> None:
        if self._held:
            self._owner.soon(self._go_on)  # not within the sink's own call
        elif not self.closing:
            self._transport.resume_reading()  # type: ignore[union-attr]  # `closing` looked

    def drop(self) -> None:
        """Close at once; nobody is told."""
        self._exchange = None
        if self._transport is not None:
            self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a stream's transport

    def data_received(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is None:
            self.drop()  # an answer nobody asked for
            return
        first, self._answered = not self._answered, True
        if self._in_body:
            exchange.phase_since = self._owner.now()
            if self._between_chunks and self._inflater is None and (piece := whole_chunk(data)):
                self._hand_on_piece(exchange, piece)  # as most events come; the parser stays where it stands
                return
        elif first and self._known is not None and self._repeats(exchange, self._known, data):
            return
        self._parse(exchange, data, first=first)

    def _parse(self, exchange: DirectExchange, data: bytes, *, first: bool) -> None:
        failure: FailureKind | None = None
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            # What a callback raised comes wrapped; a limit it met is in the context.
            failure = "too_large" if isinstance(error.__context__, _TooLarge) else "protocol"
            self._reusable = False
        if len(data) > SIP and not self._complete:
            self._sip()
        if self._complete:
            failure = None  # it was not about this answer
            if first and self._reusable and self._strangers < MAX_STRANGERS:
                self._learn(data)
        elif self._pieces:
            self._overhead = 0
        else:
            self._overhead += len(data)
            if self._overhead > MAX_HEADERS:
                failure = "too_large"
        self._hand_on(exchange, failure)

    def _learn(self, data: bytes) -> None:
        """Remember an answer that one read brought."""
        if self._head is not None and self._framed and self._inflater is None:
            self._known = RepeatedAnswer.learn(data, self._head)

    def _repeats(self, exchange: DirectExchange, known: RepeatedAnswer, data: bytes) -> bool:
        """Whether an answer came whole that is like the one before; the parser stays where it stands."""
        match = None if exchange.request.method == "HEAD" else known.match(data)
        if match is None:
            self._known = None
            self._strangers += 1
            return False
        self._head, body = match
        if body:
            self._pieces.append(body)
        self._in_body = self._framed = self._complete = self._reusable = True
        self._hand_on(exchange, None)
        return True

    def _sip(self) -> None:
        """Read a little at a time until the end of this answer."""
        if self._transport is not None and self._transport.is_reading():
            self._sips = True
            read_by(Sips(self), self._transport)

    def eof_received(self) -> bool:
        if self._transport is not None:
            self._transport.abort()  # a close would first wait for what the upstream no longer reads
        return False

    def connection_lost(self, error: Exception | None) -> None:
        exchange = self._exchange
        if exchange is not None and not self._complete:
            if self._in_body and not self._framed and error is None:
                self._complete = True  # the end of the connection is the end of the answer
                if not self._held:
                    self._hand_on(exchange, None)
            elif self._served > 1 and not self._answered and not exchange.fresh_only:
                self._exchange = None
                self._owner.retry(exchange)
            else:
                exchange.fail(TransportError("closed", sent=True))
        self._owner.lost(self)

    # httptools' callbacks

    def on_message_begin(self) -> None:
        if self._complete:
            raise _Unexpected  # an answer nobody asked for, behind the one we wanted
        self._lines.clear()
        self._coding = b""

    def on_header(self, name: bytes, value: bytes) -> None:
        self._lines.append((name, value))

    def _on_coding(self, name: bytes, value: bytes) -> None:
        if name == b"content-encoding":
            if self._coding:
                raise _Unexpected
            self._coding = value.lower() if value.lower() != b"identity" else b""
        elif name == b"transfer-encoding" and value.lower() != b"chunked":
            raise _Unexpected  # we never offered another

    def on_headers_complete(self) -> None:
        parser = self._parser
        status = parser.get_status_code()
        if parser.get_http_version() not in _VERSIONS or status == 101 or status < 100:
            raise _Unexpected
        if len(self._lines) > MAX_HEADER_COUNT:
            raise _TooLarge
        lines = self._lines  # in steps of C: upstreams send many
        names = [*map(bytes.lower, map(_NAME, lines))]
        headers = [*zip(names, map(bytes.rstrip, map(_VALUE, lines)), strict=True)]
        self._framed = not _LENGTHS.isdisjoint(names)
        if not _CODINGS.isdisjoint(names):
            for name, value in headers:
                self._on_coding(name, value)
        self._interim = status < 200
        exchange = self._exchange
        if self._interim or exchange is None:
            return
        empty = status in (204, 304) or exchange.request.method == "HEAD"
        if empty:
            self._framed = True
        elif self._coding:
            self._inflater = _inflater(self._coding)
            headers = [header for header in headers if header[0] not in _NOT_SHOWN]
        self._in_body = True
        self._head = Head(status, headers)
        # After a HEAD the parser waits for a body that does not come: whole, but not fit for another answer.
        self._complete = exchange.request.method == "HEAD"

    def on_body(self, data: bytes) -> None:
        if self._in_body and not self._complete:
            self._pieces.append(data)

    def on_chunk_header(self) -> None:
        self._between_chunks = False

    def on_chunk_complete(self) -> None:
        self._between_chunks = True

    def on_message_complete(self) -> None:
        if self._in_body and not self._complete:
            self._complete = True
            self._reusable = self._parser.should_keep_alive()

    # Handing on

    def _hand_on(self, exchange: DirectExchange, failure: FailureKind | None) -> None:
        """Tell the sink what has come: the head, the pieces that one read brought as one, the end or the failure."""
        try:
            if self._head is not None:
                self._hand_on_head(exchange, self._head)
            if self._inflater is not None:
                self._inflate(exchange, self._inflater)
            elif self._pieces and exchange.sink is not None:
                exchange.sink.on_data(self._taken())
        except Bomb:
            failure = "too_large"
        except NotInflatable:
            failure = "protocol"
        except Exception:
            log.exception("an answer's sink failed")
            failure = "protocol"
        if exchange.sink is None:
            return  # it aborted
        if failure is not None:
            exchange.fail(TransportError(failure, sent=True))
        elif self._complete and not self._held:
            self._finish(exchange, exchange.sink)

    def _hand_on_piece(self, exchange: DirectExchange, piece: bytes) -> None:
        sink = exchange.sink
        if sink is None:
            return
        try:
            sink.on_data(piece)
        except Exception:
            log.exception("an answer's sink failed")
            exchange.fail(TransportError("protocol", sent=True))

    def _hand_on_head(self, exchange: DirectExchange, head: Head) -> None:
        self._head = None
        exchange.phase, exchange.phase_since = "idle", self._owner.now()
        if exchange.sink is not None:
            exchange.sink.on_head(head)

    def _taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _inflate(self, exchange: DirectExchange, inflater: Inflater) -> None:
        """As much as the sink takes. Raises Bomb, NotInflatable."""
        if self._pieces:
            inflater.feed(self._taken())
        self._held = True
        while exchange.sink is not None and not exchange.paused:
            piece = inflater.read()
            if not piece:
                self._held = False
                if self._complete:
                    inflater.close()
                return
            exchange.sink.on_data(piece)

    def _go_on(self) -> None:
        """The sink resumed while the inflater held more."""
        exchange = self._exchange
        if exchange is None or exchange.paused:
            return
        self._hand_on(exchange, None)
        if exchange is self._exchange and not exchange.paused:
            self.resume()

    def _finish(self, exchange: DirectExchange, sink: Sink) -> None:
        """The answer is whole: keep the connection if it is clean, then say so."""
        exchange.sink = exchange.connection = self._exchange = self._inflater = None
        self._owner.forget(exchange)
        transport = self._transport
        if transport is not None and not transport.is_closing():
            if self._reusable and self._framed and not transport.get_write_buffer_size():
                if self._sips:
                    self._sips = False
                    read_by(self, transport)
                elif exchange.paused:
                    transport.resume_reading()
                self._owner.release(self)
            else:
                transport.abort()
        try:
            sink.on_end()
        except Exception:
            log.exception("an answer's sink failed")


class _TooLarge(Exception):
    """A limit of ours was met."""


class _Unexpected(Exception):
    """An answer that HTTP allows and we never asked for."""


def _inflater(coding: bytes) -> Inflater:
    """Raises _Unexpected for a coding we never asked for and cannot undo."""
    if not Inflater.knows(coding):
        raise _Unexpected
    return Inflater(coding)
