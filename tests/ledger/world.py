"""A database with users and tokens, and what an auditor reads from it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from one_api.ledger import HoldRequest, Ledger
from one_api.store.schema import channels, metadata, tokens, users


@dataclass(frozen=True, slots=True)
class World:
    """One database. Users have ids from 1; token id = user id unless said otherwise."""

    url: str
    engine: AsyncEngine

    async def add_user(self, user_id: int = 1, quota: int = 1000, **columns: Any) -> None:
        row = {"id": user_id, "username": f"user{user_id}", "password": "", "quota": quota, "status": 1, **columns}
        async with self.engine.begin() as tx:
            await tx.execute(insert(users).values(row | {"access_token": f"{user_id:032}", "aff_code": str(user_id)}))

    async def add_token(self, token_id: int = 1, user_id: int = 1, remain: int = 1000, **columns: Any) -> None:
        row = {"id": token_id, "user_id": user_id, "key": f"{token_id:048}", "name": f"token{token_id}", "status": 1}
        async with self.engine.begin() as tx:
            await tx.execute(insert(tokens).values(row | {"remain_quota": remain, "unlimited_quota": False} | columns))

    async def add_channel(self, channel_id: int = 1) -> None:
        async with self.engine.begin() as tx:
            await tx.execute(insert(channels).values(id=channel_id, name=f"channel{channel_id}"))

    async def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        async with self.engine.connect() as tx:
            return [dict(row) for row in (await tx.execute(text(query), values)).mappings()]

    async def row(self, query: str, **values: Any) -> dict[str, Any]:
        (row,) = await self.rows(query, **values)
        return row

    async def value(self, query: str, **values: Any) -> Any:
        (value,) = (await self.row(query, **values)).values()
        return value

    async def change(self, query: str, **values: Any) -> None:
        async with self.engine.begin() as tx:
            await tx.execute(text(query), values)

    async def user(self, user_id: int = 1) -> tuple[int, int, int]:
        """Quota, used_quota, request_count."""
        row = await self.row("select quota, used_quota, request_count from users where id = :id", id=user_id)
        return row["quota"], row["used_quota"], row["request_count"]

    async def token(self, token_id: int = 1) -> tuple[int, int]:
        """Remaining and used quota."""
        row = await self.row("select remain_quota, used_quota from tokens where id = :id", id=token_id)
        return row["remain_quota"], row["used_quota"]

    async def clear(self) -> None:
        async with self.engine.begin() as tx:
            for table in metadata.sorted_tables:
                await tx.execute(table.delete())

    @asynccontextmanager
    async def ledger(self, **options: Any) -> AsyncIterator[Ledger]:
        ledger = Ledger.open(self.url, **options)
        await ledger.start()
        try:
            yield ledger
        finally:
            await ledger.aclose()


@asynccontextmanager
async def world(url: str) -> AsyncIterator[World]:
    engine = create_async_engine(url)
    try:
        async with engine.begin() as tx:
            await tx.run_sync(metadata.create_all)
        yield World(url, engine)
    finally:
        await engine.dispose()


def request(request_id: str = "call", *, least: int = 1, most: int = 100, user: int = 1, token: int = 1) -> HoldRequest:
    return HoldRequest(request_id=request_id, user_id=user, token_id=token, unlimited=False, least=least, most=most)


def audit(
    balances: Mapping[int, int],
    grants: Mapping[int, int],
    finals: Sequence[tuple[int, int]],
    holds: Sequence[tuple[int, int]],
) -> dict[int, int]:
    """Sums of balance + finals + open holds - grants, by id: all zero, or money was made or lost."""
    wrong = {key: balance - grants.get(key, 0) for key, balance in balances.items()}
    for key, amount in (*finals, *holds):
        if key in wrong:
            wrong[key] += amount
    return {key: difference for key, difference in wrong.items() if difference}
