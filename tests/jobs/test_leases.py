import asyncio

import pytest
from sqlalchemy import select, update

from one_api.jobs import Lease
from one_api.store.engine import Database
from one_api.store.migrations import migrate
from one_api.store.schema import leases
from tests.harness import servers
from tests.store import samples

pytestmark = pytest.mark.anyio


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def lease(store: Database, holder: str, clock: Clock | None = None) -> Lease:
    return Lease(store, "sweep", holder=holder, seconds=30, clock=clock or Clock())


async def expire(store: Database) -> None:
    """The database's clock goes on: the lease was taken a minute ago."""
    async with store.write() as tx:
        await tx.execute(update(leases).values(until=leases.c.until - 60))


async def until(store: Database) -> int:
    async with store.read() as tx:
        found: int = (await tx.execute(select(leases.c.until).where(leases.c.name == "sweep"))).scalar_one()
        return found


async def test_one_of_two_holds_it(store: Database) -> None:
    first, second = lease(store, "a"), lease(store, "b")
    assert (await first.hold(), await second.hold()) == (True, False)
    assert (first.held, second.held) == (True, False)


async def test_the_next_takes_it_when_it_is_over_or_given_back(store: Database) -> None:
    first, second, third = lease(store, "a"), lease(store, "b"), lease(store, "c")
    await first.hold()
    await expire(store)
    assert await second.hold()
    await second.release()
    assert (second.held, await third.hold()) == (False, True)


async def test_who_lost_it_gives_nothing_back(store: Database) -> None:
    first, second, third = lease(store, "a"), lease(store, "b"), lease(store, "c")
    await first.hold()
    await expire(store)
    await second.hold()
    await first.release()
    assert not await third.hold()


async def test_it_is_renewed_after_a_third_of_its_time(store: Database) -> None:
    clock = Clock()
    mine = lease(store, "a", clock)
    await mine.hold()
    await expire(store)
    taken = await until(store)
    clock.now += 9
    assert (await mine.hold(), await until(store)) == (True, taken)
    clock.now += 1
    assert await mine.hold()
    assert await until(store) > taken


async def test_the_holder_stops_believing_before_the_database_does(store: Database) -> None:
    clock = Clock()
    mine = lease(store, "a", clock)
    await mine.hold()
    clock.now += 28.9
    assert mine.held
    clock.now += 0.2
    assert not mine.held


async def test_of_many_who_ask_at_once_one_gets_it(database: servers.Database) -> None:
    stores = [samples.opened(database, sqlite_busy_timeout=20_000) for _ in range(4)]
    await migrate(stores[0])
    won = await asyncio.gather(*(lease(store, str(n)).hold() for n, store in enumerate(stores)))
    assert sorted(won) == [False, False, False, True]
    for store in stores:
        await store.aclose()
