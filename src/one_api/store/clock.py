"""The database's clock: the only one that all nodes share."""

from typing import Any

from sqlalchemy import ColumnElement, Integer, literal_column

from one_api.store.dsn import Kind

# Unix seconds of the statement, not of its transaction's start.
NOW: dict[Kind, str] = {
    "sqlite": "CAST(strftime('%s', 'now') AS INTEGER)",
    "postgresql": "CAST(floor(extract(epoch FROM clock_timestamp())) AS bigint)",
    "mysql": "UNIX_TIMESTAMP()",
}


def now(kind: str) -> ColumnElement[Any]:
    """The current second as a SQL expression for the dialect named."""
    match kind:
        case "sqlite" | "postgresql" | "mysql":
            return literal_column(NOW[kind], Integer)
        case _:
            raise ValueError(f"no clock for {kind!r}")
