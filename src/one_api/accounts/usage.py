"""What a user used in the last days, by day and model."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Select, func, select

from one_api.accounts.logs import CONSUME
from one_api.store.engine import Database
from one_api.store.schema import logs

DAYS: Final = 7
DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """One model on one day, `YYYY-MM-DD`."""

    day: str
    model_name: str
    request_count: int
    quota: int
    prompt_tokens: int
    completion_tokens: int


async def week(database: Database, *, user_id: int, now: int) -> list[Used]:
    """Today and the six days before. A day is one of UTC on every database."""
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
            for row in await tx.execute(_by_day_and_model(user_id, today=now // DAY_S))
        ]


def _by_day_and_model(user_id: int, *, today: int) -> Select[Any]:
    day = (logs.c.created_at // DAY_S).label("day")
    model = func.coalesce(logs.c.model_name, "").label("model")
    sums = [
        func.coalesce(func.sum(column), 0).label(column.name)
        for column in (logs.c.quota, logs.c.prompt_tokens, logs.c.completion_tokens)
    ]
    since, until = (today - DAYS + 1) * DAY_S, (today + 1) * DAY_S - 1
    return (
        select(day, model, func.count().label("requests"), *sums)
        .where(logs.c.type == CONSUME, logs.c.user_id == user_id, logs.c.created_at.between(since, until))
        .group_by("day", "model")
        .order_by("day", "model")
    )
