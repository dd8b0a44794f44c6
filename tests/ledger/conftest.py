from collections.abc import AsyncIterator

import pytest

from tests.harness.servers import Database
from tests.ledger.world import World, world


@pytest.fixture
async def books(database: Database, anyio_backend: str) -> AsyncIterator[World]:
    """Empty tables, on each database in turn."""
    async with world(database.url) as made:
        yield made


@pytest.fixture
async def file(sqlite: Database, anyio_backend: str) -> AsyncIterator[World]:
    """Empty tables in a SQLite file."""
    async with world(sqlite.url) as made:
        yield made
