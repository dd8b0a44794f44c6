"""Lists of logs follow an index on each database: read from the plan, not from a clock."""

from typing import Any

import pytest
from sqlalchemy import Select, insert, text
from sqlalchemy.dialects import mysql, postgresql, sqlite

from one_api.accounts import logs as domain
from one_api.accounts.logs import Filter
from one_api.store.engine import Database
from one_api.store.schema import logs

pytestmark = pytest.mark.anyio

ROWS = 4000
DIALECTS: dict[str, Any] = {"sqlite": sqlite, "postgresql": postgresql, "mysql": mysql}
TIMES = {"start_timestamp": 1, "end_timestamp": ROWS * 10}

# What is looked for, and the index SQLite follows; none: the rows in the order of their ids, until ten are found.
LISTS = [
    ({}, ""),
    (TIMES, ""),
    ({"type": 2, **TIMES}, ""),
    ({"type": 1, **TIMES}, "idx_logs_others"),
    ({"user_id": 5, **TIMES}, "idx_logs_user_id"),
    ({"user_id": 5, "type": 2, **TIMES}, "idx_logs_user_id"),
    ({"user_id": 5, "type": 1, **TIMES}, "idx_logs_own_others"),
    ({"username": "u5", **TIMES}, "idx_logs_username"),
    ({"token_name": "t5", **TIMES}, "idx_logs_token_name"),
    ({"channel": 5, **TIMES}, "idx_logs_channel_id"),
    ({"model_name": "m5", "username": "u5", **TIMES}, "index_username_model_name"),
]


@pytest.fixture
async def filled(store: Database) -> Database:
    rows = [
        {
            "user_id": number % 400,
            "username": f"u{number % 400}",
            "token_name": f"t{number % 400}",
            "model_name": f"m{number % 20}",
            "channel_id": number % 400,
            "type": 1 if number % 200 == 0 else 2,
            "created_at": number,
            "content": "x" * 100,
        }
        for number in range(ROWS)
    ]
    async with store.write() as tx:
        await tx.execute(insert(logs), rows)
        if store.kind != "sqlite":
            await tx.execute(text("analyze logs" if store.kind == "postgresql" else "analyze table logs"))
    return store


async def plan(database: Database, query: Select[Any]) -> str:
    dialect = DIALECTS[database.kind].dialect()
    compiled = query.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    explain = "explain query plan" if database.kind == "sqlite" else "explain"
    async with database.read() as tx:
        rows = await tx.exec_driver_sql(f"{explain} {compiled}".replace("%", "%%"))
        return "\n".join(str(tuple(row)) for row in rows)


def whole_table(plan: str, database: Database) -> bool:
    """Whether all rows are read or sorted."""
    signs = {"sqlite": ("TEMP B-TREE",), "postgresql": ("Seq Scan",), "mysql": ("'ALL'", "filesort")}
    return any(sign in plan for sign in signs[database.kind])


@pytest.mark.parametrize("wanted, index", LISTS, ids=lambda value: str(value or "ids"))
async def test_a_list_follows_an_index(filled: Database, wanted: dict[str, Any], index: str) -> None:
    found = await plan(filled, domain.by_number(Filter(**wanted)).limit(10))
    assert not whole_table(found, filled), found
    if filled.kind == "sqlite":
        assert (index or "SCAN logs") in found


@pytest.mark.parametrize("names", [{}, {"user_id": 5}, {"username": "u5", "type": 1}, {"model_name": "m5", "type": 2}])
async def test_few_rows_of_a_time_are_found_by_the_time(filled: Database, names: dict[str, Any]) -> None:
    wanted = Filter(start_timestamp=100, end_timestamp=120, **names)
    for query in (domain.in_that_time(wanted), domain.by_time(wanted)):
        assert "idx_created_at_type" in await plan(filled, query)
