"""`one-api copy-db SRC DST`: copy a database to an empty one, of any engine to any engine; begun again it goes on.

SRC and DST are written as SQL_DSN is, or are SQLite files. Stop what writes to SRC first: what is written meanwhile is
not copied. Exit status 4: the counts or sums of the two differ.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from one_api.commands.shell import FAILED, FOUND, WRONG, Progress, answer, complain, configured, parser
from one_api.config import Config, ConfigError
from one_api.errors import Unavailable
from one_api.ledger.copied import bring_to_rest
from one_api.store.copying import NotEmpty, copy, rows_of
from one_api.store.dsn import Address
from one_api.store.engine import open_database
from one_api.store.migrations import MigrationError, migrate
from one_api.store.untouched import address_of, reading


def run(words: Sequence[str]) -> int:
    made = parser("copy-db", __doc__)
    made.add_argument("source", metavar="SRC")
    made.add_argument("target", metavar="DST")
    flags = made.parse_args(words)
    try:
        where = address_of(flags.source, called="SRC")
        rows, changes = asyncio.run(copied(configured(), where, flags.target))
    except ConfigError as error:
        return complain(error, WRONG)
    except (MigrationError, NotEmpty, Unavailable) as error:
        return complain(error, FAILED)
    done = f"{rows} rows copied; counts and sums are equal" if not changes else "THE COPY DIFFERS"
    answer({"rows": rows, "changes": changes}, "\n".join([done, *changes]), as_json=flags.json)
    return FOUND if changes else 0


async def copied(config: Config, where: Address, target: str) -> tuple[int, list[str]]:
    """How many rows the source has, and what differs in the copy."""
    into = open_database(config, dsn_of(target))
    try:
        async with reading(where) as source:
            await migrate(into)
            rows = await rows_of(source)
            progress = Progress("copying", rows)
            changes = await copy(source, into, progress)
            progress.end()
    finally:
        await into.aclose()
    if not changes:
        await bring_to_rest(address_of(dsn_of(target), called="DST"))
    return rows, changes


def dsn_of(target: str) -> str:
    """A path is a SQLite file: what has no scheme and no place as `tcp(...)` could be nothing else."""
    if "://" in target or "@" in target or "(" in target:
        return target
    return f"sqlite:///{Path(target).absolute()}"
