"""Kill -9 at any moment loses nothing that was confirmed and makes or loses no quota. See torture.py."""

import asyncio
import random

import pytest

from tests.harness.servers import Database
from tests.ledger.torture import Score, torture
from tests.ledger.victim import EARLY


def run(database: Database, *options: str, kills: int) -> Score:
    seed = random.SystemRandom().getrandbits(32)
    processes = 1 if database.kind == "sqlite" else 3
    score = asyncio.run(torture(database.url, *options, kills=kills, processes=processes, seed=seed))
    print(database.kind, score)
    return score


def right(score: Score) -> None:
    assert not score.wrong, str(score)
    assert score.with_open_hold >= 0.8 * score.kills, str(score)
    assert score.confirmed > score.kills, str(score)


def test_kill_9_loses_nothing_on_sqlite(sqlite: Database) -> None:
    right(run(sqlite, kills=30))


def test_kill_9_loses_nothing_on_postgres(postgres: Database) -> None:
    right(run(postgres, kills=10))


def test_kill_9_loses_nothing_on_mariadb(mariadb: Database) -> None:
    right(run(mariadb, kills=10))


@pytest.mark.torture
def test_thousands_of_kills_lose_nothing(database: Database) -> None:
    right(run(database, kills=2000))


def test_the_torture_notices_an_answer_that_ends_before_its_charge_is_durable(sqlite: Database) -> None:
    assert run(sqlite, EARLY, kills=10).wrong
