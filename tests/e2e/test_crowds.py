"""Many clients at a time who are slow, idle or deaf: what they cost has a bound, and others are served.

`make torture` has more of them, and prints what was measured.
"""

import asyncio
import json
import re
import resource
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest

from tests.conftest import GATEWAYS
from tests.e2e import wire
from tests.e2e.books import eventually
from tests.e2e.wire import Wire
from tests.e2e.world import START, Site, open_world
from tests.harness import servers
from tests.harness.scripted import DONE, Turn, chunk, completion, replies, tokens, usage_chunk

pytestmark = pytest.mark.anyio

MODEL = "gpt-3.5-turbo"
MIB = 2**20
ALLOWED_FILES = 1024  # what most systems give who does not ask for more
RECEIVE_BUFFER = 4096
LONG = chunk("word " * 3000)  # what waits for a deaf client is much more than the buffers on its way


@contextmanager
def few_files() -> Iterator[None]:
    """What is started here is allowed as many as anybody."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (ALLOWED_FILES, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("crowds")
    async with AsyncExitStack() as stack:
        with few_files():
            world = await stack.enter_async_context(
                open_world(folder, servers.sqlite(folder), METRICS_TOKEN="m", SHUTDOWN_TIMEOUT="1")
            )
        world.root.option("ModelRatio", json.dumps({MODEL: 1, "open": 0}))
        world.channel("plain", MODEL)
        world.channel("open", "open")
        world.upstream.scripts["plain"] = replies(200, completion(usage=tokens(2, 3)))
        yield Site(world, world.root.user("alice", START).token())


@pytest.fixture(autouse=True)
def logs(request: pytest.FixtureRequest, site: Site) -> None:
    request.node.stash[GATEWAYS] = [site.world.gateway]


def resident(site: Site) -> int:
    """Memory that is the gateway's own, in bytes."""
    status = Path(f"/proc/{site.world.gateway.child.pid}/status").read_text()
    return sum(int(size) for size in re.findall(r"^(?:RssAnon|VmSwap):\s*(\d+) kB", status, re.MULTILINE)) * 1024


def measured(site: Site, before: int, many: int, who: str) -> int:
    """What each of them takes, in bytes."""
    each = (resident(site) - before) // many
    print(f"{many:,} {who}: {each / 1024:.0f} KiB each, {resident(site) / MIB:.0f} MiB in all")
    return each


async def connected(site: Site) -> int:
    reply = await site.world.ask(wire.request("/metrics", method="GET", key="m"))
    found = re.search(rb"^one_api_connections (\d+)", reply.body, re.MULTILINE)
    assert found, reply
    return int(found[1])


async def others_are_served(site: Site) -> None:
    for _ in range(20):
        assert (await site.world.ask(wire.chat(site.key))).status == 200


def deaf() -> socket.socket:
    """Whose system keeps little for him."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    client.setblocking(False)
    return client


async def test_others_are_served_beside_two_thousand_that_send_their_heads_slowly(site: Site) -> None:
    many, begun = 2000, b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-slow: "
    loop = asyncio.get_running_loop()
    before = resident(site)
    async with AsyncExitStack() as stack:
        clients = [stack.enter_context(deaf()) for _ in range(many)]
        for client in clients:
            await loop.sock_connect(client, ("127.0.0.1", site.world.port))
            await loop.sock_sendall(client, begun)
        await eventually(lambda: at_least(site, many))
        await others_are_served(site)
        for client in clients:
            await loop.sock_sendall(client, b"a")
        assert measured(site, before, many, "slow heads") < 32 * 1024
    await eventually(lambda: at_most(site, 10))


async def at_least(site: Site, many: int) -> bool:
    return await connected(site) >= many


async def at_most(site: Site, many: int) -> bool:
    return await connected(site) <= many


@pytest.mark.timeout(600)
@pytest.mark.parametrize("many", [200, pytest.param(2000, marks=pytest.mark.torture)])
async def test_open_streams_take_little_memory_each(site: Site, many: int) -> None:
    """2,000 below 400 MiB in all."""
    end = asyncio.Event()

    async def waits(turn: Turn) -> None:
        await turn.events(chunk("hello"))
        await end.wait()
        await turn.piece(chunk(finish="stop") + usage_chunk(tokens(1, 1)) + DONE)
        await turn.end()

    site.world.upstream.scripts["open"] = waits
    before = resident(site)
    async with AsyncExitStack() as stack:
        clients: list[Wire] = []
        for _ in range(many):
            client = await stack.enter_async_context(wire.connect(site.world.port))
            client.send(wire.chat(site.key, model="open", stream=True))
            clients.append(client)
        for client in clients:
            assert (await client.head())[0] == 200
            await client.until(b"hello")
        assert measured(site, before, many, "open streams") < 4 * MIB // many + 48 * 1024
        assert resident(site) < 400 * MIB
        await others_are_served(site)
        end.set()
        for client in clients:
            assert (await client.rest())[0].endswith(DONE)
    await site.world.books.settled()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("many", [100, pytest.param(500, marks=pytest.mark.torture)])
async def test_who_stops_reading_keeps_little_in_memory_and_his_upstream_waiting(site: Site, many: int) -> None:
    """400 KiB for each: what the system took and what waits, once as text that may have to be counted."""
    sent: dict[Turn, int] = {}

    async def endless(turn: Turn) -> None:
        turn.keep_little()
        await turn.events()
        while True:
            await turn.piece(LONG)
            sent[turn] = sent.get(turn, 0) + len(LONG)

    site.world.upstream.scripts["open"] = endless
    loop = asyncio.get_running_loop()
    before = resident(site)
    async with AsyncExitStack() as stack:
        for _ in range(many):
            client = stack.enter_context(deaf())
            await loop.sock_connect(client, ("127.0.0.1", site.world.port))
            await loop.sock_sendall(client, wire.chat(site.key, model="open", stream=True))
        amounts = [0]

        async def all_wait() -> bool:
            """No upstream got rid of anything since the last look."""
            amounts.append(sum(sent.values()))
            await asyncio.sleep(0.2)
            return len(sent) == many and amounts[-1] == amounts[-2]

        await eventually(all_wait, within=300)
        await others_are_served(site)
        assert measured(site, before, many, "clients that stopped reading") < 8 * MIB // many + 400 * 1024
    await site.world.books.settled()
