"""Notices on their way: whoever has one goes on at once, and tasks of our own send them.

An answer may not wait for work that takes time only for some, either: that would tell who they are.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import structlog

from one_api.errors import OneAPIError
from one_api.sync import end

MOST: Final = 1000
AT_ONCE: Final = 4  # one that hangs keeps no other from going
SENDING_S: Final = 60.0  # for one, over whatever way it goes
PATIENCE_S: Final = 10.0

log = structlog.get_logger(__name__)

Job = Callable[[], Awaitable[object]]


class Delivery(Protocol):
    """How notices reach people. Raises NotSent."""

    async def to_root(self, subject: str, content: str) -> None: ...

    async def to_root_by_all(self, subject: str, content: str) -> None: ...

    async def to_user(self, address: str, subject: str, content: str) -> None: ...


class Outbox:
    """A bounded queue: what does not fit is dropped, and the log says so. To be opened on a running loop."""

    def __init__(self, delivery: Delivery, *, most: int = MOST) -> None:
        self._delivery = delivery
        self._waiting: asyncio.Queue[tuple[str, Job]] = asyncio.Queue(most)
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._run(), name="send notices") for _ in range(AT_ONCE)]

    def to_root(self, subject: str, content: str) -> None:
        self.post(subject, lambda: self._delivery.to_root(subject, content))

    def to_root_by_all(self, subject: str, content: str) -> None:
        """Every way there is, not the first that works."""
        self.post(subject, lambda: self._delivery.to_root_by_all(subject, content))

    def to_user(self, address: str, subject: str, content: str) -> None:
        self.post(subject, lambda: self._delivery.to_user(address, subject, content))

    def post(self, subject: str, job: Job) -> None:
        """Whatever else has to be done to send something; the log knows it by its subject."""
        try:
            self._waiting.put_nowait((subject, job))
        except asyncio.QueueFull:
            log.warning("a notice was dropped, too many are waiting", subject=subject)

    async def sent(self) -> None:
        """Wait for what was put in until now."""
        await self._waiting.join()

    async def aclose(self, patience_s: float = PATIENCE_S) -> None:
        """Send what waits, for at most that long."""
        try:
            async with asyncio.timeout(patience_s):
                await self.sent()
        except TimeoutError:
            log.warning("notices were not sent before the end", waiting=self._waiting.qsize())
        await end(*self._tasks)

    async def _run(self) -> None:
        while True:
            subject, job = await self._waiting.get()
            try:
                async with asyncio.timeout(SENDING_S):
                    await job()
            except (OneAPIError, TimeoutError) as error:
                log.warning("a notice was not sent", subject=subject, reason=str(error) or "no answer in time")
            except Exception:
                log.exception("a notice was not sent", subject=subject)
            finally:
                self._waiting.task_done()
