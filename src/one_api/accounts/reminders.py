"""Who has been told that his quota runs low: each crossing of the threshold once, whichever process notices it.

What somebody was told is a row of `marks`; it goes when his balance is good again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from sqlalchemy import delete, func, select, update

from one_api.store.engine import Database, retrying
from one_api.store.schema import holds, marks, users
from one_api.store.upsert import upsert

_MARK: Final = "reminded "


class Level(IntEnum):
    """How bad it is."""

    GOOD = 0
    LOW = 1
    EMPTY = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A user's balance with what his running calls hold, all he ever had, and what he was told."""

    user_id: int
    email: str
    left: int
    ever: int
    told: Level

    def level(self, threshold: int) -> Level:
        """Whoever never had as much as the threshold has not fallen below it."""
        if self.left <= 0:
            return Level.EMPTY
        return Level.LOW if self.left < threshold <= self.ever else Level.GOOD


async def standings(database: Database, user_ids: Sequence[int]) -> list[Standing]:
    """Of those with an address. Holds are read first: what is settled in between makes a balance look better."""
    async with database.read() as tx:
        held_by = select(holds.c.user_id, func.sum(holds.c.quota)).where(holds.c.user_id.in_(user_ids))
        held = {user_id: int(quota) for user_id, quota in await tx.execute(held_by.group_by(holds.c.user_id))}
        names = {_MARK + str(user_id): user_id for user_id in user_ids}
        rows = await tx.execute(select(marks.c.name, marks.c.value).where(marks.c.name.in_(list(names))))
        told = {names[name]: Level(value) for name, value in rows}
        columns = (users.c.id, users.c.email, users.c.quota, users.c.used_quota)
        people = await tx.execute(select(*columns).where(users.c.id.in_(user_ids), users.c.email != ""))
        return [
            Standing(
                user_id=row.id,
                email=row.email,
                left=(row.quota or 0) + held.get(row.id, 0),
                ever=(row.quota or 0) + held.get(row.id, 0) + (row.used_quota or 0),
                told=told.get(row.id, Level.GOOD),
            )
            for row in people
        ]


async def note(database: Database, user_id: int, level: Level) -> bool:
    """Write down what he is to be told. False if he has been told as much already."""

    async def work() -> bool:
        async with database.write() as tx:
            name = _MARK + str(user_id)
            await tx.execute(upsert(tx.dialect.name, marks, {"name": name}))
            worse = update(marks).where(marks.c.name == name, marks.c.value < level)
            return (await tx.execute(worse.values(value=level))).rowcount == 1

    return await retrying(work)


async def relieve(database: Database, relieved: Iterable[Standing], threshold: int) -> None:
    """What they were told is not true any more, or not all of it."""
    async with database.write() as tx:
        for each in sorted(relieved, key=lambda standing: standing.user_id):
            mark, level = marks.c.name == _MARK + str(each.user_id), each.level(threshold)
            if level is Level.GOOD:
                await tx.execute(delete(marks).where(mark))
            else:
                await tx.execute(update(marks).where(mark).values(value=level))
