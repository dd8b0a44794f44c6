"""The table `logs`, which users and administrators read. Calls get there through the ledger, all else from here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, func, insert, select

from one_api.store.engine import Database
from one_api.store.schema import logs

PAGE: Final = 10

TOPUP: Final = 1
CONSUME: Final = 2
MANAGE: Final = 3
SYSTEM: Final = 4
TEST: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row that is not about a call."""

    user_id: int
    type: int
    content: str
    username: str = ""
    quota: int = 0
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A row as it is shown; `channel` is the channel's number."""

    id: int
    user_id: int
    created_at: int
    type: int
    content: str
    username: str
    token_name: str
    model_name: str
    quota: int
    prompt_tokens: int
    completion_tokens: int
    channel: int
    request_id: str
    elapsed_time: int
    is_stream: bool
    system_prompt_reset: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What to look for; 0 and empty look for all. Both ends of the time are included."""

    type: int = 0
    start_timestamp: int = 0
    end_timestamp: int = 0
    model_name: str = ""
    username: str = ""
    token_name: str = ""
    channel: int = 0
    user_id: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        wanted: list[tuple[ColumnElement[Any], Any]] = [
            (logs.c.type, self.type),
            (logs.c.model_name, self.model_name),
            (logs.c.username, self.username),
            (logs.c.token_name, self.token_name),
            (logs.c.channel_id, self.channel),
        ]
        found = [column == value for column, value in wanted if value]
        if self.start_timestamp:
            found.append(logs.c.created_at >= self.start_timestamp)
        if self.end_timestamp:
            found.append(logs.c.created_at <= self.end_timestamp)
        if self.user_id is not None:
            found.append(logs.c.user_id == self.user_id)
        return found


async def write(database: Database, entries: Sequence[Entry], *, now: int) -> None:
    """Append rows, in this order."""
    empty = {
        "token_name": "",
        "model_name": "",
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "channel_id": 0,
        "elapsed_time": 0,
        "is_stream": False,
        "system_prompt_reset": False,
    }
    async with database.write() as tx:
        for entry in entries:
            row = {name: getattr(entry, name) for name in Entry.__dataclass_fields__}
            await tx.execute(insert(logs).values(created_at=now, **row, **empty))


async def page(database: Database, wanted: Filter, *, number: int) -> list[Log]:
    """Ten rows, newest first."""
    query = select(logs).where(*wanted.conditions()).order_by(logs.c.id.desc()).limit(PAGE).offset(number * PAGE)
    async with database.read() as tx:
        return [_as_log(row) for row in await tx.execute(query)]


async def consumed(database: Database, wanted: Filter) -> int:
    """The quota of all calls that match; the type looked for does not count."""
    query = select(func.coalesce(func.sum(logs.c.quota), 0)).where(logs.c.type == CONSUME, *wanted.conditions())
    async with database.read() as tx:
        return int((await tx.execute(query)).scalar_one())


def _as_log(row: Row[Any]) -> Log:
    return Log(
        id=row.id,
        user_id=row.user_id or 0,
        created_at=row.created_at or 0,
        type=row.type or 0,
        content=row.content or "",
        username=row.username or "",
        token_name=row.token_name or "",
        model_name=row.model_name or "",
        quota=row.quota or 0,
        prompt_tokens=row.prompt_tokens or 0,
        completion_tokens=row.completion_tokens or 0,
        channel=row.channel_id or 0,
        request_id=row.request_id or "",
        elapsed_time=row.elapsed_time or 0,
        is_stream=bool(row.is_stream),
        system_prompt_reset=bool(row.system_prompt_reset),
    )
