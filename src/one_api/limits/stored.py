"""Counts in the database, by its clock: for several processes without Redis. One transaction for each call.

A row for each key holds the counts of its minute; it is locked first, so that what is counted is exact. Rows are locked
in the order of their keys, the same in every process.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.limits.counts import MINUTE_S, SLOT_S, Exceeded, Standing, exceeded
from one_api.routing.limits import Want
from one_api.store.clock import now
from one_api.store.engine import Database, retrying
from one_api.store.schema import call_counts, call_slots
from one_api.store.upsert import upsert

KEPT_S: Final = 3600


class Stored:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def enter(self, wants: Sequence[Want], call: str) -> Standing | Exceeded:
        return await retrying(partial(self._enter, wants, call))

    async def leave(self, wants: Sequence[Want], call: str, *, minute: int, tokens: int) -> None:
        await retrying(partial(self._leave, wants, call, minute, tokens))

    async def renew(self, slots: Sequence[tuple[str, str]]) -> None:
        async with self._database.write() as tx:
            until = now(tx.dialect.name) + SLOT_S
            for name, call in slots:
                mine = and_(call_slots.c.name == name, call_slots.c.request_id == call)
                await tx.execute(update(call_slots).where(mine).values(until=until))

    async def _enter(self, wants: Sequence[Want], call: str) -> Standing | Exceeded:
        async with self._database.write() as tx:
            kind = tx.dialect.name
            rows = [await locked(tx, want.key) for want in wants]
            clock = int((await tx.execute(select(now(kind)))).scalar_one())  # after the locks: nobody's is later
            minute, left_s = clock // MINUTE_S, MINUTE_S - clock % MINUTE_S
            before = [(row.requests, row.tokens) if row.minute == minute else (0, 0) for row in rows]
            for place, (want, used) in enumerate(zip(wants, before, strict=True)):
                running = await running_under(tx, want.key, clock) if want.rule.parallel else 0
                refused = exceeded(place, want, used, running, left_s)
                if refused is not None:
                    return refused
            after = [(used[0] + 1, used[1] + want.cost) for want, used in zip(wants, before, strict=True)]
            for want, (requests, tokens) in zip(wants, after, strict=True):
                change = update(call_counts).where(call_counts.c.name == want.key)
                await tx.execute(change.values(minute=minute, requests=requests, tokens=tokens))
                if want.rule.parallel:
                    slot = {"name": want.key, "request_id": call, "until": clock + SLOT_S}
                    await tx.execute(upsert(kind, call_slots, slot))
            return Standing(minute, left_s, after)

    async def _leave(self, wants: Sequence[Want], call: str, minute: int, tokens: int) -> None:
        async with self._database.write() as tx:
            for want in wants:
                more = tokens - want.cost
                if want.rule.tokens and more:
                    same = and_(call_counts.c.name == want.key, call_counts.c.minute == minute)
                    changed = call_counts.c.tokens + more
                    await tx.execute(update(call_counts).where(same).values(tokens=changed))
                if want.rule.parallel:
                    mine = and_(call_slots.c.name == want.key, call_slots.c.request_id == call)
                    await tx.execute(delete(call_slots).where(mine))


async def locked(tx: AsyncConnection, name: str) -> Any:
    """The counts of a key, made if nobody has asked for them yet."""
    wanted = select(call_counts).where(call_counts.c.name == name).with_for_update()
    found = (await tx.execute(wanted)).first()
    if found is None:
        await tx.execute(upsert(tx.dialect.name, call_counts, {"name": name}))
        found = (await tx.execute(wanted)).one()
    return found


async def running_under(tx: AsyncConnection, name: str, clock: int) -> int:
    """Slots that are held; those that are over are removed on the way."""
    await tx.execute(delete(call_slots).where(call_slots.c.name == name, call_slots.c.until < clock))
    found = await tx.execute(select(func.count()).select_from(call_slots).where(call_slots.c.name == name))
    return int(found.scalar_one())


async def purge(tx: AsyncConnection) -> None:
    """Forget what nobody has asked for in an hour."""
    clock = int((await tx.execute(select(now(tx.dialect.name)))).scalar_one())
    await tx.execute(delete(call_counts).where(call_counts.c.minute < (clock - KEPT_S) // MINUTE_S))
    await tx.execute(delete(call_slots).where(call_slots.c.until < clock))
