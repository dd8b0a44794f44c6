"""MySQL and MariaDB through asyncmy: one connection of the writer's own, READ COMMITTED.

The server drops a connection that is silent for a while, and its transaction with it, long before the writer's lease
ends: nobody commits under a slot that somebody else has taken over.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import asyncmy
from asyncmy.constants.CLIENT import FOUND_ROWS

from one_api.ledger.connection import ClashError, TroubleError
from one_api.ledger.spelled import Mysql
from one_api.ledger.statements import Query
from one_api.store.dsn import Address

STATEMENTS: Final = Mysql()
STATEMENT_S: Final = 5.0
SESSION: Final = {"innodb_lock_wait_timeout": "3", "wait_timeout": "20"}
ISOLATION: Final = "set session transaction isolation level read committed"

AGAIN: Final = {1205, 1213}  # lock wait timeout, deadlock
DUPLICATE: Final = {1022, 1062, 1586}


class MysqlConnection:
    statements = STATEMENTS

    def __init__(self, raw: asyncmy.Connection) -> None:
        self.raw = raw
        self.in_transaction = False

    async def begin(self) -> None:
        self.in_transaction = True
        await self.run("start transaction")

    async def rows(self, query: Query) -> list[tuple[Any, ...]]:
        async with translated(), self.raw.cursor() as cursor:
            await cursor.execute(query.text, tuple(query.values) or None)
            return list(await cursor.fetchall())

    async def change(self, query: Query) -> int:
        async with translated(), self.raw.cursor() as cursor:
            return await cursor.execute(query.text, tuple(query.values) or None)

    async def run(self, text: str) -> None:
        async with translated(), self.raw.cursor() as cursor:
            await cursor.execute(text)

    async def commit(self) -> None:
        await self.run("commit")
        self.in_transaction = False

    async def rollback(self) -> None:
        await self.run("rollback")
        self.in_transaction = False

    async def close(self) -> None:
        if self.in_transaction:
            self.raw.close()  # at once, without a word
        else:
            with suppress(TroubleError):
                async with translated():
                    await self.raw.ensure_closed()


class Connector:
    def __init__(self, address: Address) -> None:
        url = address.url
        self.arguments: dict[str, Any] = {
            "host": url.host,
            "port": url.port or 3306,
            "user": url.username,
            "password": url.password or "",
            "database": url.database,
            "charset": "utf8mb4",
            **address.connect_args,
            "client_flag": FOUND_ROWS,  # count the rows found, not those that became different
            "autocommit": True,
        }
        self.session = {**address.session, **SESSION}

    async def __call__(self) -> MysqlConnection:
        async with translated():
            connection = MysqlConnection(await asyncmy.connect(**self.arguments))
        await connection.run(ISOLATION)
        await connection.run("set " + ", ".join(f"session {name} = {value}" for name, value in self.session.items()))
        return connection


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """The driver's errors as ours, and an end to waiting."""
    try:
        async with asyncio.timeout(STATEMENT_S):
            yield
    except asyncmy.errors.MySQLError as error:
        code = error.args[0] if error.args else 0
        if code in DUPLICATE:
            raise ClashError(str(error)) from error
        if code in AGAIN:
            raise TroubleError(str(error), lost=False) from error
        if isinstance(
            error, (asyncmy.errors.OperationalError, asyncmy.errors.InterfaceError, asyncmy.errors.InternalError)
        ):
            raise TroubleError(str(error)) from error
        raise
    except (OSError, EOFError, TimeoutError, RuntimeError) as error:  # the last of a transport that is closed
        raise TroubleError(f"{type(error).__name__}: {error}") from error
