"""Bring a database to the schema of this program: at the start of every node that is not a slave.

Nodes that start at once wait for each other. SQLite and PostgreSQL migrate in one transaction; MySQL commits each step,
so every step can be done again. How tables are completed is written in `adopt`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from one_api.errors import Unavailable
from one_api.store.adopt import MigrationError, advance_sequences, complete
from one_api.store.engine import PATIENCE_S, Database, connection
from one_api.store.schema import logs, marks, usage_hours

__all__ = ["MigrationError", "current", "migrate", "migrate_logs", "require_current", "suitable"]

HEAD: Final = "0008"
"""The newest revision in `versions`."""
LOCK = "one-api migration"
LOCK_NUMBER = 0x6F6E6561  # PostgreSQL's advisory locks have numbers: "onea"


async def migrate(database: Database) -> None:
    """Adopt or create the tables; nothing happens if they are up to date. Raises MigrationError, Unavailable."""
    if not await current(database):
        await run(database, upgrade)


async def migrate_logs(database: Database) -> None:
    """The same for a database that holds the log and the sums of its rows. Raises MigrationError, Unavailable."""
    await run(database, upgrade_logs)


async def run(database: Database, work: Callable[[Connection], None]) -> None:
    try:
        async with connection(database.patient) as tx, tx.begin():
            await tx.run_sync(locked, work)
    except DBAPIError as error:
        raise MigrationError(f"the database could not be migrated: {one_line(error)}") from error
    except Unavailable as error:
        if isinstance(error.__cause__, DBAPIError) and error.__cause__.statement:
            raise MigrationError(f"the database could not be migrated: {one_line(error.__cause__)}") from error
        raise


async def current(database: Database) -> bool:
    """Whether the schema is this program's; a slave waits for its master to make it so. Raises Unavailable."""
    async with database.read() as tx:
        return await tx.run_sync(at_head)


async def require_current(database: Database) -> None:
    """Raises MigrationError, Unavailable."""
    if not await current(database):
        raise MigrationError("the database is not up to date: run `one-api migrate` first")


async def suitable(database: Database) -> bool:
    """Whether the schema is this program's or a newer one's, which only adds to it: while nodes are replaced one after
    the other, the first new one migrates for all. Raises Unavailable.
    """
    async with database.read() as tx:
        return await tx.run_sync(lambda connection: revision(connection) >= HEAD)


def upgrade(tx: Connection) -> None:
    # A database that is up to date, as nearly every one is at a start, is served without ten megabytes of these.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = tx
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise MigrationError(f"the database was last used by a newer version of this program ({error})") from error


def upgrade_logs(tx: Connection) -> None:
    complete(tx, (logs, marks, usage_hours))
    advance_sequences(tx, (logs,))


def locked(tx: Connection, work: Callable[[Connection], None]) -> None:
    lock(tx)
    try:
        work(tx)
    finally:
        if tx.dialect.name == "mysql":
            tx.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": LOCK})


def lock(tx: Connection) -> None:
    """One migration at a time. SQLite's transaction has begun with the lock."""
    if tx.dialect.name == "postgresql":
        tx.execute(text(f"SET LOCAL lock_timeout = '{int(PATIENCE_S)}s'"))
        tx.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK_NUMBER})
    elif tx.dialect.name == "mysql":
        got = tx.execute(text("SELECT GET_LOCK(:name, :s)"), {"name": LOCK, "s": int(PATIENCE_S)}).scalar_one()
        if got != 1:
            raise MigrationError("another node has been migrating the database for too long")


def at_head(tx: Connection) -> bool:
    return revision(tx) == HEAD


def revision(tx: Connection) -> str:
    """The number of the schema; empty without one."""
    if not inspect(tx).has_table("alembic_version"):
        return ""
    found = tx.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    return str(found[0]) if len(found) == 1 else ""


def one_line(error: DBAPIError) -> str:
    return str(error.orig).partition("\n")[0]
