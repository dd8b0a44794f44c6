"""A migrated database, open; conftest.py of each package that works on one takes it from here."""

from collections.abc import AsyncIterator

import pytest

from one_api.store.engine import Database
from one_api.store.migrations import migrate
from tests.harness import servers
from tests.store import samples


@pytest.fixture
async def store(database: servers.Database) -> AsyncIterator[Database]:
    opened = samples.opened(database, sqlite_busy_timeout=10_000)
    await migrate(opened)
    yield opened
    await opened.aclose()
