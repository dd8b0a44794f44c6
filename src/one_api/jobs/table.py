"""The periodic jobs of a process, one line each."""

import time
from collections.abc import Awaitable, Callable

from one_api.accounts import sessions
from one_api.jobs.runner import Job
from one_api.store.engine import Database
from one_api.sync import Poller, purge

HOUR = 3600.0


def jobs(database: Database, poller: Poller, tick: Callable[[], Awaitable[None]]) -> list[Job]:
    """The ledger keeps its own chores (moving log rows, sweeping holds) on its writer."""

    async def forget_topics() -> None:
        async with database.write() as tx:
            await purge(tx)

    async def forget_sessions() -> None:
        async with database.write() as tx:
            await sessions.purge(tx, now=int(time.time()))

    return [
        Job("close slow connections", tick, every=1.0, alone=False),
        Job("poll changes", poller.run, every=1.0, alone=False),
        Job("purge generations", forget_topics, every=HOUR, alone=True, delay=60.0),
        Job("purge sessions", forget_sessions, every=HOUR, alone=True, delay=120.0),
    ]
