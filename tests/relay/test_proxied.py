"""Through an HTTP proxy and through a SOCKS5 proxy, small ones made here, to a peer on a real socket."""

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from one_api.relay.pool import Transports
from one_api.relay.proxied import ProxiedTransport
from one_api.relay.transport import Timeouts
from tests.relay.peer import Told, answering, peer, read_request

pytestmark = pytest.mark.anyio
PATIENCE_S = 60  # a loaded machine, not an expectation
QUICK = Timeouts(connect=PATIENCE_S, first_byte=PATIENCE_S, idle=PATIENCE_S, total=PATIENCE_S)
OK = b"HTTP/1.1 200 OK\r\nx-a: 1\r\ncontent-length: 2\r\n\r\nok"


async def http_proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Forwards one absolute-form request at a time."""
    head = await read_request(reader)
    method, target, _ = head.split(b" ", 2)
    authority, slash, path = target.removeprefix(b"http://").partition(b"/")
    host, _, port = authority.partition(b":")
    there, back = await asyncio.open_connection(host.decode(), int(port))
    assert method == b"POST"
    await hand_over(there, back, head.replace(target, slash + path, 1), writer)


async def hand_over(
    there: asyncio.StreamReader, back: asyncio.StreamWriter, request: bytes, writer: asyncio.StreamWriter
) -> None:
    try:
        back.write(request)
        writer.write(await there.read(65536))
        await writer.drain()
    finally:
        back.close()


async def socks_proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """RFC 1928 without authentication, one connection."""
    count = (await reader.readexactly(2))[1]
    await reader.readexactly(count)
    writer.write(b"\x05\x00")
    kind = (await reader.readexactly(4))[3]
    size = 4 if kind == 1 else (await reader.readexactly(1))[0]
    host = await reader.readexactly(size)
    (port,) = struct.unpack(">H", await reader.readexactly(2))
    name = ".".join(map(str, host)) if kind == 1 else host.decode()
    there, back = await asyncio.open_connection(name, port)
    writer.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
    await hand_over(there, back, await read_request(reader), writer)


@asynccontextmanager
async def proxied(scheme: str, port: int) -> AsyncIterator[ProxiedTransport]:
    made = ProxiedTransport(asyncio.get_running_loop(), f"{scheme}://127.0.0.1:{port}")
    try:
        yield made
    finally:
        await made.aclose()


@pytest.mark.parametrize("scheme, script", [("http", http_proxy), ("socks5", socks_proxy)])
async def test_a_request_goes_through_the_proxy(
    scheme: str, script: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
) -> None:
    async with peer(answering(OK)) as there, peer(script) as between, proxied(scheme, between.port) as over:
        told = Told()
        over.send(there.request(headers=((b"authorization", b"Bearer k"),)), told, QUICK)
        assert await told.end() == "ok"
        assert (told.status, told.body) == (200, b"ok")
        assert told.head is not None
        assert told.head.get(b"x-a") == b"1"
        assert (there.connections, between.connections) == (1, 1)


async def test_a_proxy_that_is_not_there_is_a_failure_to_connect() -> None:
    async with peer(answering(OK)) as gone:
        port = gone.port
    async with peer(answering(OK)) as there, proxied("http", port) as over:
        told = Told()
        over.send(there.request(), told, QUICK)
        assert await told.end() == "connect"
        assert told.error is not None
        assert not told.error.sent
        assert there.connections == 0


async def test_abort_silences_the_sink_and_closes_the_connection() -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        asked.set()
        assert await reader.read() == b""
        gone.set()

    async with peer(silent) as between, proxied("http", between.port) as over:
        told = Told()
        exchange = over.send(between.request(), told, QUICK)
        await asyncio.wait_for(asked.wait(), PATIENCE_S)
        exchange.abort()
        await asyncio.wait_for(gone.wait(), PATIENCE_S / 2)
        assert told.calls == []


async def test_silence_has_an_end_there_too() -> None:
    async with peer(answering()) as there, peer(http_proxy) as between, proxied("http", between.port) as over:
        told = Told()
        over.send(there.request(), told, replace(QUICK, first_byte=0.3))
        assert await told.end() == "timeout"


async def test_each_proxy_has_one_transport_and_none_is_the_direct_one() -> None:
    over = Transports(asyncio.get_running_loop())
    try:
        assert over.for_proxy("") is over.direct
        assert over.for_proxy("http://a:1") is over.for_proxy("http://a:1")
        assert over.for_proxy("http://a:1") is not over.for_proxy("socks5://a:1")
        with pytest.raises(ValueError, match="proxy"):
            over.for_proxy("ftp://a")
    finally:
        await over.aclose()
    default = Transports(asyncio.get_running_loop(), default_proxy="http://b:2")
    try:
        assert default.for_proxy("") is default.for_proxy("http://b:2")
    finally:
        await default.aclose()
