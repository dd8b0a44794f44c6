"""Statements in which rows are spelled out as values, for SQLite and for MySQL (MariaDB).

They are padded to powers of two, so that few statements are prepared.
"""

# ruff: noqa: S608 - texts are built from constants and from counts, never from values
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final

from one_api.ledger.statements import (
    FLAGS,
    HOLDS,
    LEDGER,
    TOKENS,
    USERS,
    Query,
    Statements,
    Values,
    set_token,
    set_user,
    used_by_channel,
)


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


class Table:
    """A table that rows are appended to. `flags` are the places of its flags among its columns."""

    __slots__ = ("columns", "flags", "name")  # found in caches by itself, which takes no time

    def __init__(self, name: str, columns: Iterable[str]) -> None:
        self.name = name
        self.columns = tuple(columns)
        self.flags = [place for place, column in enumerate(self.columns) if column in FLAGS]


THE_HOLDS: Final = Table("holds", HOLDS)
THE_LEDGER: Final = Table("ledger", LEDGER)


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
    def inserted(self, table: Table, count: int) -> str:
        row = f"({self.places(len(table.columns))})"
        return f"insert into {table.name}({', '.join(table.columns)}) values {', '.join([row] * count)}"

    def insert(self, table: Table, rows: Sequence[Values]) -> Iterator[Query]:
        for start, count in chunks(len(rows)):
            yield Query(self.inserted(table, count), self.spelled(table, rows[start : start + count]))

    def spelled(self, table: Table, rows: Sequence[Values]) -> list[Any]:  # noqa: ARG002  # SQLite's has to know
        return flat(rows)

    def open_holds(self, rows: Sequence[Values]) -> Iterator[Query]:
        return self.insert(THE_HOLDS, rows)

    def write(self, rows: Sequence[Values]) -> Iterator[Query]:
        return self.insert(THE_LEDGER, rows)


# For one row, as it is where one caller is busy, a join takes twice to three times as long as its own statement.
ADD_TO_USER: Final = f"update users set {set_user('?2', '?3', '?4')} where id = ?1 and (?2 >= 0 or quota + ?2 >= 0)"
ADD_TO_USERS: Final = (
    f"update users set {set_user('column2', 'column3', 'column4')} from (values {{0}})"
    " where users.id = column1 and (column2 >= 0 or quota + column2 >= 0)"
)
ADD_TO_TOKEN: Final = (
    f"update tokens set {set_token('?2', '?3', '?4')} where id = ?1 and (?2 >= 0 or remain_quota + ?2 >= 0)"
)
ADD_TO_TOKENS: Final = (
    f"update tokens set {set_token('column2', 'column3', '?')} from (values {{0}})"
    " where tokens.id = column1 and (column2 >= 0 or remain_quota + column2 >= 0)"
)


class Sqlite(Spelled):
    now = "cast(strftime('%s', 'now') as integer)"
    lock = ""  # the transaction is the only writer

    def spelled(self, table: Table, rows: Sequence[Values]) -> list[Any]:
        """Flags as numbers: of what is neither number nor text the driver looks for an adapter, each time in vain."""
        values = flat(rows)
        width = len(table.columns)
        for place in table.flags:
            values[place::width] = map(int, values[place::width])
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
        return Query(ADD_TO_USER, rows[0]) if len(rows) == 1 else self.join(ADD_TO_USERS, rows, (-1, 0, 0, 0))

    def add_to_tokens(self, rows: Sequence[tuple[int, int, int]], now: int) -> Query:
        if len(rows) == 1:
            return Query(ADD_TO_TOKEN, (*rows[0], now))
        query = self.join(ADD_TO_TOKENS, rows, (-1, 0, 0))
        return Query(query.text, [now, *query.values])

    def checkpoints(self, rows: Sequence[tuple[str, int]]) -> Query:
        return self.join(
            "update holds set checkpoint = column2 from (values {0}) where request_id = column1", rows, ("", 0)
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
