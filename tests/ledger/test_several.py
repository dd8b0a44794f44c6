"""Several processes on one database: settle races sweep, balances are shared, and who is gone is cleaned up after."""

import asyncio
import time
from pathlib import Path

import pytest

from one_api.errors import OneAPIError
from one_api.ledger import Facts, Ledger
from one_api.ledger.book import Book
from one_api.ledger.connection import Connection, TroubleError
from tests.harness.servers import Database
from tests.ledger.world import World, request

pytestmark = pytest.mark.anyio

DONE = Facts(channel_id=1, source="reported")


@pytest.fixture(params=["postgres", "mariadb"])
def database(request: pytest.FixtureRequest) -> Database:
    """Those that take several writers."""
    found: Database = request.getfixturevalue(request.param)
    return found


async def test_settle_and_sweep_race_and_one_wins(books: World) -> None:
    await books.add_user(quota=10_000)
    await books.add_token(remain=10_000)
    async with books.ledger() as first, books.ledger() as second:
        charged = 0
        for number in range(40):
            hold = await first.hold(request(f"call{number}", most=10))
            first.checkpoint(hold, 3)
            first.write_notes()
            await first.flush()
            await books.change("update leases set until = 0 where holder = :own", own=first.book.instance)
            settled, swept = await asyncio.gather(first.settle(hold, 7, DONE), second.sweep())
            assert settled + swept == 1
            charged += 7 if settled else 3
            assert (await books.user())[:2] == (10_000 - charged, charged)
        assert await books.value("select count(*) from ledger") == 40


async def test_sums_are_right_while_two_processes_spend_the_same_balances(books: World) -> None:
    for number in range(1, 6):
        await books.add_user(number, quota=2000)
        await books.add_token(number, number, remain=1500)
    async with books.ledger() as first, books.ledger() as second:
        spenders = [asyncio.create_task(spend(ledger, name)) for ledger in (first, second) for name in range(20)]
        looks = 0
        while not all(task.done() for task in spenders):
            row = await books.row(
                "select (select sum(quota) from users) + (select coalesce(sum(quota), 0) from holds)"
                " + (select coalesce(sum(quota), 0) from ledger) as total,"
                " (select min(quota) from users) as least, (select min(remain_quota) from tokens) as limits"
            )
            assert (int(row["total"]), row["least"] >= 0, row["limits"] >= 0) == (10_000, True, True)
            looks += 1
        assert looks >= 5
        await asyncio.gather(*spenders)
    assert await books.value("select sum(remain_quota) from tokens") == 0
    assert await books.value("select sum(quota) from users") == 10_000 - 5 * 1500


async def spend(ledger: Ledger, name: int) -> None:
    """Until nothing is left; every third call is given back."""
    number = 0
    while True:
        number += 1
        user = (name + number) % 5 + 1
        try:
            hold = await ledger.hold(request(f"{ledger.book.slot}-{name}-{number}", most=70, user=user, token=user))
        except OneAPIError as refusal:
            if refusal.status == 401 and number > 100:
                return
            continue
        await ledger.settle(hold, 0 if number % 3 == 0 else hold.quota, DONE)


async def test_after_an_outage_the_others_have_time_to_renew_their_leases(books: World) -> None:
    """All leases have run out when a database was away for long; who looks first finds nobody living."""
    await books.add_user(quota=1000)
    await books.add_token(remain=1000)
    async with books.ledger() as first, books.ledger() as second:
        hold = await first.hold(request("runs on"))
        connect, away = second.book.connect, [TroubleError("away")]

        async def away_once() -> Connection:
            if away:
                raise away.pop()
            return await connect()

        await second.run(Book.close)
        second.book.connect = away_once
        await books.change("update leases set until = 0 where holder = :own", own=first.book.instance)
        assert await second.sweep() == 0
        assert not away
        assert await first.settle(hold, 7, DONE)
        await books.change("update leases set until = 0 where holder = :own", own=first.book.instance)
        late = await first.hold(request("left"))
        second.writer.troubled_at = time.monotonic() - 31
        await books.change("update leases set until = 0 where holder = :own", own=first.book.instance)
        assert await second.sweep() == 1
        assert not await first.settle(late, 7, DONE)
    assert await books.value("select sum(quota) from ledger") == 7


@pytest.mark.parametrize("skew_s", [-86400, 86400])
async def test_a_clock_that_is_a_day_off_recovers_nothing_of_the_living(books: World, skew_s: int) -> None:
    await books.add_user()
    await books.add_token()
    async with books.ledger() as right, books.ledger(clock=lambda: time.time() + skew_s) as wrong:
        holds = [await ledger.hold(request(name)) for ledger, name in ((right, "right"), (wrong, "wrong"))]
        assert [await ledger.sweep() for ledger in (right, wrong)] == [0, 0]
        assert [await ledger.settle(hold, 10, DONE) for ledger, hold in zip((wrong, right), holds, strict=True)]
    assert await books.user() == (980, 20, 2)
    assert await books.value("select count(*) from logs") == 2


async def test_each_process_has_a_slot_and_leaves_none_behind(books: World) -> None:
    async with books.ledger() as first, books.ledger() as second:
        assert (first.book.slot, second.book.slot) == (1, 2)
    assert await books.value("select count(*) from leases") == 0
    assert await books.value("select count(*) from marks") == 0


async def test_a_process_that_slept_past_its_lease_takes_a_new_slot_before_it_writes(books: World) -> None:
    await books.add_user()
    await books.add_token()
    await books.add_channel()
    async with books.ledger() as sleeper, books.ledger() as heir:
        hold = await sleeper.hold(request("before"))
        await sleeper.settle(hold, 10, DONE)
        await books.change("update leases set until = 0 where holder = :own", own=sleeper.book.instance)
        await heir.sweep()
        assert await books.value("select count(*) from logs") == 1
        assert sleeper.lease is not None
        sleeper.lease.believed_until = 0.0  # what its clock says when it wakes up
        await sleeper.settle(await sleeper.hold(request("after")), 10, DONE)
        assert await books.rows("select slot from ledger order by id") == [{"slot": 1}, {"slot": 1}]
        holders = await books.rows("select holder from leases order by name")
        assert [row["holder"] for row in holders] == [sleeper.book.instance, heir.book.instance]
    assert await books.value("select count(*) from logs") == 2
    assert await books.value("select used_quota from channels") == 20


async def test_the_heir_moves_the_rows_and_settles_the_holds_of_who_is_gone(books: World) -> None:
    await books.add_user()
    await books.add_token()
    await books.add_channel()
    gone = Ledger.open(books.url)
    await gone.start()
    await gone.settle(await gone.hold(request("settled")), 10, DONE)
    started, silent = await gone.hold(request("started")), await gone.hold(request("silent"))
    gone.checkpoint(started, 25)
    gone.write_notes()
    await gone.run(nothing)
    await vanish(gone)
    await books.change("update leases set until = 0")
    async with books.ledger() as heir:
        assert await heir.sweep() == 0  # its start swept already
        assert not await heir.settle(silent, 50, DONE)
        assert await books.value("select count(*) from leases") == 1
    assert await books.user() == (965, 35, 2)
    assert await books.rows("select request_id, quota, username from logs order by request_id") == [
        {"request_id": "settled", "quota": 10, "username": ""},
        {"request_id": "started", "quota": 25, "username": "user1"},
    ]


async def test_holds_of_who_is_gone_are_settled_by_those_who_stay(books: World) -> None:
    await books.add_user()
    await books.add_token()
    async with books.ledger(sweep_s=0.1):
        gone = Ledger.open(books.url)
        await gone.start()
        await gone.hold(request("open"))
        await vanish(gone)
        await books.change("update leases set until = 0 where holder = :gone", gone=gone.book.instance)
        async with asyncio.timeout(60):
            while await books.value("select count(*) from holds"):  # noqa: ASYNC110  # only the database knows
                await asyncio.sleep(0.05)
    assert await books.user() == (1000, 0, 0)


async def nothing(_book: object) -> None: ...


async def vanish(ledger: Ledger) -> None:
    """As after kill -9: nothing is written any more."""
    ledger.ticking.cancel()
    ledger.housekeeping.cancel()
    ledger.task.cancel()
    await asyncio.wait([ledger.task, ledger.housekeeping])
    await ledger.book.close()


async def test_one_process_at_a_time_has_a_sqlite_file(tmp_path: Path, sqlite: Database) -> None:
    first = Ledger.open(sqlite.url)
    with pytest.raises(RuntimeError, match="in use by another one-api process"):
        Ledger.open(sqlite.url)
    assert first.lock is not None
    first.lock.close()
    second = Ledger.open(sqlite.url)
    assert second.lock is not None
    second.lock.close()
