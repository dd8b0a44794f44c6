"""The table `logs`, which users and administrators read. Calls get there through the ledger, all else from here.

Lists are in the order of ids, and consoles nearly always name a time from the beginning to now. A planner takes that
for a choice, follows the index of times and sorts the whole table; so the index a list follows is decided here. What
most rows may match is looked for among the newest; then, if not too many rows are of the time, among those; else in the
order of ids or by the one name looked for. What must not be followed is hidden from the planner in an expression.

Ids and times grow together, but nothing promises it: how long a list takes may rely on that, what is in it does not.

A user's name has no index of its own, because each call would pay for it (docs/decisions/0007): it is the second column
of index_username_model_name, which is asked for each model that occurs.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, func, insert, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.errors import Unavailable
from one_api.store.engine import Database
from one_api.store.schema import logs

log = logging.getLogger(__name__)

PAGE: Final = 10
MOST_FOUND: Final = 100  # by a keyword
FEW: Final = 2000  # rows that may be read for a page where an index would find it too
MANY: Final = 100_000  # where else all rows that are newer would be read
LONG_AGO_S: Final = 3600  # what ended before that is hardly among the newest

TOPUP: Final = 1
CONSUME: Final = 2
MANAGE: Final = 3
SYSTEM: Final = 4
TEST: Final = 5

_NEWEST_FIRST: Final = logs.c.id.desc()
_HIDDEN_TIME: Final = logs.c.created_at + 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row that is not about a user's call."""

    user_id: int
    type: int
    content: str
    username: str = ""
    quota: int = 0
    request_id: str = ""
    model_name: str = ""
    channel_id: int = 0
    elapsed_time: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A row as it is shown; `channel` is the channel's number. Times of a call are in ms, 0 where not known."""

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
    first_token_time: int


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

    @property
    def timed(self) -> bool:
        return bool(self.start_timestamp or self.end_timestamp)

    @property
    def broad(self) -> bool:
        """Whether no index leads to few rows: many may be of one channel or model, and most are calls."""
        return not (self.username or self.token_name or self.user_id) and self.type in (0, CONSUME)

    @property
    def of_username(self) -> bool:
        """Whether the user's name is all that an index could find."""
        others = (self.model_name, self.token_name, self.channel, self.user_id)
        return bool(self.username) and not any(others) and self.type in (0, CONSUME)

    def ended(self, now: int) -> bool:
        """Whether the time is over so long that its rows are hardly among the newest."""
        return 0 < self.end_timestamp < now - LONG_AGO_S

    def times(self, created_at: ColumnElement[int] = logs.c.created_at) -> list[ColumnElement[bool]]:
        """The bounds of the time, on another expression for the column if so wanted."""
        found = []
        if self.start_timestamp:
            found.append(created_at >= self.start_timestamp)
        if self.end_timestamp:
            found.append(created_at <= self.end_timestamp)
        return found

    def names(self, *, hidden: bool = False) -> list[ColumnElement[bool]]:
        """All else; `hidden` from the planner."""
        texts = (
            (logs.c.model_name, self.model_name),
            (logs.c.username, self.username),
            (logs.c.token_name, self.token_name),
        )
        numbers = ((logs.c.channel_id, self.channel or None), (logs.c.user_id, self.user_id))
        found = [(column.concat("") if hidden else column) == value for column, value in texts if value]
        found += [(column + 0 if hidden else column) == value for column, value in numbers if value is not None]
        return [*found, *_of_type(self.type, hidden=hidden)]


async def write(database: Database, entries: Sequence[Entry], *, now: int) -> None:
    """Append rows, in this order."""
    empty = {
        "token_name": "",
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "is_stream": False,
        "system_prompt_reset": False,
    }
    async with database.write() as tx:
        for entry in entries:
            row = {name: getattr(entry, name) for name in Entry.__dataclass_fields__}
            await tx.execute(insert(logs).values(created_at=now, **row, **empty))


async def note(database: Database, entries: Sequence[Entry], *, now: int) -> None:
    """Append rows about what is done already; if they cannot be written, it stays done."""
    try:
        await write(database, entries, now=now)
    except Unavailable:
        log.exception("%d rows of the log are lost", len(entries))


async def page(database: Database, wanted: Filter, *, number: int, now: int) -> list[Log]:
    """Ten rows, newest first."""
    async with database.read() as tx:
        return [_as_log(row) for row in await _part(tx, wanted, first=number * PAGE, size=PAGE, now=now)]


async def newest(database: Database, wanted: Filter, *, most: int, now: int) -> list[Log]:
    """As many rows as may be, newest first."""
    async with database.read() as tx:
        return [_as_log(row) for row in await _part(tx, wanted, first=0, size=most, now=now)]


async def _part(tx: AsyncConnection, wanted: Filter, *, first: int, size: int, now: int) -> Sequence[Row[Any]]:
    def part(query: Select[Any]) -> Select[Any]:
        return query.limit(size).offset(first)

    if (wanted.of_username or (wanted.timed and wanted.broad)) and not wanted.ended(now):
        found = await _rows(tx, part(among_newest(wanted)))
        if len(found) == size:
            return found
    if wanted.timed and await _few(tx, wanted):
        query = _whole(part(by_time(wanted, most=first + size)))
    elif wanted.of_username:
        query = _whole(part(by_username(wanted, await models(tx))))
    else:
        query = part(by_number(wanted))
    return await _rows(tx, query)


async def _rows(tx: AsyncConnection, query: Select[Any]) -> Sequence[Row[Any]]:
    found: Sequence[Row[Any]] = (await tx.execute(query)).all()
    return found


async def _few(tx: AsyncConnection, wanted: Filter) -> bool:
    """Whether the rows of a time are few enough to be read all."""
    found = (await tx.execute(extent(wanted))).scalar_one()
    return found is None or abs(found) <= (MANY if wanted.broad else FEW)


def _whole(ids: Select[Any]) -> Select[Any]:
    """The rows of the ids, newest first; the ids alone are sorted faster than the rows."""
    page = ids.subquery()
    return select(logs).join(page, logs.c.id == page.c.id).order_by(_NEWEST_FIRST)


def extent(wanted: Filter) -> Select[Any]:
    """How far the ids of a time's first and last row are from each other: about as many rows there are, uncounted."""
    number = select(logs.c.id).where(*wanted.times()).limit(1)
    first = number.order_by(logs.c.created_at).scalar_subquery()
    last = number.order_by(logs.c.created_at.desc()).scalar_subquery()
    return select(last - first)


def by_time(wanted: Filter, *, most: int) -> Select[Any]:
    """The ids of the first `most` that match, newest first; by idx_created_at_type.

    That many of the latest times tell from which id on the newest can be, so that few are left to be sorted.
    """
    found = select(logs.c.id).where(*wanted.times(), *wanted.names(hidden=True))
    latest = found.order_by(logs.c.created_at.desc()).limit(most).subquery()
    least = select(func.min(latest.c.id)).scalar_subquery()
    number = logs.c.id + 0
    return found.where(number >= least).order_by(number.desc())


def by_number(wanted: Filter) -> Select[Any]:
    """What matches, newest first; by the index of a name, whose rows are in the order of ids, or by the ids."""
    conditions = (*wanted.times(_HIDDEN_TIME), *wanted.names())
    return select(logs).where(*conditions).order_by(_NEWEST_FIRST)


def among_newest(wanted: Filter) -> Select[Any]:
    """What matches among the last FEW, newest first; by the ids."""
    last = select(func.max(logs.c.id) - FEW).scalar_subquery()
    conditions = (*wanted.times(_HIDDEN_TIME), *wanted.names(hidden=True))
    return select(logs).where(logs.c.id > last, *conditions).order_by(_NEWEST_FIRST)


def by_username(wanted: Filter, names: Sequence[str]) -> Select[Any]:
    """The ids of what matches, newest first; by index_username_model_name, then sorted."""
    conditions = (*wanted.times(_HIDDEN_TIME), *wanted.names(), _of_models(names))
    return select(logs.c.id).where(*conditions).order_by((logs.c.id + 0).desc())


def _of_models(names: Sequence[str]) -> ColumnElement[bool]:
    """True of every row, if these are all models."""
    return or_(logs.c.model_name.in_(names), logs.c.model_name.is_(None))


async def models(tx: AsyncConnection) -> Sequence[str]:
    """All that occur."""
    return [name for name in (await tx.execute(all_models(tx.dialect.name))).scalars() if name is not None]


@cache
def all_models(dialect: str) -> Select[Any]:
    """One look into idx_logs_model_name for each. MySQL does so for DISTINCT; the others are told what follows what."""
    if dialect == "mysql":
        return select(logs.c.model_name).distinct()
    names = select(func.min(logs.c.model_name).label("name")).cte("names", recursive=True)
    following = select(func.min(logs.c.model_name)).where(logs.c.model_name > names.c.name).scalar_subquery()
    return select(names.union_all(select(following).where(names.c.name.is_not(None))).c.name)


def _of_type(kind: int, *, hidden: bool = False) -> list[ColumnElement[bool]]:
    """Rows of a type, 0 for all. The indexes of the rare types are found by their condition, word for word."""
    if not kind:
        return []
    if kind == CONSUME or hidden:
        return [logs.c.type + 0 == kind]
    return [logs.c.type == kind, logs.c.type != literal_column(str(CONSUME))]


async def search(database: Database, *, keyword: str) -> list[Log]:
    """The newest whose text begins with the keyword or whose type it is; `%` and `_` keep their meaning."""
    found: ColumnElement[bool] = logs.c.content.like(f"{keyword}%")
    kind = _number(keyword)
    if kind is not None:
        found = or_(found, logs.c.type == kind)
    return await _newest(database, found)


async def search_own(database: Database, *, user_id: int, keyword: str) -> list[Log]:
    """The newest of a user whose type is the keyword."""
    kind = _number(keyword)
    if kind is None:
        return []
    of_type = _of_type(kind) if kind else [logs.c.type == 0]
    return await _newest(database, logs.c.user_id == user_id, *of_type)


def _number(keyword: str) -> int | None:
    return int(keyword) if keyword.isascii() and keyword.isdecimal() and len(keyword) < 19 else None


async def _newest(database: Database, *conditions: ColumnElement[bool]) -> list[Log]:
    query = select(logs).where(*conditions).order_by(logs.c.id.desc()).limit(MOST_FOUND)
    async with database.read() as tx:
        return [_as_log(row) for row in await tx.execute(query)]


async def consumed(database: Database, wanted: Filter) -> int:
    """The quota of all calls that match; the type looked for does not count."""
    wanted = replace(wanted, type=0)
    conditions = (*wanted.times(), *wanted.names())
    query = select(func.coalesce(func.sum(logs.c.quota), 0)).where(logs.c.type == CONSUME, *conditions)
    async with database.read() as tx:
        if wanted.of_username:
            query = query.where(_of_models(await models(tx)))
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
        first_token_time=row.first_token_time or 0,
    )
