"""A gateway that is told to end: streams under way go on, nobody new is served, and all is booked."""

import asyncio
import json
import signal
from pathlib import Path

import pytest

from tests.conftest import GATEWAYS
from tests.e2e import wire
from tests.e2e.books import eventually
from tests.e2e.wire import Wire
from tests.e2e.world import START, World, open_world
from tests.harness import servers
from tests.harness.scripted import DONE, Turn, chunk, tokens, usage_chunk

pytestmark = pytest.mark.anyio

MODEL = "gpt-3.5-turbo"  # one unit for a token of input, two for one of output


def furnish(world: World) -> str:
    """A key that can pay."""
    world.root.option("ModelRatio", json.dumps({MODEL: 1}))
    world.root.option("CompletionRatio", json.dumps({MODEL: 2}))
    world.channel("up", MODEL)
    return world.root.user("alice", START).token()


async def refuses(world: World) -> bool:
    """Whether nobody listens any more."""
    return not await asyncio.to_thread(servers.connects, world.port)


async def begun(world: World, key: str, connection: Wire) -> Turn:
    """A stream whose first content has reached its client."""
    connection.send(wire.chat(key, stream=True))
    turn = await world.upstream.turn()
    await turn.events(chunk("hello"))
    assert (await connection.head())[0] == 200
    assert await connection.until(b"hello") == chunk("hello")
    return turn


async def test_a_stream_goes_on_while_the_gateway_ends(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    async with open_world(tmp_path, servers.sqlite(tmp_path)) as world:
        request.node.stash[GATEWAYS] = [world.gateway]
        key = furnish(world)
        async with wire.connect(world.port) as connection, wire.connect(world.port) as idle:
            idle.send(wire.request("/v1/models", method="GET", key=key))
            assert (await idle.reply()).status == 200
            turn = await begun(world, key, connection)
            world.gateway.child.send_signal(signal.SIGTERM)
            await eventually(lambda: refuses(world))
            assert await idle.closed()
            await turn.piece(chunk(" world"))
            assert await connection.until(b"world") == chunk(" world")
            await turn.piece(chunk(finish="stop") + usage_chunk(tokens(20, 10)) + DONE)
            await turn.end()
            body, complete = await connection.rest()
            assert complete
            assert body.endswith(DONE)
            assert await connection.closed()
        assert await asyncio.to_thread(world.gateway.child.wait, 60) == 0
        assert not await world.books.holds()
        (final,) = await world.books.finals("alice")
        assert (final.quota, final.source) == (40, "reported")
        (log,) = await world.books.logs()
        assert (log.request_id, log.quota) == (final.request_id, 40)
        row = await world.books.user("alice")
        assert (row.quota, row.used_quota) == (START - 40, 40)


async def test_a_gateway_with_a_grace_says_that_it_ends_and_serves_on(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Until a second signal, here; or until the grace is over."""
    async with open_world(tmp_path, servers.sqlite(tmp_path), SHUTDOWN_GRACE="600") as world:
        request.node.stash[GATEWAYS] = [world.gateway]

        async def probe(path: str) -> tuple[int, bytes]:
            reply = await world.ask(wire.request(path, method="GET"))
            return reply.status, reply.body

        async def told() -> bool:
            return await probe("/readyz") == (503, b"the process is ending\n")

        assert await probe("/readyz") == (200, b"ready\n")
        key = furnish(world)
        world.gateway.child.send_signal(signal.SIGTERM)
        await eventually(told)
        assert await probe("/healthz") == (200, b"alive\n")
        assert (await world.ask(wire.request("/v1/models", method="GET", key=key))).status == 200
        world.gateway.child.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(world.gateway.child.wait, 60) == 0


async def test_a_stream_beyond_the_patience_of_the_end_is_cut_and_paid(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with open_world(tmp_path, servers.sqlite(tmp_path), SHUTDOWN_TIMEOUT="1") as world:
        request.node.stash[GATEWAYS] = [world.gateway]
        key = furnish(world)
        async with wire.connect(world.port) as connection:
            turn = await begun(world, key, connection)
            world.gateway.child.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(world.gateway.child.wait, 60) == 0
            body, complete = await connection.rest()
            await turn.left()
        assert complete
        assert json.loads(body[6:])["error"]["message"].startswith("the gateway broke off the answer (request id: ")
        (final,) = await world.books.finals("alice")
        assert (final.quota, final.source) == (8 + 2, "estimated")
        assert not await world.books.holds()
