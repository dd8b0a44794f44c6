"""Balances while many things happen at once: codes are redeemed at two processes, and people change while they pay."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import NullPool, Row, insert, select
from sqlalchemy.ext.asyncio import create_async_engine

from one_api.store.schema import ledger, redemptions, users
from tests.conftest import StartGateway
from tests.e2e import wire
from tests.e2e.world import START, open_world
from tests.harness import scripted, servers
from tests.harness.scripted import completion, tokens

pytestmark = pytest.mark.anyio

UNLIMITED = {"GLOBAL_API_RATE_LIMIT": "0", "CRITICAL_RATE_LIMIT": "0"}
CLIENTS = 64
PEOPLE = 16
CODES = 20
WORTH = 1000
CALLS = 40
CHANGES = 40
LATER = "数据库暂时不可用，请稍后再试"


def access(number: int) -> str:
    """The access token of a user."""
    return f"{number:032}"


async def fill(where: servers.Database) -> list[str]:
    """People without a balance, and codes."""
    people = [
        {
            "id": 100 + number,
            "username": f"u{number}",
            "password": "",
            "quota": 0,
            "aff_code": f"a{number}",
            "access_token": access(number),
        }
        for number in range(PEOPLE)
    ]
    keys = [f"{number:032x}" for number in range(CODES)]
    codes = [{"key": key, "status": 1, "name": "x", "quota": WORTH, "user_id": 1} for key in keys]
    engine = create_async_engine(where.url, poolclass=NullPool)
    async with engine.begin() as tx:
        await tx.execute(insert(users), people)
        await tx.execute(insert(redemptions), codes)
    await engine.dispose()
    return keys


async def everything(where: servers.Database, *tables: Any) -> list[Sequence[Row[Any]]]:
    engine = create_async_engine(where.url, poolclass=NullPool)
    async with engine.connect() as tx:
        found = [(await tx.execute(select(table))).all() for table in tables]
    await engine.dispose()
    return found


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
async def test_twenty_codes_at_two_processes_give_twenty_credits(
    gateway: StartGateway, request: pytest.FixtureRequest, kind: str
) -> None:
    database: servers.Database = request.getfixturevalue(kind)
    nodes = [gateway(database, **UNLIMITED) for _ in range(2)]
    keys = await fill(database)
    dice = random.Random(7)

    async def redeem(http: httpx2.AsyncClient, number: int) -> list[tuple[int, Any]]:
        headers = {"Authorization": access(number % PEOPLE)}
        url = f"{nodes[number // PEOPLE % 2].url}/api/user/topup"
        answers = []
        for key in dice.sample(keys, 5):
            answer = {"message": LATER}
            while answer["message"] == LATER:  # more at once than there are connections to the database
                answer = (await http.post(url, headers=headers, json={"key": key})).json()
            answers.append(answer)
        return [(100 + number % PEOPLE, answer) for answer in answers]

    async with httpx2.AsyncClient(timeout=60) as http:
        tasks = [redeem(http, number) for number in range(CLIENTS)]
        told = [each for some in await asyncio.gather(*tasks) for each in some]
    won = Counter(user_id for user_id, answer in told if answer["success"])
    assert won.total() == CODES
    assert {answer.get("data") for _, answer in told if answer["success"]} == {WORTH}
    assert {answer["message"] for _, answer in told} == {"", "兑换失败，该兑换码已被使用"}
    people, codes, booked = await everything(database, users, redemptions, ledger)
    assert {row.id: row.quota for row in people if row.id >= 100} == {
        100 + number: won[100 + number] * WORTH for number in range(PEOPLE)
    }
    assert {row.status for row in codes} == {3}
    assert sorted(row.request_id for row in booked) == keys
    assert {(row.kind, row.quota) for row in booked} == {("redeem", WORTH)}


# --- changes of people who pay ---


async def test_changes_of_a_user_who_pays_leave_his_balance(database: servers.Database, tmp_path: Path) -> None:
    """By himself and by an administrator, each with forms that hold a balance that is not his to change or is old."""
    async with open_world(tmp_path, database, **UNLIMITED) as world:
        world.upstream.scripts["up"] = scripted.replies(200, completion(usage=tokens(10, 10)))
        world.channel("up")
        alice = world.root.user("alice", START)
        key, user_id = alice.token(), alice.me()["id"]
        shown = {"quota": START, "quota_before": START}

        async def himself(http: httpx2.AsyncClient, number: int) -> None:
            form = {"display_name": f"a{number}", "quota": 5, "used_quota": 5, "request_count": 5, "role": 100}
            await put(http, alice.session(), "/api/user/self", form)

        async def administrator(http: httpx2.AsyncClient, number: int) -> None:
            form = {"id": user_id, "display_name": f"b{number}", "used_quota": 5, "request_count": 5}
            await put(http, world.root.session(), "/api/user/", form | (shown if number % 2 else {}))

        async def call() -> None:
            for _ in range(CALLS // 4):
                assert (await world.ask(wire.chat(key))).status == 200

        async def change() -> None:
            async with httpx2.AsyncClient(base_url=world.gateway.url, timeout=60) as http:
                for number in range(CHANGES // 2):
                    await asyncio.gather(himself(http, number), administrator(http, number))

        await asyncio.gather(*(call() for _ in range(4)), change())
        await world.books.settled()
        finals = await world.books.finals("alice")
        row = await world.books.user("alice")
        assert len(finals) == CALLS == row.request_count
        paid = sum(final.quota for final in finals)
        assert (row.quota, row.used_quota) == (START - paid, paid)
        assert await world.books.granted(user_id) == paid > 0
        assert alice.me()["display_name"] in {f"{who}{CHANGES // 2 - 1}" for who in "ab"}
        assert alice.me()["role"] == 1


async def put(http: httpx2.AsyncClient, session: str, path: str, form: object) -> None:
    answer = (await http.put(path, headers={"Cookie": f"session={session}"}, json=form)).json()
    assert answer["success"], answer
