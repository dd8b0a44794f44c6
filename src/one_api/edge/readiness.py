"""What proxies and supervisors ask of a process: whether it lives, and whether it is to be sent requests.

Anyone may ask, as often as he likes: the database is looked at once a second at most, and no answer says more than its
sentence.
"""

import asyncio
import logging
import signal
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from one_api.errors import OneAPIError

ALIVE_PATH: Final = "/healthz"
READY_PATH: Final = "/readyz"
PROBES: Final = frozenset((ALIVE_PATH, READY_PATH))
PATIENCE_S: Final = 2.0
REMEMBERED_S: Final = 1.0

log = logging.getLogger(__name__)


class Readiness:
    """Whether the database answers and has the tables of this program, and nobody has told it to end.

    suitable: asks the database; raises OneAPIError where it does not answer.
    """

    def __init__(self, suitable: Callable[[], Awaitable[bool]], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._suitable = suitable
        self._clock = clock
        self._leaving = False
        self._looking = asyncio.Lock()
        self._looked = float("-inf")
        self._found = ""

    async def obstacle(self) -> str:
        """Why there should be no requests; empty if there is no reason."""
        if self._leaving:
            return "the process is ending"
        async with self._looking:
            if self._clock() - self._looked >= REMEMBERED_S:
                self._found = await self._look()
                self._looked = self._clock()
        return self._found

    async def _look(self) -> str:
        try:
            async with asyncio.timeout(PATIENCE_S):
                return "" if await self._suitable() else "the database is not up to date"
        except (OneAPIError, TimeoutError):
            return "the database does not answer"

    def routes(self) -> list[Route]:
        return [Route(ALIVE_PATH, alive, methods=["GET"]), Route(READY_PATH, self._ready, methods=["GET"])]

    async def _ready(self, _request: Request) -> Response:
        obstacle = await self.obstacle()
        return PlainTextResponse(f"{obstacle or 'ready'}\n", 503 if obstacle else 200)

    def heed_signals(self, grace_s: float) -> Callable[[], None]:
        """From SIGTERM on nobody is to come; `grace_s` later whoever handled it before is told. Returns the undoing."""
        before = signal.getsignal(signal.SIGTERM)
        if not callable(before):  # a server that does not end by signals
            return lambda: None
        loop = asyncio.get_running_loop()
        end = partial(before, signal.SIGTERM, None)

        def told() -> None:
            if grace_s and not self._leaving:
                log.info("Ending in %d s; /readyz says so", grace_s)
                loop.call_later(grace_s, end)
            else:
                end()
            self._leaving = True

        def undo() -> None:
            loop.remove_signal_handler(signal.SIGTERM)
            signal.signal(signal.SIGTERM, before)

        loop.add_signal_handler(signal.SIGTERM, told)
        return undo


async def alive(_request: Request) -> Response:
    return PlainTextResponse("alive\n")
