"""Every statement the ledger sends. PostgreSQL's are here, SQLite's and MySQL's (MariaDB's) in `spelled`.

A batch is one SELECT and one UPDATE a table, whatever its size. A `Query` is the text and its arguments; texts are
built from constants and from counts, never from values.
"""

# ruff: noqa: S608 - as said above
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

Values: TypeAlias = Sequence[Any]  # what a driver takes: numbers, text, flags, and on PostgreSQL lists of them

# Columns in the order of a row, with their types on PostgreSQL.
LEDGER: Final = {
    "request_id": "text", "kind": "text", "instance": "text", "slot": "bigint", "user_id": "bigint",
    "token_id": "bigint", "channel_id": "bigint", "quota": "bigint", "held": "bigint", "short": "bigint",
    "source": "text", "created_at": "bigint", "username": "text", "token_name": "text", "model_name": "text",
    "prompt_tokens": "bigint", "completion_tokens": "bigint", "content": "text", "elapsed_time": "bigint",
    "is_stream": "boolean", "system_prompt_reset": "boolean", "logged": "boolean", "details": "text",
    "first_token_time": "bigint",
}  # fmt: skip
HOLDS: Final = {
    "request_id": "text", "user_id": "bigint", "token_id": "bigint", "unlimited": "boolean", "quota": "bigint",
    "instance": "text", "created_at": "bigint",
}  # fmt: skip
LOGS: Final = (
    "user_id", "created_at", "type", "content", "username", "token_name", "model_name", "quota", "prompt_tokens",
    "completion_tokens", "channel_id", "request_id", "elapsed_time", "is_stream", "system_prompt_reset",
    "first_token_time",
)  # fmt: skip
LOG_COLUMNS: Final = ", ".join("2" if name == "type" else name for name in LOGS)  # of the ledger, for a row of LOGS
FLAGS: Final = frozenset(name for name, kind in (LEDGER | HOLDS).items() if kind == "boolean")
MOVED: Final = "slot = ? and kind = 'final' and id > ? and id <= ?"


class Query(NamedTuple):
    text: str
    values: Values = ()


class Statements(ABC):
    """A database's way to say what the ledger needs. Times are its own: clocks of nodes do not matter."""

    now: str
    lock: str
    true: str = "true"

    @abstractmethod
    def users(self, ids: Sequence[int]) -> Query:
        """Lock and read: id, quota, status."""

    @abstractmethod
    def tokens(self, ids: Sequence[int]) -> Query:
        """Lock and read: id, user_id, status, expired_time, remain_quota, unlimited_quota, name of the exhausted."""

    @abstractmethod
    def holds(self, request_ids: Sequence[str]) -> Query:
        """Lock and read: request_id of the open ones."""

    @abstractmethod
    def booked(self, keys: Sequence[str], column: str) -> Query:
        """request_id, kind, instance of ledger rows, or of holds with kind 'hold'."""

    @abstractmethod
    def add_to_users(self, rows: Sequence[tuple[int, int, int, int]]) -> Query: ...

    @abstractmethod
    def add_to_tokens(self, rows: Sequence[tuple[int, int, int]], now: int) -> Query: ...

    @abstractmethod
    def open_holds(self, rows: Sequence[Values]) -> Iterator[Query]: ...

    @abstractmethod
    def close_holds(self, request_ids: Sequence[str]) -> Query: ...

    @abstractmethod
    def checkpoints(self, rows: Sequence[tuple[str, int]]) -> Query: ...

    @abstractmethod
    def write(self, rows: Sequence[Values]) -> Iterator[Query]:
        """Append to the ledger, in this order."""

    @abstractmethod
    def plain(self, text: str, *values: Any) -> Query:
        """A statement of fixed shape; ? marks a value."""

    def add_to_channels(self, slot: int, low: int, high: int) -> Query:
        """Channels' used_quota follows the ledger."""
        return self.plain(
            "update channels set used_quota = coalesce(used_quota, 0) + v.sum"
            f" from ({used_by_channel('cast(sum(quota) as bigint)')}) as v where channels.id = v.channel_id",
            slot,
            low,
            high,
        )

    def put_mark(self, name: str, value: int) -> Query:
        return self.plain(
            "insert into marks(name, value) values (?, ?) on conflict (name) do update set value = excluded.value",
            name,
            value,
        )

    def move(self, slot: int, low: int, high: int) -> Query:
        text = (
            f"insert into logs({', '.join(LOGS)}) select {LOG_COLUMNS} from ledger"
            f" where {MOVED} and logged = {self.true} order by id"
        )
        return self.plain(text, slot, low, high)


USERS = "select id, coalesce(quota, 0), coalesce(status, 0) from users{2} where id in ({0}){1}"
TOKENS = (
    "select id, user_id, coalesce(status, 0), coalesce(expired_time, -1), coalesce(remain_quota, 0), unlimited_quota,"
    " case when status = 4 then name else '' end from tokens{2} where id in ({0}){1}"
)


def set_user(quota: str, used: str, count: str) -> str:
    return (
        f"quota = coalesce(quota, 0) + {quota}, used_quota = coalesce(used_quota, 0) + {used},"
        f" request_count = coalesce(request_count, 0) + {count}"
    )


def set_token(remain: str, used: str, now: str) -> str:
    return (
        f"remain_quota = coalesce(remain_quota, 0) + {remain}, used_quota = coalesce(used_quota, 0) + {used},"
        f" accessed_time = {now}"
    )


def used_by_channel(total: str) -> str:
    return f"select channel_id, {total} as sum from ledger where {MOVED} and channel_id > 0 group by channel_id"


class Postgres(Statements):
    now = "cast(extract(epoch from clock_timestamp()) as bigint)"
    lock = " order by id for update"

    def plain(self, text: str, *values: Any) -> Query:
        parts = text.split("?")
        return Query("".join(f"{part}${number}" for number, part in enumerate(parts[:-1], 1)) + parts[-1], values)

    def users(self, ids: Sequence[int]) -> Query:
        return Query(USERS.format("select unnest($1::bigint[])", self.lock, ""), (ids,))

    def tokens(self, ids: Sequence[int]) -> Query:
        return Query(TOKENS.format("select unnest($1::bigint[])", self.lock, ""), (ids,))

    def holds(self, request_ids: Sequence[str]) -> Query:
        return Query(
            "select request_id from holds where request_id = any($1::text[]) order by request_id for update",
            (request_ids,),
        )

    def booked(self, keys: Sequence[str], column: str) -> Query:
        if column == "hold":
            return Query("select request_id, 'hold', instance from holds where request_id = any($1::text[])", (keys,))
        return Query("select request_id, kind, instance from ledger where request_id = any($1::text[])", (keys,))

    def add_to_users(self, rows: Sequence[tuple[int, int, int, int]]) -> Query:
        return Query(
            f"update users set {set_user('d', 'u', 'n')}"
            " from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) as v(key, d, u, n)"
            " where id = key and (d >= 0 or quota + d >= 0)",
            columns(rows),
        )

    def add_to_tokens(self, rows: Sequence[tuple[int, int, int]], now: int) -> Query:
        return Query(
            f"update tokens set {set_token('d', 'u', '$4::bigint')}"
            " from unnest($1::bigint[], $2::bigint[], $3::bigint[]) as v(number, d, u)"
            " where id = number and (d >= 0 or remain_quota + d >= 0)",
            (*columns(rows), now),
        )

    def open_holds(self, rows: Sequence[Values]) -> Iterator[Query]:
        yield Query(inserted("holds", tuple(HOLDS.items())), columns(rows))

    def close_holds(self, request_ids: Sequence[str]) -> Query:
        return Query("delete from holds where request_id = any($1::text[])", (request_ids,))

    def checkpoints(self, rows: Sequence[tuple[str, int]]) -> Query:
        return Query(
            "update holds set checkpoint = c from unnest($1::text[], $2::bigint[]) as v(name, c)"
            " where request_id = name",
            columns(rows),
        )

    def write(self, rows: Sequence[Values]) -> Iterator[Query]:
        yield Query(inserted("ledger", tuple(LEDGER.items())), columns(rows))


@lru_cache
def inserted(table: str, columns: tuple[tuple[str, str], ...]) -> str:
    """Rows come as one array for each column, and keep their order."""
    arrays = ", ".join(f"${number}::{kind}[]" for number, (_, kind) in enumerate(columns, 1))
    return f"insert into {table}({', '.join(name for name, _ in columns)}) select * from unnest({arrays})"


def columns(rows: Sequence[Values]) -> tuple[list[Any], ...]:
    return tuple([list(column) for column in zip(*rows, strict=True)])
