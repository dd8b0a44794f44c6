"""Runs the jobs of a process until it is cancelled.

A job is idempotent: it may be cut off anywhere and is begun anew. What it raises is logged, and ends neither it nor
the others.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from one_api.jobs.leases import Lease, Sleep, give_back, while_held
from one_api.store.engine import FAILURES, Database
from one_api.sync import end

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """`run` is called `delay` seconds after the start and then `every` seconds after it ended.

    alone: only one process of all does it, the one that has the lease `name`; a slave never does.
    """

    name: str
    run: Callable[[], Awaitable[object]]
    every: float
    alone: bool
    delay: float = 0


class Runner:
    """Owns the tasks of all jobs. `holder` names this process in leases: unique, and new at each start."""

    def __init__(
        self,
        database: Database,
        jobs: Iterable[Job],
        *,
        holder: str,
        slave: bool,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._database = database
        self._jobs = tuple(job for job in jobs if not (slave and job.alone))
        self._holder = holder
        self._clock = clock
        self._sleep = sleep

    async def run(self) -> None:
        """Run all jobs until cancelled; then every lease is given back."""
        tasks = [
            asyncio.create_task(self._alone(job) if job.alone else self._forever(job), name=f"job {job.name}")
            for job in self._jobs
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            await end(*tasks)

    async def _forever(self, job: Job) -> None:
        failing = False
        await self._sleep(job.delay)
        while True:
            failing = await self._attempt(job, job.run, failing=failing)
            await self._sleep(job.every)

    async def _alone(self, job: Job) -> None:
        lease = Lease(self._database, job.name, holder=self._holder, clock=self._clock)
        failing = False
        await self._sleep(job.delay)
        try:
            while True:
                failing = await self._attempt(job, lambda: self._if_held(job, lease), failing=failing)
                await self._wait(job, lease)
        finally:
            await asyncio.shield(give_back(lease))

    async def _attempt(self, job: Job, run: Callable[[], Awaitable[object]], *, failing: bool) -> bool:
        """Run it; True if it failed. An outage is logged when it begins and when it ends."""
        try:
            await run()
        except FAILURES as error:
            if not failing:
                log.warning("Job %s failed: %s", job.name, error)
            return True
        except Exception:
            log.exception("Job %s failed", job.name)
            return True
        if failing:
            log.info("Job %s works again", job.name)
        return False

    async def _if_held(self, job: Job, lease: Lease) -> None:
        if await lease.hold():
            await while_held(lease, job.run, sleep=self._sleep)

    async def _wait(self, job: Job, lease: Lease) -> None:
        """The pause of a job. A long one keeps the lease, so that another process does not run it in between."""
        until = self._clock() + job.every
        while (left := until - self._clock()) > 0:
            await self._sleep(min(left, lease.seconds / 6))
            if lease.held:
                try:
                    await lease.hold()
                except FAILURES as error:
                    log.debug("Lease %s could not be renewed: %s", lease.name, error)
