"""Make tables complete: create what is absent, and touch nothing that is there.

One API's databases have grown through many versions, with other column orders, leftovers and missing parts. What is
missing is added so that One API can go on using them; nothing is dropped, altered, renamed or rewritten, and no row
changes.
Every step can be repeated, because MySQL keeps the first half of a migration that was cut off.
"""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Inspector,
    Table,
    UniqueConstraint,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy.schema import CreateIndex, CreateTable

if TYPE_CHECKING:
    from alembic.operations import Operations

log = logging.getLogger(__name__)


class MigrationError(Exception):
    """The database cannot be used as it is; the text is one line for the operator."""


def complete(tx: Connection, tables: Iterable[Table]) -> None:
    """Create missing tables, columns and indexes. Raises MigrationError."""
    from alembic.operations import Operations  # noqa: PLC0415  # as in `migrations`
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415

    op = Operations(MigrationContext.configure(tx))
    there = set(inspect(tx).get_table_names())
    for table in tables:
        if table.name not in there:
            create(op, table)
            continue
        found = inspect(tx)
        add_columns(op, table, found)
        warn_of_narrow_columns(table, found)
        add_indexes(op, table, found)


def plan(tx: Connection, tables: Iterable[Table]) -> list[str]:
    """What `complete` would do, a line for each step; nothing is done."""
    found = inspect(tx)
    there = set(found.get_table_names())
    steps: list[str] = []
    for table in tables:
        if table.name not in there:
            steps.append(f"create table {table.name}")
            continue
        steps += [f"add column {table.name}.{column.name}" for column in missing_columns(table, found)]
        steps += [f"add index {index.name}" for index in missing_indexes(table, found)]
    return steps


def create(op: "Operations", table: Table) -> None:
    op.execute(CreateTable(table))
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        op.execute(creation(op, index))


def creation(op: "Operations", index: Index) -> CreateIndex:
    """The statement that makes an index, with the condition of a partial one where the database has such."""
    dialect, condition = op.get_bind().dialect.name, index.info.get("where")
    if condition and dialect != "mysql":
        index.dialect_kwargs[f"{dialect}_where"] = text(condition)
    return CreateIndex(index)


def add_columns(op: "Operations", table: Table, found: Inspector) -> None:
    for column in missing_columns(table, found):
        log.info("Adding column %s.%s", table.name, column.name)
        op.add_column(table.name, bare(column))


def missing_columns(table: Table, found: Inspector) -> list[Column[object]]:
    there = {column["name"].lower() for column in found.get_columns(table.name)}
    return [column for column in table.columns if column.name not in there]


def bare(column: Column[object]) -> Column[object]:
    """The column outside its table; one without a default must allow NULL in rows that are there."""
    default = None if column.server_default is None else getattr(column.server_default, "arg", None)
    return Column(column.name, column.type, server_default=default, nullable=column.nullable or default is None)


def warn_of_narrow_columns(table: Table, found: Inspector) -> None:
    """Widening would be a change, so the operator is told. SQLite has no widths."""
    if found.dialect.name == "sqlite":
        return
    for there in found.get_columns(table.name):
        wanted = table.columns.get(there["name"])
        have = getattr(there["type"], "length", None)
        need = None if wanted is None else getattr(wanted.type.dialect_impl(found.dialect), "length", None)
        if have and need and have < need:
            log.warning("Column %s.%s holds %d characters, %d may be needed", table.name, there["name"], have, need)


def add_indexes(op: "Operations", table: Table, found: Inspector) -> None:
    for index in missing_indexes(table, found):
        if index.unique:
            refuse_duplicates(op.get_bind(), table, names_of(index))
        log.info("Adding index %s", index.name)
        op.execute(creation(op, index))


def missing_indexes(table: Table, found: Inspector) -> list[Index]:
    names = {index["name"] for index in found.get_indexes(table.name)}
    unique = {tuple(c["column_names"]) for c in found.get_unique_constraints(table.name)}
    unique |= {tuple(name or "" for name in i["column_names"]) for i in found.get_indexes(table.name) if i["unique"]}
    return [
        index
        for index in wanted_indexes(table)
        if index.name not in names and not (index.unique and names_of(index) in unique)
    ]


def names_of(index: Index) -> tuple[str, ...]:
    return tuple(column.name for column in index.columns)


def wanted_indexes(table: Table) -> list[Index]:
    """The table's indexes, and its unique constraints as such: only as indexes can they be added later on SQLite."""
    copy = Table(table.name, type(table.metadata)(), *(bare(column) for column in table.columns))
    constraints = [c for c in table.constraints if isinstance(c, UniqueConstraint)]
    wanted = [Index(str(c.name), *(copy.c[column.name] for column in c.columns), unique=True) for c in constraints]
    return sorted([*wanted, *table.indexes], key=lambda index: str(index.name))


def refuse_duplicates(tx: Connection, table: Table, columns: tuple[str, ...]) -> None:
    """An index that cannot be made is said in words. Which rows are in the way is for the operator to decide."""
    keys = [table.c[name] for name in columns]
    twice = select(text("1")).select_from(table).where(*(key.is_not(None) for key in keys))
    twice = twice.group_by(*keys).having(func.count() > 1)
    groups = tx.execute(select(func.count()).select_from(twice.subquery())).scalar_one()
    if groups:
        raise MigrationError(
            f"table {table.name}: {groups} values of {', '.join(columns)} occur more than once; "
            "make them unique and start again"
        )


def advance_sequences(tx: Connection, tables: Iterable[Table]) -> None:
    """PostgreSQL: rows written with an explicit id leave the sequence behind, and the next insert would fail."""
    if tx.dialect.name != "postgresql":
        return
    for table in tables:
        if "id" not in table.columns:
            continue
        sequence = tx.execute(text("SELECT pg_get_serial_sequence(:t, 'id')"), {"t": table.name}).scalar_one()
        if sequence is None:
            continue
        last, called = tx.execute(text(f"SELECT last_value, is_called FROM {sequence}")).one()  # noqa: S608 - quoted by the server
        highest = tx.execute(select(func.max(table.c.id))).scalar_one()
        if highest is not None and highest >= last + (1 if called else 0):
            tx.execute(text("SELECT setval(CAST(:s AS regclass), :n)"), {"s": sequence, "n": highest})
