"""Lists of logs follow an index on each database: read from the plan, not from a clock.

PostgreSQL reads a small table faster as a whole than by any index, so it is asked what it would do without that
choice: a query that no index serves has no other plan and shows it all the same.
"""

from typing import Any

import pytest
from sqlalchemy import Select, insert, select, text
from sqlalchemy.dialects import mysql, postgresql, sqlite

from one_api.accounts import logs as domain
from one_api.accounts.logs import Filter
from one_api.store.engine import Database
from one_api.store.schema import logs

pytestmark = pytest.mark.anyio

ROWS = 4000
DIALECTS: dict[str, Any] = {"sqlite": sqlite, "postgresql": postgresql, "mysql": mysql}
TIMES = {"start_timestamp": 1, "end_timestamp": ROWS * 10}

IDS = {"sqlite": "SCAN logs", "postgresql": "Backward using logs_pkey", "mysql": "'PRIMARY'"}

# What is looked for, and the index that is followed; none: the rows in the order of their ids, until ten are found.
LISTS = [
    ({}, ""),
    (TIMES, ""),
    ({"type": 2, **TIMES}, ""),
    ({"type": 1, **TIMES}, "idx_logs_others"),
    ({"user_id": 5, **TIMES}, "idx_logs_user_id"),
    ({"user_id": 5, "type": 2, **TIMES}, "idx_logs_user_id"),
    ({"user_id": 5, "type": 1, **TIMES}, "idx_logs_own_others"),
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
        if database.kind == "postgresql":
            await tx.execute(text("set local enable_seqscan = off"))
        rows = await tx.exec_driver_sql(f"{explain} {compiled}".replace("%", "%%"))
        return "\n".join(str(tuple(row)) for row in rows)


def whole_table(plan: str, database: Database) -> bool:
    """Whether all rows are read; whatever is sorted was found by an index."""
    signs = {
        "sqlite": ("SCAN logs",),
        "postgresql": ("Seq Scan on logs",),
        "mysql": ("'logs', 'ALL'", "'logs', 'index'"),
    }
    return any(sign in plan for sign in signs[database.kind])


@pytest.mark.parametrize("wanted, index", LISTS, ids=lambda value: str(value or "ids"))
async def test_a_list_follows_an_index(filled: Database, wanted: dict[str, Any], index: str) -> None:
    found = await plan(filled, domain.by_number(Filter(**wanted)).limit(10))
    assert (index or IDS[filled.kind]) in found
    assert not index or not whole_table(found, filled), found
    assert filled.kind != "sqlite" or "TEMP B-TREE" not in found


@pytest.mark.parametrize("more", [{}, {"type": 2, **TIMES}], ids=["alone", "calls of a time"])
async def test_a_name_follows_the_index_of_models_and_names(filled: Database, more: dict[str, Any]) -> None:
    wanted = Filter(username="u5", **more)
    async with filled.read() as tx:
        models = await domain.models(tx)
    assert sorted(models) == sorted(f"m{number}" for number in range(20))
    found = await plan(filled, domain.by_username(wanted, models).limit(10))
    assert "index_username_model_name" in found
    assert not whole_table(found, filled), found
    newest = await plan(filled, domain.among_newest(wanted).limit(10))
    assert not whole_table(newest, filled), newest


async def test_models_are_found_without_reading_every_row(filled: Database) -> None:
    found = await plan(filled, domain.all_models(filled.kind))
    told = {"sqlite": "idx_logs_model_name (model_name>?)", "postgresql": "Limit", "mysql": "Using index for group-by"}
    assert "idx_logs_model_name" in found
    assert told[filled.kind] in found


@pytest.mark.parametrize("username", ["busy", "u5", "nobody", "odd"])
@pytest.mark.parametrize("more", [{}, {"type": 2}, TIMES], ids=["alone", "calls", "a time"])
async def test_a_name_finds_all_its_rows(filled: Database, username: str, more: dict[str, Any]) -> None:
    """The newest ones, few old ones, none, and one that has no model, as no row of One API's later versions is."""
    async with filled.write() as tx:
        await tx.execute(insert(logs).values(username="odd", type=2, created_at=7, quota=3, content=""))
        busy = {"username": "busy", "type": 2, "created_at": ROWS, "quota": 1, "content": "", "model_name": "m1"}
        await tx.execute(insert(logs), [busy] * 25)
        of_name = select(logs.c.id, logs.c.quota).where(logs.c.username == username).order_by(logs.c.id.desc())
        expected = [tuple(row) for row in await tx.execute(of_name)]
    wanted = Filter(username=username, **more)
    for number in (0, 2):
        found = [log.id for log in await domain.page(filled, wanted, number=number, now=ROWS)]
        assert found == [row_id for row_id, _ in expected][number * 10 : number * 10 + 10]
    assert await domain.consumed(filled, wanted) == sum(quota or 0 for _, quota in expected)


@pytest.mark.parametrize("names", [{}, {"user_id": 5}, {"username": "u5", "type": 1}, {"model_name": "m5", "type": 2}])
async def test_few_rows_of_a_time_are_found_by_the_time(filled: Database, names: dict[str, Any]) -> None:
    wanted = Filter(start_timestamp=100, end_timestamp=120, **names)
    for query in (domain.extent(wanted), domain.by_time(wanted, most=10).limit(10)):
        found = await plan(filled, query)
        assert "idx_created_at_type" in found
        assert not whole_table(found, filled), found
