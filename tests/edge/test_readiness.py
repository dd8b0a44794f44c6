"""Whether a process is to be sent requests, and that nobody is lost when it stops listening."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.applications import Starlette

from one_api.edge.protocol import RelayProtocol
from one_api.edge.readiness import Readiness
from one_api.edge.relay import RelayService
from one_api.edge.server import Server
from one_api.errors import Unavailable
from one_api.lib.ids import RequestIds
from one_api.relay.calls import Call
from one_api.relay.client import Client

pytestmark = pytest.mark.anyio


def looks(*found: bool | Exception) -> tuple[Callable[[], Awaitable[bool]], list[int]]:
    """Answers of a database, one after the other, and a count of how often it was asked."""
    answers, asked = list(found), [0]

    async def suitable() -> bool:
        asked[0] += 1
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return suitable, asked


@pytest.mark.parametrize(
    "found, obstacle",
    [
        (True, ""),
        (False, "the database is not up to date"),
        (Unavailable("down"), "the database does not answer"),
        (TimeoutError(), "the database does not answer"),
    ],
)
async def test_a_process_is_ready_if_its_database_answers_and_has_its_tables(
    *, found: bool | Exception, obstacle: str
) -> None:
    suitable, _ = looks(found)
    assert await Readiness(suitable).obstacle() == obstacle


async def test_the_database_is_asked_once_a_second_however_many_want_to_know() -> None:
    suitable, asked = looks(True, Unavailable("down"))
    now = [0.0]
    readiness = Readiness(suitable, clock=lambda: now[0])
    assert set(await asyncio.gather(*(readiness.obstacle() for _ in range(50)))) == {""}
    now[0] = 0.9
    assert await readiness.obstacle() == ""
    assert asked == [1]
    now[0] = 1.0
    assert await readiness.obstacle() == "the database does not answer"
    assert asked == [2]


# --- the end of listening ---


@asynccontextmanager
async def started() -> AsyncIterator[Server]:
    """A server whose tests end it."""

    async def hello(call: Call, client: Client) -> None:
        if call.body:
            client.start(200, [])
            client.write(b"begun")
            await asyncio.sleep(0.1)
            client.finish()
        else:
            client.respond(200, [], b"hello")

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, RelayService]]:
        service = RelayService(hello, ids=RequestIds(), client_ip=lambda peer, _headers: peer)
        yield {"relay": service}
        await service.drain(1)

    config = uvicorn.Config(
        Starlette(lifespan=lifespan), port=0, http=RelayProtocol, ws="none", log_config=None, lifespan="on"
    )
    server = Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    yield server


def connected(server: Server) -> socket.socket:
    """By the system alone: the server has not accepted it."""
    place: tuple[str, int] = server.servers[0].sockets[0].getsockname()
    client = socket.create_connection(("127.0.0.1", place[1]))
    client.setblocking(False)
    return client


async def rest(client: socket.socket) -> bytes:
    """All that comes until the end of the connection."""
    loop, found = asyncio.get_running_loop(), b""
    while data := await asyncio.wait_for(loop.sock_recv(client, 65536), 60):
        found += data
    return found


CALL = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n"


async def test_who_waits_at_the_port_when_it_closes_is_served() -> None:
    async with started() as server:
        with connected(server) as early, connected(server) as silent:
            early.sendall(CALL)
            ended = asyncio.create_task(server.shutdown())
            assert (await rest(early)).endswith(b"\r\n\r\nhello")
            assert await rest(silent) == b""
            await ended


async def test_a_request_on_an_idle_connection_is_served_while_the_server_ends() -> None:
    async with started() as server:
        with connected(server) as idle, connected(server) as half:
            idle.sendall(CALL)
            half.sendall(CALL[:30])
            await asyncio.get_running_loop().sock_recv(idle, 65536)
            ended = asyncio.create_task(server.shutdown())
            await asyncio.sleep(0)
            idle.sendall(CALL)
            half.sendall(CALL[30:])
            for client in (idle, half):
                assert (await rest(client)).endswith(b"connection: close\r\ncontent-length: 5\r\n\r\nhello")
            await ended


async def test_who_was_not_told_that_his_answer_is_the_last_may_ask_once_more() -> None:
    """The head of a stream had gone out when the server began to end."""
    async with started() as server:
        loop = asyncio.get_running_loop()
        with connected(server) as client:
            client.sendall(CALL.replace(b"length: 0", b"length: 1") + b"x")
            answer = b""
            while not answer.endswith(b"begun\r\n"):
                answer += await loop.sock_recv(client, 65536)
            assert b"connection: close" not in answer
            ended = asyncio.create_task(server.shutdown())
            while not answer.endswith(b"0\r\n\r\n"):
                answer += await loop.sock_recv(client, 65536)
            client.sendall(CALL)
            assert (await rest(client)).endswith(b"connection: close\r\ncontent-length: 5\r\n\r\nhello")
            await ended
