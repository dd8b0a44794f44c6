"""The transport through an HTTP or SOCKS5 proxy: httpx2 behind the same callbacks, a task an exchange."""

import asyncio
import ssl
from typing import Final

import httpx2
import structlog

from one_api.relay.transport import FailureKind, Head, HttpRequest, Sink, Timeouts, TransportError
from one_api.relay.transport_wire import Writer

log = structlog.get_logger(__name__)

SCHEMES: Final = ("http://", "https://", "socks5://", "socks5h://")
_HOP_BY_HOP: Final = frozenset(
    (b"connection", b"keep-alive", b"transfer-encoding", b"content-encoding", b"content-length")
)


class ProxiedExchange:
    """One request through the proxy. Its task reads while it is not paused."""

    def __init__(self, sink: Sink) -> None:
        self.sink: Sink | None = sink
        self.task: asyncio.Task[None] | None = None
        self.going = asyncio.Event()
        self.going.set()

    def pause(self) -> None:
        self.going.clear()

    def resume(self) -> None:
        self.going.set()

    def abort(self) -> None:
        self.sink = None
        if self.task is not None:
            self.task.cancel()


class ProxiedTransport:
    """Raises ValueError for an address that is no proxy's."""

    def __init__(self, loop: asyncio.AbstractEventLoop, proxy: str, *, tls: ssl.SSLContext | None = None) -> None:
        if not proxy.startswith(SCHEMES):
            raise ValueError(f"a proxy's address begins with one of {', '.join(SCHEMES)}")
        self._loop = loop
        self._client = httpx2.AsyncClient(
            proxy=proxy,
            trust_env=False,
            verify=True if tls is None else tls,
            follow_redirects=False,
            limits=httpx2.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=55),
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._writer = Writer()

    def send(self, request: HttpRequest, sink: Sink, timeouts: Timeouts) -> ProxiedExchange:
        exchange = ProxiedExchange(sink)
        exchange.task = self._loop.create_task(self._run(exchange, request, timeouts))
        self._tasks.add(exchange.task)
        exchange.task.add_done_callback(self._tasks.discard)
        return exchange

    async def aclose(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    async def _run(self, exchange: ProxiedExchange, request: HttpRequest, timeouts: Timeouts) -> None:
        try:
            async with asyncio.timeout(timeouts.total or None):
                await self._exchange(exchange, request, timeouts)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, TimeoutError, ValueError) as error:
            if exchange.sink is not None:
                exchange.sink.on_fail(TransportError(_kind(error), sent=not isinstance(error, httpx2.ConnectError)))
        except Exception:
            log.exception("an answer's sink failed")
            if exchange.sink is not None:
                exchange.sink.on_fail(TransportError("protocol", sent=True))

    async def _exchange(self, exchange: ProxiedExchange, request: HttpRequest, timeouts: Timeouts) -> None:
        self._writer.head(request, b"")  # refuses what could begin a line of its own
        made = self._client.build_request(
            request.method,
            httpx2.URL(
                scheme="https" if request.origin.secure else "http",
                host=request.origin.host,
                port=request.origin.port,
                raw_path=request.target,
            ),
            headers=[*request.headers, (b"accept-encoding", b"identity")],
            content=request.body,
            timeout=httpx2.Timeout(
                connect=timeouts.connect or None, read=timeouts.first_byte or None, write=timeouts.idle or None, pool=10
            ),
        )
        response = await self._client.send(made, stream=True)
        try:
            headers = tuple((name.lower(), value) for name, value in response.headers.raw)
            encoded = any(name == b"content-encoding" for name, _ in headers)
            kept = tuple(item for item in headers if not (encoded and item[0] in _HOP_BY_HOP))
            if exchange.sink is not None:
                exchange.sink.on_head(Head(response.status_code, kept))
            async for piece in response.aiter_bytes():
                await exchange.going.wait()
                if exchange.sink is None:
                    return
                exchange.sink.on_data(piece)
        finally:
            await response.aclose()
        if exchange.sink is not None:
            exchange.sink.on_end()


def _kind(error: Exception) -> FailureKind:
    if isinstance(error, httpx2.TimeoutException | TimeoutError):
        return "timeout"
    if isinstance(error, httpx2.ConnectError | httpx2.ProxyError | OSError):
        return "tls" if "certificate" in str(error).lower() or "ssl" in str(error).lower() else "connect"
    if isinstance(error, httpx2.RemoteProtocolError | httpx2.ReadError):
        return "closed"
    return "protocol"
