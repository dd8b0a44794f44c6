"""Work that an answer must not wait for: what takes time only for some would tell who they are."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from one_api.errors import OneAPIError
from one_api.sync import end

log = logging.getLogger(__name__)

MOST: Final = 1000
WORKERS: Final = 4
DRAIN_S: Final = 5.0

Job = Callable[[], Awaitable[object]]


class Outbox:
    """A bounded queue and the tasks that empty it. What fails is logged; what finds no place is dropped and logged."""

    def __init__(self) -> None:
        self._jobs: asyncio.Queue[Job] = asyncio.Queue(MOST)
        self._workers: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._workers = [asyncio.create_task(self._work(), name="outbox") for _ in range(WORKERS)]

    def post(self, job: Job) -> None:
        try:
            self._jobs.put_nowait(job)
        except asyncio.QueueFull:
            log.warning("The outbox is full, a mail was dropped")

    async def drained(self) -> None:
        """Wait until all that was posted is done."""
        await self._jobs.join()

    async def aclose(self) -> None:
        """Give what waits a few seconds, and end."""
        try:
            async with asyncio.timeout(DRAIN_S):
                await self.drained()
        except TimeoutError:
            log.warning("Mails that waited were dropped")
        await end(*self._workers)

    async def _work(self) -> None:
        while True:
            job = await self._jobs.get()
            try:
                await job()
            except OneAPIError as error:
                log.warning("A mail was not sent: %s", error.message)
            except Exception:
                log.exception("A mail was not sent")
            finally:
                self._jobs.task_done()
