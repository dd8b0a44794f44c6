"""What was used in each hour, kept in sums, so that statistics need not read millions of log rows.

A mark says up to which row of `logs` the sums go, and changes in the transaction that adds to them: each row counts
once, and what is above the mark is read from `logs` itself. A process may commit a row after others with higher ids, so
a round goes as far as the one before could see.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.accounts.logs import CONSUME
from one_api.store.engine import Database, retrying
from one_api.store.schema import logs, marks, usage_hours
from one_api.store.upsert import upsert

MARK: Final = "usage hours"
HOUR_S: Final = 3600
CHUNK: Final = 2000
SUMMED: Final = ("requests", "quota", "prompt_tokens", "completion_tokens")

Sleep = Callable[[float], Awaitable[object]]


class RollUp:
    """One round a call. `wanted` says whether the operator wants it."""

    def __init__(self, database: Database, wanted: Callable[[], bool], *, sleep: Sleep = asyncio.sleep) -> None:
        self._database = database
        self._wanted = wanted
        self._sleep = sleep
        self._seen: int | None = None

    async def run(self) -> None:
        if not self._wanted():
            self._seen = None
            return
        async with self._database.read() as tx:
            top = (await tx.execute(select(func.max(logs.c.id)))).scalar_one() or 0
        until, self._seen = self._seen, int(top)
        while until is not None:
            start = time.monotonic()
            if not await retrying(partial(self._step, until)):
                return
            await self._sleep(time.monotonic() - start)  # the others have as long as it took

    async def _step(self, until: int) -> bool:
        """Add a chunk to the sums; True if more is left."""
        async with self._database.write() as tx:
            low = await mark(tx)
            if low is None:
                await tx.execute(upsert(tx.dialect.name, marks, {"name": MARK, "value": 0}))
                low = 0
            high = min(low + CHUNK, until)
            moved = update(marks).where(marks.c.name == MARK, marks.c.value == low).values(value=high)
            if high <= low or (await tx.execute(moved)).rowcount != 1:
                return False
            for row in (await tx.execute(_sums(low, high))).mappings().all():
                more = {name: usage_hours.c[name] + row[name] for name in SUMMED}
                await tx.execute(upsert(tx.dialect.name, usage_hours, dict(row), again=more))
        return high < until


async def mark(tx: AsyncConnection) -> int | None:
    """Up to which row of `logs` the sums go; None if there are none."""
    found = (await tx.execute(select(marks.c.value).where(marks.c.name == MARK))).scalar_one_or_none()
    return None if found is None else int(found)


def _sums(low: int, high: int) -> Any:
    columns = {
        "hour": logs.c.created_at // HOUR_S,
        "user_id": func.coalesce(logs.c.user_id, 0),
        "channel_id": func.coalesce(logs.c.channel_id, 0),
        "model_name": func.coalesce(logs.c.model_name, ""),
    }
    sums = [
        func.coalesce(func.sum(column), 0).label(column.name)
        for column in (logs.c.quota, logs.c.prompt_tokens, logs.c.completion_tokens)
    ]
    return (
        select(*(column.label(name) for name, column in columns.items()), func.count().label("requests"), *sums)
        .where(logs.c.id > low, logs.c.id <= high, logs.c.type == CONSUME)
        .group_by(*columns)
    )
