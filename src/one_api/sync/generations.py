"""The table of generations: how often each topic changed, and when it last did by the database's clock."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.store.clock import now
from one_api.store.schema import generations
from one_api.store.upsert import upsert

KEPT_S = 86_400  # a topic of one row is forgotten a day after its last change


async def bump(tx: AsyncConnection, *topics: str) -> None:
    """Say in this transaction that the topics changed, in one order for all: two writers do not deadlock."""
    for topic in sorted(set(topics)):
        await tx.execute(bumped(tx.dialect.name, topic))


def bumped(kind: str, topic: str) -> Any:
    at = now(kind)
    return upsert(kind, generations, {"topic": topic, "n": 1, "at": at}, again={"n": generations.c.n + 1, "at": at})


async def changed(tx: AsyncConnection, *, within: int) -> dict[str, int]:
    """Topics that changed in the last `within` seconds, by idx_generations_at."""
    recent = generations.c.at >= now(tx.dialect.name) - within
    rows = await tx.execute(select(generations.c.topic, generations.c.n).where(recent))
    return {row.topic: row.n for row in rows}


async def generation(tx: AsyncConnection, topics: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """What identifies the state of the topics; a topic that never changed has no part in it."""
    rows = await tx.execute(
        select(generations.c.topic, generations.c.n)
        .where(generations.c.topic.in_(topics))
        .order_by(generations.c.topic)
    )
    return tuple((row.topic, row.n) for row in rows)


async def purge(tx: AsyncConnection) -> int:
    """Forget topics of single rows (`token:7`) that have been quiet for a day; those of snapshots count on for ever."""
    quiet = generations.c.at < now(tx.dialect.name) - KEPT_S
    return (await tx.execute(delete(generations).where(quiet, generations.c.topic.like("%:%")))).rowcount
