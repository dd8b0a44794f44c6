import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from one_api.store.schema import ledger, logs, tokens, users
from tests.edge.api.world import PASSWORD, World

pytestmark = pytest.mark.anyio

OK = {"message": "", "success": True}
INVALID_INPUT = "Invalid input, please check your input"
OUTRANKED = "无权更新同权限等级或更高权限等级的用户信息"


async def row(here: World, user_id: int) -> dict[str, Any]:
    return (await here.rows(select(users).where(users.c.id == user_id)))[0]


async def entries(here: World) -> list[tuple[int, str]]:
    return [(log["type"], log["content"]) for log in await here.rows(select(logs).order_by(logs.c.id))]


async def test_who_registers_gets_a_row_a_token_and_nothing_he_asks_for(everywhere: World) -> None:
    body = {
        "username": "alice",
        "password": "alicepass1",
        "password2": "alicepass1",
        "email": "ignored@example.com",
        "role": 100,
        "quota": 999,
        "group": "vip",
        "aff_code": None,
    }
    assert await everywhere.somebody().post("/api/user/register", body) == OK
    alice = await row(everywhere, 2)
    assert (alice["role"], alice["status"], alice["quota"], alice["group"]) == (1, 1, 0, "default")
    assert (alice["email"], alice["display_name"]) == ("", "alice")
    assert alice["password"].startswith("$2a$10$")
    token = (await everywhere.rows(select(tokens)))[0]
    assert (token["user_id"], token["name"], token["unlimited_quota"], token["remain_quota"]) == (
        2,
        "default",
        True,
        -1,
    )
    assert len(token["key"]) == 48
    assert await entries(everywhere) == []


@pytest.mark.parametrize(
    "body",
    [
        {"password": "alicepass1"},
        {"username": "", "password": "alicepass1"},
        {"username": "alice"},
        {"username": "alice", "password": "short"},
        {"username": "alice", "password": "x" * 21},
        {"username": "alice", "password": "😀" * 19},
        {"username": "a" * 13, "password": "alicepass1"},
        {"username": "alice", "password": "alicepass1", "display_name": "d" * 21},
        {"username": "alice", "password": "alicepass1", "email": "e" * 51},
    ],
)
async def test_what_no_user_can_have_is_invalid_input(here: World, body: dict[str, str]) -> None:
    assert (await here.somebody().post("/api/user/register", body))["message"] == INVALID_INPUT
    chinese = await here.somebody().ask("POST", "/api/user/register", body, **{"Accept-Language": "zh-TW"})
    assert chinese.json() == {"message": "无效的输入，请检查您的输入", "success": False}
    assert len(await here.rows(select(users))) == 1


async def test_a_name_is_taken_once_however_many_ask_for_it(everywhere: World) -> None:
    body = {"username": "alice", "password": "alicepass1"}
    answers = await asyncio.gather(*(everywhere.somebody().post("/api/user/register", body) for _ in range(4)))
    assert sorted(answer["success"] for answer in answers) == [False, False, False, True]
    assert {answer["message"] for answer in answers} == {"", "用户名已被占用"}
    assert len(await everywhere.rows(select(tokens))) == 1


@pytest.mark.parametrize(
    "option, message",
    [
        ("RegisterEnabled", "管理员关闭了新用户注册"),
        ("PasswordRegisterEnabled", "管理员关闭了通过密码进行注册，请使用第三方账户验证的形式进行注册"),
    ],
)
async def test_registration_can_be_closed(here: World, option: str, message: str) -> None:
    await (await here.with_session(1)).put("/api/option/", {"key": option, "value": "false"})
    answer = await here.somebody().post("/api/user/register", {"username": "a", "password": "alicepass1"})
    assert answer == {"message": message, "success": False}


async def test_an_administrator_makes_common_users_only(here: World) -> None:
    admin = await here.with_session(await here.user("admin", role=10))
    body = {"username": "dave", "password": "davepass12", "display_name": "Dave D"}
    assert await admin.post("/api/user/", {**body, "role": 1, "quota": 5}) == OK
    assert ((await row(here, 3))["role"], (await row(here, 3))["quota"]) == (1, 0)
    refused = await admin.post("/api/user/", {**body, "username": "x", "role": 10})
    assert refused["message"] == "无法创建权限大于等于自己的用户"
    assert (await admin.post("/api/user/", {"username": "dave"}))["message"] == "invalid parameter"
    assert (await admin.post("/api/user/", "x"))["message"] == "invalid parameter"


async def test_a_partial_update_leaves_what_it_does_not_name(everywhere: World) -> None:
    user_id = await everywhere.user("alice")
    root = await everywhere.with_session(1)
    before = await row(everywhere, user_id)
    body = {"id": user_id, "display_name": "Alice B", "group": "", "email": "", "username": "", "password": ""}
    whole = {"access_token": "mine", "used_quota": 9, "aff_code": "mine", "github_id": "octocat", "inviter_id": 7}
    assert await root.put("/api/user/", body | whole) == OK
    assert await row(everywhere, user_id) == before | {"display_name": "Alice B"}


async def test_a_quota_is_set_when_it_is_given_and_logged_when_it_changes(everywhere: World) -> None:
    user_id = await everywhere.user("alice")
    root = await everywhere.with_session(1)
    for body in ({"quota": 123456}, {"quota": 123456}, {"display_name": "A"}, {"quota": 0}):
        assert await root.put("/api/user/", {"id": user_id, **body}) == OK
    assert (await row(everywhere, user_id))["quota"] == 0
    assert await entries(everywhere) == [
        (3, "管理员将用户额度从 ＄0.000000 额度修改为 ＄0.246912 额度"),
        (3, "管理员将用户额度从 ＄0.246912 额度修改为 ＄0.000000 额度"),
    ]
    booked = await everywhere.rows(select(ledger).order_by(ledger.c.id))
    assert [(entry["kind"], entry["quota"], entry["details"]) for entry in booked] == [
        ("adjust", 123456, '{"by":1,"as":"root"}'),
        ("adjust", -123456, '{"by":1,"as":"root"}'),
    ]


async def test_a_form_that_says_what_it_showed_books_the_difference(here: World) -> None:
    user_id = await here.user("alice")
    root = await here.with_session(1)
    await root.put("/api/user/", {"id": user_id, "quota": 1000})
    await here.ledger.grant(user_id, 50, "topup", "meanwhile")
    assert await root.put("/api/user/", {"id": user_id, "quota": 1500, "quota_before": 1000}) == OK
    assert (await row(here, user_id))["quota"] == 1550
    assert await root.put("/api/user/", {"id": user_id, "quota": 1000, "quota_before": 1000}) == OK
    assert (await row(here, user_id))["quota"] == 1550


@pytest.mark.parametrize("quota", [-1, 10**15 + 1, 2**63 - 1])
async def test_a_quota_beyond_all_bounds_is_refused(here: World, quota: int) -> None:
    user_id = await here.user("alice")
    root = await here.with_session(1)
    assert not (await root.put("/api/user/", {"id": user_id, "quota": quota}))["success"]
    assert not (await root.post("/api/topup", {"user_id": user_id, "quota": quota}))["success"]
    assert (await row(here, user_id))["quota"] == 0


@pytest.mark.parametrize(
    "body, message",
    [
        ({"username": "x"}, "invalid parameter"),
        ("nope", "invalid parameter"),
        ({"id": "2"}, "invalid parameter"),
        ({"id": 2, "username": "x" * 13}, INVALID_INPUT),
        ({"id": 2, "password": "123"}, INVALID_INPUT),
        ({"id": 9999, "username": "x"}, "record not found"),
        ({"id": 2, "username": "root"}, "用户名已被占用"),
        ({"id": 2, "group": "g" * 33}, "group 过长"),
        ({"id": 2, "email": "root@example.com"}, "邮箱地址已被占用"),
    ],
)
async def test_an_update_that_cannot_be_is_refused(here: World, body: Any, message: str) -> None:
    await here.user("alice")
    await here.execute(users.update().where(users.c.id == 1).values(email="root@example.com"))
    before = await row(here, 2)
    assert await (await here.with_session(1)).put("/api/user/", body) == {"message": message, "success": False}
    assert await row(here, 2) == before


async def test_only_changed_fields_have_to_be_acceptable(here: World) -> None:
    user_id = await here.user("alice")
    await here.execute(users.update().where(users.c.id == user_id).values(username="github_1000000"))
    root, alice = await here.with_session(1), await here.with_session(user_id)
    assert await root.put("/api/user/", {"id": user_id, "username": "github_1000000", "group": "vip"}) == OK
    assert await alice.put("/api/user/self", {"username": "github_1000000", "display_name": "A"}) == OK
    assert ((await row(here, user_id))["group"], (await row(here, user_id))["display_name"]) == ("vip", "A")


@pytest.mark.parametrize(
    "method, path, body, message",
    [
        ("PUT", "/api/user/", {"id": 1, "display_name": "x"}, OUTRANKED),
        ("PUT", "/api/user/", {"id": 2, "display_name": "x"}, OUTRANKED),
        ("PUT", "/api/user/", {"id": 4, "display_name": "x"}, OUTRANKED),
        ("PUT", "/api/user/", {"id": 3, "role": 10}, "无权将其他用户权限等级提升到大于等于自己的权限等级"),
        ("POST", "/api/user/manage", {"username": "root", "action": "disable"}, OUTRANKED),
        ("POST", "/api/user/manage", {"username": "dave", "action": "disable"}, OUTRANKED),
        ("POST", "/api/user/manage", {"username": "peer", "action": "demote"}, OUTRANKED),
        ("POST", "/api/user/manage", {"username": "u1", "action": "promote"}, "普通管理员用户无法提升其他用户为管理员"),
        ("DELETE", "/api/user/1", None, "无权删除同权限等级或更高权限等级的用户"),
        ("DELETE", "/api/user/2", None, "无权删除同权限等级或更高权限等级的用户"),
        ("DELETE", "/api/user/4", None, "无权删除同权限等级或更高权限等级的用户"),
        ("GET", "/api/user/1", None, "无权获取同级或更高等级用户的信息"),
        ("GET", "/api/user/2", None, "无权获取同级或更高等级用户的信息"),
        ("GET", "/api/user/4", None, "无权获取同级或更高等级用户的信息"),
    ],
)
async def test_an_administrator_reaches_only_who_stands_below_him(
    here: World, method: str, path: str, body: Any, message: str
) -> None:
    for name, role in (("dave", 10), ("u1", 1), ("peer", 10)):
        await here.user(name, role=role)
    before = await here.rows(select(users))
    answer = await (await here.with_session(2)).ask(method, path, body)
    assert answer.json() == {"message": message, "success": False}
    assert await here.rows(select(users)) == before


@pytest.mark.parametrize(
    "username, action, message",
    [
        ("root", "disable", "无法禁用超级管理员用户"),
        ("root", "delete", "无法删除超级管理员用户"),
        ("root", "demote", "无法降级超级管理员用户"),
        ("root", "promote", "该用户已经是管理员"),
        ("dave", "promote", "该用户已经是管理员"),
        ("u1", "demote", "该用户已经是普通用户"),
        ("ghost", "disable", "用户不存在"),
        ("", "enable", "invalid parameter"),
    ],
)
async def test_a_button_that_makes_no_sense_says_why(here: World, username: str, action: str, message: str) -> None:
    await here.user("dave", role=10)
    await here.user("u1")
    answer = await (await here.with_session(1)).post("/api/user/manage", {"username": username, "action": action})
    assert answer == {"message": message, "success": False}


@pytest.mark.parametrize(
    "action, role, status",
    [("disable", 1, 2), ("enable", 1, 1), ("promote", 10, 1), ("delete", 1, 3), ("dance", 1, 1)],
)
async def test_a_button_answers_with_the_new_rank(everywhere: World, action: str, role: int, status: int) -> None:
    user_id = await everywhere.user("u1")
    root = await everywhere.with_session(1)
    answer = await root.post("/api/user/manage", {"username": "u1", "action": action})
    assert {key: value for key, value in answer["data"].items() if value} == {"role": role, "status": status}
    stored = await row(everywhere, user_id)
    assert (stored["role"], stored["status"]) == (role, status)


async def test_who_is_deleted_keeps_his_row_and_loses_his_name(everywhere: World) -> None:
    user_id = await everywhere.user("alice")
    await everywhere.execute(users.update().where(users.c.id == user_id).values(email="a@example.com"))
    root = await everywhere.with_session(1)
    assert await root.delete(f"/api/user/{user_id}") == OK
    stored = await row(everywhere, user_id)
    assert (stored["status"], stored["email"]) == (3, "a@example.com")
    assert stored["username"].startswith("deleted_")
    assert len(stored["username"]) == 40
    assert [user["id"] for user in (await root.get("/api/user/"))["data"]] == [1]
    assert [user["id"] for user in (await root.get("/api/user/search?keyword=deleted"))["data"]] == [user_id]


async def test_a_user_deletes_himself_and_root_does_not(here: World) -> None:
    alice = await here.with_session(await here.user("alice"))
    assert await alice.delete("/api/user/self") == OK
    assert (await alice.get("/api/user/self"))["message"] == "用户已被封禁"
    refused = await (await here.with_session(1)).delete("/api/user/self")
    assert refused["message"] == "不能删除超级管理员账户"


@pytest.mark.parametrize("body", [{"role": 10}, {"status": 2}, {"status": 3}])
async def test_the_last_root_stays(everywhere: World, body: dict[str, int]) -> None:
    root = await everywhere.with_session(1)
    answer = await root.put("/api/user/", {"id": 1, **body})
    assert answer["message"] == "不能降级、禁用或删除最后一个超级管理员"
    await everywhere.user("second", role=100)
    assert await root.put("/api/user/", {"id": 1, **body}) == OK


async def test_two_roots_cannot_leave_at_once(everywhere: World) -> None:
    second = await everywhere.user("second", role=100)
    people = [await everywhere.with_session(user_id) for user_id in (1, second)]
    await asyncio.gather(
        people[0].put("/api/user/", {"id": second, "role": 10}), people[1].put("/api/user/", {"id": 1, "role": 10})
    )
    roots = select(users.c.id).where(users.c.role == 100, users.c.status == 1)
    assert len(await everywhere.rows(roots)) == 1


async def test_users_are_listed_by_tens_and_ordered_as_asked(everywhere: World) -> None:
    for number in range(11):
        user_id = await everywhere.user(f"u{number}")
        quota = 100 - number
        await everywhere.execute(users.update().where(users.c.id == user_id).values(quota=quota, used_quota=number))
    root = await everywhere.with_session(1)

    async def ids(query: str) -> list[int]:
        return [user["id"] for user in (await root.get(f"/api/user/?{query}"))["data"]]

    newest = list(range(12, 2, -1))
    assert await ids("p=0") == await ids("p=-3") == await ids("p=abc") == await ids("page_size=3") == newest
    assert await ids("p=1") == [2, 1]
    assert await ids("p=2") == await ids(f"p={9 * 10**17}") == []
    assert await ids("order=quota") == [1, *range(2, 11)]
    assert (await ids("order=used_quota"))[:3] == [12, 11, 10]
    assert await ids("order=password") == newest


async def test_users_are_sought_by_the_start_of_their_names_and_by_number(everywhere: World) -> None:
    await everywhere.user("alice")
    await everywhere.user("bob")
    await everywhere.execute(
        users.update().where(users.c.username == "bob").values(email="b@x.example", display_name="Rob")
    )
    root = await everywhere.with_session(1)

    async def found(keyword: str) -> list[int]:
        return [user["id"] for user in (await root.get(f"/api/user/search?keyword={keyword}"))["data"]]

    assert await found("al") == [2]
    assert await found("b@") == [3]
    assert await found("Ro") == [1, 3]
    assert await found("2") == [2]
    assert await found("lice") == await found("a'b") == await found("al%00x") == await found("9" * 30) == []
    assert await found("") == await found("%25") == [1, 2, 3]


async def test_no_secret_of_a_user_is_in_an_answer(here: World) -> None:
    user_id = await here.user("alice")
    root = await here.with_session(1)
    await here.with_access_token(user_id)
    secrets = [str((await row(here, number))[name]) for number in (1, user_id) for name in ("access_token", "password")]
    paths = ("/api/user/", "/api/user/search?keyword=", f"/api/user/{user_id}", "/api/user/self")
    answers = "".join([(await root.ask("GET", path)).text for path in paths])
    assert [secret for secret in secrets if secret in answers] == []


@pytest.mark.parametrize(
    "body, message",
    [
        ({"username": "x" * 13}, "Key: 'User.Username' Error:Field validation for 'Username' failed on the 'max' tag"),
        ({"password": "1234567"}, "Key: 'User.Password' Error:Field validation for 'Password' failed on the 'min' tag"),
        ({"username": "root"}, "用户名已被占用"),
        ("{", "invalid parameter"),
    ],
)
async def test_what_a_user_may_not_call_himself(here: World, body: Any, message: str) -> None:
    alice = await here.with_session(await here.user("alice"))
    answer = await alice.put("/api/user/self", body)
    assert answer["message"].removeprefix("输入不合法 ") == message


async def test_a_user_decides_nothing_about_his_rank_or_quota(here: World) -> None:
    user_id = await here.user("alice")
    before = await row(here, user_id)
    body = {"username": "alice", "display_name": "Z", "quota": 1, "role": 100, "group": "svip", "status": 2, "id": 1}
    assert await (await here.with_session(user_id)).put("/api/user/self", body) == OK
    assert await row(here, user_id) == before | {"display_name": "Z"}


async def test_topping_up_credits_logs_and_is_signed(everywhere: World) -> None:
    user_id = await everywhere.user("alice")
    admin = await everywhere.with_session(await everywhere.user("dave", role=10))
    assert await admin.post("/api/topup", {"user_id": user_id, "quota": 10}) == OK
    assert await admin.post("/api/topup", {"user_id": user_id, "quota": 250000, "remark": "gift from ops"}) == OK
    assert (await row(everywhere, user_id))["quota"] == 250010
    assert await entries(everywhere) == [(1, "通过 API 充值 ＄0.000020 额度"), (1, "gift from ops")]
    booked = await everywhere.rows(select(ledger).order_by(ledger.c.id))
    assert [(entry["kind"], entry["quota"], entry["details"]) for entry in booked] == [
        ("topup", 10, '{"by":3,"as":"dave"}'),
        ("topup", 250000, '{"by":3,"as":"dave"}'),
    ]


@pytest.mark.parametrize(
    "body, message",
    [
        ({"user_id": 1, "quota": -1}, "quota 不能为负数！"),
        ({"user_id": 9999, "quota": 10}, "用户不存在"),
        ({"quota": 10}, "用户不存在"),
        (
            {"user_id": 1, "quota": "10"},
            "json: cannot unmarshal string into Go struct field adminTopUpRequest.quota of type int",
        ),
        (None, "EOF"),
    ],
)
async def test_a_top_up_that_cannot_be_leaves_nothing(here: World, body: Any, message: str) -> None:
    answer = await (await here.with_session(1)).post("/api/topup", body)
    assert answer == {"message": message, "success": False}
    assert await here.rows(select(ledger)) == []
    assert await entries(here) == []


async def test_an_invite_code_is_made_once(here: World) -> None:
    root = await here.with_session(1)
    first = (await root.get("/api/user/aff"))["data"]
    assert len(first) == 12
    assert (await root.get("/api/user/aff"))["data"] == first


async def test_a_users_gifts_follow_the_options(here: World) -> None:
    root = await here.with_session(1)
    await root.put("/api/option/", {"key": "QuotaForNewUser", "value": "1000"})
    await root.put("/api/option/", {"key": "DisplayInCurrencyEnabled", "value": "false"})
    body = {"username": "carol", "password": PASSWORD, "aff_code": "zzzzz"}
    assert await here.somebody().post("/api/user/register", body) == OK
    carol = await row(here, 2)
    assert (carol["quota"], carol["inviter_id"]) == (1000, 0)
    assert await entries(here) == [(4, "新用户注册赠送 1000 点额度")]
