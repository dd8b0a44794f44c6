import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import event, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.errors import Unavailable
from one_api.store.engine import Database
from one_api.store.migrations import migrate
from one_api.store.schema import generations, options
from one_api.sync import Poller, Snapshot, bump, changed, generation, purge
from tests.harness import servers
from tests.store import samples

pytestmark = pytest.mark.anyio

Hook = Callable[[], Awaitable[None]]


async def bumped(store: Database, *topics: str) -> None:
    async with store.write() as tx:
        await bump(tx, *topics)


async def seen(store: Database, within: int = 60) -> dict[str, int]:
    async with store.read() as tx:
        return await changed(tx, within=within)


# --- generations ------------------------------------------------------------------------------------------------------


async def test_each_change_counts_once(store: Database) -> None:
    await bumped(store, "options", "token:1")
    await bumped(store, "options", "options")
    assert await seen(store) == {"options": 2, "token:1": 1}


async def test_a_change_that_is_undone_was_none(store: Database) -> None:
    async def fail() -> None:
        async with store.write() as tx:
            await bump(tx, "options")
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert await seen(store) == {}


async def test_changes_at_once_are_all_counted(store: Database) -> None:
    topics = ["user:1", "user:2", "options"]
    await asyncio.gather(*(bumped(store, *(topics[n % 3 :] + topics[: n % 3])) for n in range(12)))
    assert await seen(store) == dict.fromkeys(topics, 12)


async def test_only_recent_changes_are_read(store: Database) -> None:
    await bumped(store, "options", "routes")
    async with store.write() as tx:
        await tx.execute(update(generations).where(generations.c.topic == "routes").values(at=generations.c.at - 61))
    assert await seen(store) == {"options": 1}
    assert await seen(store, within=120) == {"options": 1, "routes": 1}


async def test_quiet_topics_of_single_rows_are_forgotten(store: Database) -> None:
    await bumped(store, "options", "token:1", "token:2")
    async with store.write() as tx:
        old = generations.c.topic.in_(("options", "token:1"))
        await tx.execute(update(generations).where(old).values(at=generations.c.at - 90_000))
        assert [await purge(tx), await purge(tx)] == [1, 0]
        assert await generation(tx, ("options", "token:1", "token:2")) == (("options", 1), ("token:2", 1))


# --- snapshots --------------------------------------------------------------------------------------------------------


async def notice(tx: AsyncConnection) -> str | None:
    found: str | None = (await tx.execute(select(options.c.value))).scalar_one_or_none()
    return found


async def test_a_snapshot_is_loaded_first_and_then_when_its_topic_moved(store: Database) -> None:
    snapshot = Snapshot(store, ("options",), notice, first=None)
    assert [await snapshot.refresh(), await snapshot.refresh()] == [True, False]
    await bumped(store, "routes")
    assert not await snapshot.refresh()
    async with store.write() as tx:
        await tx.execute(insert(options).values(key="Notice", value="new"))
        await bump(tx, "options")
    assert (snapshot.now, await snapshot.refresh(), snapshot.now) == (None, True, "new")


async def test_a_snapshot_that_cannot_load_stays_and_loads_later(store: Database) -> None:
    broken = [False]

    async def load(tx: AsyncConnection) -> str:
        if broken[0]:
            raise LookupError
        return "value"

    snapshot = Snapshot(store, ("options",), load, first="")
    await snapshot.refresh()
    await bumped(store, "options")
    broken[0] = True
    with pytest.raises(LookupError):
        await snapshot.refresh()
    assert snapshot.now == "value"
    broken[0] = False
    assert await snapshot.refresh()


async def test_a_change_while_a_snapshot_loads_is_not_missed(postgres: servers.Database) -> None:
    store = samples.opened(postgres)
    await migrate(store)

    async def load(tx: AsyncConnection) -> str | None:
        found = await notice(tx)
        if found is None:  # somebody writes after we have read
            async with store.write() as other:
                await other.execute(insert(options).values(key="Notice", value="new"))
                await bump(other, "options")
        return found

    snapshot = Snapshot(store, ("options",), load, first=None)
    assert (await snapshot.refresh(), snapshot.now) == (True, None)
    assert (await snapshot.refresh(), snapshot.now) == (True, "new")
    await store.aclose()


# --- poller -----------------------------------------------------------------------------------------------------------


async def test_subscribers_hear_of_their_topics_once(store: Database) -> None:
    poller = Poller(store)
    tokens: list[str] = []
    heard: list[str] = []

    async def hear(topic: str) -> None:
        heard.append(topic)

    poller.on("token:", tokens.append)
    poller.on("options", hear)
    await poller.look()
    await bumped(store, "options", "token:1", "user:1")
    await poller.look()
    await poller.look()
    assert (tokens, heard) == (["token:1"], ["options"])
    await bumped(store, "token:1", "token:2")
    await poller.look()
    assert sorted(tokens) == ["token:1", "token:1", "token:2"]


async def test_who_failed_hears_again_and_others_hear_anyway(store: Database) -> None:
    poller = Poller(store)
    heard: list[str] = []

    def fail_once(topic: str) -> None:
        heard.append(topic)
        if len(heard) == 1:
            raise LookupError

    others: list[str] = []
    poller.on("options", fail_once)
    poller.on("", others.append)
    await bumped(store, "options", "routes")
    with pytest.raises(LookupError):
        await poller.look()
    assert "routes" in others
    await poller.look()
    assert heard == ["options", "options"]
    await poller.look()
    assert len(heard) == 2


async def test_what_changed_during_a_long_outage_is_heard_after_it(store: Database) -> None:
    clock = [0.0]
    poller = Poller(store, clock=lambda: clock[0])
    heard: list[str] = []
    poller.on("", heard.append)
    await poller.look()
    await bumped(store, "token:1")
    async with store.write() as tx:
        await tx.execute(update(generations).values(at=generations.c.at - 300))
    clock[0] += 290
    await poller.look()
    assert heard == ["token:1"]


async def test_a_change_in_another_process_arrives_with_two_looks(database: servers.Database) -> None:
    ours, theirs = samples.opened(database), samples.opened(database)
    await migrate(ours)
    snapshot = Snapshot(ours, ("options",), notice, first=None)
    await snapshot.refresh()
    asked = asyncio.Semaphore(0)
    slept = asyncio.Semaphore(0)

    async def sleep(seconds: float) -> None:
        assert seconds == 0.5
        slept.release()
        await asked.acquire()

    poller = Poller(ours, sleep=sleep)
    poller.on("options", lambda _: snapshot.refresh())
    running = asyncio.create_task(poller.run())
    await slept.acquire()
    async with theirs.write() as tx:
        await tx.execute(insert(options).values(key="Notice", value="new"))
        await bump(tx, "options")
    asked.release()
    await slept.acquire()
    assert snapshot.now == "new"
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await ours.aclose()
    await theirs.aclose()


async def test_an_outage_is_logged_once_and_ends_nothing(store: Database, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[str] = []
    turns = 0
    finished = asyncio.Event()

    async def sleep(_: float) -> None:
        nonlocal turns
        turns += 1
        if turns == 1:
            await rename("generations", "gone")
        if turns == 3:
            await rename("gone", "generations")
            await bumped(store, "options")
        if turns == 5:
            finished.set()
            await asyncio.Event().wait()

    async def rename(old: str, new: str) -> None:
        async with store.write() as tx:
            await tx.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))

    poller = Poller(store, sleep=sleep)
    poller.on("", heard.append)
    running = asyncio.create_task(poller.run())
    await finished.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert heard == ["options"]
    said = [record.getMessage().partition(":")[0] for record in caplog.records if "hange" in record.getMessage()]
    assert said == ["Changes cannot be read, remembered values stay", "Changes are applied again"]


async def test_looking_costs_one_statement(store: Database) -> None:
    await bumped(store, "options")
    poller = Poller(store)
    statements: list[str] = []

    @event.listens_for(store.reader.sync_engine, "before_cursor_execute")
    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    await poller.look()
    assert len([s for s in statements if s.startswith("SELECT") and "generations" in s]) == 1


async def test_a_look_at_a_lost_database_says_so(sqlite: servers.Database) -> None:
    store = samples.opened(sqlite)
    with pytest.raises(Unavailable):
        await Poller(store).look()
    await store.aclose()
