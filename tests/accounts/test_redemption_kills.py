"""Kill -9 while codes are redeemed: a code is used exactly if somebody has its quota, and nobody has it twice."""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from one_api.store.engine import Database
from one_api.store.schema import ledger, redemptions, users
from tests.accounts.redeemer import USERS
from tests.harness import servers
from tests.harness.nest import Nest

pytestmark = pytest.mark.anyio

CODES = 400
KILLS = 8
STARTED_S = 60.0


@pytest.fixture(scope="module")
def nest() -> Iterator[Nest]:
    made = Nest("tests.accounts.redeemer")
    yield made
    made.close()


async def fill(store: Database) -> None:
    people = [
        {
            "id": number,
            "username": f"u{number}",
            "password": "",
            "quota": 0,
            "aff_code": f"a{number}",
            "access_token": f"t{number}",
        }
        for number in range(1, USERS + 1)
    ]
    codes = [{"key": f"{number:032}", "status": 1, "name": "x", "quota": 1000 + number} for number in range(CODES)]
    async with store.write() as tx:
        await tx.execute(insert(users), people)
        await tx.execute(insert(redemptions), codes)


def reported(file: Path) -> list[tuple[str, int, int]]:
    """What clients were told: key, user, quota."""
    lines = [line.split() for line in file.read_text().splitlines(keepends=True) if line.endswith("\n")]
    return [(key, int(user_id), int(quota)) for key, user_id, quota in lines]


async def confirmed(file: Path, least: int) -> None:
    """Returns when clients were told of so many codes."""
    async with asyncio.timeout(STARTED_S):
        while len(reported(file)) < least:  # noqa: ASYNC110  # it is another process
            await asyncio.sleep(0.001)


async def audit(store: Database, told: Counter[tuple[str, int, int]]) -> int:
    """How many codes are used, by one snapshot: what the dead left may be committed still."""
    async with store.read() as tx:
        if store.kind != "sqlite":
            await tx.execution_options(isolation_level="REPEATABLE READ")
        balances = {row.id: row.quota for row in await tx.execute(select(users.c.id, users.c.quota))}
        codes = {row.key: row for row in await tx.execute(select(redemptions))}
        booked = list(await tx.execute(select(ledger.c.request_id, ledger.c.user_id, ledger.c.quota)))
    used = {key for key, row in codes.items() if row.status == 3}
    assert sorted(row.request_id for row in booked) == sorted(used)
    assert all(row.quota == codes[row.request_id].quota for row in booked)
    sums: Counter[int] = Counter()
    for row in booked:
        sums[row.user_id] += row.quota
    assert {user_id: sums[user_id] for user_id in balances} == balances
    assert told <= Counter((row.request_id, row.user_id, row.quota) for row in booked)
    return len(used)


async def test_kill_9_neither_loses_nor_doubles_a_code(
    store: Database, database: servers.Database, nest: Nest, tmp_path: Path
) -> None:
    await fill(store)
    seed = random.SystemRandom().getrandbits(32)
    print("seed", seed)
    dice = random.Random(seed)
    told: Counter[tuple[str, int, int]] = Counter()
    for number in range(KILLS):
        file = tmp_path / f"confirmed-{number}"
        pid = nest.start(database.url, dice.getrandbits(32), file)
        try:
            await confirmed(file, dice.randint(1, 20))
        finally:
            os.kill(pid, signal.SIGKILL)
        told.update(reported(file))
    assert KILLS <= await audit(store, told) < CODES
