"""Work that somebody starts and does not wait for, on one process of all at a time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from uuid import uuid4

from one_api.jobs.leases import Lease, LeaseLost, give_back, taken, while_held
from one_api.store.engine import FAILURES, Database
from one_api.sync import end

log = logging.getLogger(__name__)

Work = Callable[[], Awaitable[object]]


class Sweep:
    """Owns the task that does it, and the lease `name` while it does."""

    def __init__(self, database: Database, name: str) -> None:
        self.name = name
        self._database = database
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def begin(self, work: Work) -> bool:
        """Start the work; False if it runs already, here or elsewhere. Raises what the database raises."""
        lease = await self._lease()
        if lease is None:
            return False
        self._task = asyncio.get_running_loop().create_task(self._do(lease, work), name=self.name)
        return True

    async def run(self, work: Work) -> bool:
        """Do the work and return when it is done; False if it runs already."""
        lease = await self._lease()
        if lease is None:
            return False
        try:
            await while_held(lease, work)
        finally:
            await asyncio.shield(give_back(lease))
        return True

    async def running(self) -> bool:
        """Whether any process is at it."""
        return await taken(self._database, self.name)

    async def settled(self, within_s: float | None) -> None:
        """Wait for what was begun here, at most that long if there is a limit."""
        if self._task is not None:
            await asyncio.wait((self._task,), timeout=within_s)

    async def aclose(self) -> None:
        """Cut off what runs, and begin nothing more."""
        self._closed = True
        if self._task is not None:
            await end(self._task)

    async def _lease(self) -> Lease | None:
        """A right of its own for each run: two runs of one process are as much rivals as those of two."""
        lease = Lease(self._database, self.name, holder=uuid4().hex)
        return lease if not self._closed and await lease.hold() else None

    async def _do(self, lease: Lease, work: Work) -> None:
        try:
            await while_held(lease, work)
        except (*FAILURES, LeaseLost) as error:
            log.warning("%s was cut off: %s", self.name, error)
        except Exception:
            log.exception("%s failed", self.name)
        finally:
            await asyncio.shield(give_back(lease))
