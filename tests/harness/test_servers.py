"""The servers that other tests rely on."""

import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.harness.servers import Database, NotStarted, free_port, process


@pytest.mark.anyio
async def test_a_database_is_empty_each_time(database: Database) -> None:
    engine = create_async_engine(database.url)
    async with engine.begin() as tx:
        await tx.execute(text("CREATE TABLE t (n int)"))
        await tx.execute(text("INSERT INTO t VALUES (1)"))
        assert (await tx.execute(text("SELECT n FROM t"))).scalar_one() == 1
    await engine.dispose()


test_a_database_is_empty_each_time_again = test_a_database_is_empty_each_time


def test_a_server_that_ends_says_why(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no disk')"]
    with pytest.raises(NotStarted, match="no disk"), process(command, port=free_port(), log=tmp_path / "log"):
        pass
