import asyncio
import signal
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, insert, select, text

from one_api.store import migrations
from one_api.store.engine import Database
from one_api.store.migrations import MigrationError, current, migrate, migrate_logs
from one_api.store.schema import ONE_API, OWN, channels, logs, metadata, redemptions, tokens, users
from tests.harness import servers
from tests.store import samples

pytestmark = pytest.mark.anyio

T = TypeVar("T")


async def see(database: Database, look: Callable[[Connection], T]) -> T:
    async with database.patient.connect() as tx:
        return await tx.run_sync(look)


async def with_database(where: servers.Database, work: Callable[[Database], Awaitable[T]]) -> T:
    database = samples.opened(where)
    try:
        return await work(database)
    finally:
        await database.aclose()


async def migrated(where: servers.Database) -> dict[str, dict[str, str]]:
    async def work(database: Database) -> dict[str, dict[str, str]]:
        await migrate(database)
        return await see(database, samples.describe)

    return await with_database(where, work)


def same_default(*facts: Any) -> bool | None:
    """MySQL calls false 0; for all else Alembic decides."""
    found, wanted = facts[3], facts[5]
    return False if (found, wanted) in {("0", "false"), ("1", "true")} else None


def differences(tx: Connection) -> list[Any]:
    options = {"compare_type": True, "compare_server_default": same_default}
    return list(compare_metadata(MigrationContext.configure(tx, opts=options), metadata))


def another(request: pytest.FixtureRequest, kind: str) -> servers.Database:
    """A second empty database of the same kind."""
    if kind == "sqlite":
        return servers.sqlite(request.getfixturevalue("tmp_path_factory").mktemp("another"))
    made: servers.Database = request.getfixturevalue(f"{kind}_server").fresh()
    return made


# All that a table of One API's has beyond what One API made.
MORE = {
    "logs": {
        "index idx_logs_others": "['type', 'id'] unique=False",
        "index idx_logs_own_others": "['user_id', 'type', 'id'] unique=False",
    }
}
MORE_COLUMNS = {"logs": {"first_token_time": "elapsed_time"}}  # and which of One API's they are like


# --- a new database ---------------------------------------------------------------------------------------------------


async def test_a_new_database_is_what_the_tables_say(database: servers.Database) -> None:
    async def work(opened: Database) -> list[Any]:
        await migrate(opened)
        assert await current(opened)
        return await see(opened, differences)

    assert await with_database(database, work) == []


@pytest.mark.parametrize("kind", ["sqlite", "postgres", "mariadb"])
async def test_a_new_database_has_the_tables_one_api_makes(request: pytest.FixtureRequest, kind: str) -> None:
    ours = await migrated(request.getfixturevalue(kind))
    original = another(request, kind)
    dialect = {"postgres": "postgres", "mariadb": "mysql", "sqlite": "sqlite"}[kind]
    if kind == "sqlite":
        with sqlite3.connect(samples.sqlite_path(original)) as file:
            file.executescript((samples.DATABASES / "schema-sqlite.sql").read_text())
        file.close()
    else:
        samples.load(original, f"schema-{dialect}.sql")
    theirs = await with_database(original, lambda opened: see(opened, samples.describe))
    assert set(theirs) == {table.name for table in ONE_API}
    for table, facts in theirs.items():
        like = {f"column {ours}": facts[f"column {its}"] for ours, its in MORE_COLUMNS.get(table, {}).items()}
        more = MORE.get(table, {}) | like
        assert without_keys_null(ours[table]) == without_keys_null(facts) | more, table
    assert set(ours) - set(theirs) == {table.name for table in OWN} | {"alembic_version"}


def without_keys_null(facts: dict[str, str]) -> dict[str, str]:
    """SQLite lets a key column be NULL unless told; One API never told, and no NULL is ever in it."""
    keys = facts["key"].strip("[]").replace("'", "").split(", ")
    return {
        k: v.replace("null=True", "null=False") if k.removeprefix("column ") in keys else v for k, v in facts.items()
    }


async def test_a_database_for_logs_gets_that_table_and_its_sums(database: servers.Database) -> None:
    async def work(opened: Database) -> None:
        for _ in range(2):
            await migrate_logs(opened)
        assert set(await see(opened, samples.describe)) == {"logs", "marks", "usage_hours"}
        async with opened.write() as tx:
            await tx.execute(insert(logs).values(content="x"))
        await migrate(opened)
        assert await see(opened, differences) == []

    await with_database(database, work)


async def test_ids_of_ours_are_compared_byte_for_byte(database: servers.Database) -> None:
    async def work(opened: Database) -> int:
        await migrate(opened)
        async with opened.write() as tx:
            for topic in ("token:a", "token:A"):
                await tx.execute(text("INSERT INTO generations (topic) VALUES (:topic)"), {"topic": topic})
            return int((await tx.execute(text("SELECT count(*) FROM generations"))).scalar_one())

    assert await with_database(database, work) == 2


# --- adopting ---------------------------------------------------------------------------------------------------------


def sample(request: pytest.FixtureRequest, name: str) -> servers.Database:
    kind = {"postgres.sql": "postgres", "mysql.sql": "mariadb"}.get(name, "sqlite")
    database: servers.Database = request.getfixturevalue(kind)
    samples.load(database, name)
    return database


def sums(tx: Connection) -> list[Any]:
    parts = (users.c.quota, users.c.used_quota, tokens.c.remain_quota, tokens.c.used_quota, channels.c.used_quota)
    return [tx.execute(select(func.sum(part))).scalar_one() for part in (*parts, redemptions.c.quota)]


ALL = [*samples.FILES, "postgres.sql", "mysql.sql"]


@pytest.mark.parametrize("name", ALL)
async def test_adopting_changes_nothing_that_was_there(request: pytest.FixtureRequest, name: str) -> None:
    async def work(opened: Database) -> None:
        before = await see(opened, samples.describe)
        columns = await see(opened, samples.columns)
        rows = await see(opened, lambda tx: samples.rows(tx, columns))
        money = None if "v0.3" in name or "v0.5" in name else await see(opened, sums)
        await migrate(opened)
        after = await see(opened, samples.describe)
        for table, facts in before.items():
            assert facts.items() <= after[table].items(), table
        assert await see(opened, lambda tx: samples.rows(tx, columns)) == rows
        assert money is None or await see(opened, sums) == money
        assert {table.name for table in metadata.tables.values()} <= set(after)

    await with_database(sample(request, name), work)


@pytest.mark.parametrize("name", ALL)
async def test_an_adopted_database_has_all_columns_and_indexes(request: pytest.FixtureRequest, name: str) -> None:
    after = await migrated(sample(request, name))
    for table in metadata.tables.values():
        facts = after[table.name]
        assert {f"column {column.name}" for column in table.columns} <= set(facts)
        assert {f"index {index.name}" for index in table.indexes} <= set(facts)


@pytest.mark.parametrize("name", ALL)
async def test_adopting_twice_is_adopting_once(request: pytest.FixtureRequest, name: str) -> None:
    database = sample(request, name)
    assert await migrated(database) == await migrated(database)


@pytest.mark.parametrize("name", samples.FILES)
async def test_the_text_of_a_table_in_sqlite_is_only_added_to(sqlite: servers.Database, name: str) -> None:
    """Upgrades left quoted names, double-quoted defaults and other column orders; none of it is rewritten."""
    samples.load(sqlite, name)
    before = definitions(samples.sqlite_path(sqlite))
    await migrated(sqlite)
    after = definitions(samples.sqlite_path(sqlite))
    for name_, sql in before.items():
        assert after[name_].startswith(sql.rpartition(",PRIMARY KEY")[0] or sql), name_


def definitions(path: str) -> dict[str, str]:
    with sqlite3.connect(path) as file:
        found = dict(file.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall())
    file.close()
    return found


@pytest.mark.parametrize("name", ["one-api.db", "postgres.sql", "mysql.sql"])
async def test_one_apis_own_statements_go_on_working(request: pytest.FixtureRequest, name: str) -> None:
    """It lists the columns it knows, and leaves ours out when it inserts."""

    async def work(opened: Database) -> None:
        columns = await see(opened, samples.columns)
        await migrate(opened)
        async with opened.write() as tx:
            quote = tx.dialect.identifier_preparer.quote_identifier
            for table, names in columns.items():
                known = ", ".join(quote(column) for column in names)
                await tx.execute(text(f"SELECT {known} FROM {quote(table)} LIMIT 1"))
                if names[0] == "id":
                    some = ", ".join(quote(column) for column in names[1:])
                    copied = f"SELECT {some} FROM {quote(table)} WHERE 1 = 0"
                    await tx.execute(text(f"INSERT INTO {quote(table)} ({some}) {copied}"))
            await tx.execute(text("INSERT INTO users (username, password) VALUES ('new', '')"))
            made = (await tx.execute(select(users.c.role, users.c.quota).where(users.c.username == "new"))).one()
        assert tuple(made) == (1, 0)

    await with_database(sample(request, name), work)


@pytest.mark.parametrize("kind", ["sqlite", "postgres", "mariadb"])
async def test_what_an_old_version_lacks_is_added(request: pytest.FixtureRequest, kind: str) -> None:
    whole = await migrated(request.getfixturevalue(kind))
    original = another(request, kind)
    samples.load(original, samples.DUMPS[kind])
    drop = "DROP INDEX {} ON {}" if kind == "mariadb" else "DROP INDEX {}"

    async def work(opened: Database) -> dict[str, dict[str, str]]:
        async with opened.write() as tx:
            await tx.execute(text("DROP TABLE abilities"))
            await tx.execute(text(drop.format("idx_tokens_key", "tokens")))
            await tx.execute(text(drop.format("idx_created_at_type", "logs")))
            for column in ("elapsed_time", "is_stream"):
                await tx.execute(text(f"ALTER TABLE logs DROP COLUMN {column}"))
        await migrate(opened)
        async with opened.read() as tx:
            old = (await tx.execute(select(logs.c.elapsed_time, logs.c.is_stream).limit(1))).one()
        assert tuple(old) == (0, False)
        return await see(opened, samples.describe)

    found = await with_database(original, work)
    for table in ONE_API:
        assert set(whole[table.name]) <= set(found[table.name])
    assert found["abilities"] == whole["abilities"]


async def test_two_equal_keys_are_told_and_left_alone(sqlite: servers.Database) -> None:
    samples.load(sqlite, "one-api.db")

    async def work(opened: Database) -> None:
        async with opened.write() as tx:
            await tx.execute(text("DROP INDEX idx_tokens_key"))
            first = (await tx.execute(select(tokens.c.key).limit(1))).scalar_one()
            await tx.execute(insert(tokens).values(key=first))
        before = await see(opened, samples.describe)
        with pytest.raises(
            MigrationError, match=r"^table tokens: 1 values of key occur more than once; .* start again$"
        ):
            await migrate(opened)
        assert await see(opened, samples.describe) == before

    await with_database(sqlite, work)


async def test_a_database_of_a_newer_version_is_refused(database: servers.Database) -> None:
    async def work(opened: Database) -> None:
        await migrate(opened)
        async with opened.write() as tx:
            await tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        assert not await current(opened)
        with pytest.raises(MigrationError, match="newer version"):
            await migrate(opened)

    await with_database(database, work)


async def test_the_next_id_follows_rows_with_explicit_ids(postgres: servers.Database) -> None:
    samples.load(postgres, "schema-postgres.sql")

    async def work(opened: Database) -> int:
        async with opened.write() as tx:
            await tx.execute(text("INSERT INTO tokens (id, key) VALUES (1, 'made with INITIAL_ROOT_TOKEN')"))
        await migrate(opened)
        async with opened.write() as tx:
            made = await tx.execute(insert(tokens).values(key="another").returning(tokens.c.id))
            return int(made.scalar_one())

    assert await with_database(postgres, work) == 2


# --- several nodes, and power cuts -----------------------------------------------------------------------------------


async def child(dsn: str, deadly: int = 0) -> tuple[int, str]:
    """Start a node; its exit status and what it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.store.children", dsn, str(deadly)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=Path(__file__).parents[2],
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


async def test_nodes_that_start_at_once_make_one_schema_and_one_root(database: servers.Database) -> None:
    ended = await asyncio.gather(*(child(database.url) for _ in range(3)))
    assert [status for status, _ in ended] == [0, 0, 0], ended
    assert sorted(said.split()[-2] for _, said in ended) == ["found", "found", "made"]

    async def work(opened: Database) -> tuple[int, int, list[Any]]:
        async with opened.read() as tx:
            people = (await tx.execute(select(func.count()).select_from(users))).scalar_one()
            keys = (await tx.execute(select(func.count()).select_from(tokens))).scalar_one()
        return people, keys, await see(opened, differences)

    assert await with_database(database, work) == (1, 1, [])


@pytest.mark.parametrize("part", [0, 0.5, 1])
@pytest.mark.parametrize("kind", ["sqlite", "postgres", "mariadb"])
async def test_a_killed_migration_is_finished_by_the_next(
    request: pytest.FixtureRequest, kind: str, part: float
) -> None:
    """MySQL keeps the steps that were done; the others keep nothing."""
    database: servers.Database = request.getfixturevalue(kind)
    samples.load(database, samples.DUMPS[kind])
    columns = await with_database(database, lambda opened: see(opened, samples.columns))
    rows = await with_database(database, lambda opened: see(opened, lambda tx: samples.rows(tx, columns)))
    whole, shape = await uninterrupted(request, kind)
    status, said = await child(database.url, 2 + round(part * (whole - 3)))
    assert status == -signal.SIGKILL, said
    assert await migrated(database) == shape
    assert await with_database(database, lambda opened: see(opened, lambda tx: samples.rows(tx, columns))) == rows
    assert await with_database(database, current)


async def uninterrupted(request: pytest.FixtureRequest, kind: str) -> tuple[int, dict[str, dict[str, str]]]:
    """How many statements the migration of the sample has, and what it makes."""
    place = another(request, kind)
    samples.load(place, samples.DUMPS[kind])
    status, said = await child(place.url)
    assert status == 0, said
    return int(said.split()[-1]), await with_database(place, lambda opened: see(opened, samples.describe))


def test_the_newest_revision_is_the_one_that_is_looked_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.HEAD
