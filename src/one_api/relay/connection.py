"""One HTTP/1.1 connection to an upstream: writes a request, reads its answer within limits, hands it to the exchange's sink."""

import asyncio
from typing import TYPE_CHECKING, Any

import httptools
import structlog

from one_api.relay.transport import FailureKind, Head, Origin, TransportError
from one_api.relay.transport_inflate import Bomb, Inflater, NotInflatable

if TYPE_CHECKING:
    from one_api.relay.direct import DirectExchange, DirectTransport

log = structlog.get_logger(__name__)

MAX_HEADERS = 64 * 1024
MAX_HEADER_COUNT = 256
JOIN = 64 * 1024  # bodies up to this are sent in one piece with their head


class Connection(asyncio.Protocol):
    """Belongs to one origin and serves one exchange at a time."""

    def __init__(self, owner: "DirectTransport", key: tuple[Origin, str]) -> None:
        self.key = key
        self.idle_since = 0.0
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._exchange: DirectExchange | None = None
        self._parser: Any = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._header_size = 0
        self._served = 0
        self._answered = False
        self._in_body = False
        self._until_close = False
        self._reusable = False
        self._inflate: Inflater | None = None
        self._pieces: list[bytes] = []

    # For the transport.

    @property
    def closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def begin(self, exchange: "DirectExchange") -> None:
        """Send a request; its answer goes to the exchange's sink."""
        transport = self._transport
        if transport is None:
            raise AssertionError("a connection begins after it was made")
        request = exchange.request
        exchange.connection = self
        exchange.phase, exchange.phase_since = "first_byte", self._owner.now()
        self._exchange = exchange
        if self._parser is None:
            self._parser = httptools.HttpResponseParser(self)
        self._answered = self._in_body = self._until_close = self._reusable = False
        self._inflate = None
        self._served += 1
        body = request.body
        if len(body) <= JOIN:
            transport.write(exchange.head + body)
        else:
            transport.write(exchange.head)
            transport.write(body)
        if exchange.paused:
            transport.pause_reading()

    def pause(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

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
        self._answered = True
        exchange.phase_since = self._owner.now()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            # What a callback raised comes wrapped; a limit it met is in the context.
            kind: FailureKind = "too_large" if isinstance(error.__context__, _TooLarge) else "protocol"
            self._fail(kind)
            return
        if self._pieces:
            self._flush()
        if self._reusable:
            # Only now: what follows an answer in the same bytes was seen, and made the connection useless.
            self._owner.release(self)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: Exception | None) -> None:
        exchange, self._exchange = self._exchange, None
        self._reusable = False
        if exchange is not None and exchange.sink is not None:
            if self._until_close and self._in_body and error is None:
                self._exchange = exchange
                self._finish(exchange)
            elif self._served > 1 and not self._answered and not exchange.fresh_only:
                self._owner.retry(exchange)
            else:
                exchange.connection = None
                exchange.fail(TransportError("closed", sent=True))
        self._owner.lost(self)

    # httptools' callbacks

    def on_message_begin(self) -> None:
        if self._exchange is None:
            self._reusable = False  # an answer nobody asked for, behind the one we wanted
            self.drop()
        self._headers = []
        self._header_size = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_size += len(name) + len(value)
        if self._header_size > MAX_HEADERS or len(self._headers) >= MAX_HEADER_COUNT:
            raise _TooLarge
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        exchange = self._exchange
        status = self._parser.get_status_code()
        if exchange is None or status < 200:
            if status == 101:
                raise _Unexpected
            return
        framed = status in (204, 304)
        for name, value in self._headers:
            if name == b"content-length" or (name == b"transfer-encoding" and value.lower().endswith(b"chunked")):
                framed = True
            elif name == b"content-encoding":
                self._inflate = _inflater(value)
        if self._inflate is not None:
            self._headers = [h for h in self._headers if h[0] not in (b"content-encoding", b"content-length")]
        self._in_body = True
        self._until_close = not framed
        exchange.phase = "idle"
        self._tell_head(exchange, Head(status, tuple(self._headers)))
        if exchange.request.method == "HEAD" and self._exchange is exchange:
            self._until_close = True  # the parser waits for a body that will not come
            self._finish(exchange)

    def on_body(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is None or exchange.sink is None:
            return
        if self._inflate is None:
            self._pieces.append(data)  # the pieces of one read go on together
            return
        try:
            self._inflate.feed(data)
            while piece := self._inflate.read():
                self._pieces.append(piece)
                self._flush()
        except Bomb:
            raise _TooLarge from None
        except NotInflatable:
            raise _Unexpected from None

    def _flush(self) -> None:
        pieces, self._pieces = self._pieces, []
        exchange = self._exchange
        if exchange is None or exchange.sink is None:
            return
        try:
            exchange.sink.on_data(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        except Exception:
            log.exception("an answer's sink failed")
            self._fail("protocol")

    def on_message_complete(self) -> None:
        exchange = self._exchange
        if exchange is not None and self._in_body:
            self._finish(exchange)

    # Ends

    def _tell_head(self, exchange: "DirectExchange", head: Head) -> None:
        if exchange.sink is None:
            return
        try:
            exchange.sink.on_head(head)
        except Exception:
            log.exception("an answer's sink failed")
            self._fail("protocol")

    def _finish(self, exchange: "DirectExchange") -> None:
        """The answer is whole: keep the connection if it is clean, then say so."""
        if self._pieces:
            self._flush()
        if self._exchange is not exchange:
            return
        self._exchange = None
        self._in_body = False
        if self._inflate is not None:
            try:
                self._inflate.close()
            except NotInflatable:
                self._exchange = exchange
                self._fail("protocol")
                return
        sink, exchange.sink = exchange.sink, None
        exchange.connection = None
        self._owner.forget(exchange)
        transport = self._transport
        if transport is not None:
            if exchange.paused:
                transport.resume_reading()
            clean = not self._until_close and self._parser.should_keep_alive() and not transport.is_closing()
            self._reusable = clean and transport.get_write_buffer_size() == 0
            if not self._reusable:
                transport.abort()
        if sink is not None:
            try:
                sink.on_end()
            except Exception:
                log.exception("an answer's sink failed")

    def _fail(self, kind: FailureKind) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.connection = None
            exchange.fail(TransportError(kind, sent=True))
        self.drop()


class _TooLarge(Exception):
    """A limit of ours was met."""


class _Unexpected(Exception):
    """An answer that HTTP allows and we never asked for."""


def _inflater(encoding: bytes) -> Inflater | None:
    """Raises _Unexpected for a coding we never asked for and cannot undo."""
    coding = encoding.strip().lower()
    if coding in (b"", b"identity"):
        return None
    if not Inflater.knows(coding):
        raise _Unexpected
    return Inflater(coding)
