"""The database goes away, turns read-only or its disk is full while calls run: clear refusals, and it heals."""

import asyncio
import json
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.conftest import GATEWAYS
from tests.e2e import wire
from tests.e2e.books import eventually
from tests.e2e.world import START, Site, World, open_world
from tests.harness import servers
from tests.harness.scripted import DONE, chunk, completion, replies, tokens, usage_chunk
from tests.harness.servers import Database, MariaDB, Postgres

pytestmark = pytest.mark.anyio

MODEL = "gpt-3.5-turbo"  # one unit for a token of input, two for one of output
READY = wire.request("/readyz", method="GET")


@asynccontextmanager
async def opened(directory: Path, database: Database, request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    async with open_world(directory, database, CRITICAL_RATE_LIMIT="0") as world:
        request.node.stash[GATEWAYS] = [world.gateway]
        world.root.option("ModelRatio", json.dumps({MODEL: 1}))
        world.root.option("CompletionRatio", json.dumps({MODEL: 2}))
        world.channel("up", MODEL)
        key = world.root.user("alice", START).token()
        world.upstream.scripts["up"] = replies(200, completion(usage=tokens(20, 10)))
        assert (await world.ask(wire.chat(key))).status == 200
        del world.upstream.scripts["up"]
        yield Site(world, key)


def in_dialects(key: str) -> dict[str, bytes]:
    """The same call, as clients of each dialect make it."""
    hello = [{"role": "user", "content": "hello"}]
    anthropic = json.dumps({"model": MODEL, "max_tokens": 10, "messages": hello}).encode()
    gemini = json.dumps({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}).encode()
    return {
        "openai": wire.chat(key),
        "anthropic": wire.request("/v1/messages", anthropic, key=key),
        "gemini": wire.request(f"/v1beta/models/{MODEL}:generateContent", gemini, key=key),
    }


async def refused(site: Site) -> None:
    """Within two seconds or so, as each dialect says it."""
    asked = in_dialects(site.key)
    replies = dict(zip(asked, await asyncio.gather(*map(site.world.ask, asked.values())), strict=True))
    assert {name: reply.status for name, reply in replies.items()} == dict.fromkeys(asked, 503)
    assert replies["openai"].error["message"].startswith("the database does not answer (request id: ")
    assert replies["openai"].error["code"] == "service_unavailable"
    assert replies["anthropic"].json()["type"] == "error"
    assert replies["anthropic"].error["message"].startswith("the database does not answer")
    assert replies["gemini"].error["status"] == "UNAVAILABLE"


async def healed(world: World, key: str) -> None:
    """Calls are served again, and the process says that it is ready."""

    async def served() -> bool:
        return (await world.ask(wire.chat(key))).status == 200

    async def ready() -> bool:
        return (await world.ask(READY)).status == 200

    world.upstream.scripts["up"] = replies(200, completion(usage=tokens(20, 10)))
    await eventually(served)
    await eventually(ready)


def server_of(kind: str, request: pytest.FixtureRequest) -> Postgres | MariaDB:
    found: Postgres | MariaDB = request.getfixturevalue(f"{kind}_server")
    return found


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
async def test_a_restart_of_the_database_refuses_new_calls_and_loses_no_running_one(
    tmp_path: Path, request: pytest.FixtureRequest, kind: str
) -> None:
    server, database = server_of(kind, request), request.getfixturevalue(kind)
    async with opened(tmp_path, database, request) as site, wire.connect(site.world.port) as running:
        running.send(wire.chat(site.key, stream=True))
        turn = await site.world.upstream.turn()
        await turn.events(chunk("hello"))
        await running.head()
        assert await running.until(b"hello")
        await asyncio.to_thread(server.stop)
        try:
            await refused(site)
            reply = await site.world.ask(READY)
            assert (reply.status, reply.body) == (503, b"the database does not answer\n")
            await turn.piece(chunk(" world"))
            assert await running.until(b"world")
            await turn.piece(chunk(finish="stop") + usage_chunk(tokens(20, 10)) + DONE)
            await turn.end()
        finally:
            await asyncio.to_thread(server.start)
        body, complete = await running.rest()
        assert complete
        assert body.endswith(DONE)
        await healed(site.world, site.key)
        assert (await site.paid()).quota == 40


async def test_a_database_that_turns_read_only_refuses_and_heals(
    tmp_path: Path, request: pytest.FixtureRequest, postgres_server: Postgres, postgres: Database
) -> None:
    """As one does that was the first and has become a copy."""
    name = servers.name_of(postgres)

    def turn(how: str) -> None:
        postgres_server.sql(
            f"ALTER DATABASE {name} SET default_transaction_read_only = {how};"
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}';"
        )

    async with opened(tmp_path, postgres, request) as site:
        await asyncio.to_thread(turn, "on")
        await refused(site)
        await asyncio.to_thread(turn, "off")
        await healed(site.world, site.key)
        assert (await site.paid()).quota == 40


async def test_a_full_disk_refuses_and_heals(tmp_path: Path, request: pytest.FixtureRequest, sqlite: Database) -> None:
    """No file of the process may grow: neither the database nor the log."""
    async with opened(tmp_path, sqlite, request) as site:
        pid = site.world.gateway.child.pid
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        await refused(site)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await healed(site.world, site.key)
        assert (await site.paid()).quota == 40
