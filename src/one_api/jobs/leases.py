"""A right that one process has at a time, kept in the database and measured by its clock."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.store.clock import now
from one_api.store.engine import FAILURES, Database, retrying
from one_api.store.schema import leases
from one_api.store.upsert import upsert
from one_api.sync import end

log = logging.getLogger(__name__)

LEASE_S = 30

Sleep = Callable[[float], Awaitable[object]]


class LeaseLost(Exception):
    """Another process may have begun the same work: this one stops at once."""


class Lease:
    """The right to do `name`. Taken by one conditional UPDATE, renewed when a third of its time is over.

    The holder counts its time from before the UPDATE, so he thinks it over before the database does.
    """

    def __init__(
        self,
        database: Database,
        name: str,
        *,
        holder: str,
        seconds: int = LEASE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.seconds = seconds
        self._database = database
        self._holder = holder
        self._clock = clock
        self._taken: float | None = None
        self._known = False

    @property
    def held(self) -> bool:
        """Whether the right is ours for sure; no database is asked. A second is left for its rounded clock."""
        return self._taken is not None and self._clock() < self._taken + self.seconds - 1

    async def hold(self) -> bool:
        """Take or renew the right; False if another has it.

        Raises what the database raises; an earlier right then stays until it ends.
        """
        if self._taken is not None and self._clock() < self._taken + self.seconds / 3:
            return True
        began = self._clock()
        won = await retrying(partial(self._update, self.seconds))
        self._taken = began if won else None
        return won

    async def release(self) -> None:
        """Let another process have it at once."""
        if self._taken is not None:
            self._taken = None
            await retrying(partial(self._update, -1))

    async def _update(self, seconds: int) -> bool:
        async with self._database.write() as tx:
            if not self._known:
                await tx.execute(upsert(tx.dialect.name, leases, {"name": self.name}))
            won = await take(tx, name=self.name, holder=self._holder, seconds=seconds)
        self._known = True
        return won


async def while_held(lease: Lease, work: Callable[[], Awaitable[object]], *, sleep: Sleep = asyncio.sleep) -> None:
    """Do the work of a lease that is held, and renew it meanwhile. Without it the work is cancelled: LeaseLost."""
    working = asyncio.ensure_future(work())
    keeper = asyncio.ensure_future(_keep(lease, sleep))
    try:
        await asyncio.wait((working, keeper), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise LeaseLost(f"lease {lease.name} lost")
        await working
    finally:
        await end(working, keeper)


async def _keep(lease: Lease, sleep: Sleep) -> None:
    """Renew; ends when the lease is lost."""
    while lease.held:
        await sleep(lease.seconds / 6)
        try:
            if not await lease.hold():
                return
        except FAILURES as error:
            log.debug("Lease %s could not be renewed: %s", lease.name, error)


async def give_back(lease: Lease) -> None:
    """Release it; a database that does not answer lets it end by itself."""
    try:
        await lease.release()
    except FAILURES as error:
        log.debug("Lease %s stays until it ends: %s", lease.name, error)


async def taken(database: Database, name: str) -> bool:
    """Whether anybody has the right now."""
    async with database.read() as tx:
        alive = select(leases.c.name).where(leases.c.name == name, leases.c.until >= now(tx.dialect.name))
        return (await tx.execute(alive)).first() is not None


async def take(tx: AsyncConnection, *, name: str, holder: str, seconds: int) -> bool:
    """Take the lease if it is free, over or the holder's own."""
    clock = now(tx.dialect.name)
    free = or_(leases.c.until < clock, leases.c.holder == holder)
    done = await tx.execute(
        update(leases).where(leases.c.name == name, free).values(holder=holder, until=clock + seconds)
    )
    return done.rowcount == 1
