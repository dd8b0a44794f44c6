"""A gateway that does what a test tells it, right or wrong: the replay has to tell which."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import create_engine

from one_api.store import schema
from tests.harness import client
from tests.harness.upstream import Seen, read_request

FIRST_ID = 20261124043100


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What one request sets off: requests to the upstream, changes in the database, an answer.

    `{rid}` in headers, body and statements is the request's id. `length` overrules the honest one.
    """

    status: int = 200
    headers: Sequence[tuple[str, str]] = (("Content-Type", "application/json"), ("X-Oneapi-Request-Id", "{rid}"))
    body: str = "{}"
    length: int | None = None
    sent: Sequence[bytes] = ()
    sql: Sequence[str] = ()


@dataclass(slots=True)
class Fake:
    upstream_port: int
    database: Path
    deeds: list[Deed]
    port: int = 0
    seen: list[Seen] = field(default_factory=list)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_request(reader)
        assert request is not None
        self.seen.append(request)
        deed, rid = self.deeds[len(self.seen) - 1], f"{FIRST_ID}1{len(self.seen):08}"
        for each in deed.sent:
            await client.exchange(self.upstream_port, each)
        with closing(sqlite3.connect(self.database)) as database:
            for statement in deed.sql:
                database.execute(statement.replace("{rid}", rid))
            database.commit()
        body = deed.body.replace("{rid}", rid).encode()
        length = len(body) if deed.length is None else deed.length
        fields = (*deed.headers, ("Content-Length", str(length)))
        lines = (f"HTTP/1.1 {deed.status} Said", *(f"{name}: {value}" for name, value in fields))
        writer.write("\r\n".join((*lines, "", "")).replace("{rid}", rid).encode() + body)
        writer.close()


@asynccontextmanager
async def serve(upstream_port: int, database: Path, deeds: Sequence[Deed]) -> AsyncIterator[Fake]:
    """The fake on a free port, with an empty database of the gateway's tables."""
    engine = create_engine(f"sqlite:///{database}")
    schema.metadata.create_all(engine)
    engine.dispose()
    fake = Fake(upstream_port, database, list(deeds))
    server = await asyncio.start_server(fake.connected, "127.0.0.1", 0)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        server.close()
        await server.wait_closed()
