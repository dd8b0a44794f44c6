"""Redemption codes: made, listed, changed by administrators; used by whoever has one, once."""

import asyncio
import random
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from one_api.edge.api import ENDPOINTS
from one_api.store.schema import ledger, logs, redemptions, users
from tests.edge.api.world import NOW, Person, World

pytestmark = pytest.mark.anyio

OK = {"message": "", "success": True}
UNKNOWN = "兑换失败，无效的兑换码"
USED = "兑换失败，该兑换码已被使用"


async def codes(root: Person, **form: Any) -> list[str]:
    answer = await root.post("/api/redemption/", {"name": "gift", "quota": 5000, "count": 1, **form})
    assert answer["success"], answer
    found: list[str] = answer["data"]
    return found


async def quota_of(world: World, user_id: int) -> int:
    found: int = (await world.rows(select(users.c.quota).where(users.c.id == user_id)))[0]["quota"]
    return found


async def booked(world: World) -> list[dict[str, Any]]:
    return await world.rows(select(ledger).where(ledger.c.kind == "redeem").order_by(ledger.c.id))


# --- for administrators -----------------------------------------------------------------------------------------------


async def test_codes_are_made_and_shown_with_all_members(everywhere: World) -> None:
    root = await everywhere.with_session(1)
    keys = await codes(root, count=12)
    assert len(set(keys)) == 12
    assert all(len(key) == 32 and int(key, 16) for key in keys)
    answer = await root.get("/api/redemption/?p=1")
    assert answer == {
        "data": [
            {
                "id": number,
                "user_id": 1,
                "key": keys[number - 1],
                "status": 1,
                "name": "gift",
                "quota": 5000,
                "created_time": NOW,
                "redeemed_time": 0,
                "count": 0,
            }
            for number in (2, 1)
        ],
        **OK,
    }
    assert [code["id"] for code in (await root.get("/api/redemption/"))["data"]] == list(range(12, 2, -1))
    assert (await root.get("/api/redemption/2"))["data"] == answer["data"][0]
    assert (await root.get("/api/redemption/?p=2"))["data"] == []


async def test_codes_are_found_by_number_and_by_the_beginning_of_the_name(everywhere: World) -> None:
    root = await everywhere.with_session(1)
    for name in ("gift", "gifts", "x2"):
        await codes(root, name=name)

    async def found(keyword: str) -> list[int]:
        return [code["id"] for code in (await root.get(f"/api/redemption/search?keyword={keyword}"))["data"]]

    assert await found("gi") == [1, 2]
    assert await found("2") == [2]
    assert await found("ift") == []
    assert await found("") == [1, 2, 3]


@pytest.mark.parametrize(
    "body, message",
    [
        ({"quota": 1, "count": 1}, "兑换码名称长度必须在1-20之间"),
        ({"name": "n" * 21, "quota": 1, "count": 1}, "兑换码名称长度必须在1-20之间"),
        ({"name": "兑换码名称七个", "quota": 1, "count": 1}, "兑换码名称长度必须在1-20之间"),
        ({"name": "x", "quota": 1, "count": 0}, "兑换码个数必须大于0"),
        ({"name": "x", "quota": 1, "count": -1}, "兑换码个数必须大于0"),
        ({"name": "x", "quota": 1, "count": 101}, "一次兑换码批量生成的个数不能大于 100"),
        ({"name": "x", "quota": 10**18, "count": 1}, "额度不能超过 1000000000000000"),
        (
            {"name": "x", "quota": "1", "count": 1},
            "json: cannot unmarshal string into Go struct field Redemption.quota of type int64",
        ),
        ("{", "unexpected EOF"),
        (None, "EOF"),
    ],
)
async def test_codes_that_cannot_be(here: World, body: Any, message: str) -> None:
    assert await (await here.with_session(1)).post("/api/redemption/", body) == {"message": message, "success": False}
    assert await here.rows(select(redemptions)) == []


async def test_a_code_without_quota_is_worth_a_hundred(here: World) -> None:
    root = await here.with_session(1)
    await codes(root, name="r4", quota=0)
    await codes(root, name="neg", quota=-50)
    assert [code["quota"] for code in (await root.get("/api/redemption/"))["data"]] == [-50, 100]


async def test_name_and_quota_change_together_and_the_status_alone(everywhere: World) -> None:
    root = await everywhere.with_session(1)
    await codes(root)
    long = "n" * 40
    answer = await root.put("/api/redemption/", {"id": 1, "name": long, "quota": 0, "status": 2})
    before = (await root.get("/api/redemption/1"))["data"]
    assert (answer["data"], before["name"], before["quota"], before["status"]) == (before, long, 0, 1)
    for query in ("status_only=true", "status_only=false"):
        for status in (77, 2, 1):
            answer = await root.put(f"/api/redemption/?{query}", {"id": 1, "status": status, "name": "other"})
            assert answer == {"data": before | {"status": status}, **OK}


async def test_a_used_code_stays_used(everywhere: World) -> None:
    root = await everywhere.with_session(1)
    (key,) = await codes(root)
    await root.post("/api/user/topup", {"key": key})
    for status in (1, 2):
        answer = await root.put("/api/redemption/?status_only=1", {"id": 1, "status": status})
        assert (answer["success"], answer["data"]["status"]) == (True, 3)
    answer = await root.put("/api/redemption/", {"id": 1, "name": "again", "quota": 7, "status": 1})
    assert (answer["data"]["name"], answer["data"]["status"]) == ("again", 3)
    assert (await root.post("/api/user/topup", {"key": key}))["message"] == USED


async def test_a_code_that_was_made_unused_behind_our_back_is_not_paid_twice(everywhere: World) -> None:
    root = await everywhere.with_session(1)
    (key,) = await codes(root)
    await root.post("/api/user/topup", {"key": key})
    balance = await quota_of(everywhere, 1)
    await everywhere.execute(update(redemptions).values(status=1))
    assert (await root.post("/api/user/topup", {"key": key}))["message"] == USED
    assert await quota_of(everywhere, 1) == balance


@pytest.mark.parametrize(
    "method, path, body, message",
    [
        ("GET", "/api/redemption/999", None, "record not found"),
        ("GET", "/api/redemption/0", None, "id 为空！"),
        ("GET", "/api/redemption/abc", None, 'strconv.Atoi: parsing "abc": invalid syntax'),
        ("PUT", "/api/redemption/", {"name": "x"}, "id 为空！"),
        ("PUT", "/api/redemption/", {"id": 999, "name": "x"}, "record not found"),
        ("PUT", "/api/redemption/?status_only=1", {"id": 999, "status": 1}, "record not found"),
        ("PUT", "/api/redemption/", "?", "invalid character '?' looking for beginning of value"),
        ("PUT", "/api/redemption/", {"id": 1, "name": "x" * 192}, "name 过长"),
        ("DELETE", "/api/redemption/999", None, "record not found"),
        ("DELETE", "/api/redemption/0", None, "id 为空！"),
        ("DELETE", "/api/redemption/abc", None, "id 为空！"),
    ],
)
async def test_a_code_that_is_not_there(here: World, method: str, path: str, body: Any, message: str) -> None:
    answer = await (await here.with_session(1)).ask(method, path, body)
    assert (answer.status_code, answer.json()) == (200, {"message": message, "success": False})


async def test_a_deleted_code_is_gone(everywhere: World) -> None:
    root = await everywhere.with_session(1)
    (key,) = await codes(root)
    assert await root.delete("/api/redemption/1/") == OK
    assert (await root.delete("/api/redemption/1"))["message"] == "record not found"
    assert (await root.post("/api/user/topup", {"key": key}))["message"] == UNKNOWN


# --- redeeming --------------------------------------------------------------------------------------------------------


async def test_redeeming_credits_books_and_logs(everywhere: World) -> None:
    root = await everywhere.with_session(1)
    (key,) = await codes(root)
    alice = await everywhere.user("alice")
    assert await (await everywhere.with_session(alice)).post("/api/user/topup", {"key": key}) == {"data": 5000, **OK}
    assert await quota_of(everywhere, alice) == 5000
    code = (await root.get("/api/redemption/1"))["data"]
    assert (code["status"], code["redeemed_time"]) == (3, NOW)
    (entry,) = await booked(everywhere)
    (log,) = await everywhere.rows(select(logs))
    assert (entry["request_id"], entry["user_id"], entry["quota"], entry["short"]) == (key, alice, 5000, 0)
    assert entry["details"] == f'{{"request":"{log["request_id"]}"}}'
    told = {"user_id": alice, "username": "alice", "type": 1, "quota": 0, "created_at": NOW}
    assert (told | {"content": "通过兑换码充值 ＄0.010000 额度"}).items() <= log.items()


async def test_a_code_is_good_for_one_user_only(everywhere: World) -> None:
    (key,) = await codes(await everywhere.with_session(1))
    first, second = [await everywhere.user(name) for name in ("first", "second")]
    await (await everywhere.with_session(first)).post("/api/user/topup", {"key": key})
    assert (await (await everywhere.with_session(second)).post("/api/user/topup", {"key": key}))["message"] == USED
    assert await quota_of(everywhere, second) == 0


async def test_a_negative_code_takes_but_never_below_zero(everywhere: World) -> None:
    keys = await codes(await everywhere.with_session(1), quota=-50, count=2)
    alice = await everywhere.user("alice")
    await everywhere.execute(update(users).where(users.c.id == alice).values(quota=70))
    person = await everywhere.with_session(alice)
    answers = [await person.post("/api/user/topup", {"key": key}) for key in keys]
    assert [answer["data"] for answer in answers] == [-50, -50]
    assert await quota_of(everywhere, alice) == 0
    assert [(entry["quota"], entry["short"]) for entry in await booked(everywhere)] == [(-50, 0), (-20, 30)]


@pytest.mark.parametrize(
    "body, message",
    [
        ({}, "未提供兑换码"),
        ({"key": None}, "未提供兑换码"),
        ({"key": "f" * 32}, UNKNOWN),
        ({"key": "f" * 300}, UNKNOWN),
        ({"key": "%"}, UNKNOWN),
        ({"key": "' or 1=1 --"}, UNKNOWN),
        ({"key": "兑换码"}, UNKNOWN),
        ({"key": " {key} "}, UNKNOWN),
        ({"key": "{key} "}, UNKNOWN),
        ({"key": "{KEY}"}, UNKNOWN),
        ({"key": 5}, "json: cannot unmarshal number into Go struct field topUpRequest.key of type string"),
        ("{", "unexpected EOF"),
        (None, "EOF"),
    ],
)
async def test_what_is_no_code_is_refused(everywhere: World, body: Any, message: str) -> None:
    root = await everywhere.with_session(1)
    key = "abcdef00112233445566778899aabbcc"
    row = {"user_id": 1, "key": key, "status": 1, "name": "x", "quota": 5, "created_time": 1, "redeemed_time": 0}
    await everywhere.execute(insert(redemptions).values(row))
    if isinstance(body, dict) and isinstance(body.get("key"), str):
        body = {"key": body["key"].replace("{key}", key).replace("{KEY}", key.upper())}
    answer = await root.ask("POST", "/api/user/topup", body)
    assert (answer.status_code, answer.json()) == (200, {"message": message, "success": False})
    assert (await everywhere.rows(select(redemptions)))[0] == {"id": 1, **row}


async def test_a_disabled_code_counts_as_used(here: World) -> None:
    root = await here.with_session(1)
    (key,) = await codes(root)
    await root.put("/api/redemption/?status_only=true", {"id": 1, "status": 2})
    assert (await root.post("/api/user/topup", {"key": key}))["message"] == USED


async def test_redeeming_is_rationed_and_a_foreign_page_cannot_do_it(here: World) -> None:
    root = await here.with_session(1)
    (key,) = await codes(root)
    answer = await root.ask("POST", "/api/user/topup", {"key": key}, Origin="https://evil.example")
    assert answer.status_code == 403
    assert (await root.get("/api/redemption/1"))["data"]["status"] == 1
    assert [endpoint.critical for endpoint in ENDPOINTS if endpoint.path == "/api/user/topup"] == [True]


async def test_sixty_four_clients_and_twenty_codes_give_twenty_credits(everywhere: World) -> None:
    keys = await codes(await everywhere.with_session(1), count=20, quota=1000)
    people = [await everywhere.user(f"u{number}") for number in range(16)]
    dice = random.Random(7)
    at_once = asyncio.Semaphore(16)  # as many as there are connections to the database: more only wait, or give up

    async def redeem(number: int) -> list[Any]:
        tried = dice.sample(keys, 5)
        async with at_once:
            person = await everywhere.with_session(people[number % 16], ip=f"203.0.113.{number}")
            return [await person.post("/api/user/topup", {"key": key}) for key in tried]

    answers = [answer for some in await asyncio.gather(*map(redeem, range(64))) for answer in some]
    won = [answer for answer in answers if answer["success"]]
    assert {answer["message"] for answer in answers} == {"", USED}
    assert [answer["data"] for answer in won] == [1000] * 20
    balances = {row["id"]: row["quota"] for row in await everywhere.rows(select(users).where(users.c.id > 1))}
    entries = await booked(everywhere)
    credited = {user_id: sum(e["quota"] for e in entries if e["user_id"] == user_id) for user_id in people}
    assert balances == credited
    assert sorted(entry["request_id"] for entry in entries) == sorted(keys)
    told = select(logs.c.user_id, func.count().label("n")).group_by(logs.c.user_id)
    assert {row["user_id"]: row["n"] * 1000 for row in await everywhere.rows(told)} == {
        user_id: quota for user_id, quota in credited.items() if quota
    }
    assert {row["status"] for row in await everywhere.rows(select(redemptions))} == {3}
