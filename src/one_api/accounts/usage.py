"""What was used in the last days: by a user, by day and model; by all, by who or where it was.

A day is one of UTC on every database. Where sums of hours are kept (`rolled`), only what is newer than they are is read
from the log.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, FromClause, Select, func, literal, select, union_all

from one_api.accounts import rollup
from one_api.accounts.logs import CONSUME
from one_api.store.engine import Database
from one_api.store.schema import logs, usage_hours, users

WEEK: Final = 7
LONGEST: Final = 90
MOST: Final = 20  # users or channels, those that cost most
DAY_S: Final = 86_400


By = Literal["user", "channel"]
COLUMNS: Final = {"user": "username", "channel": "channel_id"}


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


async def by_day(database: Database, *, user_id: int | None, days: int, now: int, rolled: bool = False) -> list[Used]:
    """Today and the days before; None: of everybody."""
    async with database.read() as tx:
        source = _calls(await rollup.mark(tx) if rolled else None)
        return [
            Used(
                day=f"{datetime.fromtimestamp(int(row.day) * DAY_S, UTC):%Y-%m-%d}",
                model_name=row.model,
                request_count=int(row.requests),
                quota=int(row.quota),
                prompt_tokens=int(row.prompt_tokens),
                completion_tokens=int(row.completion_tokens),
            )
            for row in await tx.execute(_by_day_and_model(source, user_id, _days(source, days, now)))
        ]


async def shares(
    database: Database, *, people: Database, by: By, days: int, now: int, rolled: bool = False
) -> list[Share]:
    """Of the last days, the costliest first. `people` is where the users are; sums know them by their numbers."""
    async with database.read() as tx:
        mark = await rollup.mark(tx) if rolled else None
        source = _calls(mark)
        numbered = by == "user" and mark is not None
        rows = (
            await tx.execute(_by_name(source, "user_id" if numbered else COLUMNS[by], _days(source, days, now)))
        ).all()
    named = await _names(people, [int(row.name) for row in rows]) if numbered else {}
    return [
        Share(
            name=named.get(row.name, str(row.name)),
            request_count=int(row.requests),
            quota=int(row.quota),
            prompt_tokens=int(row.prompt_tokens),
            completion_tokens=int(row.completion_tokens),
        )
        for row in rows
    ]


async def _names(people: Database, numbers: list[int]) -> dict[int, str]:
    async with people.read() as tx:
        found = await tx.execute(select(users.c.id, users.c.username).where(users.c.id.in_(numbers)))
        return {int(row.id): str(row.username) for row in found}


def _calls(mark: int | None) -> FromClause:
    """Calls with the time, the names and what they used: each of them, or those up to the mark by the hour."""
    new = select(
        logs.c.created_at,
        logs.c.user_id,
        logs.c.username,
        logs.c.channel_id,
        logs.c.model_name,
        literal(1).label("requests"),
        logs.c.quota,
        logs.c.prompt_tokens,
        logs.c.completion_tokens,
    ).where(logs.c.type == CONSUME)
    if mark is None:
        return new.subquery("calls")
    old = select(
        (usage_hours.c.hour * rollup.HOUR_S).label("created_at"),
        usage_hours.c.user_id,
        literal("").label("username"),
        usage_hours.c.channel_id,
        usage_hours.c.model_name,
        usage_hours.c.requests,
        usage_hours.c.quota,
        usage_hours.c.prompt_tokens,
        usage_hours.c.completion_tokens,
    )
    return union_all(old, new.where(logs.c.id > mark)).subquery("calls")


def _days(source: FromClause, days: int, now: int) -> ColumnElement[bool]:
    """Whole days, the last of them today."""
    today = now // DAY_S
    return source.c.created_at.between((today - days + 1) * DAY_S, (today + 1) * DAY_S - 1)


def _sums(source: FromClause) -> list[ColumnElement[Any]]:
    return [
        func.coalesce(func.sum(source.c[name]), 0).label(name)
        for name in ("requests", "quota", "prompt_tokens", "completion_tokens")
    ]


def _by_day_and_model(source: FromClause, user_id: int | None, when: ColumnElement[bool]) -> Select[Any]:
    day = (source.c.created_at // DAY_S).label("day")
    model = func.coalesce(source.c.model_name, "").label("model")
    whose = () if user_id is None else (source.c.user_id == user_id,)
    return select(day, model, *_sums(source)).where(when, *whose).group_by("day", "model").order_by("day", "model")


def _by_name(source: FromClause, column: str, when: ColumnElement[bool]) -> Select[Any]:
    name = func.coalesce(source.c[column], "" if column == "username" else 0).label("name")
    return (
        select(name, *_sums(source))
        .where(when)
        .group_by("name")
        .order_by(func.sum(source.c.quota).desc(), "name")
        .limit(MOST)
    )
