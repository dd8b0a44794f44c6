"""A call is two transactions, and the second is durable before its end is visible; measured beside the gateway."""

import re
import sqlite3
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from tests.conftest import GATEWAYS
from tests.e2e import wire
from tests.e2e.world import START, World, open_world
from tests.harness import scripted, servers
from tests.harness.scripted import DONE, chunk, completion, tokens, usage_chunk
from tests.harness.servers import Postgres

pytestmark = pytest.mark.anyio

MODEL = "gpt-3.5-turbo"
COST = 10
CALLS = 25

both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


def usage() -> dict[str, int]:
    """0.25 units for each of 10 tokens of input, 0.75 for each of 10 of output."""
    return tokens(10, 10)


@dataclass(frozen=True, slots=True)
class Site:
    """A world and a key that can pay; the key was used once, so that its user is remembered."""

    world: World
    key: str

    async def call(self, *, stream: bool) -> None:
        reply = await self.world.ask(wire.chat(self.key, stream=stream))
        assert reply.status == 200, reply
        assert reply.complete


async def prepared(world: World) -> Site:
    world.channel("whole", MODEL)
    world.upstream.scripts["whole"] = play
    site = Site(world, world.root.user("alice", START).token(unlimited_quota=False, remain_quota=START))
    await site.call(stream=False)
    await world.books.settled()
    return site


async def play(turn: scripted.Turn) -> None:
    if turn.request.json().get("stream"):
        await scripted.streams(chunk("hello"), chunk(finish="stop"), usage_chunk(usage()), DONE)(turn)
    else:
        await scripted.replies(200, completion(usage=usage()))(turn)


@pytest.fixture(scope="module")
async def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    directory = tmp_path_factory.mktemp("on-sqlite")
    async with open_world(directory, servers.sqlite(directory)) as world:
        yield await prepared(world)


@pytest.fixture(scope="module")
async def on_postgres(tmp_path_factory: pytest.TempPathFactory, postgres_server: Postgres) -> AsyncIterator[Site]:
    directory = tmp_path_factory.mktemp("on-postgres")
    async with open_world(directory, postgres_server.fresh()) as world:
        yield await prepared(world)


@pytest.fixture(params=["on_sqlite", "on_postgres"])
def site(request: pytest.FixtureRequest) -> Site:
    found: Site = request.getfixturevalue(request.param)
    request.node.stash[GATEWAYS] = [found.world.gateway]
    return found


# --- SQLite: what its log holds ---------------------------------------------------------------------------------------


class Wal:
    """The write-ahead log of a database, kept from starting anew by a reader that stands still.

    https://www.sqlite.org/fileformat2.html#walformat
    """

    def __init__(self, database: Path, reader: sqlite3.Connection) -> None:
        self._path = database.with_name(database.name + "-wal")
        self._reader = reader
        (self._page_size,) = reader.execute("pragma page_size").fetchone()
        self._tables = {
            page: name for name, page in reader.execute("select tbl_name, rootpage from sqlite_master where rootpage")
        }
        self._start = len(self._frames())

    def commits(self) -> list[set[str]]:
        """The tables whose root pages each transaction since then has written."""
        found, tables = [], set[str]()
        for page, committed in self._frames()[self._start :]:
            tables.add(self._tables.get(page, ""))
            if committed:
                found.append(tables - {""})
                tables = set()
        return found

    def _frames(self) -> list[tuple[int, bool]]:
        raw = self._path.read_bytes()
        salt = raw[16:24]
        frames = []
        for start in range(32, len(raw), 24 + self._page_size):
            page, size = struct.unpack(">II", raw[start : start + 8])
            if raw[start + 8 : start + 16] != salt:
                break  # left from an earlier round
            frames.append((page, size > 0))
        return frames


@contextmanager
def watched(site: Site) -> Iterator[Wal]:
    path = Path(site.world.database.env["SQLITE_PATH"])
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as reader:
        reader.execute("begin")
        reader.execute("select count(*) from users").fetchone()
        yield Wal(path, reader)


MONEY = {"users", "tokens", "holds"}
"""Tables small enough here that their root pages hold all their rows."""

TABLES_OF_THE_CLOCK = {"logs", "channels", "marks", "leases", "usage_hours", "generations", "sqlite_sequence"}


@both
async def test_a_call_is_two_transactions_on_sqlite(
    on_sqlite: Site, *, stream: bool, request: pytest.FixtureRequest
) -> None:
    request.node.stash[GATEWAYS] = [on_sqlite.world.gateway]
    with watched(on_sqlite) as wal:
        for _ in range(CALLS):
            await on_sqlite.call(stream=stream)
        commits = wal.commits()
    of_money = [tables for tables in commits if tables & MONEY]
    assert len(of_money) == 2 * CALLS, Counter(map(frozenset, commits))
    for hold, settle in zip(of_money[::2], of_money[1::2], strict=True):
        assert hold >= MONEY
        assert settle >= MONEY | {"ledger"}
    others = {frozenset(tables) for tables in commits if not tables & MONEY}
    assert all(tables <= TABLES_OF_THE_CLOCK for tables in others), others


# --- PostgreSQL: what it was told -------------------------------------------------------------------------------------


@contextmanager
def told(server: Postgres, name: str) -> Iterator[Callable[[], list[list[str]]]]:
    """The statements of each committed transaction since then, statements alone as lists of one."""
    server.sql(
        "ALTER SYSTEM SET log_statement = 'all'; ALTER SYSTEM SET log_line_prefix = '<%p %d> '; SELECT pg_reload_conf()"
    )
    start = server.log.stat().st_size
    try:
        yield lambda: transactions(server.log.read_bytes()[start:].decode(), name)
    finally:
        server.sql("ALTER SYSTEM RESET log_statement; ALTER SYSTEM RESET log_line_prefix; SELECT pg_reload_conf()")


OF_THE_CLOCK = (
    *(" from marks ", " from ledger", "insert into logs", "\tfrom generations ", "from leases ", "update leases "),
    *("sum(holds.quota)", "select h.request_id"),  # reminders, and what a dead process left
)
"""Statements of transactions that have nothing to do with a call: they come by the second, however many calls do."""

LINE = re.compile(r"^<(\d+) (\S+)> LOG:  (?:statement|execute [^:]*): ((?:.|\n(?!<))*)", re.MULTILINE)


def transactions(log: str, name: str) -> list[list[str]]:
    """Those that began and ended in the log, and what was said outside of any."""
    found: list[list[str]] = []
    running: dict[str, list[str]] = {}
    known: set[str] = set()  # what others say first belongs to a transaction that had begun before
    for process, database, text in LINE.findall(log):
        said = text.strip().lower()
        if database != name:
            continue
        if said.startswith("begin"):
            running[process] = []
            known.add(process)
        elif said.startswith(("commit", "rollback")):
            found += [said for said in [running.pop(process, [])] if said]
        elif process in running:
            running[process].append(said)
        elif process in known:
            found.append([said])
    return found  # what is still running is the clock's: calls that were answered have ended


@both
async def test_a_call_is_two_transactions_on_postgresql(
    on_postgres: Site, postgres_server: Postgres, *, stream: bool, request: pytest.FixtureRequest
) -> None:
    request.node.stash[GATEWAYS] = [on_postgres.world.gateway]
    name = on_postgres.world.database.url.split("/")[3].partition("?")[0]
    with told(postgres_server, name) as since:
        for _ in range(CALLS):
            await on_postgres.call(stream=stream)
        seen = since()
    holds = [each for each in seen if any(text.startswith("insert into holds") for text in each)]
    settles = [each for each in seen if any(text.startswith("insert into ledger") for text in each)]
    assert (len(holds), len(settles)) == (CALLS, CALLS)
    for each in (*holds, *settles):
        assert sum(text.startswith("update users") for text in each) == 1, each
        assert sum(text.startswith("update tokens") for text in each) == 1, each
        assert len(each) <= 7, each
    for each in settles:
        assert sum(text.startswith("delete from holds") for text in each) == 1, each
    others = [each for each in seen if each not in holds and each not in settles]
    assert [each for each in others if not any(sign in text for text in each for sign in OF_THE_CLOCK)] == []


# --- durable before the end -------------------------------------------------------------------------------------------


Read = Callable[[], Awaitable[tuple[int, ...]]]


@pytest.fixture
async def balance(site: Site) -> AsyncIterator[Read]:
    """Reads alice's balance and her token's on a connection that already stands."""
    query = (
        "select u.quota, t.remain_quota, u.used_quota from users u join tokens t on t.user_id = u.id"
        f" where t.id = {(await site.world.books.token(site.key)).id:d}"
    )
    if site.world.database.kind == "sqlite":
        path = site.world.database.env["SQLITE_PATH"]
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as connection:

            async def read() -> tuple[int, ...]:
                return tuple(connection.execute(query).fetchone())

            yield read
        return
    raw = await asyncpg.connect(site.world.database.url.replace("+asyncpg", ""))

    async def fetch() -> tuple[int, ...]:
        return tuple(await raw.fetchrow(query))

    yield fetch
    await raw.close()


async def test_who_saw_the_end_has_paid(site: Site, balance: Read) -> None:
    """A hundred calls on one connection: the books are read at the very moment the last byte is here."""
    quota, remain, used = await balance()
    async with wire.connect(site.world.port) as connection:
        for number in range(1, 101):
            stream = number % 2 == 0
            connection.send(wire.chat(site.key, stream=stream))
            if stream:
                assert (await connection.head())[0] == 200
                await connection.until(b"[DONE]")
            else:
                assert (await connection.reply()).status == 200
            paid = number * COST
            assert await balance() == (quota - paid, remain - paid, used + paid), number
            if stream:
                assert await connection.rest() == (b"", True)
