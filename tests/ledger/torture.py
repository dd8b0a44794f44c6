"""Kill -9 the ledger's process under load, again and again, and audit the database after each kill.

    python -m tests.ledger.torture --kills 1000 [--engine sqlite|postgres|mariadb] [--seed N]

A round starts processes that hold, checkpoint, settle and release as fast as they can and tell us what was confirmed to
them; one is killed at a random moment. Then, read from the database alone: balance + finals + open holds = grants for
every user and token; whatever was confirmed is there, once, with its amount. SIGKILL does not test fsync.
"""

import argparse
import asyncio
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.harness import servers
from tests.harness.nest import Nest
from tests.ledger.victim import LEASE_S, USERS
from tests.ledger.world import World, audit, world

GRANT = 100_000
LIMIT = 10**12
STARTED_S = 60.0
LIFE_S = 0.06


class Victims:
    """Starts one after another, each with a file of its own."""

    def __init__(self, url: str, folder: Path, *options: str) -> None:
        self.url = url
        self.folder = folder
        self.count = 0
        self.nest = Nest("tests.ledger.victim", *options)

    def start(self, seed: int) -> "Victim":
        self.count += 1
        file = self.folder / f"confirmed-{self.count}"
        return Victim(self.nest.start(self.url, seed, file), file)

    def close(self) -> None:
        self.nest.close()


@dataclass
class Victim:
    """A process under load, and the file of what was confirmed to its clients."""

    pid: int
    file: Path

    async def working(self) -> None:
        async with asyncio.timeout(STARTED_S):
            while not self.file.stat().st_size:  # noqa: ASYNC110  # it is another process
                await asyncio.sleep(0.002)

    async def kill(self) -> None:
        with suppress(ProcessLookupError):
            while True:
                os.kill(self.pid, signal.SIGKILL)
                await asyncio.sleep(0.001)

    def confirmed(self) -> dict[str, int]:
        lines = [line.split() for line in self.file.read_text().splitlines(keepends=True) if line.endswith("\n")]
        return {words[1]: int(words[2]) for words in lines if words[0] in {"done", "gave"}}


@dataclass
class Score:
    seed: int
    kills: int = 0
    with_open_hold: int = 0
    confirmed: int = 0
    recovered: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.kills} kills, {self.with_open_hold} with an open hold,"
            f" {self.confirmed} settles confirmed, {self.recovered} holds recovered,"
            f" {len(self.wrong)} differences {self.wrong[:20]}"
        )


async def prepare(place: World) -> None:
    for number in range(1, USERS + 1):
        await place.add_user(number, GRANT)
        await place.add_token(number, number, LIMIT)
    for number in (1, 2):
        await place.add_channel(number)


async def torture(url: str, *options: str, kills: int, processes: int, seed: int) -> Score:
    """Kill `kills` times; every process but one goes on meanwhile. options: for the victims."""
    dice, score = random.Random(seed), Score(seed)
    with tempfile.TemporaryDirectory() as folder:
        async with world(url) as place:
            await prepare(place)
            nest = Victims(url, Path(folder), *options)
            victims = [nest.start(dice.getrandbits(32)) for _ in range(processes)]
            try:
                for _ in range(kills):
                    victim = victims.pop(0)
                    await victim.working()
                    await asyncio.sleep(dice.random() * LIFE_S)
                    await victim.kill()
                    score.kills += 1
                    score.with_open_hold += await place.value("select count(*) from holds") > 0
                    await look(place, victim, score, still=processes == 1)
                    victims.append(nest.start(dice.getrandbits(32)))
            finally:
                for victim in victims:
                    await victim.kill()
                nest.close()
            for victim in victims:
                await look(place, victim, score, still=False)
            await clean_up(place, score)
    return score


async def look(place: World, victim: Victim, score: Score, *, still: bool) -> None:
    """After a kill: the books are right, open holds included.

    still: nobody else writes, so that every row can be read in turn.
    """
    confirmed = victim.confirmed()
    family = next(iter(confirmed), "-").partition("-")[0]  # what the ids of a process begin with
    rows = await place.rows(
        "select request_id, quota + short as cost from ledger where substr(request_id, 1, :length) = :family",
        length=len(family),
        family=family,
    )
    charged = {row["request_id"]: row["cost"] for row in rows}
    for request_id, cost in confirmed.items():
        if charged.get(request_id, 0) != cost:
            score.wrong.append(f"{request_id}: confirmed at {cost}, booked at {charged.get(request_id)}")
    score.confirmed += len(confirmed)
    score.wrong += await differences(place) if still else await sums(place)


async def sums(place: World) -> list[str]:
    """One statement, hence one snapshot, while others write."""
    row = await place.row(
        "select (select sum(quota) from users) + (select coalesce(sum(quota), 0) from holds)"
        " + (select coalesce(sum(case when kind = 'final' then quota else -quota end), 0) from ledger) as total,"
        " (select min(quota) from users) as least, (select min(remain_quota) from tokens) as limits"
    )
    wrong = [] if int(row["total"]) == USERS * GRANT else [f"sums differ by {int(row['total']) - USERS * GRANT}"]
    return wrong if row["least"] >= 0 and row["limits"] >= 0 else [*wrong, f"below zero: {row}"]


async def differences(place: World) -> list[str]:
    wrong = []
    for table, key, column, grant in (
        ("users", "user_id", "quota", GRANT),
        ("tokens", "token_id", "remain_quota", LIMIT),
    ):
        balances = {row["id"]: row[column] for row in await place.rows(f"select id, {column} from {table}")}
        used = {row["id"]: row["used_quota"] for row in await place.rows(f"select id, used_quota from {table}")}
        finals = await totals(place, f"select {key} as id, sum(quota) as total from ledger where kind = 'final'")
        topups = await totals(place, f"select {key} as id, -sum(quota) as total from ledger where kind = 'topup'")
        holds = await totals(place, f"select {key} as id, sum(quota) as total from holds")
        off = audit(balances, dict.fromkeys(balances, grant), finals + topups, holds)
        spent = Counter(dict(finals))
        wrong += [f"{table} {number}: off by {amount}" for number, amount in off.items()]
        wrong += [
            f"{table} {number}: used {used[number]}, charged {spent[number]}"
            for number in used
            if used[number] != spent[number]
        ]
        wrong += [f"{table} {number}: {left} left" for number, left in balances.items() if left < 0]
    return wrong


async def totals(place: World, query: str) -> list[tuple[int, int]]:
    return [(row["id"], int(row["total"])) for row in await place.rows(f"{query} group by 1")]


async def clean_up(place: World, score: Score) -> None:
    """The last process recovers everything: no hold is left, and logs and channels show what the ledger says."""
    async with place.ledger(lease_s=LEASE_S) as ledger:
        deadline = time.monotonic() + STARTED_S
        while await place.value("select count(*) from holds") and time.monotonic() < deadline:
            await ledger.sweep()
            await asyncio.sleep(0.1)
        while await place.value("select count(*) from leases where name <> :own", own=f"ledger:{ledger.book.slot}"):
            await ledger.sweep()
            await asyncio.sleep(0.1)
        await ledger.flush()
    score.wrong += await differences(place)
    paid = "select coalesce(sum(quota), 0)"
    finals = f"{paid} from ledger where kind = 'final'"
    for what, query in {
        "holds left": "select count(*) from holds",
        "finals and logs": "select (select count(*) from ledger where logged = :yes) - (select count(*) from logs)",
        "log ids": "select count(*) - count(distinct request_id) from logs",
        "quota in logs": f"select ({finals}) - ({paid} from logs)",
        "channels": f"select ({finals} and channel_id > 0) - (select sum(used_quota) from channels)",
    }.items():
        values = {"yes": True} if ":yes" in query else {}
        if difference := await place.value(query, **values):
            score.wrong.append(f"{what}: {difference}")
    score.recovered = await place.value("select count(*) from ledger where source = 'recovered'")


@contextmanager
def fresh(engine: str) -> Iterator[str]:
    """The URL of an empty database."""
    match engine:
        case "postgres":
            with closing(servers.Postgres()) as server:
                yield server.fresh().url
        case "mariadb":
            with servers.mariadb(servers.sbin("mariadbd") or "mariadbd") as maria:
                yield maria.fresh().url
        case _:
            with tempfile.TemporaryDirectory() as folder:
                yield servers.sqlite(Path(folder)).url


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--engine", choices=["sqlite", "postgres", "mariadb"], default="sqlite")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    options = parser.parse_args()
    with fresh(options.engine) as url:
        processes = 1 if options.engine == "sqlite" else 3
        score = asyncio.run(torture(url, kills=options.kills, processes=processes, seed=options.seed))
    print(score)
    raise SystemExit(bool(score.wrong))


if __name__ == "__main__":
    main()
