"""`one-api backup FILE`: a copy of the database in a SQLite file, made while the gateway runs.

It is of one moment, and `one-api copy-db FILE DST` brings it back into a database of any engine. A separate database of
logs (LOG_SQL_DSN) is not in it.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from one_api.commands.copy_db import copied
from one_api.commands.shell import FAILED, FOUND, WRONG, answer, complain, configured, parser
from one_api.config import ConfigError
from one_api.errors import Unavailable
from one_api.store.copying import NotEmpty
from one_api.store.migrations import MigrationError
from one_api.store.untouched import address_of

PARTIAL = ".partial"


def run(words: Sequence[str]) -> int:
    made = parser("backup", __doc__)
    made.add_argument("file", metavar="FILE", type=Path)
    flags = made.parse_args(words)
    if flags.file.exists():
        return complain(f"{str(flags.file)!r} exists already", WRONG)
    partial = flags.file.with_name(flags.file.name + PARTIAL)
    try:
        config = configured()
        where = address_of(config.sql_dsn, sqlite_path=config.sqlite_path)
        clear(partial)
        rows, changes = asyncio.run(copied(config, where, f"sqlite:///{partial.absolute()}"))
    except ConfigError as error:
        return complain(error, WRONG)
    except (MigrationError, NotEmpty, Unavailable, OSError) as error:
        return complain(error, FAILED)
    if changes:
        return complain("the copy differs: " + "; ".join(changes), FOUND)
    alone(partial)
    partial.rename(flags.file)
    clear(partial)
    size = flags.file.stat().st_size
    answer({"rows": rows, "bytes": size}, f"{rows} rows in {size} bytes", as_json=flags.json)
    return 0


def alone(partial: Path) -> None:
    """Let the file hold everything, with nothing beside it."""
    with closing(sqlite3.connect(partial)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


def clear(partial: Path) -> None:
    """Remove what an earlier attempt left: a backup is of one moment."""
    for suffix in ("", "-wal", "-shm"):
        partial.with_name(partial.name + suffix).unlink(missing_ok=True)
