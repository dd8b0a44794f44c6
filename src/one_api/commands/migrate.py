"""`one-api migrate`: bring the databases up to date and make the first user, as serving does first, and exit."""

import asyncio
from collections.abc import Sequence

from one_api import app
from one_api.commands.shell import FAILED, WRONG, answer, complain, configured, parser
from one_api.config import ConfigError
from one_api.errors import Unavailable
from one_api.store.migrations import HEAD, MigrationError


def run(words: Sequence[str]) -> int:
    flags = parser("migrate", __doc__).parse_args(words)
    try:
        asyncio.run(app.prepare(configured()))
    except ConfigError as error:
        return complain(error, WRONG)
    except (MigrationError, Unavailable) as error:
        return complain(error, FAILED)
    answer({"revision": HEAD}, f"the database is at revision {HEAD}", as_json=flags.json)
    return 0
