"""Relay paths at uvicorn's protocol class: each behaviour that leans on uvicorn's own names, over real sockets."""

import asyncio
import gzip
import json
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from one_api.edge import cycle, protocol
from one_api.edge.protocol import RelayProtocol
from one_api.edge.relay import RelayService
from one_api.errors import QuotaExceeded
from one_api.lib.ids import RequestIds
from one_api.relay.calls import Call
from one_api.relay.client import Client

pytestmark = pytest.mark.anyio

Pipeline = Callable[[Call, Client], Awaitable[None]]
CHAT = "/v1/chat/completions"
PATIENCE_S = 30  # a loaded machine, not an expectation


async def echo(call: Call, client: Client) -> None:
    client.respond(200, [(b"content-type", b"text/plain")], call.heading.path.encode() + b"|" + call.body)


@asynccontextmanager
async def serving(pipeline: Pipeline) -> AsyncIterator["Served"]:
    async def hello(request: Request) -> PlainTextResponse:
        return PlainTextResponse("asgi " + (await request.body()).decode())

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, RelayService]]:
        service = RelayService(pipeline, ids=RequestIds(), client_ip=lambda peer, _headers: peer)
        yield {"relay": service}
        await service.drain(PATIENCE_S)

    app = Starlette(routes=[Route("/hello", hello, methods=["GET", "POST"])], lifespan=lifespan)
    config = uvicorn.Config(
        app, port=0, http=RelayProtocol, ws="none", log_config=None, lifespan="on", timeout_graceful_shutdown=PATIENCE_S
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0.01)
    served = Served(server, [])
    try:
        yield served
    finally:
        for wire in served.wires:
            wire.writer.close()
        server.should_exit = True
        await task


class Wire:
    """A raw connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def request(
        self, target: str = CHAT, body: bytes = b"", *, method: str = "POST", version: str = "1.1", extra: str = ""
    ) -> None:
        head = f"{method} {target} HTTP/{version}\r\nhost: x\r\ncontent-length: {len(body)}\r\n{extra}\r\n"
        self.send(head.encode() + body)

    async def head(self) -> tuple[int, dict[str, str]]:
        lines = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE_S)).decode().split("\r\n")
        return int(lines[0].split()[1]), dict(line.lower().split(": ", 1) for line in lines[1:] if line)

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        status, headers = await self.head()
        if "content-length" in headers:
            return status, headers, await self.reader.readexactly(int(headers["content-length"]))
        if headers.get("transfer-encoding") != "chunked":
            return status, headers, await asyncio.wait_for(self.reader.read(), PATIENCE_S)
        body = b""
        while True:
            size = int(await self.reader.readline(), 16)
            body += (await self.reader.readexactly(size + 2))[:-2]
            if size == 0:
                return status, headers, body

    async def closed(self) -> bool:
        return await asyncio.wait_for(self.reader.read(), PATIENCE_S) == b""


@dataclass(frozen=True, slots=True)
class Served:
    server: uvicorn.Server
    wires: list[Wire]

    async def wire(self) -> Wire:
        port = self.server.servers[0].sockets[0].getsockname()[1]
        made = Wire(*await asyncio.open_connection("127.0.0.1", port))
        self.wires.append(made)
        return made

    async def connection(self) -> RelayProtocol:
        """The only one, once the server has accepted it."""
        async with asyncio.timeout(PATIENCE_S):
            while not (found := tuple(self.server.server_state.connections)):  # noqa: ASYNC110  # nor for this
                await asyncio.sleep(0.01)
        (connection,) = found
        assert isinstance(connection, RelayProtocol)
        return connection


async def test_relay_paths_go_to_the_pipeline_and_others_to_asgi_on_one_connection() -> None:
    async with serving(echo) as served:
        wire = await served.wire()
        for _ in range(2):
            wire.request(CHAT + "?x=1", b"abc")
            status, headers, body = await wire.answer()
            assert (status, body) == (200, CHAT.encode() + b"|abc")
            assert "date" in headers
            wire.request("/hello", b"you")
            assert (await wire.answer())[2] == b"asgi you"


async def test_pipelined_requests_are_answered_in_order() -> None:
    async def slow_first(call: Call, client: Client) -> None:
        if call.body == b"1":
            await asyncio.sleep(0.05)
        await echo(call, client)

    async with serving(slow_first) as served:
        wire = await served.wire()
        for body in (b"1", b"2", b"3"):
            wire.request(CHAT, body)
        wire.request("/hello", b"4")
        wire.request(CHAT, b"5")
        bodies = [(await wire.answer())[2][-1:] for _ in range(5)]
        assert bodies == [b"1", b"2", b"3", b"4", b"5"]


async def test_a_body_in_pieces_and_chunks_arrives_whole() -> None:
    async with serving(echo) as served:
        wire = await served.wire()
        wire.send(f"POST {CHAT} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".encode())
        for piece in (b"3\r\nabc\r\n", b"2\r\n", b"de\r\n", b"0\r\n\r\n"):
            wire.send(piece)
            await asyncio.sleep(0.01)
        assert (await wire.answer())[2].endswith(b"|abcde")


def cut(written: list[bytes], rng: random.Random) -> Iterator[bytes]:
    """Some begin a piece of their own, some share one, some are torn."""
    rest = b""
    for one in written:
        rest += one
        match rng.choice("wwst"):
            case "w":
                yield rest
                rest = b""
            case "t":
                place = rng.randint(1, len(rest))
                yield rest[:place]
                rest = rest[place:]
    yield rest


@pytest.mark.parametrize("seed", range(12))
async def test_calls_of_one_connection_cut_anywhere_are_read_as_they_were_written(seed: int) -> None:
    """Most repeat the head of the call before; in between come other heads, chunks and paths that are not relayed."""
    rng = random.Random(seed)
    written, expected = [], []
    for number in range(40):
        body = b"%d:" % number + b"\r\n" * rng.choice((0, 0, 1, 2, 3000)) if number else b""
        head = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\nx-y: {rng.choice('aaaaaab')}\r\n"
        match rng.choice("llllllca"):
            case "c":
                chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
                written.append(f"{head}transfer-encoding: chunked\r\n\r\n".encode() + chunks)
                expected.append(CHAT.encode() + b"|" + body)
            case "a":
                written.append(b"POST /hello HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nme")
                expected.append(b"asgi me")
            case _:
                written.append(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
                expected.append(CHAT.encode() + b"|" + body)
    async with serving(echo) as served:
        wire = await served.wire()
        for piece in cut(written, rng):
            wire.send(piece)
            await asyncio.sleep(0.001)  # mostly it is read by itself
        assert [(await wire.answer())[2] for _ in expected] == expected


async def test_a_gzip_body_is_inflated_and_a_broken_one_refused() -> None:
    async with serving(echo) as served:
        wire = await served.wire()
        wire.request(CHAT, gzip.compress(b'{"a":1}'), extra="content-encoding: gzip\r\n")
        assert (await wire.answer())[2].endswith(b'|{"a":1}')
        wire.request(CHAT, b"not gzip", extra="content-encoding: gzip\r\n")
        assert (await wire.answer())[0] == 400


async def test_a_gzip_bomb_is_refused_without_being_inflated() -> None:
    async with serving(echo) as served:
        wire = await served.wire()
        wire.request(CHAT, gzip.compress(b"\0" * 200_000_000), extra="content-encoding: gzip\r\n")
        assert (await wire.answer())[0] == 413


async def test_expect_continue_is_answered_before_the_body() -> None:
    async with serving(echo) as served:
        wire = await served.wire()
        wire.send(f"POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n".encode())
        assert (await wire.head())[0] == 100
        wire.send(b"ok")
        assert (await wire.answer())[2].endswith(b"|ok")


async def test_http_1_0_gets_its_answer_and_the_end_of_the_connection() -> None:
    async def stream(_call: Call, client: Client) -> None:
        client.start(200, [])
        client.write(b"a")
        client.finish(b"b")

    async with serving(stream) as served:
        wire = await served.wire()
        wire.request(version="1.0")
        status, headers, body = await wire.answer()
        assert (status, body) == (200, b"ab")
        assert "transfer-encoding" not in headers


async def test_a_stream_is_chunked_and_the_connection_lives_on() -> None:
    async def stream(call: Call, client: Client) -> None:
        client.start(200, [(b"content-type", b"text/event-stream")])
        client.write(b"data: 1\n\n")
        await asyncio.sleep(0.01)
        client.finish(b"data: [DONE]\n\n")

    async with serving(stream) as served:
        wire = await served.wire()
        for _ in range(2):
            wire.request()
            assert (await wire.answer())[2] == b"data: 1\n\ndata: [DONE]\n\n"


async def test_a_cut_stream_has_no_end() -> None:
    async def stream(_call: Call, client: Client) -> None:
        client.start(200, [])
        client.write(b"half")
        client.cut()

    async with serving(stream) as served:
        wire = await served.wire()
        wire.request()
        await wire.head()
        assert await asyncio.wait_for(wire.reader.read(), PATIENCE_S) == b"4\r\nhalf\r\n"


async def test_an_error_has_openais_shape_and_the_request_id() -> None:
    async def refuse(_call: Call, _client: Client) -> None:
        raise QuotaExceeded

    async with serving(refuse) as served:
        wire = await served.wire()
        wire.request()
        status, headers, body = await wire.answer()
        assert status == 403
        assert b'"code":"insufficient_user_quota"' in body
        assert headers["x-oneapi-request-id"].encode() in body


async def test_a_bug_in_the_pipeline_is_a_500_without_details() -> None:
    async def broken(_call: Call, _client: Client) -> None:
        raise KeyError("secret")

    async with serving(broken) as served:
        wire = await served.wire()
        wire.request()
        status, _, body = await wire.answer()
        assert status == 500
        assert b"secret" not in body


@pytest.mark.parametrize(
    "head, status",
    [
        (f"POST http://evil.example{CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n", 400),
        (f"POST {CHAT} HTTP/1.1\r\nhost: x\r\n" + "a: b\r\n" * 200 + "\r\n", 431),
        (f"POST {CHAT} HTTP/1.1\r\nhost: x\r\nbig: {'x' * 40_000}\r\n\r\n", 431),
        (f"POST {CHAT}?{'x' * 40_000} HTTP/1.1\r\nhost: x\r\n\r\n", 431),
        (f"POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", 400),
        (f"POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", 400),
        ("nonsense\r\n\r\n", 400),
    ],
)
async def test_what_cannot_be_read_is_refused_and_the_connection_closed(head: str, status: int) -> None:
    async with serving(echo) as served:
        wire = await served.wire()
        wire.send(head.encode())
        assert (await wire.answer())[0] == status
        assert await wire.closed()


async def test_a_body_over_the_limit_is_refused_while_it_arrives() -> None:
    async with serving(echo) as served:
        wire = await served.wire()
        wire.send(f"POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: 52428800\r\n\r\n".encode())
        sent = 0
        try:
            while sent <= cycle.MAX_BODY + 2**20:
                wire.send(b" " * 2**20)
                sent += 2**20
                await wire.writer.drain()
        except ConnectionError:
            pass
        assert (await wire.answer())[0] == 413


async def test_a_client_that_leaves_is_noticed() -> None:
    left = asyncio.Event()
    begun = asyncio.Event()

    class Listener:
        def abandon(self) -> None:
            left.set()

        def pause(self) -> None: ...

        def resume(self) -> None: ...

    async def wait(_call: Call, client: Client) -> None:
        client.listen(Listener())
        begun.set()
        await left.wait()

    async with serving(wait) as served:
        wire = await served.wire()
        wire.request()
        await asyncio.wait_for(begun.wait(), PATIENCE_S)
        wire.writer.close()
        await asyncio.wait_for(left.wait(), PATIENCE_S)


async def test_a_client_that_does_not_read_pauses_the_source() -> None:
    paused, resumed = asyncio.Event(), asyncio.Event()

    class Listener:
        def abandon(self) -> None: ...

        def pause(self) -> None:
            paused.set()

        def resume(self) -> None:
            resumed.set()

    async def flood(_call: Call, client: Client) -> None:
        client.listen(Listener())
        client.start(200, [])
        written = 0
        while not paused.is_set():  # in one turn of the loop, as a fast source may bring it
            client.write(b"x" * 65536)
            written += 1
            assert written < 1000
        await resumed.wait()
        client.finish()

    async with serving(flood) as served:
        wire = await served.wire()
        wire.request()
        await asyncio.wait_for(paused.wait(), PATIENCE_S)
        assert set((await wire.answer())[2]) == {ord("x")}


async def test_shutdown_waits_for_a_call_and_then_ends_it() -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def slow(_call: Call, client: Client) -> None:
        begun.set()
        await go.wait()
        client.respond(200, [], b"late")

    async with serving(slow) as served:
        wire = await served.wire()
        wire.request()
        await asyncio.wait_for(begun.wait(), PATIENCE_S)
        connection = await served.connection()
        served.server.should_exit = True
        async with asyncio.timeout(PATIENCE_S):
            while not connection.draining:  # noqa: ASYNC110  # nor for this
                await asyncio.sleep(0.01)
        go.set()
        status, headers, body = await wire.answer()
        assert (status, body, headers["connection"]) == (200, b"late", "close")


async def test_an_idle_connection_is_closed_by_the_sweep() -> None:
    async with serving(echo) as served:
        wire = await served.wire()
        wire.request()
        await wire.answer()
        connection = await served.connection()
        connection.tick(connection.loop.time() + connection.timeout_keep_alive + 1)
        assert await wire.closed()


async def test_who_takes_nothing_of_his_answer_for_long_is_left() -> None:
    size = 2**25

    async def long(_call: Call, client: Client) -> None:
        client.start(200, [])
        client.write(b"x" * size)

    async with serving(long) as served:
        loop, place = asyncio.get_running_loop(), served.server.servers[0].sockets[0].getsockname()
        with socket.create_connection(place) as client:
            client.setblocking(False)
            client.sendall(f"POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n".encode())
            async with asyncio.timeout(PATIENCE_S):
                connection = await served.connection()
                while not connection.flow.write_paused:  # noqa: ASYNC110  # nor for this
                    await asyncio.sleep(0)
            now, waiting = connection.loop.time(), connection.transport.get_write_buffer_size()
            connection.tick(now)
            connection.tick(now + protocol.WRITE_STALL)
            assert not connection.transport.is_closing()
            taken = 0
            while connection.transport.get_write_buffer_size() == waiting:
                taken += len(await asyncio.wait_for(loop.sock_recv(client, 2**20), PATIENCE_S))
            connection.tick(now + protocol.WRITE_STALL + 1)
            assert not connection.transport.is_closing()
            connection.tick(now + 2 * protocol.WRITE_STALL + 2)
            assert connection.transport.is_closing()
            with suppress(ConnectionError):
                while data := await asyncio.wait_for(loop.sock_recv(client, 2**20), PATIENCE_S):
                    taken += len(data)
            assert taken < size


async def test_a_request_that_arrives_too_slowly_is_refused() -> None:
    async with serving(echo) as served:
        wire = await served.wire()
        wire.send(f"POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nab".encode())
        connection = await served.connection()
        async with asyncio.timeout(PATIENCE_S):
            while not connection.last_body:  # noqa: ASYNC110  # nor for this
                await asyncio.sleep(0.01)
        connection.tick(connection.loop.time() + protocol.BODY_STALL + 1)
        assert (await wire.answer())[0] == 408
        assert await wire.closed()


class Stream:
    """An answer that a test ends by hand, and what it heard of its client."""

    def __init__(self) -> None:
        self.begun, self.paused, self.left = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.client: Client

    async def __call__(self, call: Call, client: Client) -> None:
        if self.begun.is_set():
            await echo(call, client)
            return
        client.listen(self)
        client.start(200, [])
        client.write(b"first")
        self.client = client
        self.begun.set()

    def abandon(self) -> None:
        self.left.set()

    def pause(self) -> None:
        self.paused.set()

    def resume(self) -> None: ...


@pytest.mark.parametrize(
    "garbage",
    [b"nonsense\r\n\r\n", b"GET http://x/ HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200],
)
async def test_garbage_behind_a_request_does_not_touch_its_answer(garbage: bytes) -> None:
    stream = Stream()
    async with serving(stream) as served:
        wire = await served.wire()
        wire.request(body=b"x")
        wire.send(garbage)
        await asyncio.wait_for(stream.begun.wait(), PATIENCE_S)
        stream.client.finish(b", last")
        assert (await wire.answer())[2] == b"first, last"
        assert await wire.closed()


async def test_a_slow_request_behind_another_waits_for_its_answer() -> None:
    stream = Stream()
    async with serving(stream) as served:
        wire = await served.wire()
        wire.request(body=b"x")
        wire.send(f"POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\n".encode())
        await asyncio.wait_for(stream.begun.wait(), PATIENCE_S)
        connection = await served.connection()
        connection.tick(connection.loop.time() + protocol.BODY_TIMEOUT + 1)
        stream.client.finish(b", last")
        assert (await wire.answer())[2] == b"first, last"
        wire.send(b"abc")
        assert (await wire.answer())[2] == CHAT.encode() + b"|abc"


async def test_of_two_requests_the_one_being_answered_hears_of_the_client() -> None:
    stream = Stream()
    async with serving(stream) as served:
        wire = await served.wire()
        wire.request(body=b"x")
        wire.request(body=b"y")
        await asyncio.wait_for(stream.begun.wait(), PATIENCE_S)
        while not stream.paused.is_set():
            stream.client.write(b"x" * 65536)
            await asyncio.sleep(0)
        wire.writer.transport.abort()
        await asyncio.wait_for(stream.left.wait(), PATIENCE_S)


async def test_nothing_behind_a_refused_request_is_served() -> None:
    served_bodies: list[bytes] = []

    async def note(call: Call, client: Client) -> None:
        served_bodies.append(call.body)
        client.respond(200, [], b"")

    async with serving(note) as served:
        wire = await served.wire()
        refused = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\n" + "a: b\r\n" * 130 + "content-length: 0\r\n\r\n"
        good = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx"
        wire.send((refused + good).encode())
        assert (await wire.answer())[0] == 431
        assert await wire.closed()
    assert served_bodies == []


async def test_a_header_that_never_ends_is_refused_before_it_fills_the_memory() -> None:
    async with serving(echo) as served:
        wire = await served.wire()
        wire.send(f"POST {CHAT} HTTP/1.1\r\nhost: x\r\nbig: ".encode())
        wire.send(b"x" * 2**21)
        status, _, body = await wire.answer()
        assert (status, json.loads(body)["error"]["type"]) == (431, "one_api_error")


async def test_trailers_are_no_headers() -> None:
    async def types(call: Call, client: Client) -> None:
        client.respond(200, [], b",".join(sorted(call.heading.headers)))

    async with serving(types) as served:
        wire = await served.wire()
        head = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ntrailer: authorization\r\n\r\n"
        wire.send(head.encode() + b"1\r\nx\r\n0\r\nauthorization: Bearer other\r\nhost: evil\r\n\r\n")
        assert (await wire.answer())[2] == b"host,trailer,transfer-encoding"
        wire.request(body=b"y")
        assert (await wire.answer())[0] == 200


async def test_what_is_no_http_is_refused_in_openais_shape() -> None:
    async with serving(echo) as served:
        wire = await served.wire()
        wire.send(b"\x16\x03\x01\x02\x00\x01")
        status, headers, body = await wire.answer()
        assert (status, set(json.loads(body)["error"])) == (400, {"message", "type", "param", "code"})
        assert "x-oneapi-request-id" in headers
