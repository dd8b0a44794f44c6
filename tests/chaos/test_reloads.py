"""Processes are replaced, and nodes restarted, while calls run: none is lost."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from tests.chaos.faults import restart_all_nodes
from tests.chaos.load import REFUSED, Load
from tests.chaos.site import opened
from tests.conftest import GATEWAYS, missing
from tests.e2e.books import eventually
from tests.harness import servers
from tests.harness.servers import Database, Gateway, Postgres
from tests.ledger.siege import Seen, Upstream, differences, set_up
from tests.ledger.world import World

pytestmark = pytest.mark.anyio

CLIENTS = 8
ENV = {"WORKERS": "2", "CRITICAL_RATE_LIMIT": "0"}


@asynccontextmanager
async def calling(port: int, keys: list[str]) -> AsyncIterator[Load]:
    """Steady load, which ends with the context."""
    load = Load(port, keys, random.Random(1), 0.02)
    async with asyncio.TaskGroup() as clients:
        for who in range(CLIENTS):
            clients.create_task(load.client(who))
        try:
            yield load
        finally:
            load.over.set()


def lost(load: Load) -> list[object]:
    """Calls without an answer, though somebody had taken their connection."""
    return [call for call in load.calls if call.outcome == "lost" and not call.detail.startswith(REFUSED)]


def measured(load: Load, what: str) -> None:
    """For the table of docs/reliability.md."""
    print(f"{what}: {len(load.calls):,} calls, {len(lost(load))} of them lost")


def replaced(gateway: Gateway) -> int:
    return gateway.output().count("is replaced by")


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("times", [1, pytest.param(100, marks=pytest.mark.torture)])
async def test_processes_of_a_port_are_replaced_and_ended_without_losing_a_call(
    tmp_path: Path, postgres: Database, request: pytest.FixtureRequest, times: int
) -> None:
    gateway, upstream = Gateway(tmp_path, {**postgres.env, **ENV}), Upstream()
    request.node.stash[GATEWAYS] = [gateway]
    engine = create_async_engine(postgres.url)
    await asyncio.to_thread(gateway.start)
    try:
        async with upstream.running() as address:
            keys = await asyncio.to_thread(set_up, gateway.url, address, 2)
            async with calling(gateway.port, keys) as load:
                for time in range(1, times + 1):
                    gateway.child.send_signal(signal.SIGHUP)
                    await eventually(partial(all_replaced, gateway, 2 * time), within=60)
                answered = Counter(call.outcome for call in load.calls)["whole"]
                assert answered > CLIENTS * times
                gateway.child.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(gateway.child.wait, 60) == 0
            measured(load, f"{times} reloads and an end")
            assert not lost(load)
            whole = {call.request_id: upstream.claimed[call.name] for call in load.calls if call.outcome == "whole"}
            assert not await differences(World(postgres.url, engine), Seen(whole))
    finally:
        await asyncio.to_thread(gateway.stop)
        await engine.dispose()


async def all_replaced(gateway: Gateway, count: int) -> bool:
    return replaced(gateway) == count


@pytest.mark.torture
@pytest.mark.timeout(3600)
async def test_a_hundred_restarts_of_nodes_behind_nginx_lose_no_call(tmp_path: Path, postgres_server: Postgres) -> None:
    if servers.sbin("nginx") is None:
        missing("nginx")
    async with opened(tmp_path, postgres_server) as site:
        async with calling(site.proxy.port, site.keys) as load:
            for _ in range(50):
                await restart_all_nodes(site, random.Random(1))
        measured(load, "100 restarts")
        assert not lost(load)
        whole = {call.request_id: site.upstream.claimed[call.name] for call in load.calls if call.outcome == "whole"}
        assert not await differences(site.place, Seen(whole))
