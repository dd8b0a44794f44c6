from collections.abc import AsyncIterator
from urllib.parse import parse_qs

import pytest

from tests.edge.api.world import PASSWORD, World, world
from tests.harness import servers, webhook
from tests.harness.webhook import Webhook

pytestmark = pytest.mark.anyio

FAILED = {"message": "Turnstile 校验失败，请刷新重试！", "success": False}
SECRET = "ts-secret-41"


@pytest.fixture
async def cloudflare() -> AsyncIterator[Webhook]:
    async with webhook.serve() as hook:
        yield hook


@pytest.fixture
async def guarded(sqlite: servers.Database, cloudflare: Webhook) -> AsyncIterator[World]:
    async with world(sqlite, verify_address=cloudflare.url) as here:
        root = await here.with_session(1)
        for key, value in (
            ("TurnstileSiteKey", "site-key"),
            ("TurnstileSecretKey", SECRET),
            ("TurnstileCheckEnabled", "true"),
        ):
            await root.put("/api/option/", {"key": key, "value": value})
        yield here


@pytest.mark.parametrize(
    "method, path",
    [
        ("POST", "/api/user/register"),
        ("GET", "/api/verification?email=a@b.co"),
        ("GET", "/api/reset_password?email=a@b.co"),
    ],
)
async def test_three_routes_want_a_token(guarded: World, cloudflare: Webhook, method: str, path: str) -> None:
    answer = await guarded.somebody().ask(method, path, {} if method == "POST" else None)
    assert answer.json() == {"message": "Turnstile token 为空", "success": False}
    assert not cloudflare.posts


async def test_signing_in_wants_none(guarded: World) -> None:
    assert (await guarded.somebody().login("root", "123456"))["success"] is True


async def test_cloudflare_is_asked_once_a_session(guarded: World, cloudflare: Webhook) -> None:
    person = guarded.somebody()
    answer = await person.ask("GET", "/api/verification?email=nonsense&turnstile=tok%2B1")
    assert answer.json()["message"] == "invalid parameter"  # what follows failed, and he need not show it again
    assert "httponly" in answer.headers["set-cookie"].lower()
    (post,) = cloudflare.posts
    assert post.line.startswith("POST ")
    assert parse_qs(post.body.decode()) == {"secret": [SECRET], "response": ["tok+1"], "remoteip": ["203.0.113.9"]}
    form = {"username": "erin", "password": PASSWORD}
    assert (await person.post("/api/user/register", form))["success"] is True
    assert len(cloudflare.posts) == 1
    assert (await guarded.somebody().get("/api/user/self"))["success"] is False  # such a session signs nobody in


async def test_a_session_that_is_signed_in_stays_so(guarded: World, cloudflare: Webhook) -> None:
    user_id = await guarded.user("erin")
    person = await guarded.with_session(user_id)
    await person.get("/api/verification?email=x&turnstile=t")
    await person.get("/api/verification?email=x")
    assert len(cloudflare.posts) == 1
    assert (await person.get("/api/user/self"))["data"]["id"] == user_id


@pytest.mark.parametrize("answer", [{"success": False}, {"success": "true"}, {}, []])
async def test_no_yes_is_a_no(guarded: World, cloudflare: Webhook, answer: object) -> None:
    cloudflare.answer = answer
    person = guarded.somebody()
    assert await person.get("/api/verification?email=x&turnstile=t") == FAILED
    assert await person.get("/api/verification?email=x") == {"message": "Turnstile token 为空", "success": False}


async def test_no_answer_is_a_no_without_the_secret(guarded: World, cloudflare: Webhook) -> None:
    cloudflare.answer = b"<html>"
    answer = await guarded.somebody().get("/api/verification?email=x&turnstile=t")
    assert answer["success"] is False
    assert SECRET not in answer["message"]
    assert await guarded.somebody().get(f"/api/verification?email=x&turnstile={'t' * 3000}") == FAILED
