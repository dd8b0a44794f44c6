"""Our HTTP/1.1 client: asyncio protocols over httptools, kept-alive connections by origin, and one clock for all.

- A request is tried again only where a reused connection died before a byte of an answer, and once.
- Deadlines are kept by one sweep every half second over what is under way; a call costs no timer.
- A connection is used again only after an answer that ended cleanly, with nothing left to send or read.
"""

import asyncio
import ssl
from collections import deque

import structlog

from one_api.relay.connection import Connection
from one_api.relay.exchange import DirectExchange, Key
from one_api.relay.outgoing import Outgoing
from one_api.relay.transport import HttpRequest, Origin, Sink, Timeouts, TransportError
from one_api.relay.transport_wire import Writer

log = structlog.get_logger(__name__)

SWEEP_S = 0.5
IDLE_S = 55.0  # below the 60 s after which many servers close
MOST_IDLE = 512  # an origin
MOST_CONNECTIONS = 10_000
MOST_ORIGINS = 1_000  # remembered


class DirectTransport:
    """Connections to upstreams without a proxy between."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        tls: ssl.SSLContext | None = None,
        most_idle: int = MOST_IDLE,
        most_connections: int = MOST_CONNECTIONS,
    ) -> None:
        self._loop = loop
        self.now = loop.time
        self.soon = loop.call_soon
        self.outgoing = Outgoing(loop)
        self._tls = tls or default_tls()
        self._most_idle = most_idle
        self._most_connections = most_connections
        self._idle: dict[Key, deque[Connection]] = {}
        self._waiting: deque[DirectExchange] = deque()
        self._active: set[DirectExchange] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._open = 0
        self._writer = Writer()
        self._host_lines: dict[Origin, bytes] = {}
        self._sweeping: asyncio.TimerHandle | None = None
        self._closed = False

    def counts(self) -> tuple[int, int]:
        """How many connections are open, and how many of them wait for a request."""
        return self._open, sum(map(len, self._idle.values()))

    def send(self, request: HttpRequest, sink: Sink, timeouts: Timeouts) -> DirectExchange:
        exchange = DirectExchange(self, request, sink, timeouts, self.now())
        self._active.add(exchange)
        if self._sweeping is None:
            self._sweeping = self._loop.call_later(SWEEP_S, self._sweep)
        try:
            exchange.head = self._writer.head(request, self._host_line(request.origin))
        except ValueError as error:
            self._loop.call_soon(exchange.fail, TransportError("protocol", str(error), sent=False))
            return exchange
        if self._closed:
            self._loop.call_soon(exchange.fail, TransportError("closed", sent=False))
        else:
            self._dispatch(exchange)
        return exchange

    async def aclose(self) -> None:
        """Drop every connection; whatever is under way fails."""
        self._closed = True
        for exchange in tuple(self._active):
            exchange.fail(TransportError("closed", sent=True))
        for task in self._connecting:
            task.cancel()
        await asyncio.gather(*self._connecting, return_exceptions=True)
        for idle in self._idle.values():
            for connection in tuple(idle):
                connection.drop()
        self._idle.clear()
        if self._sweeping is not None:
            self._sweeping.cancel()

    @property
    def open_connections(self) -> int:
        """Connections there are or are being made."""
        return self._open

    # For connections and exchanges.

    def forget(self, exchange: DirectExchange) -> None:
        self._active.discard(exchange)

    def retry(self, exchange: DirectExchange) -> None:
        """The kept connection turned out to be dead: once more on a new one."""
        exchange.connection = None
        exchange.fresh_only = True
        exchange.phase, exchange.phase_since = "connect", self.now()
        self._dispatch(exchange)

    def release(self, connection: Connection) -> None:
        """A connection whose answer ended cleanly."""
        for waiting in self._waiting:
            if waiting.key == connection.key and waiting.sink is not None:
                self._waiting.remove(waiting)
                connection.begin(waiting)
                return
        idle = self._idle.get(connection.key)
        if idle is None:
            idle = self._idle[connection.key] = deque()
        if self._closed or len(idle) >= self._most_idle:
            connection.drop()
            return
        connection.idle_since = self.now()
        idle.append(connection)

    def lost(self, connection: Connection) -> None:
        """A connection that is closed; its place is free."""
        self._open -= 1
        idle = self._idle.get(connection.key)
        if idle is not None and connection in idle:
            idle.remove(connection)
            if not idle:
                del self._idle[connection.key]
        while self._waiting:
            exchange = self._waiting.popleft()
            if exchange.sink is not None:
                self._connect(exchange)
                break

    def _host_line(self, origin: Origin) -> bytes:
        line = self._host_lines.get(origin)
        if line is None:
            if len(self._host_lines) >= MOST_ORIGINS:
                self._host_lines.clear()
            line = self._host_lines[origin] = b"host: %b\r\n" % origin.authority
        return line

    # Finding a connection.

    def _dispatch(self, exchange: DirectExchange) -> None:
        idle = self._idle.get(exchange.key)
        while idle and not exchange.fresh_only:
            connection = idle.pop()  # the one used last is the likeliest to be alive
            if not connection.closing:
                connection.begin(exchange)
                return
        if self._open < self._most_connections:
            self._connect(exchange)
        elif not self._drop_an_idle_one(exchange):
            self._waiting.append(exchange)

    def _drop_an_idle_one(self, exchange: DirectExchange) -> bool:
        """Make room for one origin at the cost of another's idle connection."""
        for idle in self._idle.values():
            if idle:
                idle.popleft().drop()
                self._connect(exchange)
                return True
        return False

    def _connect(self, exchange: DirectExchange) -> None:
        self._open += 1
        task = self._loop.create_task(self._connected(exchange))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connected(self, exchange: DirectExchange) -> None:
        origin, address = exchange.key
        connection = Connection(self, exchange.key)
        try:
            async with asyncio.timeout(exchange.timeouts.connect or None):
                await self._loop.create_connection(
                    lambda: connection,
                    address or origin.host,
                    origin.port,
                    ssl=self._tls if origin.secure else None,
                    server_hostname=origin.host if origin.secure else None,
                )
        except asyncio.CancelledError:
            self._open -= 1
            raise
        except ssl.SSLError:
            self._refused(exchange, "tls")
        except TimeoutError:
            self._refused(exchange, "timeout")
        except (OSError, ValueError):
            self._refused(exchange, "connect")
        else:
            if exchange.sink is not None:
                connection.begin(exchange)
            else:
                self.release(connection)

    def _refused(self, exchange: DirectExchange, kind: str) -> None:
        self._open -= 1
        if kind == "tls":
            exchange.fail(TransportError("tls", sent=False))
        elif kind == "timeout":
            exchange.fail(TransportError("timeout", sent=False))
        else:
            exchange.fail(TransportError("connect", sent=False))

    # The clock.

    def _sweep(self) -> None:
        now = self.now()
        for exchange in tuple(self._active):
            if exchange.overdue(now):
                exchange.fail(TransportError("timeout", sent=exchange.phase != "connect"))
        for idle in tuple(self._idle.values()):
            while idle and now - idle[0].idle_since > IDLE_S:
                idle.popleft().drop()
        self._sweeping = None
        if self._active or self._idle:
            self._sweeping = self._loop.call_later(SWEEP_S, self._sweep)


def default_tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
