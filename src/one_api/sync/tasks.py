"""Ending tasks."""

import asyncio
from collections.abc import Collection
from typing import Any, Final

AGAIN_S: Final = 0.5


async def end(*tasks: "asyncio.Task[Any]") -> None:
    """Cancel these until they are done; what they raise is seen and dropped.

    Once is not enough: before Python 3.12 `asyncio.wait_for`, which database drivers use, swallows a cancellation that
    comes together with its result. https://github.com/python/cpython/issues/81839
    """
    pending: Collection[asyncio.Task[Any]] = tasks
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_S)
    await asyncio.gather(*tasks, return_exceptions=True)
