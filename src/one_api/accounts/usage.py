"""What was used in the last days: by a user, by day and model; by all, by who or where it was.

A day is one of UTC on every database.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Select, func, select

from one_api.accounts.logs import CONSUME
from one_api.store.engine import Database
from one_api.store.schema import logs

WEEK: Final = 7
LONGEST: Final = 90
MOST: Final = 20  # users or channels, those that cost most
DAY_S: Final = 86_400


By = Literal["user", "channel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """One model on one day, `YYYY-MM-DD`."""

    day: str
    model_name: str
    request_count: int
    quota: int
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one user or channel used; a user's is his name, a channel's its number."""

    name: str
    request_count: int
    quota: int
    prompt_tokens: int
    completion_tokens: int


async def by_day(database: Database, *, user_id: int | None, days: int, now: int) -> list[Used]:
    """Today and the days before; None: of everybody."""
    async with database.read() as tx:
        return [
            Used(
                day=f"{datetime.fromtimestamp(int(row.day) * DAY_S, UTC):%Y-%m-%d}",
                model_name=row.model,
                request_count=row.requests,
                quota=int(row.quota),
                prompt_tokens=int(row.prompt_tokens),
                completion_tokens=int(row.completion_tokens),
            )
            for row in await tx.execute(_by_day_and_model(user_id, _days(days, now)))
        ]


async def shares(database: Database, *, by: By, days: int, now: int) -> list[Share]:
    """Of the last days, the costliest first."""
    async with database.read() as tx:
        return [
            Share(
                name=str(row.name),
                request_count=row.requests,
                quota=int(row.quota),
                prompt_tokens=int(row.prompt_tokens),
                completion_tokens=int(row.completion_tokens),
            )
            for row in await tx.execute(_by_name(by, _days(days, now)))
        ]


def _days(days: int, now: int) -> ColumnElement[bool]:
    """Whole days, the last of them today."""
    today = now // DAY_S
    return logs.c.created_at.between((today - days + 1) * DAY_S, (today + 1) * DAY_S - 1)


def _sums() -> list[ColumnElement[Any]]:
    return [
        func.coalesce(func.sum(column), 0).label(column.name)
        for column in (logs.c.quota, logs.c.prompt_tokens, logs.c.completion_tokens)
    ]


def _by_day_and_model(user_id: int | None, when: ColumnElement[bool]) -> Select[Any]:
    day = (logs.c.created_at // DAY_S).label("day")
    model = func.coalesce(logs.c.model_name, "").label("model")
    whose = () if user_id is None else (logs.c.user_id == user_id,)
    return (
        select(day, model, func.count().label("requests"), *_sums())
        .where(logs.c.type == CONSUME, when, *whose)
        .group_by("day", "model")
        .order_by("day", "model")
    )


def _by_name(by: By, when: ColumnElement[bool]) -> Select[Any]:
    column: ColumnElement[Any] = logs.c.username if by == "user" else logs.c.channel_id
    name = func.coalesce(column, "" if by == "user" else 0).label("name")
    return (
        select(name, func.count().label("requests"), *_sums())
        .where(logs.c.type == CONSUME, when)
        .group_by("name")
        .order_by(func.sum(logs.c.quota).desc(), "name")
        .limit(MOST)
    )
