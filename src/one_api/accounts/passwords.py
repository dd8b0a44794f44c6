"""Passwords as bcrypt hashes that One API's program can read, made and checked in threads.

bcrypt reads 72 bytes. One API's library ignored the rest when it checked; so does this, for its old hashes.
"""

import asyncio
import logging
from typing import Final

import bcrypt
from sqlalchemy import select

from one_api.accounts.rules import ENABLED, MOST_PASSWORD_BYTES, ROOT
from one_api.store.engine import Database
from one_api.store.schema import users

log = logging.getLogger(__name__)

COST: Final = 10
DEFAULT: Final = "123456"  # root's, until it is changed
# Of a password nobody has: who is unknown costs as much time as who is known.
_NOBODY: Final = "$2a$10$nI.T9uhBl7mcHxBY0WjW/.3/AsW1wtwFt8wcfm4q.QVfn/Sec6e0W"


async def hashed(password: str) -> str:
    """Raises ValueError above 72 bytes; who calls has refused that."""
    made = await asyncio.to_thread(bcrypt.hashpw, password.encode(), bcrypt.gensalt(COST, prefix=b"2a"))
    return made.decode()


async def verify(password: str, stored: str | None) -> bool:
    """Whether the password belongs to the hash. Without one the answer is False, and takes as long."""
    return await asyncio.to_thread(_verify, password, stored or _NOBODY) and bool(stored)


def _verify(password: str, stored: str) -> bool:
    try:
        return bcrypt.checkpw(password.encode()[:MOST_PASSWORD_BYTES], stored.encode())
    except ValueError:  # not a hash of this kind
        return False


async def warn_of_default(database: Database) -> bool:
    """At start: say so if a root user has the password everybody knows."""
    async with database.read() as tx:
        roots = select(users.c.username, users.c.password).where(users.c.role >= ROOT, users.c.status == ENABLED)
        found = (await tx.execute(roots)).all()
    default = [row.username for row in found if row.password and await verify(DEFAULT, row.password)]
    for username in default:
        announce_default(username)
    return bool(default)


def announce_default(username: str) -> None:
    log.warning("THE PASSWORD OF %r IS STILL THE DEFAULT ONE, which everybody knows: change it now", username)
