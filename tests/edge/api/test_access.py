"""Every endpoint against everybody who may ask: the table of endpoints says what must happen."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from one_api.accounts.sessions import LIFE_S
from one_api.edge.access import table
from one_api.edge.api import ENDPOINTS, Access, Endpoint
from one_api.store.schema import channels, users
from tests.edge.api.world import Person, World

pytestmark = pytest.mark.anyio

NOT_SIGNED_IN = "无权进行此操作，未登录且未提供 access token"
REFUSALS = {
    (401, NOT_SIGNED_IN): "not signed in",
    (200, "无权进行此操作，access token 无效"): "wrong token",
    (200, "用户已被封禁"): "banned",
    (200, "无权进行此操作，权限不足"): "role",
}
Enter = Callable[[World, int], Awaitable[Person]]


async def by_session(here: World, user_id: int) -> Person:
    return await here.with_session(user_id)


async def by_token(here: World, user_id: int) -> Person:
    return await here.with_access_token(user_id)


async def outcome(person: Person, endpoint: Endpoint) -> str:
    answer = await person.ask(endpoint.method, endpoint.path.replace("{id}", "9999"))
    is_json = answer.content and answer.headers["content-type"].startswith("application/json")
    message = answer.json().get("message", "") if is_json else ""
    return REFUSALS.get((answer.status_code, message), "through")


async def outcomes(ask: Callable[[Endpoint], Awaitable[str]]) -> dict[str, str]:
    return {f"{endpoint.method} {endpoint.path}": await ask(endpoint) for endpoint in ENDPOINTS}


def expected(says: Callable[[Endpoint], str]) -> dict[str, str]:
    public = "through"
    return {
        f"{endpoint.method} {endpoint.path}": says(endpoint) if endpoint.access > Access.ANYONE else public
        for endpoint in ENDPOINTS
    }


async def test_nobody_gets_through(here: World) -> None:
    async def ask(endpoint: Endpoint) -> str:
        return await outcome(here.somebody(), endpoint)

    assert await outcomes(ask) == expected(lambda _: "not signed in")


@pytest.mark.parametrize("header", ["nope", "Bearer nope", "Bearer ", "sk-nope", "0" * 32])
async def test_a_wrong_token_gets_nobody_through(here: World, header: str) -> None:
    async def ask(endpoint: Endpoint) -> str:
        return await outcome(here.somebody(Authorization=header), endpoint)

    assert await outcomes(ask) == expected(lambda _: "wrong token")


@pytest.mark.parametrize("enter", [by_session, by_token])
@pytest.mark.parametrize("role", [Access.USER, Access.ADMIN, Access.ROOT])
async def test_each_role_gets_as_far_as_declared(here: World, role: Access, enter: Enter) -> None:
    async def ask(endpoint: Endpoint) -> str:
        user_id = await here.user(f"u{ENDPOINTS.index(endpoint)}", role=role)
        return await outcome(await enter(here, user_id), endpoint)

    assert await outcomes(ask) == expected(lambda endpoint: "through" if role >= endpoint.access else "role")


@pytest.mark.parametrize("enter", [by_session, by_token])
@pytest.mark.parametrize("status", [0, 2, 3])
async def test_who_is_banned_or_deleted_gets_nowhere(here: World, status: int, enter: Enter) -> None:
    user_id = await here.user("gone", role=Access.ROOT, status=status)

    async def ask(endpoint: Endpoint) -> str:
        return await outcome(await enter(here, user_id), endpoint)

    assert await outcomes(ask) == expected(lambda _: "banned")


@pytest.mark.parametrize("enter", [by_session, by_token])
async def test_who_was_demoted_has_the_role_he_has_now(here: World, enter: Enter) -> None:
    async def ask(endpoint: Endpoint) -> str:
        user_id = await here.user(f"u{ENDPOINTS.index(endpoint)}", role=Access.ROOT)
        person = await enter(here, user_id)
        await here.execute(update(users).where(users.c.id == user_id).values(role=1))
        return await outcome(person, endpoint)

    assert await outcomes(ask) == expected(lambda endpoint: "through" if endpoint.access <= 1 else "role")


async def test_who_deleted_himself_gets_nowhere(here: World) -> None:
    user_id = await here.user("gone", role=Access.ADMIN)
    people = [await here.with_session(user_id), await here.with_access_token(user_id)]
    assert (await people[0].delete("/api/user/self"))["success"]
    for person in people:

        async def ask(endpoint: Endpoint, person: Person = person) -> str:
            return await outcome(person, endpoint)

        found = await outcomes(ask)
        assert {found[f"{e.method} {e.path}"] for e in ENDPOINTS if e.access > Access.ANYONE} <= {
            "banned",
            "not signed in",
            "wrong token",
        }


async def test_an_expired_session_is_none(here: World) -> None:
    user_id = await here.user("late", role=Access.ROOT)
    here.clock.now += LIFE_S

    async def ask(endpoint: Endpoint) -> str:
        here.clock.now -= LIFE_S
        person = await here.with_session(user_id)
        here.clock.now += LIFE_S
        return await outcome(person, endpoint)

    assert await outcomes(ask) == expected(lambda _: "not signed in")


async def test_an_access_token_that_was_replaced_is_none(here: World) -> None:
    user_id = await here.user("careful", role=Access.ROOT)
    old = await here.with_access_token(user_id)
    await here.with_access_token(user_id)

    async def ask(endpoint: Endpoint) -> str:
        return await outcome(old, endpoint)

    assert await outcomes(ask) == expected(lambda _: "wrong token")


async def test_a_key_for_calls_opens_no_console(here: World) -> None:
    root = await here.with_session(1)
    key = (await root.post("/api/token/", {"name": "t", "unlimited_quota": True}))["data"]["key"]
    for header in (key, f"sk-{key}", f"Bearer sk-{key}"):
        person = here.somebody(Authorization=header)

        async def ask(endpoint: Endpoint, person: Person = person) -> str:
            return await outcome(person, endpoint)

        assert await outcomes(ask) == expected(lambda _: "wrong token")


async def test_two_access_tokens_are_none(here: World) -> None:
    script = await here.with_access_token(1)
    token = script.http.headers["Authorization"]
    nobody = here.somebody()
    for pair in ((token, "other"), ("other", token), (token, token)):
        headers = [("Authorization", value) for value in pair]
        answer = await nobody.http.request("GET", "/api/user/self", headers=headers)
        assert answer.json()["message"] == "无权进行此操作，access token 无效"


@pytest.mark.parametrize("cookie", ["garbage", "MTIzNDU2Nzg5fGFiY2RlZg==", "x" * 500, "''--", "%00"])
async def test_a_strange_cookie_is_none(here: World, cookie: str) -> None:
    answer = await here.somebody(Cookie=f"session={cookie}").ask("GET", "/api/user/self")
    assert answer.status_code == 401


@pytest.mark.parametrize("enter", [by_session, by_token])
async def test_who_loses_his_role_while_he_sends_the_body_has_lost_it(here: World, enter: Enter) -> None:
    user_id = await here.user("slow", role=Access.ADMIN)
    person = await enter(here, user_id)

    async def body() -> AsyncIterator[bytes]:
        yield b'{"name": "x", "key": "k", '
        await here.execute(update(users).where(users.c.id == user_id).values(role=1))
        here.clock.now += 1
        yield b'"models": "m"}'

    answer = await person.http.post("/api/channel/", content=body())
    assert answer.json()["message"] == "无权进行此操作，权限不足"
    assert await here.rows(select(channels)) == []


async def test_a_session_wins_over_the_header(here: World) -> None:
    person = await here.with_session(await here.user("alice"))
    assert (await person.get("/api/user/self", Authorization="nope"))["data"]["username"] == "alice"


async def test_an_access_token_works_with_and_without_bearer(here: World) -> None:
    user_id = await here.user("alice")
    token = (await (await here.with_session(user_id)).get("/api/user/token"))["data"]
    for header in (token, f"Bearer {token}"):
        assert (await here.somebody(Authorization=header).get("/api/user/self"))["data"]["username"] == "alice"
    for header in (f"bearer {token}", token.upper(), f"sk-{token}", f"{token} "[:-2]):
        answer = await here.somebody(Authorization=header).get("/api/user/self")
        assert answer["message"] == "无权进行此操作，access token 无效"


async def test_a_user_without_access_token_is_not_found_by_an_empty_one(here: World) -> None:
    await here.execute(update(users).values(access_token=""))
    for header in ("Bearer ", " ", "Bearer  "):
        answer = (await here.somebody(Authorization=header).ask("GET", "/api/user/self")).json()
        assert answer["success"] is False


def test_every_endpoint_changes_unless_it_is_a_get() -> None:
    def of(endpoint: Endpoint) -> tuple[str, str]:
        return endpoint.method, endpoint.path

    assert {of(endpoint) for endpoint in ENDPOINTS if endpoint.method != "GET" and not endpoint.changes} == set()
    assert {endpoint.path for endpoint in ENDPOINTS if endpoint.method == "GET" and endpoint.changes} == {
        "/api/channel/fetch_models/{id}",
        "/api/channel/test",
        "/api/channel/test/{id}",
        "/api/channel/update_balance",
        "/api/channel/update_balance/{id}",
        "/api/oauth/email/bind",
        "/api/oauth/github",
        "/api/oauth/lark",
        "/api/oauth/oidc",
        "/api/oauth/state",
        "/api/oauth/wechat",
        "/api/oauth/wechat/bind",
        "/api/reset_password",
        "/api/user/aff",
        "/api/user/logout",
        "/api/user/token",
        "/api/verification",
    }
    assert len({of(endpoint) for endpoint in ENDPOINTS}) == len(ENDPOINTS)


async def test_the_table_has_every_endpoint_and_nothing_else_is_served(here: World) -> None:
    listed = {(route.method, route.path.rstrip("/")) for route in table() if route.who != "key"}
    served = {(method, route.path.rstrip("/")) for route in here.app.router.routes for method in route.methods}
    assert {(method, path) for method, path in served if method != "HEAD"} == listed


async def test_answers_to_other_methods_are_one_apis_404(here: World) -> None:
    person = await here.with_session(1)
    known = {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}
    strange: list[tuple[str, str]] = []
    for path in sorted({path for _, path in known if "{" not in path}):
        for method in ("PATCH", "HEAD", "OPTIONS"):
            answer: Any = await person.ask(method, path)
            if answer.status_code != 404:
                strange.append((method, path))
    assert strange == []
    assert (await person.ask("POST", "/api/status")).json() == {
        "error": {
            "message": "Invalid URL (POST /api/status)",
            "type": "invalid_request_error",
            "param": "",
            "code": "",
        }
    }
