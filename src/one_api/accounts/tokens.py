"""A user's own tokens: nobody, root neither, reaches another's through here.

What a token may spend is the ledger's to change; these write every other column.
"""

import secrets
import string
import uuid
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import CursorResult, Row, Select, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.accounts import rules
from one_api.accounts.rules import ENABLED, NEVER, NotFound, Refused
from one_api.store.engine import Database
from one_api.store.schema import tokens
from one_api.sync import bump

PAGE: Final = 10
_LETTERS: Final = string.digits + string.ascii_letters
_ORDERS: Final = {
    "remain_quota": (tokens.c.unlimited_quota.desc(), tokens.c.remain_quota.desc(), tokens.c.id.desc()),
    "used_quota": (tokens.c.used_quota.desc(), tokens.c.id.desc()),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token as its owner sees it, key included."""

    id: int
    user_id: int
    key: str
    status: int
    name: str
    created_time: int
    accessed_time: int
    expired_time: int
    remain_quota: int
    unlimited_quota: bool
    used_quota: int
    models: str | None
    subnet: str | None

    def __repr__(self) -> str:
        return f"<Token {self.id}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an owner may say about a token."""

    name: str
    expired_time: int
    remain_quota: int
    unlimited_quota: bool
    models: str | None
    subnet: str | None


def new_key() -> str:
    """48 characters in One API's form: 16 random ones and a random UUID whose letters at even places are capitals."""
    return letters(16) + "".join(c.upper() if at % 2 == 0 else c for at, c in enumerate(hex_id()))


def hex_id() -> str:
    """A random UUID as 32 hexadecimal digits."""
    return uuid.uuid4().hex


def letters(count: int) -> str:
    """Random letters and digits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(count))


async def create(database: Database, *, user_id: int, wish: Wish, now: int) -> Token:
    """Raises Refused."""
    check(wish)
    async with database.write() as tx:
        return await add(tx, user_id=user_id, wish=wish, now=now)


async def add(tx: AsyncConnection, *, user_id: int, wish: Wish, now: int) -> Token:
    """A new token; an expiry of 0 means never, and no networks are written as empty ones."""
    values = {
        "user_id": user_id,
        "key": new_key(),
        "status": ENABLED,
        "name": wish.name,
        "created_time": now,
        "accessed_time": now,
        "expired_time": wish.expired_time or NEVER,
        "remain_quota": wish.remain_quota,
        "unlimited_quota": wish.unlimited_quota,
        "used_quota": 0,
        "models": wish.models,
        "subnet": wish.subnet or "",
    }
    made = await tx.execute(insert(tokens).values(values))
    return Token(id=new_id(made), **values)  # type: ignore[arg-type]  # the values above, by name


def new_id(made: CursorResult[Any]) -> int:
    """The number the database gave to the one row of an INSERT."""
    key = made.inserted_primary_key
    if key is None:
        raise AssertionError("an INSERT of one row has a key")
    return int(key[0])


async def page(database: Database, *, user_id: int, number: int, order: str) -> list[Token]:
    """Ten tokens, newest first unless `order` names another way."""
    wanted = _own(user_id).order_by(*_ORDERS.get(order, (tokens.c.id.desc(),))).limit(PAGE).offset(number * PAGE)
    return await _all(database, wanted)


async def search(database: Database, *, user_id: int, keyword: str) -> list[Token]:
    """All tokens whose name begins with `keyword`; `%` and `_` keep their meaning."""
    return await _all(database, _own(user_id).where(tokens.c.name.like(f"{keyword}%")).order_by(tokens.c.id))


async def get(database: Database, *, user_id: int, token_id: int) -> Token:
    """Raises Refused and NotFound."""
    async with database.read() as tx:
        return await _one(tx, user_id=user_id, token_id=token_id)


async def check_change(database: Database, *, user_id: int, token_id: int, enable: bool, now: int) -> Token:
    """The token that is to be changed. Raises Refused if it must not be, judged by what is stored."""
    token = await get(database, user_id=user_id, token_id=token_id)
    if enable:
        rules.check_enabling(
            status=token.status,
            expired_time=token.expired_time,
            remain_quota=token.remain_quota,
            unlimited=token.unlimited_quota,
            now=now,
        )
    return token


async def set_status(database: Database, *, user_id: int, token_id: int, status: int) -> Token:
    return await _change(database, user_id=user_id, token_id=token_id, values={"status": status})


async def replace(database: Database, *, user_id: int, token_id: int, wish: Wish) -> Token:
    """Write all a wish says but the quota, what it leaves out included."""
    values = {
        "name": wish.name,
        "expired_time": wish.expired_time,
        "models": wish.models,
        "subnet": wish.subnet,
    }
    return await _change(database, user_id=user_id, token_id=token_id, values=values)


async def remove(database: Database, *, user_id: int, token_id: int) -> None:
    """Raises Refused and NotFound."""
    async with database.write() as tx:
        await _one(tx, user_id=user_id, token_id=token_id)
        await tx.execute(delete(tokens).where(tokens.c.id == token_id, tokens.c.user_id == user_id))
        await bump(tx, f"token:{token_id}")


def check(wish: Wish) -> None:
    """Raises Refused for what no token can have."""
    rules.check_token(wish.name, wish.subnet)
    rules.check_quota(wish.remain_quota)
    rules.check_length("models", wish.models or "", rules.LONG)
    rules.check_length("subnet", wish.subnet or "", rules.SHORT)


async def _change(database: Database, *, user_id: int, token_id: int, values: dict[str, Any]) -> Token:
    async with database.write() as tx:
        own = (tokens.c.id == token_id, tokens.c.user_id == user_id)
        await tx.execute(update(tokens).where(*own).values(values))
        await bump(tx, f"token:{token_id}")
        return await _one(tx, user_id=user_id, token_id=token_id)


async def _one(tx: AsyncConnection, *, user_id: int, token_id: int) -> Token:
    if token_id == 0:
        raise Refused("id 或 userId 为空！")
    row = (await tx.execute(_own(user_id).where(tokens.c.id == token_id))).first()
    if row is None:
        raise NotFound
    return _as_token(row)


async def _all(database: Database, wanted: Select[Any]) -> list[Token]:
    async with database.read() as tx:
        return [_as_token(row) for row in await tx.execute(wanted)]


def _own(user_id: int) -> Select[Any]:
    return select(tokens).where(tokens.c.user_id == user_id)


def _as_token(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        user_id=row.user_id or 0,
        key=row.key or "",
        status=row.status or 0,
        name=row.name or "",
        created_time=row.created_time or 0,
        accessed_time=row.accessed_time or 0,
        expired_time=row.expired_time or 0,
        remain_quota=row.remain_quota or 0,
        unlimited_quota=bool(row.unlimited_quota),
        used_quota=row.used_quota or 0,
        models=row.models,
        subnet=row.subnet,
    )
