"""Several keys in one channel: which it has, which are in use, and why others are not.

channels.key is always one of them, the first in use, so that One API's program finds a channel that works. Where it is
another, that program changed it: then it is the only one.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import and_, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.channels.rules import AUTO_DISABLED, DISABLED, ENABLED, Key, Refused, check
from one_api.channels.switching import LONGEST, TOPIC
from one_api.channels.switching import switch as switch_channel
from one_api.store.engine import Database, retrying
from one_api.store.schema import channel_keys, channel_parameters, channels
from one_api.sync import bump

log = logging.getLogger(__name__)

MOST: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownKey:
    """A key without itself. hint: its last letters, if it is long enough. cause: why it was taken out of use."""

    number: int
    hint: str
    status: int
    cause: str
    changed_at: int


async def of_all(tx: AsyncConnection, *, channel_id: int | None = None) -> Mapping[int, list[Key]]:
    """The keys of channels that have several, by channel."""
    wanted = select(channel_keys.c.channel_id, channel_keys.c.number, channel_keys.c.key, channel_keys.c.status)
    if channel_id is not None:
        wanted = wanted.where(channel_keys.c.channel_id == channel_id)
    found: dict[int, list[Key]] = {}
    for number, *row in await tx.execute(wanted.order_by(channel_keys.c.channel_id, channel_keys.c.number)):
        found.setdefault(number, []).append(Key(*row))
    return found


async def shown(database: Database, channel_id: int) -> list[ShownKey]:
    """Raises Refused for a channel that does not exist; one of a single key has none to tell apart."""
    async with database.read() as tx:
        stored = await _channel_key(tx, channel_id)
        columns = (channel_keys.c.number, channel_keys.c.key, channel_keys.c.status, channel_keys.c.cause)
        wanted = select(*columns, channel_keys.c.changed_at).where(channel_keys.c.channel_id == channel_id)
        rows = (await tx.execute(wanted.order_by(channel_keys.c.number))).all()
    if all(row.key != stored for row in rows):
        return []
    return [
        ShownKey(
            number=row.number, hint=hint(row.key), status=row.status, cause=row.cause or "", changed_at=row.changed_at
        )
        for row in rows
    ]


def hint(key: str) -> str:
    """What tells a key from others, and opens nothing."""
    return key[-4:] if len(key) >= 24 and key[-4:].isalnum() else ""


async def put(tx: AsyncConnection, channel_id: int, keys: Sequence[str]) -> str:
    """Make these the channel's keys; those that it had before stay in or out of use. Gives the one to lead with.

    Raises Refused.
    """
    if len(keys) > MOST:
        raise Refused(f"渠道密钥过多，最多 {MOST} 个")
    for key in keys:
        check({"key": key})
    ours = channel_keys.c.channel_id == channel_id
    names = ("status", "cause", "changed_at")
    before = {row.key: row for row in await tx.execute(select(channel_keys).where(ours))}
    await tx.execute(delete(channel_keys).where(ours))
    rows = []
    for number, key in enumerate(dict.fromkeys(keys), 1):
        state = {name: getattr(before[key], name) for name in names} if key in before else {"status": ENABLED}
        rows.append({"channel_id": channel_id, "number": number, "key": key, "cause": "", "changed_at": 0, **state})
    await tx.execute(insert(channel_keys), rows)
    in_use = [row["key"] for row in rows if row["status"] == ENABLED]
    return str((in_use or [rows[0]["key"]])[0])


async def add(database: Database, channel_id: int, keys: Sequence[str]) -> None:
    """More keys for a channel that has several. Raises Refused."""
    async with database.write() as tx:
        before = await _locked(tx, channel_id)
        await _lead(tx, channel_id, await put(tx, channel_id, [*(key.text for key in before), *keys]))


async def remove(database: Database, channel_id: int, number: int) -> None:
    """Raises Refused for a key that the channel does not have, and for its last."""
    async with database.write() as tx:
        before = await _locked(tx, channel_id)
        left = [key for key in before if key.number != number]
        if len(left) == len(before):
            raise Refused("record not found")
        if not left:
            raise Refused("渠道至少需要一个密钥")
        gone = and_(channel_keys.c.channel_id == channel_id, channel_keys.c.number == number)
        await tx.execute(delete(channel_keys).where(gone))
        await _lead(tx, channel_id, next((key for key in left if key.status == ENABLED), left[0]).text)


async def switch(database: Database, channel_id: int, number: int, status: int, *, now: int) -> None:
    """Take a key in or out of use by hand. Raises Refused."""
    if status not in (ENABLED, DISABLED):
        raise Refused("密钥状态无效")
    async with database.write() as tx:
        before = await _locked(tx, channel_id)
        if all(key.number != number for key in before):
            raise Refused("record not found")
        await _mark(tx, channel_id, number, status, "", now)
        await _lead(tx, channel_id, _leading(before, number, status))
        if status == ENABLED:
            await switch_channel(tx, channel_id, before=AUTO_DISABLED, after=ENABLED)


async def disable(database: Database, channel_id: int, number: int, key: str, cause: str, *, now: int) -> int | None:
    """Take a key out of use because of what an upstream said of it: how many are left in use, None if it was out
    already. With the last one the channel goes out of use.
    """

    async def work() -> int | None:
        async with database.write() as tx:
            before = await _locked(tx, channel_id)
            if all((each.number, each.text, each.status) != (number, key, ENABLED) for each in before):
                return None
            await _mark(tx, channel_id, number, AUTO_DISABLED, cause[:LONGEST], now)
            left = sum(each.status == ENABLED for each in before) - 1
            if left:
                await _lead(tx, channel_id, _leading(before, number, AUTO_DISABLED))
            else:
                await bump(tx, TOPIC)
                await switch_channel(tx, channel_id, before=ENABLED, after=AUTO_DISABLED, cause=cause)
            return left

    left = await retrying(work)
    if left is not None:
        log.warning("Key %d of channel %d was disabled: %s", number, channel_id, cause)
    return left


async def enable(database: Database, channel_id: int, number: int, key: str, *, now: int) -> bool:
    """Put a key back into use that the gateway itself took out, and its channel with it."""

    async def work() -> bool:
        async with database.write() as tx:
            before = await _locked(tx, channel_id)
            if all((each.number, each.text, each.status) != (number, key, AUTO_DISABLED) for each in before):
                return False
            await _mark(tx, channel_id, number, ENABLED, "", now)
            await _lead(tx, channel_id, _leading(before, number, ENABLED))
            await switch_channel(tx, channel_id, before=AUTO_DISABLED, after=ENABLED)
            return True

    return await retrying(work)


async def forget(tx: AsyncConnection, channel_ids: Iterable[int]) -> None:
    """Channels that are gone, or have one key from now on."""
    await tx.execute(delete(channel_keys).where(channel_keys.c.channel_id.in_(list(channel_ids))))


async def _locked(tx: AsyncConnection, channel_id: int) -> list[Key]:
    """The keys of a channel that has several, which nobody else changes meanwhile. Raises Refused."""
    stored = await _channel_key(tx, channel_id, lock=True)
    choice = select(channel_parameters.c.key_choice).where(channel_parameters.c.channel_id == channel_id)
    found = (await of_all(tx, channel_id=channel_id)).get(channel_id, [])
    if not await tx.scalar(choice) or all(key.text != stored for key in found):
        raise Refused("该渠道只有一个密钥")
    return found


async def _channel_key(tx: AsyncConnection, channel_id: int, *, lock: bool = False) -> str:
    wanted = select(channels.c.key).where(channels.c.id == channel_id)
    row = (await tx.execute(wanted.with_for_update() if lock else wanted)).first()
    if row is None:
        raise Refused("record not found")
    return row.key or ""


async def _mark(tx: AsyncConnection, channel_id: int, number: int, status: int, cause: str, now: int) -> None:
    it = and_(channel_keys.c.channel_id == channel_id, channel_keys.c.number == number)
    await tx.execute(update(channel_keys).where(it).values(status=status, cause=cause, changed_at=now))


def _leading(before: Sequence[Key], number: int, status: int) -> str:
    """The first key in use once `number` has this status; the very first where none is."""
    in_use = [key.text for key in before if (status if key.number == number else key.status) == ENABLED]
    return (in_use or [before[0].text])[0]


async def _lead(tx: AsyncConnection, channel_id: int, key: str) -> None:
    await tx.execute(update(channels).where(channels.c.id == channel_id).values(key=key))
    await bump(tx, TOPIC)
