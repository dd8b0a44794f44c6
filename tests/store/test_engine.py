import asyncio
import os
import signal
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine

from one_api.config import Config, ConfigError
from one_api.errors import Unavailable
from one_api.store import dsn
from one_api.store.engine import Database, connection, open_database, retrying, server, transient
from one_api.store.migrations import migrate
from one_api.store.schema import options, tokens, users
from tests.harness import servers
from tests.store import samples

pytestmark = pytest.mark.anyio


async def value(store: Database, key: str) -> str | None:
    async with store.read() as tx:
        found: str | None = (await tx.execute(select(options.c.value).where(options.c.key == key))).scalar_one_or_none()
        return found


async def put(store: Database, key: str, text_: str) -> None:
    async with store.write() as tx:
        await tx.execute(insert(options).values(key=key, value=text_))


async def test_what_is_written_is_kept(store: Database) -> None:
    await put(store, "Notice", "早上好 🎉")
    assert await value(store, "Notice") == "早上好 🎉"


async def test_an_exception_undoes_what_was_written(store: Database) -> None:

    async def fail() -> None:
        async with store.write() as tx:
            await tx.execute(insert(options).values(key="Notice", value="x"))
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert await value(store, "Notice") is None


async def test_a_reader_keeps_nothing(postgres: servers.Database, mariadb: servers.Database) -> None:
    for kind in (postgres, mariadb):
        store = samples.opened(kind)
        await migrate(store)
        async with store.read() as tx:
            await tx.execute(insert(options).values(key="Notice", value="x"))
        assert await value(store, "Notice") is None
        await store.aclose()


async def test_a_reader_of_sqlite_cannot_write(sqlite: servers.Database) -> None:
    store = samples.opened(sqlite)
    await migrate(store)
    with pytest.raises(Unavailable):
        async with store.read() as tx:
            await tx.execute(insert(options).values(key="Notice", value="x"))
    await store.aclose()


async def test_a_violated_constraint_is_no_outage(store: Database) -> None:
    await put(store, "Notice", "x")
    with pytest.raises(IntegrityError):
        await put(store, "Notice", "y")


async def test_flags_and_padded_keys_come_back_as_they_went(store: Database) -> None:
    async with store.write() as tx:
        await tx.execute(insert(tokens).values(key="short", unlimited_quota=True))
        await tx.execute(insert(tokens).values(key="other", unlimited_quota=None))
        found = await tx.execute(select(tokens.c.key, tokens.c.unlimited_quota).where(tokens.c.unlimited_quota))
        assert [tuple(row) for row in found] == [("short", True)]
        found = await tx.execute(select(tokens.c.unlimited_quota).where(tokens.c.key == "other"))
        assert found.scalar_one() is None


async def test_a_longer_key_is_another_key(store: Database) -> None:
    """PostgreSQL must not cut what is looked up to the width of the column."""
    async with store.write() as tx:
        await tx.execute(insert(tokens).values(key="k" * 48))
        assert (await tx.execute(select(tokens.c.id).where(tokens.c.key == "k" * 49))).first() is None


async def test_writers_of_sqlite_who_read_first_wait_for_each_other(sqlite: servers.Database) -> None:
    stores = [samples.opened(sqlite, sqlite_busy_timeout=20_000) for _ in range(2)]
    await migrate(stores[0])
    await put(stores[0], "n", "0")

    async def add(store: Database) -> None:
        async with store.write() as tx:
            n = int((await tx.execute(select(options.c.value))).scalar_one())
            await tx.execute(update(options).values(value=str(n + 1)))

    await asyncio.gather(*(add(store) for store in stores * 20))
    assert await value(stores[1], "n") == "40"
    for store in stores:
        await store.aclose()


async def test_sqlite_is_durable_and_shares_the_file(sqlite: servers.Database) -> None:
    store = samples.opened(sqlite)
    for open_ in (store.read, store.write):
        async with open_() as tx:
            for pragma, expected in {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 0}.items():
                assert (await tx.execute(text(f"PRAGMA {pragma}"))).scalar_one() == expected
    await store.aclose()


async def test_mysql_reads_what_is_committed_and_gives_up_locks_soon(mariadb: servers.Database) -> None:
    store = open_database(Config(sql_dsn=mariadb.env["SQL_DSN"] + "?sort_buffer_size=65536"))
    names = ("tx_isolation", "innodb_lock_wait_timeout", "character_set_connection", "sort_buffer_size")
    async with store.read() as tx:
        found = (await tx.execute(text(f"SELECT {', '.join(f'@@{name}' for name in names)}"))).one()
    assert tuple(found) == ("READ-COMMITTED", 5, "utf8mb4", 65536)
    await store.aclose()


async def test_a_value_is_shown_neither_by_an_error_nor_by_the_sql_log(
    database: servers.Database, caplog: pytest.LogCaptureFixture
) -> None:
    store = samples.opened(database, debug_sql=True)
    with pytest.raises((DBAPIError, Unavailable)) as failure:
        async with store.write() as tx:
            await tx.execute(text("SELECT 1 FROM nothing WHERE word = :word"), {"word": "canary"})
    assert "canary" not in f"{failure.value} {failure.value.__cause__}" + caplog.text
    assert "SELECT 1 FROM nothing" in caplog.text
    await store.aclose()


# --- trying again ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
async def test_a_deadlock_is_tried_again(request: pytest.FixtureRequest, kind: str) -> None:
    store = samples.opened(request.getfixturevalue(kind))
    await migrate(store)
    async with store.write() as tx:
        await tx.execute(insert(users), [{"id": n, "username": str(n), "password": ""} for n in (1, 2)])
    both = asyncio.Barrier(2)
    tries = 0

    async def pay(first: int, second: int) -> None:
        nonlocal tries
        tries += 1
        again = tries > 2
        async with store.write() as tx:
            for n in (first, second):
                await tx.execute(update(users).where(users.c.id == n).values(quota=users.c.quota + 1))
                if n == first and not again:
                    await both.wait()

    await asyncio.gather(retrying(partial(pay, 1, 2)), retrying(partial(pay, 2, 1)))
    assert tries == 3
    async with store.read() as tx:
        assert (await tx.execute(select(func.sum(users.c.quota)))).scalar_one() == 4
    await store.aclose()


async def test_a_locked_file_is_tried_again(sqlite: servers.Database) -> None:
    store = samples.opened(sqlite, sqlite_busy_timeout=20)
    await migrate(store)
    other = sqlite3.connect(samples.sqlite_path(sqlite), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def unlock(_: float) -> None:
        if other.in_transaction:
            other.execute("COMMIT")

    await retrying(partial(put, store, "Notice", "x"), sleep=unlock)
    assert await value(store, "Notice") == "x"
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable) as failure:
        await put(store, "Notice", "y")
    assert transient(failure.value)
    other.close()
    await store.aclose()


async def test_what_cannot_succeed_is_not_tried_again(store: Database) -> None:
    await put(store, "Notice", "x")
    tried = 0

    async def twice() -> None:
        nonlocal tried
        tried += 1
        await put(store, "Notice", "y")

    with pytest.raises(IntegrityError):
        await retrying(twice)
    assert tried == 1


# --- outages ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    ["postgres://u@127.0.0.1:{port}/d", "u@tcp(127.0.0.1:{port})/d", "sqlite:////nowhere/at/all.db"],
)
async def test_a_database_that_is_not_there_is_unavailable(address: str) -> None:
    store = open_database(Config(sql_dsn=address.format(port=servers.free_port())))
    for open_ in (store.read, store.write):
        with pytest.raises(Unavailable):
            async with open_():
                pass
    await store.aclose()
    for thread in threading.enumerate():  # aiosqlite does not wait for the thread of a file that could not be opened
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join)


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
async def test_who_gets_no_connection_in_time_is_told(request: pytest.FixtureRequest, kind: str) -> None:
    store = samples.opened(request.getfixturevalue(kind), sql_max_open_conns=1)
    async with store.read():
        with pytest.raises(Unavailable):
            async with store.write():
                pass
    async with store.write():
        pass
    await store.aclose()


KILL: dict[str, tuple[str, str]] = {
    "postgres": ("SELECT pg_backend_pid()", "SELECT pg_terminate_backend({})"),
    "mariadb": ("SELECT CONNECTION_ID()", "KILL {}"),
}


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
async def test_a_lost_connection_is_unavailable_once(request: pytest.FixtureRequest, kind: str) -> None:
    store = samples.opened(request.getfixturevalue(kind), sql_max_open_conns=2)
    mine, kill = KILL[kind]

    async def lose() -> None:
        async with store.write() as tx:
            number = (await tx.execute(text(mine))).scalar_one()
            async with store.write() as other:
                await other.execute(text(kill.format(number)))
            await tx.execute(text("SELECT 1"))

    with pytest.raises(Unavailable):
        await lose()
    for _ in range(3):
        async with store.write() as tx:
            assert (await tx.execute(text("SELECT 1"))).scalar_one() == 1
    await store.aclose()


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
async def test_connections_that_died_while_idle_are_replaced_unseen(request: pytest.FixtureRequest, kind: str) -> None:
    store = samples.opened(request.getfixturevalue(kind), sql_max_open_conns=2)
    mine, kill = KILL[kind]
    async with store.write() as one, store.write() as two:
        numbers = [(await tx.execute(text(mine))).scalar_one() for tx in (one, two)]
    async with store.write() as tx:
        own = (await tx.execute(text(mine))).scalar_one()
        await tx.execute(text(kill.format(next(n for n in numbers if n != own))))
    async with store.write() as one, store.write() as two:
        for tx in (one, two):
            assert (await tx.execute(text("SELECT 1"))).scalar_one() == 1
    await store.aclose()


async def test_a_server_that_stands_still_is_unavailable_soon(
    mariadb: servers.Database, mariadb_server: servers.MariaDB
) -> None:
    store = samples.opened(mariadb, sql_max_open_conns=1)
    async with store.read():
        pass
    mariadb_server.server.send_signal(signal.SIGSTOP)
    await asyncio.to_thread(os.waitpid, mariadb_server.server.pid, os.WUNTRACED)
    try:
        with pytest.raises(Unavailable):
            async with asyncio.timeout(10), store.read():
                pass
    finally:
        mariadb_server.server.send_signal(signal.SIGCONT)
    async with store.read() as tx:
        assert (await tx.execute(text("SELECT 1"))).scalar_one() == 1
    await store.aclose()


@pytest.mark.parametrize(
    "kind, limit, slow",
    [
        ("postgres", {"command_timeout": 0.2}, "SELECT pg_sleep(20)"),
        ("mariadb", {"read_timeout": 0.2}, "SELECT SLEEP(20)"),
    ],
)
async def test_a_statement_that_takes_too_long_is_given_up(
    request: pytest.FixtureRequest, kind: str, limit: dict[str, float], slow: str
) -> None:
    where = dsn.parse(request.getfixturevalue(kind).url)
    engine = server(replace(where, connect_args={**where.connect_args, **limit}), Config(sql_max_open_conns=1))
    with pytest.raises(Unavailable):
        async with connection(engine) as tx:
            await tx.execute(text(slow))
    async with connection(engine) as tx:
        assert (await tx.execute(text("SELECT 1"))).scalar_one() == 1
    await engine.dispose()


async def test_a_cancelled_caller_gives_its_connection_back(store: Database) -> None:
    inside = asyncio.Event()

    async def wait() -> None:
        async with store.write() as tx:
            await tx.execute(insert(options).values(key="Notice", value="x"))
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await put(store, "Notice", "y")
    assert await value(store, "Notice") == "y"


# --- opening ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, make",
    [
        ("SQL_DSN", lambda: open_database(Config(sql_dsn="root:secret"))),
        ("LOG_SQL_DSN", lambda: open_database(Config(), "root:secret")),
    ],
)
def test_a_wrong_address_names_its_variable(name: str, make: Callable[[], Database]) -> None:
    with pytest.raises(ConfigError, match=rf"^{name}: not a database address") as failure:
        make()
    assert "secret" not in str(failure.value)


def test_logs_may_be_in_a_database_of_another_kind() -> None:
    config = Config(log_sql_dsn="postgres://u@h/d")
    assert (open_database(config).kind, open_database(config, config.log_sql_dsn).kind) == ("sqlite", "postgresql")


async def test_a_connection_that_fails_as_the_driver_does_not_say_is_a_database_that_does_not_answer() -> None:
    async def fails() -> None:
        raise RuntimeError("Transport does not expose socket instance")

    engine = create_async_engine("sqlite+aiosqlite://", async_creator=fails)
    with pytest.raises(Unavailable):
        async with connection(engine):
            raise AssertionError("there is none")
