"""What two states of a database are compared by: the rows of each table, and the sums of what is counted in them."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Column, Connection, Table, func, inspect, select

Sums = Mapping[str, Mapping[str, int]]

COUNTED = (
    *("quota", "used_quota", "request_count", "remain_quota", "held", "short", "status"),
    *("prompt_tokens", "completion_tokens", "created_at", "created_time", "expired_time"),
)


def sums(tx: Connection, tables: Iterable[Table]) -> Sums:
    """By table: `rows`, and the sum of each column that counts something; tables and columns that are missing are."""
    found = inspect(tx)
    there = set(found.get_table_names())
    made: dict[str, dict[str, int]] = {}
    for table in tables:
        if table.name not in there:
            continue
        names = {column["name"].lower() for column in found.get_columns(table.name)}
        columns = [column for column in table.columns if column.name in COUNTED and column.name in names]
        row = tx.execute(select(func.count(), *map(total, columns)).select_from(table)).one()
        made[table.name] = dict(zip(("rows", *(column.name for column in columns)), map(int, row), strict=True))
    return made


def total(column: Column[int]) -> object:
    return func.coalesce(func.sum(column), 0)


def differences(before: Sums, after: Sums) -> list[str]:
    """What is not in `after` as it was in `before`; what is only in `after` is no difference."""
    return [
        f"{table}.{name}: {value} before, {after.get(table, {}).get(name)} after"
        for table, values in before.items()
        for name, value in values.items()
        if after.get(table, {}).get(name) != value
    ]
