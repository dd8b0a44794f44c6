"""Deleting old rows of `logs`, a few at a time: whoever else writes waits for one such step at most."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from sqlalchemy import delete, func, select

from one_api.store.engine import Database, retrying
from one_api.store.schema import logs

CHUNK: Final = 200
CHUNK_MOST: Final = 2000
LONG_S: Final = 0.050
Sleep = Callable[[float], Awaitable[object]]


async def forget(database: Database, *, before: int, sleep: Sleep = asyncio.sleep) -> int:
    """Delete what was written before that time; how many rows. Rows that come meanwhile stay.

    Each step is a transaction, which is found by idx_created_at_type. After each the others have as long as it took:
    SQLite lets writers in by chance, not in turn.
    """
    async with database.read() as tx:
        top = (await tx.execute(select(func.max(logs.c.id)))).scalar() or 0
    chunk, deleted = CHUNK, 0
    while True:
        start = time.monotonic()
        count = await retrying(partial(_step, database, before=before, top=top, size=chunk))
        deleted += count
        took = time.monotonic() - start
        if count < chunk:
            return deleted
        chunk = paced(chunk, took)
        await sleep(took)


def paced(chunk: int, took: float) -> int:
    """The size of the next step."""
    if took > LONG_S:
        return max(CHUNK // 2, chunk // 2)
    return min(CHUNK_MOST, chunk * 2) if took < LONG_S / 3 else chunk


async def _step(database: Database, *, before: int, top: int, size: int) -> int:
    """Delete that many at most; how many it was."""
    old = select(logs.c.id).where(logs.c.created_at < before, logs.c.id <= top)
    async with database.write() as tx:
        ids = (await tx.execute(old.order_by(logs.c.created_at).limit(size))).scalars().all()
        if ids:
            await tx.execute(delete(logs).where(logs.c.id.in_(ids)))
    return len(ids)
