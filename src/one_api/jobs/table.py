"""The periodic jobs of a process, one line each."""

import time
from collections.abc import Awaitable, Callable

from one_api.accounts import codes, retention, sessions
from one_api.accounts.oauth import states
from one_api.accounts.rollup import RollUp
from one_api.config import Config
from one_api.jobs.reminders import EVERY_S
from one_api.jobs.runner import Job
from one_api.jobs.upkeep import Upkeep
from one_api.limits import stored
from one_api.options import Options
from one_api.store.engine import Database
from one_api.sync import Poller, purge

MINUTE = 60.0
HOUR = 3600.0
DAY = 86_400


def jobs(database: Database, poller: Poller, tick: Callable[[], Awaitable[None]]) -> list[Job]:
    """The ledger keeps its own chores (moving log rows, sweeping holds) on its writer."""

    async def forget_topics() -> None:
        async with database.write() as tx:
            await purge(tx)

    async def forget_sessions() -> None:
        async with database.write() as tx:
            await sessions.purge(tx, now=int(time.time()))
            await codes.purge(tx, now=int(time.time()))
            await stored.purge(tx)

    async def forget_states() -> None:
        async with database.write() as tx:
            await states.purge(tx, now=int(time.time()))

    return [
        Job("close slow connections", tick, every=1.0, alone=False),
        Job("poll changes", poller.run, every=1.0, alone=False),
        Job("purge generations", forget_topics, every=HOUR, alone=True, delay=60.0),
        Job("purge sessions and codes", forget_sessions, every=HOUR, alone=True, delay=120.0),
        Job("purge oauth states", forget_states, every=600.0, alone=True, delay=180.0),
    ]


def log_jobs(logs: Database, options: Callable[[], Options]) -> list[Job]:
    """What becomes of the rows of `logs`, in the database they are in."""

    async def forget_old() -> None:
        days = options().log_retention_days
        if days:
            await retention.forget(logs, before=int(time.time()) - days * DAY)

    sums = RollUp(logs, lambda: options().usage_rollup_enabled)
    return [
        Job("forget old log rows", forget_old, every=HOUR, alone=True, delay=300.0),
        Job("sum up usage", sums.run, every=MINUTE, alone=True, delay=MINUTE),
    ]


def upkeep_jobs(config: Config, upkeep: Upkeep) -> list[Job]:
    """What is done about channels and balances; what the settings give no period to is not done by itself."""
    wanted = [Job("remind users", upkeep.reminders.look, every=EVERY_S, alone=False, delay=EVERY_S)]
    tests = (config.channel_test_frequency or 0) * MINUTE
    if tests:
        wanted.append(Job("test all channels", upkeep.tests.run, every=tests, alone=True, delay=tests))
    balances = (config.channel_update_frequency or 0) * MINUTE
    if balances:
        wanted.append(Job("update all balances", upkeep.balances.run, every=balances, alone=True, delay=balances))
    return wanted
