"""A way to a database that can be shut or made long, for tests of networks that fail without a word."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from tests.harness.servers import Database


class Gate:
    """A way to the database that can be shut: bytes wait, and nobody is told. Or they take `delay_s` each way."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.delay_s = 0.0
        self.pipes: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def to(self, url: str, folder: Path) -> AsyncIterator[str]:
        """The URL that leads through here."""
        place = make_url(url)
        if place.get_backend_name() == "postgresql":
            there = f"{place.query['host']}/.s.PGSQL.5432"
            server = await asyncio.start_unix_server(
                self.accept(lambda: asyncio.open_unix_connection(there)), folder / ".s.PGSQL.5432"
            )
            through = url.replace(str(place.query["host"]), str(folder))
        else:
            server = await asyncio.start_server(
                self.accept(lambda: asyncio.open_connection(place.host, place.port)), "127.0.0.1", 0
            )
            through = place.set(port=server.sockets[0].getsockname()[1]).render_as_string(hide_password=False)
        try:
            yield through
        finally:
            server.close()
            for pipe in self.pipes:
                pipe.cancel()
            if self.pipes:
                await asyncio.wait(self.pipes)

    @asynccontextmanager
    async def before(self, database: Database, folder: Path) -> AsyncIterator[Database]:
        """The database as somebody sees it whose way leads through here."""
        async with self.to(database.url, folder) as url:
            here, there = make_url(database.url), make_url(url)
            dsn = database.env["SQL_DSN"]
            if database.kind == "postgres":
                dsn = dsn.replace(str(here.query["host"]), str(there.query["host"]))
            else:
                dsn = dsn.replace(f":{here.port})", f":{there.port})")
            yield replace(database, url=url, env={**database.env, "SQL_DSN": dsn})

    def accept(
        self, connect: Callable[[], Coroutine[Any, Any, tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]:
        async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self.open.wait()
            try:
                other_reader, other_writer = await connect()
            except OSError:  # nobody is there, which is what the other side hears
                writer.transport.abort()
                return
            for source, target in ((reader, other_writer), (other_reader, writer)):
                self.pipes.add(asyncio.create_task(self.pump(source, target)))

        return accepted

    async def pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                await self.open.wait()
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                target.write(data)
        except ConnectionError:
            pass
        finally:
            target.close()
