"""The look-ups by secret: a token by its key, a user by session or access token. Each is one indexed query."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.accounts.rules import ENABLED, EXHAUSTED, Holder
from one_api.store.schema import tokens, users


def _holder() -> Select[Any]:
    columns = (
        tokens.c.id,
        tokens.c.user_id,
        tokens.c.key,
        tokens.c.status,
        tokens.c.name,
        tokens.c.expired_time,
        tokens.c.remain_quota,
        tokens.c.unlimited_quota,
        tokens.c.models,
        tokens.c.subnet,
        users.c.username,
        users.c.status.label("user_status"),
        users.c.role,
        users.c["group"].label("user_group"),
    )
    return select(*columns).outerjoin_from(tokens, users, users.c.id == tokens.c.user_id)


async def find_holders(tx: AsyncConnection, keys: Sequence[str]) -> dict[str, Holder]:
    """The tokens with these keys, by idx_tokens_key; some may be there that differ in case, as the database compares.

    Whoever looks a key up in the dictionary learns nothing of others by the time it takes: hashes have a secret seed.
    """
    # Padded to a power of two, so that few statements are prepared.
    sought = [*keys, *[keys[-1]] * ((1 << (len(keys) - 1).bit_length()) - len(keys))]
    rows = await tx.execute(_HOLDERS, {"keys": sought})
    return {row.key: _as_holder(row) for row in rows}


def _as_holder(row: Row[Any]) -> Holder:
    return Holder(
        id=row.id,
        user_id=row.user_id or 0,
        key=row.key,
        status=row.status or 0,
        name=row.name or "",
        expired_time=-1 if row.expired_time is None else row.expired_time,
        remain_quota=row.remain_quota or 0,
        unlimited=bool(row.unlimited_quota),
        models=row.models or "",
        subnet=row.subnet or "",
        username=row.username or "",
        user_status=row.user_status or 0,
        role=row.role or 0,
        group=row.user_group or "",
    )


_HOLDERS = _holder().where(tokens.c.key.in_(bindparam("keys", expanding=True)))


async def retire_token(tx: AsyncConnection, token: Holder, *, becomes: int) -> bool:
    """Write that a token was found expired or exhausted, unless it is not so any more."""
    still = tokens.c.expired_time == token.expired_time
    if becomes == EXHAUSTED:
        limited = or_(tokens.c.unlimited_quota.is_(None), tokens.c.unlimited_quota.in_((False,)))
        still = and_(func.coalesce(tokens.c.remain_quota, 0) <= 0, limited)
    change = update(tokens).where(tokens.c.id == token.id, tokens.c.status == ENABLED, still).values(status=becomes)
    return (await tx.execute(change)).rowcount == 1


async def balances(tx: AsyncConnection, *, user_id: int, token_id: int) -> tuple[int, int, int, int]:
    """What the token may still spend and has spent, and the same of its user."""
    of_token = select(tokens.c.remain_quota, tokens.c.used_quota).where(tokens.c.id == token_id)
    of_user = select(users.c.quota, users.c.used_quota).where(users.c.id == user_id)
    rows = [(await tx.execute(query)).first() for query in (of_token, of_user)]
    numbers = [number or 0 for row in rows for number in (row or (0, 0))]
    return numbers[0], numbers[1], numbers[2], numbers[3]
