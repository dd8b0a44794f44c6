"""Logs searched, deleted and summed up, also when they are in a database of another kind."""

import asyncio
import csv
from collections.abc import AsyncIterator
from io import StringIO
from typing import Any

import pytest
from sqlalchemy import insert, select

from one_api.accounts import logs as domain
from one_api.ledger import Facts, HoldRequest
from one_api.store.schema import logs, tokens, users
from tests.edge.api.world import NOW, World, world
from tests.harness import servers

pytestmark = pytest.mark.anyio

OK = {"message": "", "success": True}
DAY = 86_400
TODAY = NOW // DAY * DAY
FEW = domain.FEW


@pytest.fixture
async def apart(sqlite: servers.Database, postgres: servers.Database) -> AsyncIterator[World]:
    """Users in SQLite, logs in PostgreSQL."""
    async with world(sqlite, logs=postgres.url) as made:
        yield made


async def write(here: World, *rows: dict[str, Any]) -> None:
    common = {"user_id": 1, "username": "root", "created_at": NOW, "type": 2, "content": "", "model_name": "m"}
    numbers = {"token_name": "t", "quota": 1, "prompt_tokens": 2, "completion_tokens": 3, "channel_id": 4}
    async with here.parts.logs.write() as tx:
        await tx.execute(insert(logs), [common | numbers | row for row in rows])


async def ids(here: World, query: str) -> list[int]:
    return [log["id"] for log in (await (await here.with_session(1)).get(f"/api/log/?{query}"))["data"]]


# --- lists ------------------------------------------------------------------------------------------------------------


FILTERS = [
    "",
    "type=1",
    "type=2",
    "type=-1",
    "username=alice",
    "model_name=m1",
    "token_name=t1&type=2",
    "channel=5",
    "username=alice&model_name=m1&channel=5&type=1",
    "username=nobody",
]


def wanted(rows: list[dict[str, Any]], query: str, start: int, end: int) -> list[int]:
    """What the list has to be, by the definition of the filters."""
    pairs = dict(pair.split("=") for pair in query.split("&") if pair)
    names = {"channel": "channel_id", "type": "type"}
    return [
        number
        for number, row in reversed(list(enumerate(rows, 1)))
        if all(str(row[names.get(name, name)]) == value for name, value in pairs.items())
        and (not start or row["created_at"] >= start)
        and (not end or row["created_at"] <= end)
    ]


@pytest.mark.parametrize("count, many", [(40, domain.MANY), (FEW + 40, domain.MANY), (FEW + 40, 10)])
async def test_lists_are_the_same_whichever_index_they_follow(
    everywhere: World, monkeypatch: pytest.MonkeyPatch, count: int, many: int
) -> None:
    monkeypatch.setattr(domain, "MANY", many)
    rows = [
        {
            "type": 1 if number % 7 == 0 else 2,
            "username": "alice" if number % 2 else "root",
            "model_name": f"m{number % 3}",
            "token_name": f"t{number % 2}",
            "channel_id": 4 + number % 2,
            "created_at": NOW + (number * 7) % count,  # not in the order of ids
        }
        for number in range(count)
    ]
    await write(everywhere, *rows)
    for query in FILTERS:
        for start, end in ((0, 0), (NOW, NOW + count), (NOW + 10, 0), (0, NOW + 20), (NOW + 5, NOW + 30)):
            times = f"&start_timestamp={start}&end_timestamp={end}"
            expected = wanted(rows, query, start, end)
            assert await ids(everywhere, f"{query}{times}&p=0") == expected[:10], (query, start, end)
            assert await ids(everywhere, f"{query}{times}&p=1") == expected[10:20], (query, start, end)


async def test_own_logs_follow_the_same_filters(everywhere: World) -> None:
    alice = await everywhere.with_session(await everywhere.user("alice"))
    await write(everywhere, *[{"user_id": 1 + n % 2, "type": 1 + n % 3 // 2, "content": f"c{n}"} for n in range(9)])
    for times in ("", f"&end_timestamp={NOW}", f"&start_timestamp={NOW}&username=root&channel=9"):
        found = (await alice.get(f"/api/log/self?type=1{times}"))["data"]
        assert [(log["id"], log["content"]) for log in found] == [(0, "c7"), (0, "c3"), (0, "c1")]


async def test_a_time_that_is_no_number_is_no_bound(here: World) -> None:
    await write(here, {}, {})
    for query in ("start_timestamp=abc", "end_timestamp=1795487.5", "end_timestamp=NaN", "p=-1", "p=x"):
        assert await ids(here, query) == [2, 1]


# --- searches ---------------------------------------------------------------------------------------------------------


async def test_logs_are_found_by_type_or_by_the_beginning_of_their_text(everywhere: World) -> None:
    texts = ["通过兑换码充值", "2 things", "通过 API 充值", "倍率：1"]
    await write(everywhere, *[{"type": 1 + n % 2, "content": text} for n, text in enumerate(texts)])
    root = await everywhere.with_session(1)

    async def found(keyword: str) -> list[int]:
        return [log["id"] for log in (await root.get(f"/api/log/search?keyword={keyword}"))["data"]]

    assert await found("2") == [4, 2]
    assert await found("1") == [3, 1]
    assert await found("通过") == [3, 1]
    assert await found("zzz") == []
    assert await found("") == [4, 3, 2, 1]
    await write(everywhere, *[{"content": "x"} for _ in range(120)])
    assert await found("x") == list(range(124, 24, -1))


async def test_own_logs_are_found_by_type_alone(everywhere: World) -> None:
    alice = await everywhere.with_session(await everywhere.user("alice"))
    await write(everywhere, *[{"user_id": 1 + n % 2, "type": 1 + n % 4 // 2, "content": f"c{n}"} for n in range(8)])

    async def found(keyword: str) -> list[str]:
        answer = (await alice.get(f"/api/log/self/search?keyword={keyword}"))["data"]
        assert {log["id"] for log in answer} <= {0}
        return [log["content"] for log in answer]

    assert await found("2") == ["c7", "c3"]
    assert await found("1") == ["c5", "c1"]
    assert await found("0") == await found("c") == await found("abc") == await found("") == []
    await write(everywhere, *[{"user_id": 2} for _ in range(120)])
    assert len(await found("2")) == 100


# --- sums -------------------------------------------------------------------------------------------------------------


async def test_the_sum_follows_the_filters_of_calls(everywhere: World) -> None:
    alice = await everywhere.with_session(await everywhere.user("alice"))
    rows = [{"user_id": 1 + n % 2, "username": "someone", "channel_id": n, "quota": 10**n} for n in range(6)]
    await write(everywhere, *rows, {"type": 1, "quota": 999_999}, {"created_at": NOW + 50, "quota": 7, "user_id": 2})
    root = await everywhere.with_session(1)
    assert await root.get("/api/log/stat") == {"data": {"quota": 111_118}, **OK}
    assert await root.get("/api/log/stat?username=someone&type=1") == {"data": {"quota": 111_111}, **OK}
    assert await root.get(f"/api/log/stat?start_timestamp={NOW + 1}") == {"data": {"quota": 7}, **OK}
    assert await alice.get("/api/log/self/stat?username=root") == {"data": {"quota": 101_017}, **OK}
    assert await alice.get("/api/log/self/stat?channel=3") == {"data": {"quota": 1000}, **OK}
    assert await alice.get("/api/log/self/stat?model_name=none") == {"data": {"quota": 0}, **OK}


def bar(day: int, model: str, requests: int, quota: int) -> dict[str, Any]:
    date = {0: "2026-11-24", 1: "2026-11-23", 6: "2026-11-18", 29: "2026-10-26"}[day]
    tokens = {"PromptTokens": 2 * requests, "CompletionTokens": 3 * requests}
    return {"Day": date, "ModelName": model, "RequestCount": requests, "Quota": quota, **tokens}


async def test_the_dashboard_has_seven_days_by_model(everywhere: World) -> None:
    alice = await everywhere.with_session(await everywhere.user("alice"))
    assert await alice.get("/api/user/dashboard") == {"data": None, **OK}
    times = [TODAY - 6 * DAY - 1, TODAY - 6 * DAY, TODAY - 1, TODAY, TODAY, TODAY + DAY - 1, TODAY + DAY]
    models = ["m", "m", "m", "m", "a", "m", "m"]
    rows = [
        {"user_id": 2, "created_at": time, "model_name": model, "quota": 10**n}
        for n, (time, model) in enumerate(zip(times, models, strict=True))
    ]
    await write(everywhere, *rows, {"created_at": TODAY}, {"user_id": 2, "created_at": TODAY, "type": 1})
    bars = [bar(6, "m", 1, 10), bar(1, "m", 1, 100), bar(0, "a", 1, 10_000), bar(0, "m", 2, 101_000)]
    assert await alice.get("/api/user/dashboard") == {"data": bars, **OK}


async def test_logs_as_a_table_for_spreadsheets(everywhere: World) -> None:
    alice = await everywhere.with_session(await everywhere.user("alice"))
    await write(
        everywhere,
        *[{"user_id": 2, "created_at": TODAY + n, "token_name": "=1+1", "quota": n} for n in range(12)],
        {"user_id": 1, "created_at": TODAY, "token_name": "root's"},
    )
    answer = await alice.ask("GET", "/api/log/self/csv?type=2")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(StringIO(answer.text.removeprefix("\ufeff"))))
    assert [(row["quota"], row["token_name"]) for row in rows] == [(str(n), "'=1+1") for n in reversed(range(12))]
    assert rows[-1]["created_at"] == "2026-11-24 00:00:00"
    whole = await (await everywhere.with_session(1)).ask("GET", "/api/log/csv")
    assert len(whole.text.splitlines()) == 1 + 13


async def test_usage_of_more_days_and_of_everybody(everywhere: World) -> None:
    alice = await everywhere.with_session(await everywhere.user("alice"))
    root = await everywhere.with_session(1)
    called = {"model_name": "m", "quota": 100}
    await write(
        everywhere,
        {**called, "user_id": 2, "username": "alice", "channel_id": 7, "created_at": TODAY - 29 * DAY},
        {**called, "user_id": 2, "username": "alice", "channel_id": 8, "created_at": TODAY - 30 * DAY},
        {**called, "user_id": 1, "username": "root", "channel_id": 8, "created_at": TODAY, "quota": 300},
        {"user_id": 1, "username": "root", "created_at": TODAY, "type": 1},
    )
    assert (await alice.get("/api/user/dashboard?days=30"))["data"] == [bar(29, "m", 1, 100)]
    assert (await root.get("/api/log/usage?days=30"))["data"] == [bar(29, "m", 1, 100), bar(0, "m", 1, 300)]
    assert (await root.get("/api/log/usage?days=1"))["data"] == [bar(0, "m", 1, 300)]
    users_ = (await root.get("/api/log/usage/users?days=30"))["data"]
    assert [(each["name"], each["request_count"], each["quota"]) for each in users_] == [
        ("root", 1, 300),
        ("alice", 1, 100),
    ]
    channels = (await root.get("/api/log/usage/channels?days=90"))["data"]
    assert [(each["name"], each["quota"]) for each in channels] == [("8", 400), ("7", 100)]
    assert not (await alice.get("/api/log/usage"))["success"]


# --- deleting ---------------------------------------------------------------------------------------------------------


async def test_old_logs_of_every_type_are_deleted(everywhere: World) -> None:
    await write(everywhere, *[{"created_at": NOW + n % 7, "type": n % 6} for n in range(700)])
    root = await everywhere.with_session(1)
    assert await root.delete("/api/log/?target_timestamp=5") == {"data": 0, **OK}
    assert await root.delete(f"/api/log/?target_timestamp={NOW + 3}") == {"data": 300, **OK}
    assert min(row["created_at"] for row in await everywhere.rows(select(logs.c.created_at))) == NOW + 3
    assert await root.delete(f"/api/log?target_timestamp={NOW + 100}") == {"data": 400, **OK}
    assert await everywhere.rows(select(logs)) == []


@pytest.mark.parametrize("query", ["", "?target_timestamp=0", "?target_timestamp=abc", "?target_timestamp="])
async def test_without_a_time_nothing_is_deleted(here: World, query: str) -> None:
    await write(here, {"created_at": 1})
    answer = await (await here.with_session(1)).delete(f"/api/log/{query}")
    assert answer == {"message": "target timestamp is required", "success": False}
    assert len(await here.rows(select(logs))) == 1


async def test_calls_are_charged_while_logs_are_deleted(here: World) -> None:
    await write(here, *[{"created_at": n} for n in range(5000)])
    alice = await here.user("alice")
    await here.execute(users.update().values(quota=1000))
    token_id = (await here.rows(select(tokens).where(tokens.c.user_id == alice)))[0]["id"]
    root = await here.with_session(1)

    async def call(number: int) -> bool:
        request = HoldRequest(
            request_id=f"c{number}", user_id=alice, token_id=token_id, unlimited=True, least=1, most=9
        )
        return await here.ledger.settle(await here.ledger.hold(request), 1, Facts(source="reported"))

    deletion = asyncio.create_task(root.delete(f"/api/log/?target_timestamp={NOW}"))
    charged = [await call(number) for number in range(20)]
    assert await deletion == {"data": 5000, **OK}
    assert charged == [True] * 20


# --- apart ------------------------------------------------------------------------------------------------------------


async def test_logs_may_be_in_a_database_of_another_kind(apart: World) -> None:
    root = await apart.with_session(1)
    (key,) = (await root.post("/api/redemption/", {"name": "gift", "quota": 10, "count": 1}))["data"]
    assert (await root.post("/api/user/topup", {"key": key}))["data"] == 10
    await write(apart, {"quota": 5}, {"created_at": TODAY - DAY, "quota": 6})
    assert await apart.rows(select(logs)) == []
    found = (await root.get("/api/log/"))["data"]
    assert [log["type"] for log in found] == [2, 2, 1]
    assert (await root.get("/api/log/stat"))["data"] == {"quota": 11}
    assert (await root.get("/api/log/self/search?keyword=1"))["data"][0]["content"].startswith("通过兑换码充值")
    days = (await root.get("/api/user/dashboard"))["data"]
    assert [(day["Day"], day["Quota"]) for day in days] == [("2026-11-23", 6), ("2026-11-24", 5)]
    assert await root.delete(f"/api/log/?target_timestamp={NOW}") == {"data": 1, **OK}


async def test_what_is_done_stays_done_when_logs_cannot_be_written(
    sqlite: servers.Database, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = servers.sqlite(tmp_path_factory.mktemp("logs"))
    async with world(sqlite, logs=elsewhere.url) as here:
        root = await here.with_session(1)
        (key,) = (await root.post("/api/redemption/", {"name": "gift", "quota": 10, "count": 1}))["data"]
        async with here.parts.logs.write() as tx:
            await tx.exec_driver_sql("alter table logs rename to away")
        failed = {"data": None, "message": "无法获取统计信息", "success": False}
        assert await root.get("/api/user/dashboard") == failed
        assert await root.post("/api/user/topup", {"key": key}) == {"data": 10, **OK}
        async with here.parts.logs.write() as tx:
            await tx.exec_driver_sql("alter table away rename to logs")
