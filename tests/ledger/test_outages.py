"""Real connections that are cut or fall silent: nothing is lost, nothing is charged twice, and it heals by itself."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from one_api.errors import OneAPIError, Unavailable
from one_api.ledger import Facts, Ledger
from one_api.ledger.connection import Connection
from one_api.ledger.front import TICK_S
from tests.harness.gate import Gate
from tests.harness.servers import Database
from tests.ledger.world import World, request

pytestmark = pytest.mark.anyio

DONE = Facts(channel_id=1, source="reported")
CUT = {
    "postgresql": "select pg_terminate_backend(pid) from pg_stat_activity"
    " where pid <> pg_backend_pid() and datname = current_database()",
    "mysql": "select id as id from information_schema.processlist where id <> connection_id() and db = database()",
}


@pytest.fixture(params=["postgres", "mariadb"])
def database(request: pytest.FixtureRequest) -> Database:
    found: Database = request.getfixturevalue(request.param)
    return found


async def cut_all(books: World) -> None:
    """As an administrator or a restart does it."""
    kind = books.engine.dialect.name
    for row in await books.rows(CUT[kind]):
        if kind == "mysql":
            with suppress(OperationalError):  # it had just ended by itself
                await books.change(f"kill connection {row['id']}")


async def test_connections_cut_under_load_charge_each_call_once(books: World) -> None:
    await books.add_user(quota=10**9)
    await books.add_token(remain=10**9)
    async with books.ledger() as ledger:
        callers = [asyncio.create_task(call_on(ledger, name)) for name in range(30)]
        for _ in range(15):
            await asyncio.sleep(0.05)
            await cut_all(books)
        async with asyncio.timeout(60):
            while await books.value("select count(*) from ledger") < 30:  # noqa: ASYNC110  # slow machines get nowhere before
                await asyncio.sleep(0.05)
        for caller in callers:
            caller.cancel()
        charged = sum(await asyncio.gather(*callers))
        await ledger.flush()
    quota, used, _ = await books.user()
    held = await books.value("select coalesce(sum(quota), 0) from holds")
    assert quota + used + held == 10**9
    assert used == await books.value("select sum(quota) from ledger") >= charged > 0


async def test_a_connection_that_fails_in_an_unheard_of_way_costs_no_charge(books: World) -> None:
    """asyncmy has RuntimeErrors for connections that a proxy closes at once; a charge was given up for that."""
    await books.add_user()
    await books.add_token()
    async with books.ledger() as ledger:
        hold = await ledger.hold(request("kept"))
        connect, failures = ledger.book.connect, [RuntimeError("no socket"), AttributeError("none")] * 4

        async def fails_first() -> Connection:
            if failures:
                raise failures.pop()
            return await connect()

        ledger.book.connect = fails_first
        await cut_all(books)
        assert await ledger.settle(hold, 7, DONE)
        assert not failures
    assert await books.value("select sum(quota) from ledger") == 7


async def call_on(ledger: Ledger, name: int) -> int:
    """Calls until cancelled; what was confirmed."""
    charged = number = 0
    try:
        while True:
            number += 1
            try:
                hold = await ledger.hold(request(f"{name}-{number}"))
            except OneAPIError:
                continue
            if await ledger.settle(hold, 7, DONE):
                charged += 7
    except asyncio.CancelledError:
        return charged


async def test_a_database_that_falls_silent_refuses_in_two_seconds_and_heals(books: World, tmp_path: Path) -> None:
    await books.add_user()
    await books.add_token()
    gate = Gate()
    async with gate.to(books.url, tmp_path) as url:
        ledger = Ledger.open(url)
        await ledger.start()
        hold = await ledger.hold(request("early"))
        gate.open.clear()
        settled = ledger.settle(hold, 10, DONE)
        asked = ledger.tick
        with pytest.raises(Unavailable):
            await ledger.hold(request("refused"))
        assert (ledger.tick - asked) * TICK_S <= 2.5
        await asyncio.sleep(4)  # the statement's time is over, and a new connection is tried
        assert not settled.done()
        gate.open.set()
        assert await settled
        assert (await ledger.hold(request("late"))).quota == 100
        await ledger.aclose()
    assert await books.user() == (890, 10, 1)
    assert [row["request_id"] for row in await books.rows("select request_id from holds")] == ["late"]
