"""A credit in somebody else's transaction: with the code it redeems, with the user it welcomes.

The writer's batches have a connection of their own. What has to happen together with a change elsewhere is written
here, on the connection of that change, so that no end of the process can come between the two. The rules are the
writer's: the user's row is locked before it is read, no balance falls below zero, and a second row of `ledger` for a
(key, kind) is an error that takes the whole transaction with it.
"""

from typing import Final, Literal, TypeAlias

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.errors import AccessDenied
from one_api.ledger.model import MOST, Facts, checked, storable
from one_api.store.schema import ledger, users

CreditKind: TypeAlias = Literal["redeem", "gift"]

INSTANCE: Final = "console"  # no writer's name: their rows are those of a process


async def credit(
    tx: AsyncConnection, *, user_id: int, amount: int, kind: CreditKind, key: str, facts: Facts, now: int
) -> None:
    """Add to a balance and book it; a negative amount takes, but never more than is there.

    Locks rows in the ledger's order, the user before the ledger. Raises IntegrityError for a key that is booked, and
    AccessDenied if there is no such user.
    """
    checked(amount, "a credit", lowest=-MOST)
    wanted = select(func.coalesce(users.c.quota, 0)).where(users.c.id == user_id).with_for_update()
    left = (await tx.execute(wanted)).scalar()
    if left is None:
        raise AccessDenied("用户不存在")
    moved = max(amount, -max(0, int(left)))
    await tx.execute(update(users).where(users.c.id == user_id).values(quota=int(left) + moved))
    facts = storable(facts)
    await tx.execute(
        insert(ledger).values(
            request_id=key,
            kind=kind,
            instance=INSTANCE,
            user_id=user_id,
            quota=moved,
            short=moved - amount,
            source=facts.source,
            created_at=now,
            username=facts.username,
            content=facts.content,
            logged=False,
            details=facts.details,
        )
    )
