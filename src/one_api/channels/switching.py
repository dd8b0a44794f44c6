"""In use or not: a channel's status and its abilities change together, and every process hears of it."""

from typing import Final

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.channels.rules import ENABLED
from one_api.store.schema import abilities, channels
from one_api.sync import bump

TOPIC: Final = "routes"


async def switch(tx: AsyncConnection, channel_id: int, *, before: int, after: int) -> bool:
    """Change a status and its abilities, if the status is still `before`."""
    was = (channels.c.id == channel_id, channels.c.status == before)
    if (await tx.execute(update(channels).where(*was).values(status=after))).rowcount != 1:
        return False
    theirs = update(abilities).where(abilities.c.channel_id == channel_id)
    await tx.execute(theirs.values(enabled=after == ENABLED))
    await bump(tx, TOPIC)
    return True
