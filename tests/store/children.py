"""What other processes do in tests: `python -m tests.store.children DSN STATEMENT`.

A node starts; it kills itself, as a power cut would, before the statement with that number (0: never).
"""

import asyncio
import os
import signal
import sys

from sqlalchemy import event

from one_api.config import Config
from one_api.store.engine import open_database
from one_api.store.firstrun import create_root
from one_api.store.migrations import migrate


async def start(dsn: str, deadly: int) -> None:
    config = Config(sql_dsn=dsn, initial_root_token="first-token")
    database = open_database(config)
    done = 0

    @event.listens_for(database.patient.sync_engine, "before_cursor_execute")
    def count(*_: object) -> None:
        nonlocal done
        done += 1
        if done == deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    await migrate(database)
    made = await create_root(database, config, now=1_700_000_000)
    await database.aclose()
    print("made" if made else "found", done)


if __name__ == "__main__":
    asyncio.run(start(sys.argv[1], int(sys.argv[2])))
