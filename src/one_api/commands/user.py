"""`one-api user reset-password NAME`: give a user a new password, and end his sessions and his access token."""

import asyncio
import sys
from collections.abc import Sequence

from one_api.accounts.recovery import new_password, replace_password
from one_api.accounts.rules import unacceptable
from one_api.commands.shell import FAILED, WRONG, answer, complain, configured, parser
from one_api.config import Config, ConfigError
from one_api.errors import Unavailable
from one_api.store.engine import open_database
from one_api.store.migrations import MigrationError, require_current
from one_api.store.untouched import address_of, require_file


def run(words: Sequence[str]) -> int:
    made = parser("user", __doc__)
    made.add_argument("action", choices=["reset-password"])
    made.add_argument("name", metavar="NAME")
    made.add_argument("--stdin", action="store_true", help="read it from standard input; else one is made")
    flags = made.parse_args(words)
    password = sys.stdin.readline().rstrip("\r\n") if flags.stdin else new_password()
    if not password or unacceptable(password=password):
        return complain("a password has 8 to 20 characters", WRONG)
    try:
        done = asyncio.run(reset(configured(), flags.name, password))
    except ConfigError as error:
        return complain(error, WRONG)
    except (MigrationError, Unavailable) as error:
        return complain(error, FAILED)
    if not done:
        return complain(f"there is no user {flags.name!r}", FAILED)
    shown = {} if flags.stdin else {"password": password}
    text = f"the password of {flags.name} is changed" + ("" if flags.stdin else f" to {password}")
    answer({"user": flags.name, **shown}, text, as_json=flags.json)
    return 0


async def reset(config: Config, name: str, password: str) -> bool:
    require_file(address_of(config.sql_dsn, sqlite_path=config.sqlite_path))
    database = open_database(config)
    try:
        await require_current(database)
        return await replace_password(database, name, password)
    finally:
        await database.aclose()
