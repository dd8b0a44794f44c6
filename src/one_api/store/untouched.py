"""A database that is only read: also one in use, of an older version, or of One API, whose file stays as it is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import URL, NullPool
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from one_api.config import ConfigError
from one_api.errors import Unavailable
from one_api.store import dsn
from one_api.store.dsn import Address, WrongAddress
from one_api.store.engine import on_connect


def address_of(text: str, *, sqlite_path: str = "one-api.db", called: str = "SQL_DSN") -> Address:
    """What SQL_DSN may say, or the path of a SQLite file. Raises ConfigError."""
    try:
        if text and "://" not in text and Path(text).is_file():
            return dsn.sqlite(text)
        return dsn.parse(text, sqlite_path=sqlite_path)
    except WrongAddress as error:
        raise ConfigError(f"{called}: {error}") from None


@asynccontextmanager
async def reading(where: Address) -> AsyncIterator[AsyncConnection]:
    """One connection that sees one state of the database, whatever others write. Raises Unavailable, ConfigError."""
    engine = engine_of(where)
    try:
        async with engine.connect() as tx:
            if where.kind == "sqlite":
                await tx.exec_driver_sql("BEGIN")
            yield tx
    except (DBAPIError, OSError, TimeoutError) as error:
        reason = str(error.orig).partition("\n")[0] if isinstance(error, DBAPIError) else type(error).__name__
        raise Unavailable(f"the database cannot be read: {reason}") from error
    finally:
        await engine.dispose()


def require_file(where: Address) -> Path:
    """Raises ConfigError for a SQLite file that is not there: to open it would make it."""
    path = Path(where.url.database or "")
    if where.kind == "sqlite" and not path.is_file():
        raise ConfigError(f"there is no file {str(path)!r}")
    return path


def engine_of(where: Address) -> AsyncEngine:
    if where.kind == "sqlite":
        path = require_file(where)
        place = {"mode": "ro", "uri": "true"}
        url = URL.create("sqlite+aiosqlite", database=path.absolute().as_uri(), query=place)
        return create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    engine = create_async_engine(
        where.url, connect_args=dict(where.connect_args), isolation_level="REPEATABLE READ", poolclass=NullPool
    )
    if where.kind == "mysql":
        on_connect(engine, where.session)
    return engine
