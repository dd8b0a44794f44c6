"""Runs a recorded file against fresh gateways and holds what it finds against the table of purposeful differences."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tests.conftest import StartGateway
from tests.harness import replay_lines, replay_table, smtp, upstream
from tests.harness.replay import Finding, Replay
from tests.harness.replay_books import Books
from tests.harness.replay_dialects import for_engine
from tests.harness.replay_lines import Line
from tests.harness.servers import Database

RECORDED = Path(__file__).parents[1] / "data/recorded"
TABLE = Path(__file__).parents[2] / "docs/compatibility.md"

# As recorded: a fixed secret. The recordings speak of addresses on loopback, which are not public, and let a client
# name its own address, which only a proxy may do.
LIMITED: Mapping[str, str] = {
    "SESSION_SECRET": "recorded",
    "TRUSTED_PROXIES": "127.0.0.0/8",
    "USER_CONTENT_NETWORKS": "127.0.0.0/8",
}
ENVIRONMENT: Mapping[str, str] = {**LIMITED, "GLOBAL_API_RATE_LIMIT": "0", "GLOBAL_WEB_RATE_LIMIT": "0"}

# The names of the databases in the recordings.
RECORDED_AS: Mapping[str, str] = {"sqlite": "sqlite", "mariadb": "mysql", "postgres": "postgres"}
REFUSED: Mapping[str, Sequence[int]] = {"management": (3, 6)}  # `register.duplicate` and `user.create.duplicate`

Say: TypeAlias = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded file as one database answers it."""

    scenario: str
    engine: str
    lines: Sequence[Line]

    @classmethod
    def read(cls, scenario: str, engine: str) -> "Recorded":
        lines = replay_lines.read(RECORDED / f"{scenario}.jsonl")
        dialects = RECORDED / f"{scenario}_dialects.jsonl"
        if dialects.exists():
            bodies = [json.loads(each) for each in dialects.read_text("utf-8").splitlines()]
            lines = for_engine(lines, bodies, RECORDED_AS[engine], REFUSED[scenario])
        return cls(scenario, engine, lines)

    def wrong(self, findings: Sequence[Finding], say: Say) -> list[str]:
        """Everything that is not as the table says."""
        rows = replay_table.read(TABLE)
        names = (self.scenario, f"{self.scenario}.{self.engine}")
        say(f"{self.scenario} on {self.engine}: {replay_table.tally(self.lines, rows, names, findings)}")
        return replay_table.judge(findings, rows, *names)


async def replay(
    lines: Iterable[Line], gateway: StartGateway, database: Database, environment: Mapping[str, str] = ENVIRONMENT
) -> list[Finding]:
    """What is different when these lines are played against a gateway on this database."""
    running = await asyncio.to_thread(gateway, database, **environment)
    books = Books(database.url)
    try:
        async with upstream.serve(keep_alive=False) as mock, smtp.serve() as mails:
            return await Replay(port=running.port, upstream=mock, books=books, mailserver=mails).run(lines)
    finally:
        await books.aclose()
        await asyncio.to_thread(running.stop)


async def wrong(scenario: str, gateway: StartGateway, database: Database, say: Say, **env: str) -> list[str]:
    """Everything about a recorded file that is not as the table says, played in one run."""
    recorded = Recorded.read(scenario, database.kind)
    findings = await replay(recorded.lines, gateway, database, {**ENVIRONMENT, **env})
    return recorded.wrong(findings, say)
