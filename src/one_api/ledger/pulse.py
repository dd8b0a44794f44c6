"""How the event loop and a writer wake each other: across threads (SQLite) or on the loop itself (the others)."""

import asyncio
import contextlib
import queue
import time
from collections.abc import Callable
from typing import Any, Protocol


class Pulse(Protocol):
    def wake(self) -> None:
        """On the loop: something is queued."""

    async def wait(self, seconds: float) -> None:
        """In the writer: until woken, or the time is over."""

    async def sleep(self, seconds: float) -> None:
        """In the writer: nothing ends it early."""

    def call(self, callback: Callable[..., None], *arguments: Any) -> None:
        """In the writer: run this on the loop."""


class ThreadPulse:
    """The writer has a thread of its own, in which nothing suspends."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.woken: queue.SimpleQueue[None] = queue.SimpleQueue()

    def wake(self) -> None:
        self.woken.put(None)

    async def wait(self, seconds: float) -> None:
        with contextlib.suppress(queue.Empty):
            self.woken.get(timeout=seconds)

    async def sleep(self, seconds: float) -> None:
        time.sleep(seconds)  # noqa: ASYNC251  # this coroutine runs without a loop

    def call(self, callback: Callable[..., None], *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to be told
            self.loop.call_soon_threadsafe(callback, *arguments)


class LoopPulse:
    """The writer is a task of the loop."""

    def __init__(self) -> None:
        self.woken = asyncio.Event()

    def wake(self) -> None:
        self.woken.set()

    async def wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.woken.wait()
        self.woken.clear()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def call(self, callback: Callable[..., None], *arguments: Any) -> None:
        callback(*arguments)
