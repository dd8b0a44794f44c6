"""A short form of `make chaos`: two nodes behind nginx, each fault once, and nothing is lost. See run.py."""

import asyncio
import random
from pathlib import Path

import pytest

from tests.chaos.faults import ALL
from tests.chaos.run import chaos
from tests.conftest import missing
from tests.harness import servers
from tests.harness.servers import Postgres

SLOW = "Valkey slow: 200 ms, then 3 s"
SHORT = ("kill -9 of a node", "rolling restart of both nodes", "restart of the database", SLOW)


@pytest.mark.timeout(600)
def test_a_site_under_faults_loses_nothing(tmp_path: Path, postgres_server: Postgres) -> None:
    if servers.sbin("nginx") is None:
        missing("nginx")
    faults = {name: ALL[name] for name in SHORT}
    seed = random.SystemRandom().getrandbits(32)
    result = asyncio.run(chaos(tmp_path, postgres_server, faults, seconds=0, clients=8, pause_s=0.1, seed=seed))
    assert not result.audit.wrong, result
    assert set(result.faults) == set(SHORT)
    assert result.audit.outcomes["whole"] > 20, result
