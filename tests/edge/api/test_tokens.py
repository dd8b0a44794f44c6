from typing import Any

import pytest
from sqlalchemy import select, update

from one_api.errors import TokenRefused
from one_api.ledger import HoldRequest
from one_api.store.schema import tokens
from tests.edge.api.world import NOW, Person, World

pytestmark = pytest.mark.anyio

FULL = {
    "name": "t-full",
    "expired_time": NOW + 86400,
    "remain_quota": 500000,
    "unlimited_quota": False,
    "models": "gpt-3.5-turbo,gpt-4",
    "subnet": "127.0.0.0/8, 10.0.0.0/8",
}


async def alice(here: World) -> Person:
    person = await here.with_session(await here.user("alice"))
    await here.execute(tokens.delete())
    return person


async def made(person: Person, **body: Any) -> dict[str, Any]:
    answer = await person.post("/api/token/", body)
    assert answer["success"], answer
    token: dict[str, Any] = answer["data"]
    return token


async def test_a_new_token_has_what_it_may_have_and_nothing_else(everywhere: World) -> None:
    person = await alice(everywhere)
    strange = {"user_id": 1, "key": "mine", "used_quota": 7, "status": 2, "created_time": 5, "id": 77}
    token = await made(person, **FULL, **strange)
    wanted = FULL | {
        "user_id": 2,
        "status": 1,
        "used_quota": 0,
        "created_time": NOW,
        "accessed_time": NOW,
        "key": token["key"],
        "id": token["id"],
    }
    assert token == wanted
    assert token["id"] != 77
    assert len(token["key"]) == 48
    assert (await person.get(f"/api/token/{token['id']}"))["data"] == wanted


async def test_an_expiry_of_0_means_never_for_a_new_token_and_1970_for_an_old_one(here: World) -> None:
    person = await alice(here)
    token = await made(person, name="t", expired_time=0, remain_quota=-5)
    assert (token["expired_time"], token["remain_quota"], token["models"], token["subnet"]) == (-1, -5, None, "")
    changed = (await person.put("/api/token/", {"id": token["id"], "name": "n"}))["data"]
    assert (changed["expired_time"], changed["remain_quota"], changed["subnet"]) == (0, 0, None)


@pytest.mark.parametrize(
    "body, message",
    [
        (None, "EOF"),
        ('{"name":', "unexpected EOF"),
        ({"name": 5}, "json: cannot unmarshal number into Go struct field Token.name of type string"),
        ({"name": "n" * 31}, "参数错误：令牌名称过长"),
        (
            {"name": "s", "subnet": "10.0.0.0/8,nonsense"},
            "参数错误：无效的网段：failed to parse subnet: invalid CIDR address: nonsense",
        ),
        ({"name": "q", "remain_quota": 10**15 + 1}, "额度不能超过 1000000000000000"),
        ({"name": "m", "models": "m" * 65536}, "models 过长"),
        ({"name": "s", "subnet": ",".join(["10.0.0.0/8"] * 20)}, "subnet 过长"),
    ],
)
async def test_a_token_that_cannot_be_is_refused_new_or_old(here: World, body: Any, message: str) -> None:
    person = await alice(here)
    assert await person.post("/api/token/", body) == {"message": message, "success": False}
    token = await made(person, name="old")
    if isinstance(body, dict):
        body = {"id": token["id"], **body}
    assert await person.put("/api/token/", body) == {"message": message, "success": False}
    assert (await person.get(f"/api/token/{token['id']}"))["data"] == token


async def test_a_full_update_replaces_everything_but_status_key_and_use(everywhere: World) -> None:
    person = await alice(everywhere)
    token = await made(person, name="old", remain_quota=5)
    body = {"id": token["id"], "status": 2, "key": "zzz", "used_quota": 99, "user_id": 1}
    answer = await person.put("/api/token/", FULL | body)
    assert answer["data"] == token | FULL
    assert (await everywhere.rows(select(tokens.c.status)))[0]["status"] == 1


@pytest.mark.parametrize("query", ["status_only=true", "status_only=false", "status_only=1"])
async def test_any_status_only_changes_the_status_alone(here: World, query: str) -> None:
    person = await alice(here)
    token = await made(person, **FULL)
    for status in (2, 0, 1):
        answer = await person.put(f"/api/token/?{query}", {"id": token["id"], "status": status, "name": "ignored"})
        assert answer["data"] == token | {"status": status}
    empty = await person.put("/api/token/?status_only=", {"id": token["id"], **FULL, "name": "taken"})
    assert empty["data"]["name"] == "taken"


@pytest.mark.parametrize(
    "stored, message",
    [
        (
            {"status": 3, "expired_time": NOW - 1},
            "令牌已过期，无法启用，请先修改令牌过期时间，或者设置为永不过期",
        ),
        (
            {"status": 4, "remain_quota": 0},
            "令牌可用额度已用尽，无法启用，请先修改令牌剩余额度，或者设置为无限额度",
        ),
        ({"status": 3, "expired_time": -1}, ""),
        ({"status": 3, "expired_time": NOW + 5}, ""),
        ({"status": 4, "remain_quota": 1}, ""),
        ({"status": 4, "remain_quota": 0, "unlimited_quota": True}, ""),
        ({"status": 2, "remain_quota": 0, "expired_time": 5}, ""),
    ],
)
async def test_a_token_is_enabled_only_if_its_row_allows_it(
    everywhere: World, stored: dict[str, Any], message: str
) -> None:
    person = await alice(everywhere)
    token = await made(person, name="t")
    await everywhere.execute(update(tokens).values(**stored))
    for path, body in (("/api/token/?status_only=true", {}), ("/api/token/", FULL)):
        answer = await person.put(path, {**body, "id": token["id"], "status": 1})
        assert answer["message"] == message


async def test_a_new_limit_counts_for_the_next_call(everywhere: World) -> None:
    person = await alice(everywhere)
    await everywhere.ledger.grant(2, 1000, "topup", "gift")
    token = await made(person, name="t", remain_quota=100)
    caller = await everywhere.parts.accounts.find(token["key"], NOW)
    await person.put("/api/token/", {"id": token["id"], "name": "t", "remain_quota": 0, "expired_time": -1})
    assert everywhere.parts.accounts.known(caller.key) is None
    request = HoldRequest(request_id="r", user_id=2, token_id=token["id"], unlimited=False, least=1, most=5)
    with pytest.raises(TokenRefused, match="该令牌额度已用尽"):
        await everywhere.ledger.hold(request)
    await person.put("/api/token/", {"id": token["id"], "unlimited_quota": True, "expired_time": -1})
    assert (await everywhere.ledger.hold(request)).unlimited


@pytest.mark.parametrize("change", ["status", "delete", "user"])
async def test_a_change_of_token_or_user_is_known_at_once(here: World, change: str) -> None:
    person = await alice(here)
    token = await made(person, name="t", remain_quota=100)
    await here.parts.accounts.find(token["key"], NOW)
    if change == "status":
        await person.put("/api/token/?status_only=1", {"id": token["id"], "status": 2})
    elif change == "delete":
        await person.delete(f"/api/token/{token['id']}/")
    else:
        await (await here.with_session(1)).post("/api/user/manage", {"username": "alice", "action": "disable"})
    assert here.parts.accounts.known(token["key"]) is None


@pytest.mark.parametrize(
    "method, path, body, message",
    [
        ("GET", "/api/token/0", None, "id 或 userId 为空！"),
        ("GET", "/api/token/abc", None, 'strconv.Atoi: parsing "abc": invalid syntax'),
        ("GET", "/api/token/9999", None, "record not found"),
        ("PUT", "/api/token/", {"name": "n"}, "id 或 userId 为空！"),
        ("PUT", "/api/token/", {"id": 9999}, "record not found"),
        ("DELETE", "/api/token/0", None, "id 或 userId 为空！"),
        ("DELETE", "/api/token/abc", None, "id 或 userId 为空！"),
        ("DELETE", "/api/token/9999", None, "record not found"),
    ],
)
async def test_a_token_that_is_not_there(here: World, method: str, path: str, body: Any, message: str) -> None:
    answer = await (await alice(here)).ask(method, path, body)
    assert (answer.status_code, answer.json()) == (200, {"message": message, "success": False})


async def test_nobody_reaches_anothers_token(here: World) -> None:
    owner = await alice(here)
    token = await made(owner, name="mine")
    for other in (await here.with_session(1), await here.with_session(await here.user("bob"))):
        await here.execute(tokens.delete().where(tokens.c.user_id != 2))
        asked = [
            await other.ask("GET", f"/api/token/{token['id']}"),
            await other.ask("PUT", "/api/token/", {"id": token["id"], "name": "n"}),
            await other.ask("PUT", "/api/token/?status_only=1", {"id": token["id"], "status": 2}),
            await other.ask("DELETE", f"/api/token/{token['id']}"),
        ]
        assert {answer.json()["message"] for answer in asked} == {"record not found"}
        assert (await other.get("/api/token/"))["data"] == []
        assert (await other.get("/api/token/search?keyword="))["data"] == []
    assert (await owner.get("/api/token/"))["data"] == [token]


async def test_tokens_are_listed_by_tens_ordered_and_sought(everywhere: World) -> None:
    person = await alice(everywhere)
    for number in range(12):
        await made(person, name=f"more{number}", remain_quota=number, unlimited_quota=number == 3)
    first = (await person.get("/api/token/"))["data"][-1]["id"] - 2

    async def names(query: str) -> list[str]:
        return [token["name"] for token in (await person.get(f"/api/token/{query}"))["data"]]

    assert await names("?p=0&size=3") == [f"more{number}" for number in range(11, 1, -1)]
    assert await names("?p=1") == ["more1", "more0"]
    assert await names("?p=9") == []
    assert (await names("?order=remain_quota"))[:3] == ["more3", "more11", "more10"]
    await everywhere.execute(update(tokens).where(tokens.c.id == first + 5).values(used_quota=9))
    assert (await names("?order=used_quota"))[:2] == ["more5", "more11"]
    assert await names("search?keyword=more1") == ["more1", "more10", "more11"]
    assert await names("search?keyword=ore") == []
    assert len(await names("search?keyword=")) == len(await names("search?keyword=m_re")) == 12
