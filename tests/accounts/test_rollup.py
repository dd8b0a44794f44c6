"""Sums of hours: each call counts once, and statistics are the same with them as without."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select

from one_api.accounts import rollup, usage
from one_api.accounts.rollup import RollUp, mark
from one_api.config import Config
from one_api.jobs.table import log_jobs
from one_api.options import DEFAULTS
from one_api.store.engine import Database, open_database
from one_api.store.migrations import migrate_logs
from one_api.store.schema import logs, usage_hours, users

pytestmark = pytest.mark.anyio

NOW = 1_760_000_000
DAY = 86_400


async def wrote(store: Database, count: int, **more: Any) -> None:
    rows = [
        {
            "type": 2 if n % 5 else 1,
            "user_id": n % 3 + 1,
            "username": f"user{n % 3 + 1}",
            "channel_id": n % 2 + 1,
            "model_name": f"m{n % 4}",
            "created_at": NOW - (n * 7919) % (9 * DAY),
            "quota": n,
            "prompt_tokens": 2 * n,
            "completion_tokens": 3,
            **more,
        }
        for n in range(count)
    ]
    async with store.write() as tx:
        await tx.execute(insert(logs), rows)


async def statistics(store: Database, people: Database, *, rolled: bool) -> list[Any]:
    found: list[Any] = [await usage.by_day(store, user_id=user, days=7, now=NOW, rolled=rolled) for user in (None, 1)]
    found.append(await usage.shares(store, people=people, by="user", days=7, now=NOW, rolled=rolled))
    found.append(await usage.shares(store, people=people, by="channel", days=7, now=NOW, rolled=rolled))
    return found


@asynccontextmanager
async def database_of_logs(main: Database, folder: Path, *, apart: bool) -> AsyncIterator[Database]:
    """Where the rows of the log are: beside the users, or by themselves."""
    if not apart:
        yield main
        return
    found = open_database(Config(sqlite_path=str(folder / "logs.db")))
    try:
        await migrate_logs(found)
        yield found
    finally:
        await found.aclose()


@pytest.mark.parametrize("apart", [False, True])
async def test_statistics_are_the_same_with_sums_and_rows_count_once(
    store: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, apart: bool
) -> None:
    monkeypatch.setattr(rollup, "CHUNK", 100)
    async with database_of_logs(store, tmp_path, apart=apart) as logbook:
        await sums_are_right(store, logbook)


async def sums_are_right(people: Database, store: Database) -> None:
    async with people.write() as tx:
        for number in (1, 2, 3):
            await tx.execute(
                insert(users).values(id=number, username=f"user{number}", password="x", aff_code=str(number))
            )
    await wrote(store, 330)
    job = RollUp(store, lambda: True)
    await job.run()
    async with store.read() as tx:
        assert await mark(tx) is None  # what the first round sees may not be all there is below
    await wrote(store, 50)
    await job.run()
    async with store.read() as tx:
        assert await mark(tx) == 330
    plain = await statistics(store, people, rolled=False)
    assert all(plain)
    assert await statistics(store, people, rolled=True) == plain
    await asyncio.gather(job.run(), job.run())
    async with store.read() as tx:
        assert await mark(tx) == 380
        summed = (await tx.execute(select(func.sum(usage_hours.c.requests)))).scalar_one()
        counted = await tx.execute(select(func.count()).select_from(logs).where(logs.c.type == 2))
        assert summed == counted.scalar_one()
    assert await statistics(store, people, rolled=True) == plain
    async with store.write() as tx:
        await tx.execute(delete(logs))
    assert await statistics(store, people, rolled=True) == plain  # old rows are not needed any more


async def test_nothing_is_summed_or_deleted_that_nobody_wants(store: Database) -> None:
    await wrote(store, 10, created_at=1)
    options = DEFAULTS
    for job in log_jobs(store, lambda: options):
        assert job.alone
        await job.run()
        await job.run()
    async with store.read() as tx:
        assert await mark(tx) is None
        assert (await tx.execute(select(func.count()).select_from(logs))).scalar_one() == 10


async def test_old_rows_are_deleted_where_the_operator_says_so(store: Database) -> None:
    await wrote(store, 10, created_at=1)
    await wrote(store, 3, created_at=4_000_000_000)
    options = replace(DEFAULTS, log_retention_days=30)
    (job,) = [job for job in log_jobs(store, lambda: options) if "old" in job.name]
    await job.run()
    async with store.read() as tx:
        assert (await tx.execute(select(func.count()).select_from(logs))).scalar_one() == 3
