"""Log rows for a second database (LOG_SQL_DSN): read from the ledger, insert there, then move the mark here.

Two databases share no transaction. Should the process end between the two, the rows are sent again, and those that
arrived are left out: by request id, among the rows of the same seconds, which the index on (created_at, type) finds.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Protocol

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.ledger.book import Book
from one_api.ledger.mover import mark_name
from one_api.ledger.statements import LOG_COLUMNS, LOGS
from one_api.store.schema import logs

CHUNK: Final = 1000
CONSUMED: Final = 2  # type of a log row
UNSHIPPED: Final = f"""
    select {LOG_COLUMNS} from ledger
    where slot = ? and kind = 'final' and id > ? and id <= ? and logged = """  # noqa: S608  # names of columns


class LogDatabase(Protocol):
    def write(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction; raises Unavailable."""


async def unshipped(book: Book, slot: int) -> tuple[int, list[dict[str, Any]]]:
    """How far the ids go, and the log rows up to there. Runs on the writer's connection."""
    marks = await book.rows("select value from marks where name = ?", mark_name(slot))
    low = int(marks[0][0]) if marks else 0
    top = await book.rows("select coalesce(max(id), 0) from ledger")
    high = min(low + CHUNK, int(top[0][0]))
    true = (await book.connected()).statements.true
    rows = await book.rows(UNSHIPPED + true + " order by id", slot, low, high)
    return high, [log_row(row) for row in rows]


def log_row(row: Sequence[Any]) -> dict[str, Any]:
    named = dict(zip(LOGS, row, strict=True))
    return named | {"is_stream": bool(named["is_stream"]), "system_prompt_reset": bool(named["system_prompt_reset"])}


async def ship(database: LogDatabase, rows: Sequence[dict[str, Any]]) -> None:
    """Insert the rows that are not there yet."""
    if not rows:
        return
    times = [row["created_at"] for row in rows]
    there = select(logs.c.request_id).where(
        logs.c.created_at.between(min(times), max(times)),
        logs.c.type == CONSUMED,
        logs.c.request_id.in_([row["request_id"] for row in rows]),
    )
    async with database.write() as tx:
        known = set((await tx.execute(there)).scalars())
        if new := [row for row in rows if row["request_id"] not in known]:
            await tx.execute(insert(logs), new)
