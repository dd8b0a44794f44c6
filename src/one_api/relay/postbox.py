"""Notices on their way: whoever has one goes on at once, and a task of our own sends them one after another."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import structlog

from one_api.notify import NotSent
from one_api.sync import end

MOST: Final = 1000
SENDING_S: Final = 60.0  # for one notice, over whatever way it goes
PATIENCE_S: Final = 10.0

log = structlog.get_logger(__name__)


class Delivery(Protocol):
    """How notices reach people. Raises NotSent."""

    async def to_root(self, subject: str, content: str) -> None: ...

    async def to_root_by_all(self, subject: str, content: str) -> None: ...

    async def to_user(self, address: str, subject: str, content: str) -> None: ...


class Postbox:
    """A bounded queue: what does not fit is dropped, and the log says so. To be opened on a running loop."""

    def __init__(self, delivery: Delivery, *, most: int = MOST) -> None:
        self._delivery = delivery
        self._waiting: asyncio.Queue[tuple[str, Callable[[], Awaitable[None]]]] = asyncio.Queue(most)
        self._task = asyncio.get_running_loop().create_task(self._run(), name="send notices")

    def to_root(self, subject: str, content: str) -> None:
        self._put(subject, lambda: self._delivery.to_root(subject, content))

    def to_root_by_all(self, subject: str, content: str) -> None:
        """Every way there is, not the first that works."""
        self._put(subject, lambda: self._delivery.to_root_by_all(subject, content))

    def to_user(self, address: str, subject: str, content: str) -> None:
        self._put(subject, lambda: self._delivery.to_user(address, subject, content))

    async def sent(self) -> None:
        """Wait for what was put in until now."""
        await self._waiting.join()

    async def aclose(self, patience_s: float = PATIENCE_S) -> None:
        """Send what waits, for at most that long."""
        try:
            async with asyncio.timeout(patience_s):
                await self.sent()
        except TimeoutError:
            log.warning("notices were not sent before the end", count=self._waiting.qsize() + 1)
        await end(self._task)

    def _put(self, subject: str, send: Callable[[], Awaitable[None]]) -> None:
        try:
            self._waiting.put_nowait((subject, send))
        except asyncio.QueueFull:
            log.warning("a notice was dropped, too many are waiting", subject=subject)

    async def _run(self) -> None:
        while True:
            subject, send = await self._waiting.get()
            try:
                async with asyncio.timeout(SENDING_S):
                    await send()
            except (NotSent, TimeoutError) as error:
                log.warning("a notice was not sent", subject=subject, reason=str(error) or "no answer in time")
            except Exception:
                log.exception("a notice was not sent", subject=subject)
            finally:
                self._waiting.task_done()
