"""Codes that are worth quota, once.

Redeeming is one transaction: the code becomes used, the balance grows, the ledger has a row. It commits or it never
was, whenever the process ends. Two things decide who gets the credit, and either would do: the change of the row from
unused to used, which one transaction makes, and the ledger's unique key, which is the code itself.
"""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Row, Select, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.accounts.rules import SHORT, NotFound, Refused, check_length, check_quota, same
from one_api.store.engine import Database, retrying
from one_api.store.schema import redemptions

PAGE: Final = 10
UNUSED: Final = 1
USED: Final = 3
MOST_AT_ONCE: Final = 100
DEFAULT_QUOTA: Final = 100  # of a code made without one, as the column has it
NO_SUCH_CODE: Final = "兑换失败，无效的兑换码"
USED_BEFORE: Final = "兑换失败，该兑换码已被使用"

Pay: TypeAlias = Callable[[AsyncConnection, int], Awaitable[None]]
"""Credits that much, in this transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """A code as administrators see it; `user_id` made it, `count` is always 0."""

    id: int
    user_id: int
    key: str
    status: int
    name: str
    quota: int
    created_time: int
    redeemed_time: int
    count: int = 0

    def __repr__(self) -> str:
        return f"<Redemption {self.id}>"


async def page(database: Database, *, number: int) -> list[Redemption]:
    """Ten codes, newest first."""
    wanted = select(redemptions).order_by(redemptions.c.id.desc())
    return await _all(database, wanted.limit(PAGE).offset(number * PAGE))


async def search(database: Database, *, keyword: str) -> list[Redemption]:
    """By the beginning of the name, and by number; `%` and `_` keep their meaning."""
    found: ColumnElement[bool] = redemptions.c.name.like(f"{keyword}%")
    if keyword.isascii() and keyword.isdecimal() and len(keyword) < 19:
        found = or_(found, redemptions.c.id == int(keyword))
    return await _all(database, select(redemptions).where(found).order_by(redemptions.c.id))


async def get(database: Database, redemption_id: int) -> Redemption:
    """Raises Refused and NotFound."""
    async with database.read() as tx:
        return await _one(tx, redemption_id)


async def create(database: Database, *, user_id: int, name: str, quota: int, count: int, now: int) -> list[str]:
    """That many new codes, all or none. Raises Refused."""
    if not 1 <= len(name.encode()) <= 20:
        raise Refused("兑换码名称长度必须在1-20之间")
    if count <= 0:
        raise Refused("兑换码个数必须大于0")
    if count > MOST_AT_ONCE:
        raise Refused(f"一次兑换码批量生成的个数不能大于 {MOST_AT_ONCE}")
    check_quota(quota)
    keys = [secrets.token_hex(16) for _ in range(count)]
    common = {"user_id": user_id, "name": name, "quota": quota or DEFAULT_QUOTA, "created_time": now}
    async with database.write() as tx:
        for key in keys:
            await tx.execute(insert(redemptions).values(key=key, status=UNUSED, redeemed_time=0, **common))
    return keys


async def change(database: Database, redemption_id: int, *, name: str, quota: int) -> Redemption:
    """Write name and quota. Raises Refused and NotFound."""
    check_length("name", name, SHORT)
    check_quota(quota)
    return await _change(database, redemption_id, {"name": name, "quota": quota})


async def set_status(database: Database, redemption_id: int, status: int) -> Redemption:
    """Write the status; what is used stays used. Raises Refused and NotFound."""
    return await _change(database, redemption_id, {"status": status}, func.coalesce(redemptions.c.status, 0) != USED)


async def remove(database: Database, redemption_id: int) -> None:
    """Raises Refused and NotFound."""
    async with database.write() as tx:
        await _one(tx, redemption_id)
        await tx.execute(delete(redemptions).where(redemptions.c.id == redemption_id))


async def remove_used(database: Database) -> int:
    """How many there were. The ledger keeps what they were worth."""
    async with database.write() as tx:
        return (await tx.execute(delete(redemptions).where(redemptions.c.status == USED))).rowcount


async def redeem(database: Database, key: str, *, now: int, pay: Pay) -> int:
    """What the code was worth, when it is paid. Raises Refused.

    Looked at first without a lock, so that guesses do not wait for the writers, nor they for guesses.
    """
    if not key:
        raise Refused("未提供兑换码")
    async with database.read() as tx:
        row = (await tx.execute(select(redemptions).where(redemptions.c.key == key))).first()  # by idx_redemptions_key
    if row is None or not same(key, row.key or ""):
        raise Refused(NO_SUCH_CODE)
    if row.status != UNUSED:
        raise Refused(USED_BEFORE)
    try:
        return await retrying(partial(_redeem, database, row.id, key, now=now, pay=pay))
    except IntegrityError as error:  # the ledger has paid this code
        raise Refused(USED_BEFORE) from error


async def _redeem(database: Database, redemption_id: int, key: str, *, now: int, pay: Pay) -> int:
    unused = (redemptions.c.id == redemption_id, redemptions.c.status == UNUSED)
    async with database.write() as tx:
        marked = await tx.execute(update(redemptions).where(*unused).values(status=USED, redeemed_time=now))
        if marked.rowcount != 1:
            raise Refused(USED_BEFORE)
        code = await _one(tx, redemption_id)
        if not same(key, code.key):  # SQLite gives the number of a deleted row to the next
            raise Refused(NO_SUCH_CODE)
        await pay(tx, code.quota)
    return code.quota


async def _change(
    database: Database, redemption_id: int, values: dict[str, Any], *conditions: ColumnElement[bool]
) -> Redemption:
    async with database.write() as tx:
        await tx.execute(update(redemptions).where(redemptions.c.id == redemption_id, *conditions).values(values))
        return await _one(tx, redemption_id)


async def _one(tx: AsyncConnection, redemption_id: int) -> Redemption:
    if redemption_id == 0:
        raise Refused("id 为空！")
    row = (await tx.execute(select(redemptions).where(redemptions.c.id == redemption_id))).first()
    if row is None:
        raise NotFound
    return _as_redemption(row)


async def _all(database: Database, wanted: Select[Any]) -> list[Redemption]:
    async with database.read() as tx:
        return [_as_redemption(row) for row in await tx.execute(wanted)]


def _as_redemption(row: Row[Any]) -> Redemption:
    return Redemption(
        id=row.id,
        user_id=row.user_id or 0,
        key=row.key or "",
        status=row.status or 0,
        name=row.name or "",
        quota=row.quota or 0,
        created_time=row.created_time or 0,
        redeemed_time=row.redeemed_time or 0,
    )
