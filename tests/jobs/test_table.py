"""What is done about channels and balances by itself, and when."""

from typing import Any

import pytest

from one_api.config import Config
from one_api.jobs.table import upkeep_jobs
from one_api.store.engine import Database
from tests.harness.lookingafter import looking_after

pytestmark = pytest.mark.anyio

REMIND = ("remind users", 5.0, 5.0, False)


@pytest.mark.parametrize(
    "settings, wanted",
    [
        ({}, [REMIND]),
        ({"channel_test_frequency": 0, "channel_update_frequency": 0}, [REMIND]),
        ({"channel_test_frequency": 5}, [REMIND, ("test all channels", 300.0, 300.0, True)]),
        ({"channel_update_frequency": 1440}, [REMIND, ("update all balances", 86400.0, 86400.0, True)]),
    ],
)
async def test_the_settings_give_the_period(
    store: Database, settings: dict[str, Any], wanted: list[tuple[Any, ...]]
) -> None:
    async with looking_after(store) as after:
        jobs = upkeep_jobs(Config(**settings), after.upkeep)
        assert [(job.name, job.every, job.delay, job.alone) for job in jobs] == wanted
        for job in jobs:
            await job.run()
