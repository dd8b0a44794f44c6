"""`one-api doctor`: look through a database and change nothing. Exit status 4: something is wrong with it."""

import asyncio
from collections.abc import Sequence

from one_api.commands.shell import FAILED, FOUND, WRONG, answer, complain, configured, parser
from one_api.config import ConfigError
from one_api.errors import Unavailable
from one_api.store.checkup import Checkup, as_facts, examine
from one_api.store.dsn import Address
from one_api.store.untouched import address_of, reading


def run(words: Sequence[str]) -> int:
    made = parser("doctor", __doc__)
    made.add_argument("database", nargs="?", default="", help="as SQL_DSN, or a SQLite file; else the configured one")
    flags = made.parse_args(words)
    try:
        config = configured()
        where = address_of(flags.database or config.sql_dsn, sqlite_path=config.sqlite_path, called="the database")
        found = asyncio.run(look(where))
    except ConfigError as error:
        return complain(error, WRONG)
    except Unavailable as error:
        return complain(error, FAILED)
    answer(as_facts(found), told(found), as_json=flags.json)
    return FOUND if any(each.severity != "note" for each in found.findings) else 0


async def look(where: Address) -> Checkup:
    async with reading(where) as tx:
        return await tx.run_sync(examine)


def told(found: Checkup) -> str:
    """The report for people."""
    state = f"adopted, revision {found.revision}" if found.revision else "not adopted yet"
    lines = [f"{found.engine} {found.version}, {state}"]
    lines += [f"  {name:<20} {values['rows']:>12} rows" for name, values in found.sums.items()]
    lines += [f"{each.severity}: {each.about}: {each.text}" for each in found.findings]
    if not found.findings:
        lines.append("nothing is wrong")
    return "\n".join(lines)
