"""What a gateway's database says of money, read beside it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import NullPool, Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from one_api.store.schema import holds, ledger, logs, tokens, users
from tests.harness.servers import Database

PATIENCE_S = 60.0  # a loaded machine, not an expectation
LOOK_S = 0.01


class Books:
    """Reads the tables of one database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def _all(self, query: Select[Any]) -> Sequence[Row[Any]]:
        async with self._engine.connect() as connection:
            found: Sequence[Row[Any]] = (await connection.execute(query)).all()
            return found

    async def user(self, name: str) -> Row[Any]:
        """id, quota, used_quota, request_count."""
        columns = (users.c.id, users.c.quota, users.c.used_quota, users.c.request_count)
        return (await self._all(select(*columns).where(users.c.username == name)))[0]

    async def token(self, key: str) -> Row[Any]:
        """id, remain_quota, used_quota."""
        columns = (tokens.c.id, tokens.c.remain_quota, tokens.c.used_quota)
        return (await self._all(select(*columns).where(tokens.c.key == key.removeprefix("sk-"))))[0]

    async def finals(self, name: str = "") -> Sequence[Row[Any]]:
        """What calls were charged, in order; of one user, or of all."""
        query = select(ledger).where(ledger.c.kind == "final").order_by(ledger.c.id)
        return await self._all(query.where(ledger.c.username == name) if name else query)

    async def granted(self, user_id: int) -> int:
        """What a user has used, once it is known that balance, use and grants agree."""
        row = (await self._all(select(users.c.quota, users.c.used_quota).where(users.c.id == user_id)))[0]
        booked = select(ledger.c.kind, ledger.c.quota).where(ledger.c.user_id == user_id)
        moved = await self._all(booked)
        given: int = sum(each.quota for each in moved if each.kind != "final")
        paid: int = sum(each.quota for each in moved if each.kind == "final")
        assert row.quota + paid == given, (row, moved)
        assert row.used_quota == paid, (row, moved)
        return paid

    async def last_final(self) -> Row[Any]:
        query = select(ledger).where(ledger.c.kind == "final").order_by(ledger.c.id.desc()).limit(1)
        return (await self._all(query))[0]

    async def holds(self) -> Sequence[Row[Any]]:
        return await self._all(select(holds))

    async def logs(self) -> Sequence[Row[Any]]:
        return await self._all(select(logs).where(logs.c.type == 2).order_by(logs.c.id))

    async def fingerprint(self) -> tuple[Any, ...]:
        """Changes when any money moves or is held."""
        async with self._engine.connect() as connection:
            people = await connection.execute(
                select(users.c.id, users.c.quota, users.c.used_quota, users.c.request_count)
            )
            keys = await connection.execute(select(tokens.c.id, tokens.c.remain_quota, tokens.c.used_quota))
            held = await connection.execute(select(holds.c.request_id))
            booked = await connection.execute(select(func.count()).select_from(ledger))
            return (*sorted(people.all()), *sorted(keys.all()), *held.all(), booked.scalar())

    async def settled(self, within: float = PATIENCE_S) -> None:
        """Returns when no hold is open."""

        async def none() -> bool:
            return not await self.holds()

        await eventually(none, within)


async def eventually(fact: Callable[[], Awaitable[bool]], within: float = PATIENCE_S) -> None:
    """Look again and again at what another process does; fails the test when the time is over."""
    async with asyncio.timeout(within):
        while not await fact():  # noqa: ASYNC110  # of another process there is no event
            await asyncio.sleep(LOOK_S)


@asynccontextmanager
async def books(database: Database) -> AsyncIterator[Books]:
    engine = create_async_engine(database.url, poolclass=NullPool)
    try:
        yield Books(engine)
    finally:
        await engine.dispose()
