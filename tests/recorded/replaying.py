"""Runs a recorded file against a fresh gateway and holds what it finds against the table of purposeful differences."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.conftest import StartGateway
from tests.harness import replay_lines, replay_table, upstream
from tests.harness.replay import Finding, Replay
from tests.harness.replay_books import Books
from tests.harness.replay_lines import Line
from tests.harness.servers import Database

RECORDED = Path(__file__).parents[1] / "data/recorded"
TABLE = Path(__file__).parents[2] / "docs/compatibility.md"

# As recorded: no limits, a fixed secret. The recordings speak of addresses on loopback, which are not public, and let
# a client name its own address, which only a proxy may do.
ENVIRONMENT: Mapping[str, str] = {
    "SESSION_SECRET": "recorded",
    "GLOBAL_API_RATE_LIMIT": "0",
    "GLOBAL_WEB_RATE_LIMIT": "0",
    "TRUSTED_PROXIES": "127.0.0.0/8",
    "USER_CONTENT_NETWORKS": "127.0.0.0/8",
}


async def replay(lines: Iterable[Line], gateway: StartGateway, database: Database, **env: str) -> list[Finding]:
    """What is different when these lines are played against a gateway on this empty database."""
    running = gateway(database, **{**ENVIRONMENT, **env})
    books = Books(database.url)
    try:
        async with upstream.serve(keep_alive=False) as mock:
            return await Replay(port=running.port, upstream=mock, books=books).run(lines)
    finally:
        await books.aclose()


async def wrong(scenario: str, gateway: StartGateway, database: Database, **env: str) -> list[str]:
    """Everything about a recorded file that is not as the table says."""
    lines = replay_lines.read(RECORDED / f"{scenario}.jsonl")
    findings = await replay(lines, gateway, database, **env)
    return replay_table.judge(findings, replay_table.read(TABLE), scenario)
