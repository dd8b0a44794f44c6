"""What looking after channels writes down: tests, balances, and which channel a success rate may take out of use."""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Select, and_, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.channels import keys, queries, switching
from one_api.channels.rules import AUTO_DISABLED, DISABLED, ENABLED, Refused
from one_api.routing import Channel
from one_api.routing.health import may_eject
from one_api.store.engine import Database, retrying
from one_api.store.schema import abilities, channels, marks

log = logging.getLogger(__name__)

_SCOPES: Final = {"all": (), "disabled": (DISABLED, AUTO_DISABLED)}
_PROGRESS: Final = "channel test "


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the last test of many channels has come, on whichever node it runs. Times are Unix seconds."""

    running: bool
    total: int
    done: int
    failed: int
    began: int


async def find(database: Database, channel_id: int) -> Channel:
    """A channel as calls know it, read now: another process may just have made it. Raises Refused."""
    async with database.read() as tx:
        found = await queries.find(tx, channel_id)
    if found is None:
        raise Refused("record not found")
    return found


async def out_of_use(database: Database, channel: Channel) -> list[Channel]:
    """The channel with each of those keys that the gateway itself took out of use."""
    return [each for status, each in await _with_each_key(database, channel) if status == AUTO_DISABLED]


async def with_key(database: Database, channel: Channel, number: int) -> Channel:
    """The channel with the key of this number, in use or not. Raises Refused."""
    found = next((each for _, each in await _with_each_key(database, channel) if each.number == number), None)
    if found is None:
        raise Refused("record not found")
    return found


async def _with_each_key(database: Database, channel: Channel) -> list[tuple[int, Channel]]:
    """Each key's status, and the channel as calls are sent with it."""
    async with database.read() as tx:
        several = (await keys.of_all(tx, channel_id=channel.id)).get(channel.id, [])
    if all(key.text != channel.key for key in several):
        return []
    return [(key.status, replace(channel, key=key.text, number=key.number, keys=())) for key in several]


async def numbers(database: Database, scope: str) -> list[int]:
    """The channels of a scope, newest first; an unknown scope has none."""
    return await _numbers(database, _SCOPES[scope]) if scope in _SCOPES else []


async def in_use(database: Database) -> list[int]:
    """The enabled channels, newest first."""
    return await _numbers(database, (ENABLED,))


async def _numbers(database: Database, statuses: Collection[int]) -> list[int]:
    wanted = select(channels.c.id).order_by(channels.c.id.desc())
    if statuses:
        wanted = wanted.where(channels.c.status.in_(statuses))
    async with database.read() as tx:
        return list((await tx.execute(wanted)).scalars())


async def record_test(database: Database, channel_id: int, *, response_ms: int, now: int) -> None:
    await _write(database, channel_id, response_time=response_ms, test_time=now)


async def record_balance(database: Database, channel_id: int, *, balance: float, now: int) -> None:
    await _write(database, channel_id, balance=balance, balance_updated_time=now)


async def _write(database: Database, channel_id: int, **columns: Any) -> None:
    """Calls see none of these columns, so nobody has to hear of it."""
    async with database.write() as tx:
        await tx.execute(update(channels).where(channels.c.id == channel_id).values(columns))


class Switches:
    """Takes channels out of use and back into it, each by one conditional write."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def disable_key(self, channel: Channel, cause: str) -> int | None:
        """One of several keys; how many are left, None if it was out of use already."""
        now = int(self._clock())
        return await keys.disable(self._database, channel.id, channel.number, channel.key, cause, now=now)

    async def enable_key(self, channel: Channel) -> bool:
        """One of several keys, and its channel with it."""
        now = int(self._clock())
        return await keys.enable(self._database, channel.id, channel.number, channel.key, now=now)

    async def disable(self, channel_id: int, reason: str) -> bool:
        return await queries.disable(self._database, channel_id, reason)

    async def enable(self, channel_id: int) -> bool:
        return await queries.enable(self._database, channel_id)

    async def eject(self, channel_id: int, reason: str) -> bool:
        """False as well if too few channels would be left for one of its models."""

        async def work() -> bool:
            async with self._database.write() as tx:
                return await _eject(tx, channel_id, reason)

        won = await retrying(work)
        if won:
            log.warning("Channel %d was disabled: %s", channel_id, reason)
        return won


async def _eject(tx: AsyncConnection, channel_id: int, reason: str) -> bool:
    """The rivals' rows are locked, in one order for all, so that two channels of a model are not taken out at once."""
    places: dict[tuple[str, str], set[int]] = defaultdict(set)
    for row in await tx.execute(_rivals(channel_id)):
        places[row[0], row[1]].add(row[2])
    everybody = sorted({channel_id}.union(*places.values()))
    locked = select(channels.c.id, channels.c.status).where(channels.c.id.in_(everybody)).order_by(channels.c.id)
    statuses = (await tx.execute(locked.with_for_update())).all()
    in_use = {number: status == ENABLED for number, status in statuses if status in (ENABLED, AUTO_DISABLED)}
    if not may_eject(channel_id, places.values(), in_use):
        return False
    return await switching.switch(tx, channel_id, before=ENABLED, after=AUTO_DISABLED, cause=reason)


def _rivals(channel_id: int) -> Select[Any]:
    """Who serves the same models to the same groups, the channel itself included."""
    own, other = abilities.alias(), abilities.alias()
    same = and_(own.c.group == other.c.group, own.c.model == other.c.model)
    return (
        select(other.c.group, other.c.model, other.c.channel_id)
        .select_from(own.join(other, same))
        .where(own.c.channel_id == channel_id)
    )


# How far a test of many channels has come: rows of `marks`, which any node may ask for.


async def begin_progress(database: Database, *, total: int, now: int) -> None:
    values = {"total": total, "done": 0, "failed": 0, "began": now}
    async with database.write() as tx:
        await tx.execute(delete(marks).where(marks.c.name.in_([_PROGRESS + name for name in values])))
        await tx.execute(insert(marks), [{"name": _PROGRESS + name, "value": n} for name, n in values.items()])


async def advance_progress(database: Database, *, passed: bool) -> None:
    names = ["done"] if passed else ["done", "failed"]
    async with database.write() as tx:
        ours = marks.c.name.in_([_PROGRESS + name for name in names])
        await tx.execute(update(marks).where(ours).values(value=marks.c.value + 1))


async def progress(database: Database, *, running: bool) -> Progress:
    async with database.read() as tx:
        rows = await tx.execute(select(marks.c.name, marks.c.value).where(marks.c.name.like(f"{_PROGRESS}%")))
        found = {name.removeprefix(_PROGRESS): value for name, value in rows}
    return Progress(
        running=running,
        total=found.get("total", 0),
        done=found.get("done", 0),
        failed=found.get("failed", 0),
        began=found.get("began", 0),
    )
