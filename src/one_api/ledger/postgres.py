"""PostgreSQL through asyncpg: one connection of the writer's own, READ COMMITTED.

A transaction that stands still is ended by the server, long before the writer's lease ends: nobody commits under a slot
that somebody else has taken over.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import asyncpg

from one_api.ledger.connection import ClashError, TroubleError
from one_api.ledger.statements import Postgres, Query
from one_api.store.dsn import Address

STATEMENTS: Final = Postgres()
STATEMENT_S: Final = 5.0
# One round trip, and inside the transaction, so that pgbouncer may hand each one another server.
BEGIN: Final = (
    "begin isolation level read committed; set local lock_timeout = '3s';"
    " set local idle_in_transaction_session_timeout = '8s'"
)

# SQLSTATE classes. https://www.postgresql.org/docs/current/errcodes-appendix.html
AGAIN: Final = {"40", "55"}  # serialisation failure and deadlock; lock not available
GONE: Final = {"08", "25", "53", "57", "58", "XX"}  # connection, read-only, resources, shutdown, system, internal
# A pooler gave us a server that does not know our prepared statements, or knows others of the same name.
FOREIGN_STATEMENTS: Final = {"26000", "42P05"}


class PostgresConnection:
    statements = STATEMENTS

    def __init__(self, raw: "asyncpg.Connection[asyncpg.Record]") -> None:
        self.raw = raw

    async def begin(self) -> None:
        async with translated():
            await self.raw.execute(BEGIN)

    async def rows(self, query: Query) -> list[tuple[Any, ...]]:
        async with translated():
            return [tuple(row) for row in await self.raw.fetch(query.text, *query.values)]

    async def change(self, query: Query) -> int:
        async with translated():
            status: str = await self.raw.execute(query.text, *query.values)
            return int(status.rpartition(" ")[2])

    async def commit(self) -> None:
        async with translated():
            await self.raw.execute("commit")

    async def rollback(self) -> None:
        async with translated():
            await self.raw.execute("rollback")

    async def close(self) -> None:
        if self.raw.is_in_transaction():
            self.raw.terminate()
        else:
            with suppress(TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await self.raw.close(timeout=1.0)


class Connector:
    """Connects again and again; without prepared statements once a pooler has been seen to mix them up."""

    def __init__(self, address: Address) -> None:
        self.dsn = str(address.connect_args.get("dsn") or address.url.render_as_string(hide_password=False))
        self.timeout = min(STATEMENT_S, float(address.connect_args.get("timeout", STATEMENT_S)))

    async def __call__(self) -> PostgresConnection:
        async with translated():
            return PostgresConnection(await asyncpg.connect(self.dsn, timeout=self.timeout))


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """The driver's errors as ours, and an end to waiting."""
    try:
        async with asyncio.timeout(STATEMENT_S):
            yield
    except asyncpg.PostgresError as error:
        state = str(error.sqlstate or "")
        if state[:2] == "23":
            raise ClashError(str(error)) from error
        if state[:2] in AGAIN:
            raise TroubleError(str(error), lost=False) from error
        if state[:2] in GONE or state in FOREIGN_STATEMENTS:
            raise TroubleError(str(error)) from error
        raise
    except asyncpg.DataError:  # an InterfaceError too, but the values' fault
        raise
    except (asyncpg.InterfaceError, OSError, TimeoutError, RuntimeError) as error:  # the last of a closed transport
        raise TroubleError(f"{type(error).__name__}: {error}") from error
