"""Channels, options, logs and what anyone may read, as consoles ask for them."""

from typing import Any

import pytest
from sqlalchemy import select

from one_api.providers import PROVIDERS
from one_api.store.schema import channels, logs, options
from tests.edge.api.world import NOW, World

pytestmark = pytest.mark.anyio

OK = {"message": "", "success": True}


# --- public -----------------------------------------------------------------------------------------------------------


async def test_the_status_of_a_new_installation_is_one_apis(here: World) -> None:
    answer = await here.somebody().ask("GET", "/api/status")
    assert '"success":true' in answer.text
    assert '"quota_per_unit":500000,' in answer.text
    texts = (
        "chat_link footer_html github_client_id lark_client_id logo oidc_authorization_endpoint oidc_client_id "
        "oidc_token_endpoint oidc_userinfo_endpoint oidc_well_known top_up_link turnstile_site_key wechat_qrcode"
    )
    switches = "email_verification github_oauth oidc turnstile_check wechat_login"
    assert answer.json()["data"] == {
        **dict.fromkeys(texts.split(), ""),
        **dict.fromkeys(switches.split(), False),
        "display_in_currency": True,
        "quota_per_unit": 500000,
        "server_address": "http://localhost:3000",
        "start_time": NOW,
        "system_name": "One API",
        "version": "v0.0.0",
    }


@pytest.mark.parametrize(
    "path, key", [("notice", "Notice"), ("about", "About"), ("home_page_content", "HomePageContent")]
)
async def test_a_text_of_the_operator_is_read_by_anyone(here: World, path: str, key: str) -> None:
    assert await here.somebody().get(f"/api/{path}") == {"data": "", **OK}
    root = await here.with_session(1)
    assert await root.put("/api/option/", {"key": key, "value": "# Hello\n**公告**"}) == OK
    assert (await here.somebody().get(f"/api/{path}"))["data"] == "# Hello\n**公告**"


@pytest.mark.parametrize("path", ["/api/status", "/api/status/", "/api/user/self/", "/api/user", "/api/log/self/"])
async def test_both_slash_forms_are_served_without_a_redirect(here: World, path: str) -> None:
    assert (await (await here.with_session(1)).ask("GET", path)).status_code == 200


async def test_the_models_of_every_type_are_listed(here: World) -> None:
    lists = (await (await here.with_session(1)).get("/api/models"))["data"]
    assert sorted(map(int, lists))[:51] == list(range(1, 52))
    assert (lists["43"], lists["34"]) == (None, [])
    assert lists["1"][0] == "gpt-3.5-turbo"


async def test_the_types_of_channels_are_listed_for_consoles(here: World) -> None:
    rows = (await (await here.with_session(1)).get("/api/channel/types"))["data"]
    assert [row["id"] for row in rows] == [number for number in PROVIDERS if number]
    assert {"id": 36, "name": "DeepSeek", "base_url": "https://api.deepseek.com"} in rows


async def test_the_catalogue_has_openais_form(here: World) -> None:
    found = await (await here.with_session(1)).get("/api/channel/models")
    assert set(found) == {"object", "data"}
    first = found["data"][0]
    assert first["id"] == first["root"] == "gpt-3.5-turbo"
    assert (first["owned_by"], first["created"], first["permission"][0]["id"]) == (
        "openai",
        1626777600,
        "modelperm-LwHkVFn8AcMItP432fKKDIKJ",
    )


async def test_groups_are_the_keys_of_their_ratios(here: World) -> None:
    root = await here.with_session(1)
    assert (await root.get("/api/group/"))["data"] == ["default", "svip", "vip"]
    await root.put("/api/option/", {"key": "GroupRatio", "value": '{"b":1,"a":2}'})
    assert (await root.get("/api/group/"))["data"] == ["a", "b"]


# --- options ----------------------------------------------------------------------------------------------------------


async def listed(here: World) -> dict[str, str]:
    answer = await (await here.with_session(1)).get("/api/option/")
    return {option["key"]: option["value"] for option in answer["data"]}


async def test_options_are_texts_and_secrets_are_not_among_them(everywhere: World) -> None:
    root = await everywhere.with_session(1)
    before = await listed(everywhere)
    assert len(before) == 46
    assert all(isinstance(value, str) for value in before.values())
    for key in ("GitHubClientSecret", "SMTPToken", "TurnstileSecretKey", "SomeOtherToken"):
        assert await root.put("/api/option/", {"key": key, "value": "hidden-value"}) == OK
    assert await root.put("/api/option/", {"key": "SomethingElse", "value": "abc"}) == OK
    assert await listed(everywhere) == before | {"SomethingElse": "abc"}
    stored = {row["key"]: row["value"] for row in await everywhere.rows(select(options))}
    assert stored["SMTPToken"] == "hidden-value"


async def test_a_saved_option_is_used_at_once_and_can_be_saved_again(everywhere: World) -> None:
    root = await everywhere.with_session(1)
    for value in ("My Gateway", "Other"):
        assert await root.put("/api/option/", {"key": "SystemName", "value": value}) == OK
        assert (await root.get("/api/status"))["data"]["system_name"] == value


@pytest.mark.parametrize(
    "body", ["x", "", {"key": "QuotaForNewUser", "value": 100}, {"key": "A", "value": True}, "[1]"]
)
async def test_an_option_that_cannot_be_read_is_the_one_http_400(here: World, body: Any) -> None:
    root = await here.with_session(1)
    answer = await root.ask("PUT", "/api/option/", body)
    assert (answer.status_code, answer.json()) == (400, {"message": "invalid parameter", "success": False})
    chinese = await root.ask("PUT", "/api/option/", body, **{"Accept-Language": "zh-CN,zh;q=0.9"})
    assert (chinese.status_code, chinese.json()["message"]) == (400, "无效的参数")


@pytest.mark.parametrize(
    "key, value, message",
    [
        ("", "x", "无效的参数"),
        ("Theme", "pink", "无效的主题"),
        ("QuotaForInviter", "abc", "QuotaForInviter 必须是整数"),
        ("QuotaPerUnit", "0", "QuotaPerUnit 必须大于 0"),
        ("GroupRatio", '{"default":', "unexpected end of JSON input"),
        ("ModelRatio", '{"gpt-4":"15"}', "json: cannot unmarshal string into Go value of type float64"),
        (
            "WeChatAuthEnabled",
            "true",
            "无法启用微信登录，请先填入微信登录相关配置信息！",
        ),
    ],
)
async def test_an_option_that_makes_no_sense_is_not_stored(here: World, key: str, value: str, message: str) -> None:
    answer = await (await here.with_session(1)).ask("PUT", "/api/option/", {"key": key, "value": value})
    assert (answer.status_code, answer.json()) == (200, {"message": message, "success": False})
    assert await here.rows(select(options)) == []


# --- channels ---------------------------------------------------------------------------------------------------------


async def test_a_channel_is_shown_without_its_key(everywhere: World) -> None:
    root = await everywhere.with_session(1)
    body = {
        "type": 3,
        "name": "az",
        "key": "sk-very-secret",
        "models": "gpt-4o",
        "group": "default",
        "base_url": "https://az.example",
        "other": "",
        "groups": ["default"],
        "config": '{"api_version":"2024-03-01-preview"}',
    }
    assert await root.post("/api/channel/", body) == OK
    shown = (await root.get("/api/channel/1"))["data"]
    assert shown == {
        "id": 1,
        "type": 3,
        "key": "",
        "status": 1,
        "name": "az",
        "weight": 0,
        "created_time": NOW,
        "test_time": 0,
        "response_time": 0,
        "base_url": "https://az.example",
        "other": "",
        "balance": 0,
        "balance_updated_time": 0,
        "models": "gpt-4o",
        "group": "default",
        "used_quota": 0,
        "model_mapping": "",
        "priority": 0,
        "config": '{"api_version":"2024-03-01-preview"}',
        "system_prompt": None,
    }
    changed = await root.ask("PUT", "/api/channel/", {"id": 1, "status": 2})
    assert changed.json() == {"data": shown | {"status": 2}, **OK}
    paths = ("/api/channel/", "/api/channel/search?keyword=", "/api/channel/1")
    texts = changed.text + "".join([(await root.ask("GET", path)).text for path in paths])
    assert "very-secret" not in texts
    assert '"balance":0,' in texts


async def test_a_balance_is_a_number_as_go_prints_it(here: World) -> None:
    root = await here.with_session(1)
    await root.post("/api/channel/", {"key": "k", "balance": 99.655})
    assert (await root.get("/api/channel/1"))["data"]["balance"] == 99.655


async def test_a_channel_serves_the_next_call(everywhere: World) -> None:
    root = await everywhere.with_session(1)
    await root.post("/api/channel/", {"key": "k", "models": "gpt-4,", "group": "default,vip"})
    assert (await root.get("/api/user/available_models"))["data"] == ["gpt-4"]
    await root.put("/api/channel/", {"id": 1, "status": 2})
    assert (await root.get("/api/user/available_models"))["data"] == []


@pytest.mark.parametrize(
    "method, path, body, message",
    [
        ("POST", "/api/channel/", None, "EOF"),
        ("POST", "/api/channel/", "{", "unexpected EOF"),
        (
            "POST",
            "/api/channel/",
            {"key": "k", "weight": -1},
            "json: cannot unmarshal number -1 into Go struct field Channel.weight of type uint",
        ),
        ("POST", "/api/channel/", {"key": "\n"}, "渠道密钥不能为空"),
        (
            "POST",
            "/api/channel/",
            {"key": "k", "base_url": "ftp://x"},
            "渠道地址必须以 http:// 或 https:// 开头，且不能包含用户名、密码、空格或换行",
        ),
        ("PUT", "/api/channel/", {"name": "x"}, "WHERE conditions required"),
        ("PUT", "/api/channel/", {"id": 9999, "name": "ghost"}, "record not found"),
        ("PUT", "/api/channel/", "{]", "invalid character ']' looking for beginning of object key string"),
        ("GET", "/api/channel/9999", None, "record not found"),
        ("GET", "/api/channel/0", None, "record not found"),
        ("GET", "/api/channel/abc", None, 'strconv.Atoi: parsing "abc": invalid syntax'),
        ("DELETE", "/api/channel/0", None, "WHERE conditions required"),
        ("DELETE", "/api/channel/abc", None, "WHERE conditions required"),
    ],
)
async def test_a_channel_that_cannot_be(here: World, method: str, path: str, body: Any, message: str) -> None:
    answer = await (await here.with_session(1)).ask(method, path, body)
    assert (answer.status_code, answer.json()) == (200, {"message": message, "success": False})
    assert await here.rows(select(channels)) == []


async def test_channels_are_deleted_one_by_one_or_when_disabled(here: World) -> None:
    root = await here.with_session(1)
    await root.post("/api/channel/", {"key": "a\nb\nc"})
    await root.put("/api/channel/", {"id": 2, "status": 2})
    assert await root.delete("/api/channel/disabled") == {"data": 1, **OK}
    assert await root.delete("/api/channel/1/") == OK
    assert await root.delete("/api/channel/1") == OK
    assert [channel["id"] for channel in (await root.get("/api/channel/"))["data"]] == [3]


# --- logs -------------------------------------------------------------------------------------------------------------


async def written(here: World) -> None:
    for number in range(12):
        await here.execute(
            logs.insert().values(
                user_id=1 + number % 2,
                username="root" if number % 2 == 0 else "alice",
                created_at=NOW + number,
                type=2,
                content=f"c{number}",
                token_name="t",
                model_name="gpt-4" if number < 6 else "gpt-4o",
                quota=10,
                channel_id=7,
                is_stream=True,
            )
        )
    await here.execute(logs.insert().values(user_id=1, username="root", created_at=NOW, type=1, quota=99))


async def test_logs_are_filtered_exactly_and_newest_first(everywhere: World) -> None:
    await everywhere.user("alice")
    await written(everywhere)
    root = await everywhere.with_session(1)

    async def ids(query: str) -> list[int]:
        return [log["id"] for log in (await root.get(f"/api/log/?{query}"))["data"]]

    assert await ids("p=0") == list(range(13, 3, -1))
    assert await ids("p=1") == [3, 2, 1]
    assert await ids("type=1") == [13]
    assert await ids("username=alice&model_name=gpt-4") == [6, 4, 2]
    assert await ids("username=ali") == await ids("token_name=x") == await ids("channel=8") == []
    assert await ids(f"type=2&start_timestamp={NOW + 2}&end_timestamp={NOW + 4}") == [5, 4, 3]
    assert await ids("type=2&channel=7&end_timestamp=1795487.5") == list(range(12, 2, -1))


async def test_a_log_has_the_members_consoles_read(here: World) -> None:
    await written(here)
    log = (await (await here.with_session(1)).get("/api/log/?p=1"))["data"][0]
    assert log == {
        "id": 3,
        "user_id": 1,
        "created_at": NOW + 2,
        "type": 2,
        "content": "c2",
        "username": "root",
        "token_name": "t",
        "model_name": "gpt-4",
        "quota": 10,
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "channel": 7,
        "request_id": "",
        "elapsed_time": 0,
        "is_stream": True,
        "system_prompt_reset": False,
        "first_token_time": 0,
    }


async def test_a_user_sees_his_own_logs_without_numbers(here: World) -> None:
    alice = await here.with_session(await here.user("alice"))
    await written(here)
    found = (await alice.get("/api/log/self?username=root&channel=8"))["data"]
    assert [(log["id"], log["user_id"], log["content"]) for log in found] == [
        (0, 2, f"c{number}") for number in (11, 9, 7, 5, 3, 1)
    ]


async def test_the_sum_counts_calls_only(everywhere: World) -> None:
    alice = await everywhere.with_session(await everywhere.user("alice"))
    await written(everywhere)
    root = await everywhere.with_session(1)

    async def quota(path: str, who: Any = root) -> int:
        answer: int = (await who.get(path))["data"]["quota"]
        return answer

    assert await quota("/api/log/stat") == await quota("/api/log/stat?type=1") == 120
    assert await quota("/api/log/stat?username=alice&model_name=gpt-4o") == 30
    assert await quota(f"/api/log/stat?start_timestamp={NOW + 100}") == 0
    assert await quota("/api/log/self/stat?username=root", alice) == 60
