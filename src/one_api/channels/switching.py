"""In use or not: a channel's status, its abilities and the cause change together, and every process hears of it."""

from typing import Final

from sqlalchemy import delete, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.channels.rules import ENABLED
from one_api.store.clock import now
from one_api.store.schema import abilities, channel_causes, channels
from one_api.sync import bump

TOPIC: Final = "routes"
LONGEST: Final = 191  # characters of a cause


async def switch(tx: AsyncConnection, channel_id: int, *, before: int, after: int, cause: str = "") -> bool:
    """Change a status and its abilities, if the status is still `before`. cause: shown while it is out of use."""
    was = (channels.c.id == channel_id, channels.c.status == before)
    if (await tx.execute(update(channels).where(*was).values(status=after))).rowcount != 1:
        return False
    theirs = update(abilities).where(abilities.c.channel_id == channel_id)
    await tx.execute(theirs.values(enabled=after == ENABLED))
    await _write_down(tx, channel_id, cause)
    await bump(tx, TOPIC)
    return True


async def _write_down(tx: AsyncConnection, channel_id: int, cause: str) -> None:
    """The row is locked by the change of its status, so nobody writes another cause meanwhile."""
    await tx.execute(delete(channel_causes).where(channel_causes.c.channel_id == channel_id))
    if not cause:
        return
    created = func.coalesce(channels.c.created_time, 0)
    row = select(channels.c.id, created, literal(cause[:LONGEST]), now(tx.dialect.name)).where(
        channels.c.id == channel_id
    )
    names = ("channel_id", "created_time", "cause", "disabled_time")
    await tx.execute(insert(channel_causes).from_select(names, row))
