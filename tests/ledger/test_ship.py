"""Log rows in a database of their own (LOG_SQL_DSN): each arrives once, whatever breaks on the way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.config import Config
from one_api.errors import Unavailable
from one_api.ledger import Facts, Ledger
from one_api.ledger.mover import Mover
from one_api.ledger.ship import ship, unshipped
from one_api.store.engine import Database, open_database
from one_api.store.schema import logs, metadata
from tests.ledger.world import World, request

pytestmark = pytest.mark.anyio

DONE = Facts(channel_id=1, source="reported", model_name="gpt", username="user1", content="倍率", is_stream=True)


@pytest.fixture
async def elsewhere(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Database]:
    database = open_database(Config(), f"sqlite:///{tmp_path}/logs.db")
    async with database.write() as tx:
        await tx.run_sync(metadata.create_all, tables=[logs])
    yield database
    await database.aclose()


async def shipped(database: Database) -> list[str]:
    async with database.read() as tx:
        return list((await tx.execute(select(logs.c.request_id).order_by(logs.c.id))).scalars())


async def call(ledger: Ledger, name: str, facts: Facts = DONE) -> None:
    await ledger.settle(await ledger.hold(request(name, most=10)), 10, facts)


async def test_rows_arrive_in_the_other_database_and_not_in_this_one(books: World, elsewhere: Database) -> None:
    await books.add_user()
    await books.add_token()
    await books.add_channel()
    async with books.ledger(logs=elsewhere) as ledger:
        for number in range(5):
            await call(ledger, f"call{number}", Facts(logged=False) if number == 2 else DONE)
        await ledger.flush()
        assert await shipped(elsewhere) == ["call0", "call1", "call3", "call4"]
        async with elsewhere.read() as tx:
            row = (await tx.execute(select(logs).limit(1))).mappings().one()
        assert (row["type"], row["model_name"], row["is_stream"], row["content"]) == (2, "gpt", True, "倍率")
        await call(ledger, "last")
    assert (await shipped(elsewhere))[-1] == "last"
    assert await books.value("select count(*) from logs") == 0
    assert await books.value("select used_quota from channels") == 50


async def test_rows_arrive_by_themselves(file: World, elsewhere: Database) -> None:
    await file.add_user()
    await file.add_token()
    async with file.ledger(logs=elsewhere) as ledger:
        await call(ledger, "first")
        async with asyncio.timeout(60):
            while not await shipped(elsewhere):  # noqa: ASYNC110  # only the database knows
                await asyncio.sleep(0.05)


async def test_rows_that_arrived_before_a_crash_are_left_out_the_second_time(books: World, elsewhere: Database) -> None:
    await books.add_user()
    await books.add_token()
    await books.add_channel()
    async with books.ledger(logs=elsewhere) as ledger:
        await call(ledger, "first")
        _, rows = await ledger.run(lambda book: unshipped(book, book.slot))
        await ship(elsewhere, rows)  # and the mark does not move
        await call(ledger, "second")
        await ledger.flush()
        await ledger.flush()
    assert await shipped(elsewhere) == ["first", "second"]
    assert await books.value("select used_quota from channels") == 20


class Full:
    """Takes nothing."""

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        nobody: list[AsyncConnection] = []
        for connection in nobody:
            yield connection
        raise Unavailable("the disk is full")


async def test_a_broken_log_database_stops_no_call_and_loses_no_row(books: World, elsewhere: Database) -> None:
    await books.add_user()
    await books.add_token()
    async with books.ledger(logs=Full()) as ledger:
        await call(ledger, "first")
        with pytest.raises(Unavailable):
            await ledger.flush()
        await call(ledger, "second")
        ledger.logs = elsewhere
        await ledger.flush()
    assert await shipped(elsewhere) == ["first", "second"]
    assert await books.user() == (980, 20, 2)


def test_the_mover_shortens_its_steps_when_they_take_long() -> None:
    mover = Mover()
    start = mover.chunk
    mover.pace(1.0)
    assert mover.chunk < start
    for _ in range(20):
        mover.pace(0.001)
    assert mover.chunk == 8000
    for _ in range(20):
        mover.pace(1.0)
    assert mover.chunk == 125
