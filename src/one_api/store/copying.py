"""A database copied to another, of any engine to any engine, and compared with what it came from.

- The copy is made of one state of the source. Nothing of the source changes; it may be one of One API's.
- What was copied is committed in chunks. A copy that broke off goes on: tables that only grow where they ended, others
  from their beginning, by primary key, so that nothing is there twice.
- A target with rows of its own is refused, unless they are those of a copy that broke off.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from sqlalchemy import Connection, Table, delete, func, inspect, select
from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.store.adopt import advance_sequences
from one_api.store.engine import Database
from one_api.store.schema import ledger, logs, marks, metadata, users
from one_api.store.sums import Sums, differences, sums
from one_api.store.upsert import upsert

CHUNK: Final = 500
UNDER_WAY: Final = "copy under way"
GROWING: Final = (logs, ledger)
# What only the processes of the source know the meaning of.
LEFT_OUT: Final = ("leases",)


class NotEmpty(Exception):
    """The target is somebody's database."""

    def __init__(self) -> None:
        super().__init__("the target has rows of its own; copy to an empty database")


class Progress(Protocol):
    def advance(self, count: int) -> None: ...


def tables() -> list[Table]:
    return [table for table in metadata.sorted_tables if table.name not in LEFT_OUT]


async def rows_of(source: AsyncConnection) -> int:
    """How many there are to copy."""
    found = await source.run_sync(sums, tables())
    return sum(values["rows"] for values in found.values())


async def copy(source: AsyncConnection, target: Database, progress: Progress) -> list[str]:
    """Copy what is missing and tell what differs afterwards. The target has the tables. Raises NotEmpty."""
    await begin(target)
    for table in tables():
        await copy_table(source, target, table, progress)
    async with target.write() as tx:
        await tx.run_sync(advance_sequences, [table for table in tables() if "id" in table.columns])
        await tx.execute(delete(marks).where(marks.c.name == UNDER_WAY))
    before: Sums = await source.run_sync(sums, tables())
    async with target.read() as tx:
        return differences(before, await tx.run_sync(sums, tables()))


async def begin(target: Database) -> None:
    async with target.write() as tx:
        again = (await tx.execute(select(marks.c.value).where(marks.c.name == UNDER_WAY))).first() is not None
        if not again and (await tx.execute(select(users.c.id).limit(1))).first() is not None:
            raise NotEmpty
        await tx.execute(upsert(tx.dialect.name, marks, {"name": UNDER_WAY, "value": 1}))


async def copy_table(source: AsyncConnection, target: Database, table: Table, progress: Progress) -> None:
    names = await source.run_sync(columns_of, table)
    if not names:
        return
    key = [table.c[column.name] for column in table.primary_key]
    after = None
    if table in GROWING:
        async with target.read() as tx:
            after = (await tx.execute(select(func.max(table.c.id)))).scalar_one()
    wanted = select(*(table.c[name] for name in names)).order_by(*key)
    if after is not None:
        wanted = wanted.where(table.c.id > after)
    found = await source.stream(wanted)
    async for chunk in found.mappings().partitions(CHUNK):
        rows = [dict(row) for row in chunk]
        async with target.write() as tx:
            for batch in batches(rows, len(names)):
                await tx.execute(put(tx.dialect.name, table, batch))
        progress.advance(len(rows))


def columns_of(tx: Connection, table: Table) -> list[str]:
    """Of this table in the source, those we know; none if there is no such table."""
    found = inspect(tx)
    if not found.has_table(table.name):
        return []
    there = {column["name"].lower() for column in found.get_columns(table.name)}
    return [column.name for column in table.columns if column.name in there]


def batches(rows: Sequence[Mapping[str, Any]], width: int) -> Iterator[Sequence[Mapping[str, Any]]]:
    """As many as one statement takes: 32,767 values at PostgreSQL, 32,766 at SQLite."""
    size = max(1, 30_000 // max(width, 1))
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def put(kind: str, table: Table, rows: Sequence[Mapping[str, Any]]) -> Any:
    """Insert the rows; one that is there already becomes as it is in the source."""
    keys = {column.name for column in table.primary_key}
    others = [name for name in rows[0] if name not in keys]
    if kind == "mysql":
        from sqlalchemy.dialects import mysql  # noqa: PLC0415  # as in `upsert`

        made = mysql.insert(table).values(list(rows))
        return made.on_duplicate_key_update({name: made.inserted[name] for name in others or keys})
    dialect = _conflicting(kind)
    put_in = dialect.insert(table).values(list(rows))
    if not others:
        return put_in.on_conflict_do_nothing()
    return put_in.on_conflict_do_update(
        index_elements=list(table.primary_key), set_={name: put_in.excluded[name] for name in others}
    )


def _conflicting(kind: str) -> Any:
    if kind == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415

        return postgresql
    from sqlalchemy.dialects import sqlite  # noqa: PLC0415

    return sqlite
