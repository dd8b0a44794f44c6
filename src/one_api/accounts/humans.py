"""Sessions that have shown that a person sits there, signed in or not; they are not asked again."""

import secrets
from typing import Any, Final

from sqlalchemy import delete, insert, select, update

from one_api.accounts.sessions import LIFE_S, LONGEST_ID, hashed
from one_api.lib import json
from one_api.store.engine import Database
from one_api.store.schema import sessions

MARK: Final = "turnstile"
NOBODY: Final = 0  # the user of a session that nobody has signed in to
SHORTEST_ID: Final = 32


async def known(database: Database, session_id: str, *, now: int) -> bool:
    """Whether this session has shown it."""
    if not session_id or len(session_id) > LONGEST_ID:
        return False
    wanted = select(sessions.c.data).where(sessions.c.id_hash == hashed(session_id), sessions.c.expires_at > now)
    async with database.read() as tx:
        return read((await tx.execute(wanted)).scalar()).get(MARK) is True


async def remember(database: Database, session_id: str, *, now: int) -> str:
    """Note it in the session, or begin one for nobody, under the id the browser has if it has one. The id."""
    async with database.write() as tx:
        this = sessions.c.id_hash == hashed(session_id)
        row = (
            await tx.execute(select(sessions.c.data).where(this, sessions.c.expires_at > now).with_for_update())
        ).first()
        if row is not None:
            data = json.encode({**read(row.data), MARK: True}).decode()
            await tx.execute(update(sessions).where(this).values(data=data))
            return session_id
        new = session_id if SHORTEST_ID <= len(session_id) <= LONGEST_ID else secrets.token_urlsafe(32)
        made = {"id_hash": hashed(new), "user_id": NOBODY, "created_at": now, "expires_at": now + LIFE_S}
        await tx.execute(delete(sessions).where(sessions.c.id_hash == hashed(new)))  # it has expired
        await tx.execute(insert(sessions).values({**made, "data": json.encode({MARK: True}).decode()}))
    return new


def read(data: str | None) -> dict[str, Any]:
    """What a session carries, as a JSON object."""
    found = json.decode(data.encode()) if data else {}
    return found if isinstance(found, dict) else {}
