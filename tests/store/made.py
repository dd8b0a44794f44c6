"""Migrated databases in place of empty ones: made once for all tests of a process, and copied for each.

A package's conftest.py imports the fixtures; `database` and `dsn` are of those then.
"""

import asyncio
import shutil
from pathlib import Path

import pytest

from one_api.store.migrations import migrate
from tests.harness import servers
from tests.store import samples


def complete(empty: servers.Database) -> servers.Database:
    async def work() -> None:
        database = samples.opened(empty)
        await migrate(database)
        await database.aclose()

    asyncio.run(work())
    return empty


@pytest.fixture(scope="session")
def made_in_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(samples.sqlite_path(complete(servers.sqlite(tmp_path_factory.mktemp("made")))))


@pytest.fixture(scope="session")
def made_in_postgres(postgres_server: servers.Postgres) -> servers.Database:
    return complete(postgres_server.fresh())


@pytest.fixture(scope="session")
def made_in_mariadb(mariadb_server: servers.MariaDB) -> servers.Database:
    return complete(mariadb_server.fresh())


@pytest.fixture
def sqlite(made_in_sqlite: Path, tmp_path: Path) -> servers.Database:
    copy = servers.sqlite(tmp_path)
    shutil.copyfile(made_in_sqlite, samples.sqlite_path(copy))
    return copy


@pytest.fixture
def postgres(made_in_postgres: servers.Database, postgres_server: servers.Postgres) -> servers.Database:
    return postgres_server.fresh(like=made_in_postgres)


@pytest.fixture
def mariadb(made_in_mariadb: servers.Database, mariadb_server: servers.MariaDB) -> servers.Database:
    return mariadb_server.fresh(like=made_in_mariadb)
