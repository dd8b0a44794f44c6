"""The three limiters as One API has them, in two runs."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from one_api.edge.api import ENDPOINTS
from tests.conftest import StartGateway
from tests.harness import replay_lines, replay_table, servers, upstream
from tests.harness.replay import Finding, Replay
from tests.recorded.replaying import RECORDED, TABLE

# The limits of the recording, and what is counted: a client may name its address, which only a proxy may do here.
RUNS: Mapping[str, Mapping[str, str]] = {
    "critical": {},
    "others": {"GLOBAL_API_RATE_LIMIT": "5", "GLOBAL_WEB_RATE_LIMIT": "3"},
}


def lines(run: str) -> list[replay_lines.Line]:
    raws = [json.loads(line) for line in (RECORDED / "ratelimit.jsonl").read_text("utf-8").splitlines()]
    return [replay_lines.parse(raw | {"server_env": {}}) for raw in raws if run_of(raw["server_env"]) == run]


def run_of(env: object) -> str:
    return "critical" if env == "defaults" else "others"


@pytest.mark.skipif(
    all(endpoint.path != "/api/oauth/state" for endpoint in ENDPOINTS), reason="half the lines ask for a state"
)
@pytest.mark.anyio
async def test_limits(gateway: StartGateway, tmp_path: Path) -> None:
    findings: list[Finding] = []
    for run, env in RUNS.items():
        (tmp_path / run).mkdir()
        running = gateway(servers.sqlite(tmp_path / run), TRUSTED_PROXIES="127.0.0.0/8", **env)
        async with upstream.serve(keep_alive=False) as mock:
            findings += await Replay(port=running.port, upstream=mock, books=None).run(lines(run))
    assert replay_table.judge(findings, replay_table.read(TABLE), "ratelimit") == []
