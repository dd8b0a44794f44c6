"""INSERT of a row that may be there already, in each engine's words.

A dialect is loaded by who speaks it: with the other two loaded a process would hold five megabytes more.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table


def upsert(kind: str, table: Table, row: Mapping[str, Any], *, again: Mapping[str, Any] | None = None) -> Any:
    """The statement for engine `kind`. `again` is what changes where the row's primary key is there already."""
    if kind == "mysql":
        from sqlalchemy.dialects import mysql  # noqa: PLC0415

        made = mysql.insert(table).values(row)
        return made.prefix_with("IGNORE") if again is None else made.on_duplicate_key_update(dict(again))
    if kind == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415

        return _on_conflict(postgresql.insert(table).values(row), table, again)
    from sqlalchemy.dialects import sqlite  # noqa: PLC0415

    return _on_conflict(sqlite.insert(table).values(row), table, again)


def _on_conflict(made: Any, table: Table, again: Mapping[str, Any] | None) -> Any:
    if again is None:
        return made.on_conflict_do_nothing()
    return made.on_conflict_do_update(index_elements=list(table.primary_key), set_=again)
