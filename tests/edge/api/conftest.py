from collections.abc import AsyncIterator

import pytest

from tests.edge.api.world import World, world
from tests.harness import servers
from tests.store.made import made_in_mariadb, made_in_postgres, made_in_sqlite, mariadb, postgres, sqlite

__all__ = ["made_in_mariadb", "made_in_postgres", "made_in_sqlite", "mariadb", "postgres", "sqlite"]


@pytest.fixture
async def here(sqlite: servers.Database) -> AsyncIterator[World]:
    """The console's interface on SQLite."""
    async with world(sqlite) as made:
        yield made


@pytest.fixture
async def everywhere(database: servers.Database) -> AsyncIterator[World]:
    """The console's interface on each of the three databases in turn."""
    async with world(database) as made:
        yield made
