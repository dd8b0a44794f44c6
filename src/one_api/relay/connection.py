"""One HTTP/1.1 connection to an upstream: writes a request, reads its answer within limits, hands it to a sink.

What one read brought is parsed first and handed on afterwards, so that no sink runs inside the parser: it may abort,
pause or send again as it likes, and what follows an answer in the same bytes has been seen before the answer's end is told.
"""

import asyncio
from typing import TYPE_CHECKING, Any, Final

import httptools
import structlog

from one_api.relay.transport import FailureKind, Head, Origin, TransportError
from one_api.relay.transport_inflate import Bomb, Inflater, NotInflatable

if TYPE_CHECKING:
    from one_api.relay.direct import DirectExchange, DirectTransport

log = structlog.get_logger(__name__)

MAX_HEADERS: Final = 64 * 1024  # bytes; also of what comes between two pieces of a body
MAX_HEADER_COUNT: Final = 256
JOIN: Final = 64 * 1024  # bodies up to this are sent in one piece with their head

_FRAMING: Final = frozenset((b"content-length", b"transfer-encoding", b"content-encoding"))
_NOT_SHOWN: Final = (b"content-length", b"content-encoding")  # of an answer that was inflated
_VERSIONS: Final = ("1.1", "1.0")


class Connection(asyncio.Protocol):
    """Belongs to one origin and serves one exchange at a time."""

    def __init__(self, owner: "DirectTransport", key: tuple[Origin, str]) -> None:
        self.key = key
        self.idle_since = 0.0
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._exchange: DirectExchange | None = None
        self._parser: Any = None
        self._served = 0
        self._pieces: list[bytes] = []
        self._inflater: Inflater | None = None
        self._held = False  # the inflater may hold more than the sink wants now
        self._reset()

    def _reset(self) -> None:
        """Nothing has come yet of the next answer."""
        self._answered = False
        self._head: Head | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._header_size = 0
        self._overhead = 0
        self._coding = b""
        self._framed = False
        self._interim = False
        self._in_body = False
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

    def begin(self, exchange: "DirectExchange") -> None:
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
        else:
            self._reset()
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
        if not self.closing:
            self._transport.pause_reading()  # type: ignore[union-attr]  # `closing` looked

    def resume(self) -> None:
        if self._held:
            self._owner.soon(self._go_on, self._exchange)
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
        self._answered = True
        if self._in_body:
            exchange.phase_since = self._owner.now()
        failure: FailureKind | None = None
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            # What a callback raised comes wrapped; a limit it met is in the context.
            failure = "too_large" if isinstance(error.__context__, _TooLarge) else "protocol"
        if self._pieces:
            self._overhead = 0
        else:
            self._overhead += len(data)
            if self._overhead > MAX_HEADERS:
                failure = "too_large"
        self._hand_on(exchange, failure)

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
        self._headers = []
        self._header_size = 0
        self._coding = b""
        self._framed = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_size += len(name) + len(value)
        if self._header_size > MAX_HEADERS or len(self._headers) >= MAX_HEADER_COUNT:
            raise _TooLarge
        if self._in_body:
            return  # a trailer
        name = name.lower()
        value = value.rstrip()
        if name in _FRAMING:
            self._on_framing(name, value)
        self._headers.append((name, value))

    def _on_framing(self, name: bytes, value: bytes) -> None:
        if name == b"content-encoding":
            if self._coding:
                raise _Unexpected
            self._coding = value.lower() if value.lower() != b"identity" else b""
        elif name == b"transfer-encoding" and value.lower() != b"chunked":
            raise _Unexpected  # we never offered another
        else:
            self._framed = True

    def on_headers_complete(self) -> None:
        parser = self._parser
        status = parser.get_status_code()
        if parser.get_http_version() not in _VERSIONS or status == 101 or status < 100:
            raise _Unexpected
        self._interim = status < 200
        exchange = self._exchange
        if self._interim or exchange is None:
            return
        empty = status in (204, 304) or exchange.request.method == "HEAD"
        if empty:
            self._framed = True
        elif self._coding:
            self._inflater = _inflater(self._coding)
            self._headers = [header for header in self._headers if header[0] not in _NOT_SHOWN]
        self._in_body = True
        self._head = Head(status, tuple(self._headers))
        # After a HEAD the parser waits for a body that does not come: whole, but not fit for another answer.
        self._complete = exchange.request.method == "HEAD"

    def on_body(self, data: bytes) -> None:
        if self._in_body and not self._complete:
            self._pieces.append(data)

    def on_message_complete(self) -> None:
        if self._in_body and not self._complete:
            self._complete = True
            self._reusable = self._parser.should_keep_alive()

    # Handing on

    def _hand_on(self, exchange: "DirectExchange", failure: FailureKind | None) -> None:
        """Tell the sink what has come: the head, the pieces that one read brought as one, the end or the failure."""
        try:
            head, self._head = self._head, None
            if head is not None and exchange.sink is not None:
                exchange.phase, exchange.phase_since = "idle", self._owner.now()
                exchange.sink.on_head(head)
            if self._pieces:
                self._hand_on_body(exchange)
            elif self._held:
                self._inflate(exchange)
        except Bomb:
            failure = "too_large"
        except NotInflatable:
            failure = "protocol"
        except Exception:
            log.exception("an answer's sink failed")
            self._fail(exchange, "protocol")
            return
        if exchange.sink is None:
            return  # aborted by itself
        if self._complete and failure != "too_large" and not self._inflating_failed(failure):
            if not self._held:
                self._finish(exchange)
        elif failure is not None:
            self._fail(exchange, failure)
