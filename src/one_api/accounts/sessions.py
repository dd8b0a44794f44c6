"""Sessions of the console: an opaque random id in a cookie, a row under its hash. A dump of the table opens none."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, delete, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.accounts.users import User, as_user, select_user
from one_api.store.engine import Database
from one_api.store.schema import sessions, users

LIFE_S: Final = 30 * 86_400
LONGEST_ID: Final = 64

# Built once: it is asked with every request of a browser. By primary keys.
_OPEN: Final = (
    select_user()
    .join_from(sessions, users, users.c.id == sessions.c.user_id)
    .where(sessions.c.id_hash == bindparam("id_hash"), sessions.c.expires_at > bindparam("now"))
)


@dataclass(frozen=True, slots=True)
class Session:
    """An open session and its user as he is now. `id_hash` names it; the id itself is the browser's alone."""

    id_hash: str
    user: User


def hashed(session_id: str) -> str:
    return hashlib.sha256(session_id.encode()).hexdigest()


async def begin(database: Database, *, user_id: int, now: int, instead_of: str = "") -> str:
    """Open a session in place of another, given by its id. The id for the cookie."""
    session_id = secrets.token_urlsafe(32)
    async with database.write() as tx:
        if instead_of:
            await tx.execute(delete(sessions).where(sessions.c.id_hash == hashed(instead_of)))
        row = {"id_hash": hashed(session_id), "user_id": user_id, "created_at": now, "expires_at": now + LIFE_S}
        await tx.execute(insert(sessions).values(row))
    return session_id


async def find(database: Database, session_id: str, *, now: int) -> Session | None:
    """The session with this id and its user's current row."""
    if not session_id or len(session_id) > LONGEST_ID:
        return None
    id_hash = hashed(session_id)
    async with database.read() as tx:
        row = (await tx.execute(_OPEN, {"id_hash": id_hash, "now": now})).first()
    return None if row is None else Session(id_hash, as_user(row))


async def end(database: Database, session_id: str) -> None:
    async with database.write() as tx:
        await tx.execute(delete(sessions).where(sessions.c.id_hash == hashed(session_id)))


async def purge(tx: AsyncConnection, *, now: int) -> int:
    """Delete what has expired, by idx_sessions_expires_at. How many there were."""
    return (await tx.execute(delete(sessions).where(sessions.c.expires_at <= now))).rowcount
