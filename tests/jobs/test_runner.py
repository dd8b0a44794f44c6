import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import select, update

from one_api.errors import Unavailable
from one_api.jobs import Job, Runner
from one_api.store.clock import now as clock
from one_api.store.engine import Database
from one_api.store.schema import leases

pytestmark = pytest.mark.anyio


class Time:
    """A clock that stands while somebody works, and jumps to whoever wakes first."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asleep: dict[asyncio.Event, tuple[float, float]] = {}  # when he wakes, how long he sleeps
        self._moved = asyncio.Event()

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            return
        woken = asyncio.Event()
        self.asleep[woken] = (self.now + seconds, seconds)
        self._moved.set()
        try:
            await woken.wait()
        finally:
            self.asleep.pop(woken, None)
            self._moved.set()

    async def idle(self, *sleeps: float) -> None:
        """Until exactly those sleep."""
        async with asyncio.timeout(20):
            while sorted(seconds for _, seconds in self.asleep.values()) != sorted(sleeps):
                self._moved.clear()
                await self._moved.wait()

    async def pass_(self, *sleeps: float) -> None:
        """When those sleep, wake the next."""
        await self.idle(*sleeps)
        woken = min(self.asleep, key=lambda event: self.asleep[event])
        self.now, _ = self.asleep.pop(woken)
        woken.set()


@asynccontextmanager
async def running(*runners: Runner) -> AsyncIterator[list["asyncio.Task[None]"]]:
    tasks = [asyncio.create_task(runner.run()) for runner in runners]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def runner(store: Database, *jobs: Job, time: Time, holder: str = "a", slave: bool = False) -> Runner:
    return Runner(store, jobs, holder=holder, slave=slave, clock=time.clock, sleep=time.sleep)


def counting(times: list[float], time: Time) -> Callable[[], asyncio.Future[None]]:
    def run() -> asyncio.Future[None]:
        times.append(time.now)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    return run


async def test_a_job_runs_at_start_and_then_every_so_often(store: Database) -> None:
    time, runs = Time(), list[float]()
    async with running(runner(store, Job("count", counting(runs, time), every=5, alone=False), time=time)):
        for _ in range(3):
            await time.pass_(5)
        await time.idle(5)
    assert runs == [0, 5, 10, 15]


async def test_a_delayed_job_waits_first(store: Database) -> None:
    time, runs = Time(), list[float]()
    async with running(runner(store, Job("count", counting(runs, time), every=5, alone=False, delay=60), time=time)):
        await time.idle(60)
        assert runs == []
        await time.pass_(60)
        await time.idle(5)
    assert runs == [60]


async def test_a_failing_job_stops_neither_itself_nor_others(store: Database, caplog: pytest.LogCaptureFixture) -> None:
    time, runs, tries = Time(), list[float](), list[float]()

    async def fail() -> None:
        tries.append(time.now)
        raise Unavailable("gone") if len(tries) < 3 else ZeroDivisionError("a mistake")

    jobs = (Job("count", counting(runs, time), every=4, alone=False), Job("broken", fail, every=4, alone=True))
    async with running(runner(store, *jobs, time=time)):
        for _ in range(6):
            await time.pass_(4, 4)
        await time.idle(4, 4)
    assert (runs, tries) == ([0, 4, 8, 12], [0, 4, 8, 12])
    said = [(record.getMessage(), record.exc_info is not None) for record in caplog.records]
    assert said.count(("Job broken failed: gone", False)) == 1
    assert ("Job broken failed", True) in said


async def test_a_job_that_runs_alone_runs_in_one_process(store: Database) -> None:
    times, runs = [Time(), Time()], [list[float](), list[float]()]
    runners = [
        runner(store, Job("sweep", counting(done, time), every=1, alone=True), time=time, holder=name)
        for name, time, done in zip("ab", times, runs, strict=True)
    ]
    async with running(*runners):
        for _ in range(5):
            for time in times:
                await time.pass_(1)
        for time in times:
            await time.idle(1)
    assert sorted(map(len, runs)) == [0, 6]


async def test_another_process_goes_on_when_the_first_ends(store: Database) -> None:
    times, runs = [Time(), Time()], [list[float](), list[float]()]
    first, second = (
        runner(store, Job("sweep", counting(done, time), every=1, alone=True), time=time, holder=name)
        for name, time, done in zip("ab", times, runs, strict=True)
    )
    async with running(first):
        await times[0].idle(1)
    async with running(second):
        await times[1].idle(1)
    assert [len(done) for done in runs] == [1, 1]


async def test_a_slave_runs_only_what_every_process_runs(store: Database) -> None:
    time, everywhere, alone = Time(), list[float](), list[float]()
    jobs = (
        Job("refresh", counting(everywhere, time), every=1, alone=False),
        Job("sweep", counting(alone, time), every=1, alone=True),
    )
    async with running(runner(store, *jobs, time=time, slave=True)):
        await time.pass_(1)
        await time.idle(1)
    assert (everywhere, alone) == ([0, 1], [])
    async with store.read() as tx:
        assert (await tx.execute(select(leases.c.name))).all() == []


async def test_a_long_job_keeps_its_lease(store: Database) -> None:
    time = Time()
    go_on, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await go_on.wait()
        ended.set()

    async with running(runner(store, Job("long", work, every=3600, alone=True), time=time)):
        await time.idle(5)
        first = await until(store)
        async with store.write() as tx:
            await tx.execute(update(leases).values(until=leases.c.until - 20))
        while time.now < 12:  # past a third of its time
            await time.pass_(5)
        await time.idle(5)
        assert await until(store) >= first
        go_on.set()
        await ended.wait()


async def test_a_job_without_its_lease_is_stopped(store: Database, caplog: pytest.LogCaptureFixture) -> None:
    time = Time()
    stopped = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async with running(runner(store, Job("long", work, every=3600, alone=True), time=time)):
        await time.idle(5)
        async with store.write() as tx:
            await tx.execute(update(leases).values(holder="b", until=leases.c.until + 1000))
        for _ in range(2):  # past a third of its time
            await time.pass_(5)
        await stopped.wait()
        await time.idle(5)
    assert "lease long lost" in caplog.text


async def test_a_job_is_cut_off_when_the_runner_is_cancelled_and_the_lease_is_free(store: Database) -> None:
    time = Time()
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async with running(runner(store, Job("long", work, every=1, alone=True), time=time)) as tasks:
        await begun.wait()
        tasks[0].cancel()
        await asyncio.wait(tasks)
        assert stopped.is_set()
        assert await until(store) <= await now(store)


async def test_a_driver_that_swallows_a_cancellation_does_not_keep_the_runner(store: Database) -> None:
    time = Time()
    begun, swallowed = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if swallowed.is_set():
                raise
            swallowed.set()

    async with running(runner(store, Job("deaf", work, every=1, alone=False), time=time)) as tasks:
        await begun.wait()
        tasks[0].cancel()
        await asyncio.wait_for(asyncio.wait(tasks), 60)
        assert swallowed.is_set()


async def until(store: Database) -> int:
    async with store.read() as tx:
        found: int = (await tx.execute(select(leases.c.until))).scalar_one()
        return found


async def now(store: Database) -> int:
    async with store.read() as tx:
        found: int = (await tx.execute(select(clock(store.kind)))).scalar_one()
        return found
