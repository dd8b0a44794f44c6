"""SQLite: one process, one writing connection, each commit on the disk (`synchronous=FULL`).

The file `<database>.lock` is locked for the life of the process: a second gateway on the same database is refused, and
whatever holds are open at the start belong to a process that is gone.
"""

import fcntl
import os
import sqlite3
from pathlib import Path
from typing import Any, Final

from one_api.ledger.connection import ClashError, TroubleError
from one_api.ledger.spelled import Sqlite
from one_api.ledger.statements import Query

STATEMENTS: Final = Sqlite()
PRAGMAS: Final = (
    "journal_mode=wal",
    "synchronous=full",
    "cache_size=-65536",
    "wal_autocheckpoint=4000",
    "temp_store=memory",
)
BUSY_TIMEOUT_S: Final = 1.5


class SqliteConnection:
    """None of its methods ever suspends, so that a thread can run them without an event loop."""

    statements = STATEMENTS

    def __init__(self, path: str) -> None:
        try:
            self.database = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_S, cached_statements=256
            )
            for pragma in PRAGMAS:
                self.database.execute("pragma " + pragma)
        except sqlite3.Error as error:
            raise TroubleError(str(error)) from error

    async def begin(self) -> None:
        try:
            self.database.execute("begin immediate")
        except sqlite3.Error as error:
            raise TroubleError(str(error)) from error

    async def rows(self, query: Query) -> list[tuple[Any, ...]]:
        try:
            return self.database.execute(*query).fetchall()
        except (sqlite3.OperationalError, sqlite3.InternalError) as error:
            raise TroubleError(str(error)) from error

    async def change(self, query: Query) -> int:
        try:
            return self.database.execute(*query).rowcount
        except sqlite3.IntegrityError as error:
            raise ClashError(str(error)) from error
        except (sqlite3.OperationalError, sqlite3.InternalError) as error:
            raise TroubleError(str(error)) from error

    async def commit(self) -> None:
        try:
            self.database.execute("commit")
        except sqlite3.Error as error:
            raise TroubleError(str(error)) from error

    async def rollback(self) -> None:
        try:
            if self.database.in_transaction:
                self.database.execute("rollback")
        except sqlite3.Error as error:
            raise TroubleError(str(error)) from error

    async def close(self) -> None:
        self.database.close()


class FileLock:
    """An exclusive lock beside the database file; the system drops it when the process ends, however it ends."""

    def __init__(self, path: str) -> None:
        self.file = os.open(path + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self.file)
            raise RuntimeError(
                f"{Path(path).name} is in use by another one-api process;"
                " several processes need PostgreSQL or MySQL (SQL_DSN)"
            ) from None

    def close(self) -> None:
        os.close(self.file)
