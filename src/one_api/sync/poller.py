"""Notices changes made by any process and tells the parts of this one that remember something."""

import asyncio
import inspect
import logging
import time
from collections.abc import Awaitable, Callable

from one_api.store.engine import FAILURES, Database
from one_api.sync.generations import changed

log = logging.getLogger(__name__)

EVERY_S = 0.5
WINDOW_S = 60  # a transaction may commit this long after it said when

Callback = Callable[[str], Awaitable[object] | None]
Sleep = Callable[[float], Awaitable[object]]


class Poller:
    """Reads recent changes twice a second and calls the subscribers of each topic that moved.

    A subscriber that fails hears of the topic again at the next look. At the first look, and after an outage,
    everything recent counts as moved: subscribers must bear being told too much.
    """

    def __init__(
        self, database: Database, *, sleep: Sleep = asyncio.sleep, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._sleep = sleep
        self._clock = clock
        self._subscribers: list[tuple[str, Callback]] = []
        self._seen: dict[str, int] = {}
        self._looked = clock()
        self._busy = asyncio.Lock()
        self._failing = False

    def on(self, prefix: str, callback: Callback) -> None:
        """Call `callback(topic)` for every topic that begins with `prefix` and moved; await its result if it can be."""
        self._subscribers.append((prefix, callback))

    async def look(self) -> None:
        """Look now. Raises what the database or a subscriber raised, after all have been told."""
        async with self._busy:
            began = self._clock()
            async with self._database.read() as tx:
                recent = await changed(tx, within=WINDOW_S + int(began - self._looked))
            failures = [failure for topic, n in recent.items() if (failure := await self._tell(topic, n))]
            # What dropped out of the window is forgotten: it has been told, and its return is news.
            self._seen = {topic: n for topic, n in self._seen.items() if topic in recent}
            if failures:
                raise failures[0]
            self._looked = began

    async def _tell(self, topic: str, n: int) -> Exception | None:
        if self._seen.get(topic) == n:
            return None
        failed: Exception | None = None
        for prefix, callback in self._subscribers:
            if topic.startswith(prefix):
                try:
                    result = callback(topic)
                    if inspect.isawaitable(result):
                        await result
                except Exception as error:  # noqa: BLE001 - any part may fail; the others still have to hear
                    failed = error
        if failed is None:
            self._seen[topic] = n
        return failed

    async def run(self) -> None:
        """Look for ever; an outage is logged when it begins and when it ends."""
        while True:
            try:
                await self.look()
            except FAILURES as error:
                self._report(error)
            except Exception as error:
                if not self._failing:
                    log.exception("Changes cannot be applied")
                self._report(error)
            else:
                if self._failing:
                    log.warning("Changes are applied again")
                self._failing = False
            await self._sleep(EVERY_S)

    def _report(self, error: Exception) -> None:
        if not self._failing:
            log.warning("Changes cannot be read, remembered values stay: %s", error)
        self._failing = True
