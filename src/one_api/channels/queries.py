"""Channels and their abilities in the database: both change in one transaction, and every process hears of it."""

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Column, Select, and_, delete, func, insert, or_, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.channels import keys, rules, secrets, switching
from one_api.channels.rules import AUTO_DISABLED, DISABLED, ENABLED, Refused, Shown, Wish
from one_api.channels.switching import TOPIC
from one_api.routing import Channel, Routes
from one_api.store.engine import Database, retrying
from one_api.store.schema import abilities, channel_causes, channel_parameters, channels
from one_api.sync import bump

log = logging.getLogger(__name__)

PAGE: Final = 10
_BESIDE: Final = ("parameters", "key_choice")
_PARAMETERS: Final = tuple(channel_parameters.c[name] for name in _BESIDE)
_CAUSE: Final = ("cause", "disabled_time")
_SHOWN: Final = (
    *(channels.c[name] for name in Shown.__dataclass_fields__ if name not in ("key", *_BESIDE, *_CAUSE)),
    *(channel_causes.c[name] for name in _CAUSE),
)
_ROUTED: Final = tuple(
    channels.c[name]
    for name in (
        "id", "type", "name", "key", "base_url", "models", "group", "priority", "weight", "model_mapping",
        "system_prompt", "config", "other", "status",
    )
)  # fmt: skip
_SEQUENCE_FOLLOWS: Final = "SELECT setval(pg_get_serial_sequence('channels', 'id'), (SELECT max(id) FROM channels))"
_NULLABLE: Final = frozenset(("weight", "base_url", "other", "model_mapping", "priority", "system_prompt"))
_TEXTS: Final = frozenset(("name", "models", "group", "config", "cause", *_BESIDE))


async def load_routes(tx: AsyncConnection) -> Routes:
    """All channels and abilities as the table that calls are planned with."""
    several = await keys.of_all(tx)
    rows = (await tx.execute(_with_parameters(_ROUTED))).mappings()
    found = [rules.routed(dict(row), several.get(row["id"], ())) for row in rows]
    names = ("group", "model", "channel_id", "enabled", "priority")
    able = await tx.execute(select(*(abilities.c[name] for name in names)))
    return Routes.build(found, [(row[0], row[1], row[2], bool(row[3]), row[4] or 0) for row in able])


async def find(tx: AsyncConnection, channel_id: int) -> Channel | None:
    """A channel as calls know it."""
    row = (await tx.execute(_with_parameters(_ROUTED).where(channels.c.id == channel_id))).mappings().first()
    if row is None:
        return None
    several = await keys.of_all(tx, channel_id=channel_id)
    return rules.routed(dict(row), several.get(channel_id, ()))


def _with_parameters(columns: Sequence[Column[Any]]) -> Select[Any]:
    """The columns of channels, and what is kept beside them."""
    same = and_(
        channel_parameters.c.channel_id == channels.c.id,
        channel_parameters.c.created_time == func.coalesce(channels.c.created_time, 0),
    )
    return select(*columns, *_PARAMETERS).select_from(channels.outerjoin(channel_parameters, same))


def _with_all() -> Select[Any]:
    """As consoles know them: also why the gateway took them out of use, while they are."""
    why = and_(
        channel_causes.c.channel_id == channels.c.id,
        channel_causes.c.created_time == func.coalesce(channels.c.created_time, 0),
        channels.c.status == AUTO_DISABLED,
    )
    return _with_parameters(_SHOWN).outerjoin(channel_causes, why)


async def page(database: Database, *, number: int) -> list[Shown]:
    """Ten channels, newest first."""
    return await _all(database, _with_all().order_by(channels.c.id.desc()).limit(PAGE).offset(number * PAGE))


async def search(database: Database, *, keyword: str) -> list[Shown]:
    """By number, or by the beginning of the name."""
    number = int(keyword) if keyword.isascii() and keyword.isdecimal() and len(keyword) < 19 else 0
    wanted = or_(channels.c.id == number, channels.c.name.like(f"{keyword}%"))
    return await _all(database, _with_all().where(wanted).order_by(channels.c.id))


async def get(database: Database, channel_id: int) -> Shown:
    """Raises Refused."""
    async with database.read() as tx:
        return await _one(tx, channel_id)


async def create(database: Database, wish: Wish, *, now: int) -> list[int]:
    """A channel for each key, alike but for it, or one that has them all; their numbers. Raises Refused."""
    given = rules.keys(wish.key)
    several = rules.choice(wish.key_choice) != ""
    rows = [rules.first_row(wish, key, now) for key in (given[:1] if several else given)]
    beside = rules.beside(wish)
    for row in rows:
        rules.check(row)
    try:
        async with database.write() as tx:
            made = [await _insert(tx, row) for row in rows]
            for channel_id in made:
                await _write_beside(tx, channel_id, beside)
                if several:
                    await keys.put(tx, channel_id, given)
            await bump(tx, TOPIC)
            return made
    except IntegrityError as error:
        raise Refused("渠道 Id 已存在") from error


async def _insert(tx: AsyncConnection, row: Mapping[str, Any]) -> int:
    made = (await tx.execute(insert(channels).values(row))).inserted_primary_key
    if made is None:
        raise AssertionError("an INSERT of one row has a key")
    channel_id = int(made[0])
    if "id" in row and tx.dialect.name == "postgresql":  # a number of the operator's own does not move the sequence
        await tx.execute(text(_SEQUENCE_FOLLOWS))
    await _insert_abilities(tx, {**row, "id": channel_id})
    return channel_id


async def change(database: Database, wish: Wish) -> Shown:
    """Write what the wish names; the channel as it is then. Raises Refused."""
    if not wish.id:
        raise Refused("WHERE conditions required")
    columns, beside = rules.changes(wish), rules.beside(wish)
    key = columns.pop("key", "")
    rules.check(columns)
    async with database.write() as tx:
        it = channels.c.id == wish.id
        wanted = select(channels.c.config, channels.c.key, channels.c.created_time).where(it)
        stored = (await tx.execute(wanted.with_for_update())).first()
        if stored is not None:
            if "config" in columns:
                columns["config"] = secrets.restored(columns["config"], stored.config or "")
            columns |= await _keys(tx, wish, key, stored.key or "")
            theirs = and_(
                channel_parameters.c.channel_id == wish.id,
                channel_parameters.c.created_time == (stored.created_time or 0),
            )
            if "created_time" in columns:
                await tx.execute(update(channel_parameters).where(theirs).values(created_time=columns["created_time"]))
        if columns:
            await tx.execute(update(channels).where(it).values(columns))
        await _write_beside(tx, wish.id, beside)
        shown = await _one(tx, wish.id)
        await tx.execute(delete(abilities).where(abilities.c.channel_id == wish.id))
        await _insert_abilities(tx, {name: getattr(shown, name) for name in Shown.__dataclass_fields__})
        await bump(tx, TOPIC)
    return shown


async def _keys(tx: AsyncConnection, wish: Wish, key: str, stored: str) -> dict[str, str]:
    """What becomes of the column of the key. Lines of it are the keys of a channel that has several. Raises Refused."""
    chosen = wish.key_choice
    if chosen is None:
        beside = _with_parameters(()).where(channels.c.id == wish.id)
        chosen = (await tx.execute(beside.with_only_columns(channel_parameters.c.key_choice))).scalar()
    if not chosen:
        await keys.forget(tx, [wish.id])
        rules.check({"key": key})
        return {"key": key} if key else {}
    several = (await keys.of_all(tx, channel_id=wish.id)).get(wish.id, [])
    if not key and any(each.text == stored for each in several):
        return {}
    return {"key": await keys.put(tx, wish.id, rules.keys(key or stored))}


async def _write_beside(tx: AsyncConnection, channel_id: int, beside: Mapping[str, str]) -> None:
    """What One API has no columns for. Its time says of which channel with this number it is."""
    created = await tx.scalar(select(func.coalesce(channels.c.created_time, 0)).where(channels.c.id == channel_id))
    if created is None:
        return
    it = channel_parameters.c.channel_id == channel_id
    found = (await tx.execute(select(channel_parameters).where(it))).mappings().first()
    if found is None or found["created_time"] != created:
        if not any(beside.values()):
            return
        await tx.execute(delete(channel_parameters).where(it))
        row = {"channel_id": channel_id, "created_time": created, **beside}
        await tx.execute(insert(channel_parameters).values(row))
    elif beside:
        await tx.execute(update(channel_parameters).where(it).values(beside))


async def remove(database: Database, channel_id: int) -> None:
    """Raises Refused for number 0; one that does not exist is as good as removed."""
    if not channel_id:
        raise Refused("WHERE conditions required")
    async with database.write() as tx:
        await _delete(tx, [channel_id])


async def remove_all(database: Database, channel_ids: Collection[int]) -> None:
    """Those that do not exist are as good as removed."""
    async with database.write() as tx:
        await _delete(tx, list(channel_ids))


async def set_status(database: Database, channel_ids: Collection[int], status: int) -> None:
    """Take channels in or out of use by hand."""
    async with database.write() as tx:
        await tx.execute(update(channels).where(channels.c.id.in_(channel_ids)).values(status=status))
        theirs = update(abilities).where(abilities.c.channel_id.in_(channel_ids))
        await tx.execute(theirs.values(enabled=status == ENABLED))
        await bump(tx, TOPIC)


async def remove_disabled(database: Database) -> int:
    """Remove what an administrator or the gateway itself disabled. How many there were."""
    async with database.write() as tx:
        off = select(channels.c.id).where(channels.c.status.in_((DISABLED, AUTO_DISABLED))).order_by(channels.c.id)
        found = [row.id for row in await tx.execute(off.with_for_update())]
        if found:
            await _delete(tx, found)
        return len(found)


async def disable(database: Database, channel_id: int, reason: str) -> bool:
    """Take a channel out of use because of what it did. True for the one who found it enabled: he tells others."""
    won = await _switch(database, channel_id, before=ENABLED, after=AUTO_DISABLED, cause=reason)
    if won:
        log.warning("Channel %d was disabled: %s", channel_id, reason)
    return won


async def enable(database: Database, channel_id: int) -> bool:
    """Put a channel back into use that the gateway itself disabled; never one that somebody disabled by hand."""
    return await _switch(database, channel_id, before=AUTO_DISABLED, after=ENABLED)


async def _switch(database: Database, channel_id: int, *, before: int, after: int, cause: str = "") -> bool:
    async def work() -> bool:
        async with database.write() as tx:
            return await switching.switch(tx, channel_id, before=before, after=after, cause=cause)

    return await retrying(work)


async def _delete(tx: AsyncConnection, ids: list[int]) -> None:
    await tx.execute(delete(channels).where(channels.c.id.in_(ids)))
    await tx.execute(delete(abilities).where(abilities.c.channel_id.in_(ids)))
    await tx.execute(delete(channel_parameters).where(channel_parameters.c.channel_id.in_(ids)))
    await tx.execute(delete(channel_causes).where(channel_causes.c.channel_id.in_(ids)))
    await keys.forget(tx, ids)
    await bump(tx, TOPIC)


async def _insert_abilities(tx: AsyncConnection, row: Mapping[str, Any]) -> None:
    names = ("group", "model", "channel_id", "enabled", "priority")
    made = rules.abilities(
        channel_id=row["id"],
        models=row["models"] or "",
        group=row["group"] or "",
        status=row["status"],
        priority=row["priority"] or 0,
    )
    await tx.execute(insert(abilities), [dict(zip(names, ability, strict=True)) for ability in made])


async def _one(tx: AsyncConnection, channel_id: int) -> Shown:
    row = (await tx.execute(_with_all().where(channels.c.id == channel_id))).mappings().first()
    if row is None:
        raise Refused("record not found")
    return _as_shown(row)


async def _all(database: Database, wanted: Select[Any]) -> list[Shown]:
    async with database.read() as tx:
        return [_as_shown(row) for row in (await tx.execute(wanted)).mappings()]


def _as_shown(row: Mapping[Any, Any]) -> Shown:
    """NULL stays NULL where consoles expect it, and is empty or 0 elsewhere; secrets are left out."""
    found = {str(name): value for name, value in row.items()}
    for name, value in found.items():
        if value is None and name not in _NULLABLE:
            found[name] = "" if name in _TEXTS else 0
    found["config"] = secrets.hidden(found["config"])
    return Shown(**found)
