"""Every statement the ledger sends, for SQLite, MySQL (MariaDB) and PostgreSQL.

A batch is one SELECT and one UPDATE a table, whatever its size. SQLite and MySQL spell the rows out, padded to powers
of two so that few statements are prepared; PostgreSQL takes arrays. A `Query` is the text and its arguments; texts are
built from the constants here and from counts, never from values.
"""

# ruff: noqa: S608 - as said above
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
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

    @abstractmethod
    def add_to_channels(self, slot: int, low: int, high: int) -> Query:
        """Channels' used_quota follows the ledger."""

    @abstractmethod
    def put_mark(self, name: str, value: int) -> Query: ...

    def move(self, slot: int, low: int, high: int) -> Query:
        text = (
            f"insert into logs({', '.join(LOGS)}) select {LOG_COLUMNS} from ledger"
            f" where {MOVED} and logged = {self.true} order by id"
        )
        return self.plain(text, slot, low, high)


def power(count: int) -> int:
    """The next power of two."""
    return 1 << (count - 1).bit_length()


def chunks(count: int) -> Iterator[tuple[int, int]]:
    """(start, length) with lengths that are powers of two, largest first."""
    start = 0
    while start < count:
        length = 1 << ((count - start).bit_length() - 1)
        yield start, length
        start += length


def flat(rows: Iterable[Values]) -> list[Any]:
    return [*chain.from_iterable(rows)]


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


class Spelled(Statements):
    """Rows spelled out as values: one statement text for each power of two."""

    mark = "?"
    by_key = ""

    def plain(self, text: str, *values: Any) -> Query:
        return Query(text.replace("?", self.mark), values)

    @lru_cache  # noqa: B019  # two instances, for the life of the process
    def places(self, count: int) -> str:
        return ", ".join([self.mark] * count)

    @lru_cache  # noqa: B019  # as above
    def selected(self, text: str, count: int) -> str:
        return text.format(self.places(count), self.lock, self.by_key)

    def chosen(self, text: str, ids: Sequence[Any], padding: int | str) -> Query:
        count = power(len(ids))
        return Query(self.selected(text, count), [*ids, *[padding] * (count - len(ids))])

    def users(self, ids: Sequence[int]) -> Query:
        return self.chosen(USERS, ids, -1)

    def tokens(self, ids: Sequence[int]) -> Query:
        return self.chosen(TOKENS, ids, -1)

    def holds(self, request_ids: Sequence[str]) -> Query:
        return self.chosen("select request_id from holds{2} where request_id in ({0}){1}", request_ids, "")

    def booked(self, keys: Sequence[str], column: str) -> Query:
        if column == "hold":
            return self.chosen("select request_id, 'hold', instance from holds where request_id in ({0})", keys, "")
        return self.chosen("select request_id, kind, instance from ledger where request_id in ({0})", keys, "")

    def close_holds(self, request_ids: Sequence[str]) -> Query:
        return self.chosen("delete from holds where request_id in ({0})", request_ids, "")

    @lru_cache  # noqa: B019  # as above
    def inserted(self, table: str, columns: tuple[str, ...], count: int) -> str:
        row = f"({self.places(len(columns))})"
        return f"insert into {table}({', '.join(columns)}) values {', '.join([row] * count)}"

    def insert(self, table: str, columns: tuple[str, ...], rows: Sequence[Values]) -> Iterator[Query]:
        for start, count in chunks(len(rows)):
            yield Query(self.inserted(table, columns, count), self.spelled(columns, rows[start : start + count]))

    def spelled(self, columns: tuple[str, ...], rows: Sequence[Values]) -> list[Any]:  # noqa: ARG002  # SQLite's has to know
        return flat(rows)

    def open_holds(self, rows: Sequence[Values]) -> Iterator[Query]:
        return self.insert("holds", tuple(HOLDS), rows)

    def write(self, rows: Sequence[Values]) -> Iterator[Query]:
        return self.insert("ledger", tuple(LEDGER), rows)


class Sqlite(Spelled):
    now = "cast(strftime('%s', 'now') as integer)"
    lock = ""  # the transaction is the only writer

    def spelled(self, columns: tuple[str, ...], rows: Sequence[Values]) -> list[Any]:
        """Flags as numbers: of what is neither number nor text the driver looks for an adapter, each time in vain."""
        values = flat(rows)
        for place in (place for place, name in enumerate(columns) if name in FLAGS):
            values[place :: len(columns)] = map(int, values[place :: len(columns)])
        return values

    @lru_cache  # noqa: B019  # as above
    def joined(self, text: str, width: int, count: int) -> str:
        row = f"({self.places(width)})"
        return text.format(", ".join([row] * count))

    def join(self, text: str, rows: Sequence[Values], padding: Values) -> Query:
        count = power(len(rows))
        values = flat(rows)
        for _ in range(count - len(rows)):
            values += padding
        return Query(self.joined(text, len(padding), count), values)

    def add_to_users(self, rows: Sequence[tuple[int, int, int, int]]) -> Query:
        return self.join(
            f"update users set {set_user('column2', 'column3', 'column4')} from (values {{0}})"
            " where users.id = column1 and (column2 >= 0 or quota + column2 >= 0)",
            rows,
            (-1, 0, 0, 0),
        )

    def add_to_tokens(self, rows: Sequence[tuple[int, int, int]], now: int) -> Query:
        query = self.join(
            f"update tokens set {set_token('column2', 'column3', '?')} from (values {{0}})"
            " where tokens.id = column1 and (column2 >= 0 or remain_quota + column2 >= 0)",
            rows,
            (-1, 0, 0),
        )
        return Query(query.text, [now, *query.values])

    def checkpoints(self, rows: Sequence[tuple[str, int]]) -> Query:
        return self.join(
            "update holds set checkpoint = column2 from (values {0}) where request_id = column1", rows, ("", 0)
        )

    def add_to_channels(self, slot: int, low: int, high: int) -> Query:
        return self.plain(
            "update channels set used_quota = coalesce(used_quota, 0) + v.sum"
            f" from ({used_by_channel('sum(quota)')}) as v where channels.id = v.channel_id",
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


class Mysql(Spelled):
    now = "unix_timestamp()"
    lock = " order by 1 for update"
    mark = "%s"
    by_key = " force index (primary)"  # a scan of a small table would lock rows that are not ours, in another order

    @lru_cache  # noqa: B019  # as above
    def derived(self, width: int, count: int) -> str:
        first = ", ".join(f"%s as c{number}" for number in range(1, width + 1))
        return " union all ".join([f"select {first}", *[f"select {self.places(width)}"] * (count - 1)])

    def join(self, text: str, rows: Sequence[Values], *more: Any) -> Query:
        return Query(text.format(self.derived(len(rows[0]), len(rows))), [*flat(rows), *more])

    def add_to_users(self, rows: Sequence[tuple[int, int, int, int]]) -> Query:
        return self.join(
            f"update ({{0}}) as v straight_join users on users.id = v.c1 set {set_user('c2', 'c3', 'c4')}"
            " where c2 >= 0 or quota + c2 >= 0",
            rows,
        )

    def add_to_tokens(self, rows: Sequence[tuple[int, int, int]], now: int) -> Query:
        return self.join(
            f"update ({{0}}) as v straight_join tokens on tokens.id = v.c1 set {set_token('c2', 'c3', '%s')}"
            " where c2 >= 0 or remain_quota + c2 >= 0",
            rows,
            now,
        )

    def checkpoints(self, rows: Sequence[tuple[str, int]]) -> Query:
        return self.join("update ({0}) as v straight_join holds on holds.request_id = v.c1 set checkpoint = c2", rows)

    def add_to_channels(self, slot: int, low: int, high: int) -> Query:
        return self.plain(
            f"update ({used_by_channel('sum(quota)')} order by channel_id) as v"
            " straight_join channels on channels.id = v.channel_id"
            " set used_quota = coalesce(used_quota, 0) + v.sum",
            slot,
            low,
            high,
        )

    def put_mark(self, name: str, value: int) -> Query:
        return self.plain(
            "insert into marks(name, value) values (?, ?) on duplicate key update value = values(value)", name, value
        )


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

    def add_to_channels(self, slot: int, low: int, high: int) -> Query:
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


@lru_cache
def inserted(table: str, columns: tuple[tuple[str, str], ...]) -> str:
    """Rows come as one array for each column, and keep their order."""
    arrays = ", ".join(f"${number}::{kind}[]" for number, (_, kind) in enumerate(columns, 1))
    return f"insert into {table}({', '.join(name for name, _ in columns)}) select * from unnest({arrays})"


def columns(rows: Sequence[Values]) -> tuple[list[Any], ...]:
    return tuple([list(column) for column in zip(*rows, strict=True)])
