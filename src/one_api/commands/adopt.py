"""`one-api adopt`: take a database of One API over; with --dry-run only say what would be done.

Nothing is dropped or rewritten, so that One API can use the database again. Exit status 4: it cannot be adopted, or
its sums are not what they were.
"""

import asyncio
from collections.abc import Sequence

from one_api import app
from one_api.commands.doctor import look, told
from one_api.commands.shell import FAILED, FOUND, WRONG, answer, complain, configured, parser
from one_api.config import Config, ConfigError
from one_api.errors import Unavailable
from one_api.store.checkup import Checkup, as_facts
from one_api.store.dsn import Address
from one_api.store.migrations import MigrationError
from one_api.store.sums import differences
from one_api.store.untouched import address_of

# Rows of these are the gateway's own business, and the first user may have been made.
COMPARED = ("users", "tokens", "channels", "abilities", "options", "redemptions", "logs")


def run(words: Sequence[str]) -> int:
    made = parser("adopt", __doc__)
    made.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    flags = made.parse_args(words)
    try:
        config = configured()
        where = address_of(config.sql_dsn, sqlite_path=config.sqlite_path)
        before = asyncio.run(look(where))
        if flags.dry_run or not before.adoptable:
            steps = "\n".join(before.steps) or "nothing is left to do"
            answer({**as_facts(before), "changes": []}, f"{told(before)}\n{steps}", as_json=flags.json)
            return 0 if before.adoptable else FOUND
        after = asyncio.run(adopt(config, where))
    except ConfigError as error:
        return complain(error, WRONG)
    except (MigrationError, Unavailable) as error:
        return complain(error, FAILED)
    known = {name: values for name, values in before.sums.items() if name in COMPARED and values["rows"]}
    changes = differences(known, after.sums)
    done = "\n".join(["adopted; sums before and after are equal" if not changes else "THE SUMS DIFFER", *changes])
    answer({**as_facts(after), "changes": changes}, f"{told(after)}\n{done}", as_json=flags.json)
    return FOUND if changes else 0


async def adopt(config: Config, where: Address) -> Checkup:
    await app.prepare(config)
    return await look(where)
