"""Connections: one Database for reading and writing on any of the three engines.

Calls of the gateway do not come here (the ledger has a writer of its own); this serves the console, cache misses and
jobs.

- `read()` is a connection whose changes are lost; `write()` a transaction that commits at its end. Nobody else commits.
- SQLite: one connection writes, BEGIN IMMEDIATE, so that read-then-write never meets a changed snapshot; others only
  read, each statement what is committed then, as READ COMMITTED does.
- PostgreSQL and MySQL: one pool of at most 20, READ COMMITTED; who gets no connection in time is told Unavailable.
- Deadlocks, serialisation failures and busy files are tried again by `retrying`, from the start of the transaction.
"""

import asyncio
import logging
import random
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import AsyncAdaptedQueuePool, NullPool, event
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidatePoolError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.util import await_only

from one_api.config import Config, ConfigError
from one_api.errors import OneAPIError, Unavailable
from one_api.store import dsn
from one_api.store.dsn import Address, Kind, WrongAddress

log = logging.getLogger(__name__)
T = TypeVar("T")

POOL = 20  # connections at most
SQLITE_READERS = 4
QUEUE_S = 2.0  # wait for a free connection
CONNECT_S = 4.0  # wait for a connection that works: queue, a look whether it lives, a new one
STATEMENT_S = 30.0  # no statement of the console or a job takes longer
PATIENCE_S = 600.0  # of a migration that waits for another node's
LOCK_WAIT_S = 5  # MySQL; its default is 50
WAL_FIXED = (3, 51, 3)  # https://sqlite.org/wal.html#walresetbug

# What work on a database may raise when the world is to blame and not the program.
FAILURES = (OneAPIError, SQLAlchemyError, OSError)

# Codes after which the same transaction may succeed.
MYSQL_AGAIN = {1205, 1213}  # lock wait timeout, deadlock
POSTGRES_AGAIN = {"40001", "40P01", "55P03"}  # serialisation failure, deadlock, lock not available
SQLITE_AGAIN = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


@dataclass(frozen=True, slots=True)
class Database:
    """An open database. On PostgreSQL and MySQL reader and writer are the same engine.

    `patient` is for migrations: one connection, no limit of time.
    """

    kind: Kind
    reader: AsyncEngine
    writer: AsyncEngine
    patient: AsyncEngine

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection to read from. Raises Unavailable."""
        async with connection(self.reader) as tx:
            yield tx

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction, committed at the end, rolled back after an exception. Raises Unavailable."""
        async with connection(self.writer) as tx, tx.begin():
            yield tx

    async def aclose(self) -> None:
        await self.reader.dispose()
        await self.writer.dispose()
        await self.patient.dispose()


@asynccontextmanager
async def connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One connection; whatever says that the database cannot be reached becomes Unavailable.

    asyncmy has a RuntimeError for a connection that is closed while it is made, as by a proxy without a server.
    """
    try:
        async with asyncio.timeout(CONNECT_S):  # a server that stands still closes no connection
            taken = await engine.connect()
    except (DBAPIError, NoConnectionFree, OSError, TimeoutError, RuntimeError) as error:
        raise Unavailable("the database does not answer") from error
    try:
        yield taken
    except DBAPIError as error:
        if unreachable(error):
            raise Unavailable("the database does not answer") from error
        raise
    except TimeoutError as error:  # a statement that took longer than STATEMENT_S
        await taken.invalidate(error)
        raise Unavailable("the database does not answer in time") from error
    finally:
        await asyncio.shield(closed(taken))


async def closed(taken: AsyncConnection) -> None:
    with suppress(DBAPIError, OSError):  # a lost connection cannot be rolled back; the pool has dropped it
        await taken.close()


def unreachable(error: DBAPIError) -> bool:
    """Lost, locked, full or read-only; not: a wrong statement or a violated constraint."""
    return error.connection_invalidated or transient(error) or isinstance(error, (OperationalError, InterfaceError))


def transient(error: BaseException | None) -> bool:
    """Whether the same transaction may succeed if tried again."""
    if isinstance(error, Unavailable):
        error = error.__cause__
    if not isinstance(error, DBAPIError) or error.orig is None:
        return False
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in SQLITE_AGAIN
    if getattr(error.orig, "sqlstate", None) in POSTGRES_AGAIN:
        return True
    return bool(error.orig.args) and error.orig.args[0] in MYSQL_AGAIN


async def retrying(
    work: Callable[[], Awaitable[T]], *, attempts: int = 5, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
) -> T:
    """Do `work`, a whole transaction, again after a deadlock or a busy file; its last failure is raised."""
    for attempt in range(1, attempts):
        try:
            return await work()
        except (DBAPIError, Unavailable) as error:
            if not transient(error):
                raise
            await sleep(random.uniform(0.01, 0.05) * 2**attempt)  # noqa: S311 - spreads rivals, decides nothing
    return await work()


def open_database(config: Config, address: str | None = None) -> Database:
    """The main database, or the one at `address` with the same settings. Connects only when used.

    Raises ConfigError.
    """
    variable = "SQL_DSN" if address is None else "LOG_SQL_DSN"
    try:
        where = dsn.parse(config.sql_dsn if address is None else address, sqlite_path=config.sqlite_path)
    except WrongAddress as error:
        raise ConfigError(f"{variable}: {error}") from None
    if where.kind == "sqlite":
        if sqlite3.sqlite_version_info < WAL_FIXED:
            log.debug("SQLite %s has a rare fault in WAL mode, mended in 3.51.3", sqlite3.sqlite_version)
        wait_s = config.sqlite_busy_timeout / 1000
        return Database(
            where.kind,
            reader=sqlite(where, config, write=False, connections=SQLITE_READERS, wait_s=wait_s),
            writer=sqlite(where, config, write=True, connections=1, wait_s=wait_s),
            patient=sqlite(where, config, write=True, connections=1, wait_s=PATIENCE_S),
        )
    engine = server(where, config)
    return Database(where.kind, reader=engine, writer=engine, patient=patient_server(where, config))


def sqlite(where: Address, config: Config, *, write: bool, connections: int, wait_s: float) -> AsyncEngine:
    """An engine whose connections all do the one thing; `wait_s` is for a locked file."""
    engine = create_async_engine(
        where.url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=QUEUE_S + wait_s,
        skip_autocommit_rollback=not write,  # a reader begins nothing
        echo=config.debug_sql,
        hide_parameters=True,  # they hold keys and passwords
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(raw: Any, _record: object) -> None:
        raw.isolation_level = None  # BEGIN is ours
        cursor = raw.cursor()
        cursor.execute(f"PRAGMA busy_timeout={int(wait_s * 1000)}")
        with suppress(sqlite3.OperationalError):  # another process changes the mode just now; it stays changed
            cursor.execute("PRAGMA journal_mode=WAL")
        for pragma in ("synchronous=FULL", "foreign_keys=OFF", "cache_size=-16000", "temp_store=MEMORY"):
            cursor.execute(f"PRAGMA {pragma}")
        if not write:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    if write:

        @event.listens_for(engine.sync_engine, "begin")
        def begin(connection: Any) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def server(where: Address, config: Config) -> AsyncEngine:
    size = min(POOL, config.sql_max_open_conns or POOL)
    kept = max(1, min(size, config.sql_max_idle_conns))
    limit = "command_timeout" if where.kind == "postgresql" else "read_timeout"
    engine = create_async_engine(
        where.url,
        connect_args={limit: STATEMENT_S, **where.connect_args},
        isolation_level="READ COMMITTED",
        poolclass=AsyncAdaptedQueuePool,
        pool_size=kept,
        max_overflow=size - kept,
        pool_timeout=QUEUE_S,
        pool_recycle=config.sql_max_lifetime or -1,
        pool_pre_ping=where.kind == "mysql",
        echo=config.debug_sql,
        hide_parameters=True,  # they hold keys and passwords
    )
    if where.kind == "mysql":
        on_connect(engine, {"innodb_lock_wait_timeout": str(LOCK_WAIT_S), **where.session})
    else:
        begin_at_once(engine)
    return engine


def begin_at_once(engine: AsyncEngine) -> None:
    """On PostgreSQL the BEGIN that comes anyway tells whether a connection still lives.

    SQLAlchemy would ask before it, in a transaction of its own: four round trips more for each reading.
    """

    @event.listens_for(engine.sync_engine, "checkout")
    def begin(raw: Any, _record: object, _proxy: object) -> None:
        try:
            await_only(raw._start_transaction())  # noqa: SLF001 - what the first statement would do
        except raw.dbapi.Error as error:
            raise InvalidatePoolError from error


def patient_server(where: Address, config: Config) -> AsyncEngine:
    engine = create_async_engine(
        where.url,
        connect_args=dict(where.connect_args),
        isolation_level="READ COMMITTED",
        poolclass=NullPool,
        echo=config.debug_sql,
        hide_parameters=True,  # they hold keys and passwords
    )
    if where.kind == "mysql":
        on_connect(engine, where.session)
    return engine


def on_connect(engine: AsyncEngine, session: Mapping[str, str]) -> None:
    """Set MySQL's session variables on each new connection."""

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(raw: Any, _record: object) -> None:
        cursor = raw.cursor()
        for name, value in session.items():
            cursor.execute(f"SET SESSION {name}={value}")
        cursor.close()
