"""Kill -9 of the whole gateway at any moment: every answer that was seen whole is paid for, once. See siege.py."""

import asyncio
import json
import random

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from tests.conftest import StartGateway
from tests.harness.admin import Admin
from tests.harness.servers import Database
from tests.ledger.siege import MODEL, QUOTA, USERS, Upstream, Verdict, besiege
from tests.ledger.world import World


async def siege(start: StartGateway, database: Database, kills: int) -> Verdict:
    upstream, seed = Upstream(), random.SystemRandom().getrandbits(32)
    async with upstream.running() as address:
        gateway = await asyncio.to_thread(start, database)
        keys = await asyncio.to_thread(set_up, gateway.url, address)
        place = World(database.url, create_async_engine(database.url))
        verdict = await besiege(gateway, place, keys, upstream=upstream, kills=kills, seed=seed)
        await place.engine.dispose()
    print(database.kind, verdict)
    return verdict


def set_up(url: str, address: str) -> list[str]:
    """A price of one for each token, some users, and a channel."""
    with Admin(url) as root:
        for option in ("ModelRatio", "CompletionRatio"):
            root.option(option, json.dumps({MODEL: 1}))
        root.option("RetryTimes", "2")
        root.channel(address, MODEL)
        return [root.user(f"user{number}", QUOTA).token() for number in range(USERS)]


def right(verdict: Verdict) -> None:
    assert not verdict.wrong, str(verdict)
    assert verdict.with_open_hold >= 0.8 * verdict.kills, str(verdict)
    assert verdict.calls > 10 * verdict.kills, str(verdict)


@pytest.mark.timeout(600)
def test_kill_9_of_the_gateway_loses_no_charge(gateway: StartGateway, sqlite: Database) -> None:
    right(asyncio.run(siege(gateway, sqlite, kills=15)))


@pytest.mark.timeout(300)
def test_kill_9_of_the_gateway_loses_no_charge_on_postgres(gateway: StartGateway, postgres: Database) -> None:
    right(asyncio.run(siege(gateway, postgres, kills=5)))


@pytest.mark.torture
@pytest.mark.timeout(7200)
def test_hundreds_of_kills_of_the_gateway_lose_no_charge(gateway: StartGateway, database: Database) -> None:
    right(asyncio.run(siege(gateway, database, kills=500)))
