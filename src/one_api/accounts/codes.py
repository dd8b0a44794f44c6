"""Codes that prove an address is somebody's: one is sent there, and whoever brings it back may act once.

A code is good for one purpose, address and account, for ten minutes, five tries and one use, on every node. Stored are
hashes: the address's, and the code's by bcrypt, because six hexadecimal digits are few.

Checking and spending are two steps, so that a name already taken costs no code: `check` counts the try, and the
transaction that does what the code is for spends it, once.
"""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import and_, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.accounts import passwords
from one_api.store.engine import Database
from one_api.store.schema import verification_codes as table
from one_api.store.upsert import upsert

Purpose = Literal["email", "reset"]

LIFE_S: Final = 600
TRIES: Final = 5
LONGEST: Final = 64
_DIGITS: Final[dict[Purpose, int]] = {"email": 6, "reset": 32}


@dataclass(frozen=True, slots=True)
class Ticket:
    """A right code, not yet spent. `user_id` is the account it was made for, 0 for nobody's."""

    purpose: Purpose
    address: str
    user_id: int
    code_hash: str

    def serves(self, user_id: int) -> bool:
        """Whether this account, 0 for none, may use it: who asked for it, or anybody if nobody was signed in."""
        return self.user_id in (0, user_id)

    def __repr__(self) -> str:
        return f"<Ticket {self.purpose} user {self.user_id}>"


async def issue(database: Database, purpose: Purpose, address: str, *, user_id: int, now: int) -> str:
    """A new code in place of the last one for this address."""
    digits = _DIGITS[purpose]
    code = secrets.token_hex(digits // 2)
    row = {
        "purpose": purpose,
        "address_hash": hashed(address),
        "user_id": user_id,
        "code_hash": await passwords.hashed(code),
        "tries": 0,
        "created_at": now,
        "expires_at": now + LIFE_S,
    }
    async with database.write() as tx:
        await tx.execute(upsert(tx.dialect.name, table, row, again=row))
    return code


async def check(database: Database, purpose: Purpose, address: str, code: str, *, now: int) -> Ticket | None:
    """The ticket, if this is the code. Every answer takes as long; a wrong one is counted before it is looked at."""
    usable = and_(_of(purpose, address), table.c.tries < TRIES, table.c.expires_at > now)
    row = None
    async with database.write() as tx:
        counted = await tx.execute(update(table).where(usable).values(tries=table.c.tries + 1))
        if counted.rowcount == 1:
            row = (await tx.execute(select(table.c.code_hash, table.c.user_id).where(_of(purpose, address)))).first()
    good = await passwords.verify(code[:LONGEST], row.code_hash if row is not None else None)
    if row is None or not good:
        return None
    ticket = Ticket(purpose, address, row.user_id, row.code_hash)
    async with database.write() as tx:  # a right one is no try
        await tx.execute(update(table).where(_this(ticket)).values(tries=table.c.tries - 1))
    return ticket


async def spend(tx: AsyncConnection, ticket: Ticket) -> bool:
    """Use it up in this transaction; False if that has been done, or a newer code was sent."""
    return (await tx.execute(delete(table).where(_this(ticket)))).rowcount == 1


async def purge(tx: AsyncConnection, *, now: int) -> int:
    """Delete what has expired, by idx_verification_codes_expires_at. How many there were."""
    return (await tx.execute(delete(table).where(table.c.expires_at <= now))).rowcount


def hashed(address: str) -> str:
    return hashlib.sha256(address.encode(errors="surrogatepass")).hexdigest()


def _of(purpose: Purpose, address: str) -> Any:
    return and_(table.c.purpose == purpose, table.c.address_hash == hashed(address))


def _this(ticket: Ticket) -> Any:
    return and_(_of(ticket.purpose, ticket.address), table.c.code_hash == ticket.code_hash)
