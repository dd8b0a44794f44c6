"""A gateway with everything around it that a test of its whole way needs."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai
from sqlalchemy import Row

from tests.e2e import wire
from tests.e2e.books import Books, books
from tests.e2e.wire import Reply
from tests.harness import scripted
from tests.harness.admin import Admin
from tests.harness.scripted import Received, Upstream
from tests.harness.servers import Database, Gateway

START = 100_000_000
"""Quota of a user who is meant to afford everything."""


@dataclass(frozen=True, slots=True)
class World:
    """A running gateway, its root user, its database, and the upstream its channels point to."""

    gateway: Gateway
    database: Database
    root: Admin
    books: Books
    upstream: Upstream

    @property
    def port(self) -> int:
        return self.gateway.port

    async def ask(self, data: bytes) -> Reply:
        """One request on a connection of its own."""
        async with wire.connect(self.port) as connection:
            connection.send(data)
            return await connection.reply()

    def price(self, *models: str) -> None:
        """One unit for a token of input, two for one of output."""
        self.root.option("ModelRatio", json.dumps(dict.fromkeys(models, 1)))
        self.root.option("CompletionRatio", json.dumps(dict.fromkeys(models, 2)))
        self.root.option("PreConsumedQuota", "0")

    def channel(self, name: str, models: str = "gpt-3.5-turbo", **more: object) -> int:
        """A channel that goes to the upstream's script of this name."""
        more = {"name": name, "key": f"sk-upstream-{name}", **more}
        return self.root.channel(self.upstream.at(name), models, **more)


@dataclass(frozen=True, slots=True)
class Site:
    """A world with one upstream request at a time, and alice, who began with START and calls with `key`."""

    world: World
    key: str

    def client(self, **more: Any) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(
            base_url=f"{self.world.gateway.url}/v1", api_key=self.key, max_retries=0, timeout=30, **more
        )

    @property
    def request(self) -> Received:
        (received,) = self.world.upstream.received
        return received

    async def paid(self) -> Row[Any]:
        """The last charge, once it is known that all charges and the balance add up."""
        books = self.world.books
        await books.settled()
        row = await books.user("alice")
        finals = await books.finals("alice")
        assert row.quota + sum(each.quota for each in finals) == START
        return finals[-1]

    async def charges(self) -> int:
        await self.world.books.settled()
        return len(await self.world.books.finals("alice"))


@asynccontextmanager
async def open_world(directory: Path, database: Database, /, **env: str) -> AsyncIterator[World]:
    gateway = Gateway(directory, {**database.env, **env})
    gateway.start()
    try:
        async with AsyncExitStack() as stack:
            upstream = await stack.enter_async_context(scripted.serve())
            read = await stack.enter_async_context(books(database))
            root = stack.enter_context(Admin(gateway.url))
            yield World(gateway, database, root, read, upstream)
    finally:
        gateway.stop()
