"""What lives under /v1 beside the plain calls: models, dashboards, engines, absent routes, Azure."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e import wire
from tests.e2e.requests import FORM, JSON_ROUTES, SOUND, form, part
from tests.e2e.wire import Reply
from tests.e2e.world import START, World, open_world
from tests.harness import scripted, servers
from tests.harness.admin import Admin
from tests.harness.scripted import completion, tokens

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("fresh")]

UNIT = 500_000
EXPIRES = 4_000_000_000


@dataclass(frozen=True, slots=True)
class Site:
    """A world with a channel of each kind, a user, his key and a limited one."""

    world: World
    alice: Admin
    key: str
    limited: str

    async def get(self, path: str, key: str = "", method: str = "GET") -> Reply:
        return await self.world.ask(wire.request(path, method=method, key=key or self.key, kind=""))


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    directory = tmp_path_factory.mktemp("compat")
    async with open_world(directory, servers.sqlite(directory)) as world:
        root = world.root
        world.channel("up", "gpt-4o,gpt-3.5-turbo,text-embedding-3-small,my-own,maker/model:free")
        world.channel("mapped", "engine-alias", model_mapping='{"engine-alias":"text-embedding-3-large"}')
        world.channel(
            "azure", "gpt-4.1,dall-e-3,whisper-1", type=3, key="azure-key", config='{"api_version":"2025-01-01"}'
        )
        world.channel("azure-old", "gpt-4.5", type=3, key="azure-key", other="2023-05-15")
        world.channel("azure-new", "gpt-4.0", type=3, key="azure-key")
        alice = root.user("alice", START)
        limited = alice.token(name="limited", unlimited_quota=False, remain_quota=UNIT, expired_time=EXPIRES)
        yield Site(world, alice, alice.token(), limited)


def bare(reply: Reply, message: str) -> None:
    """An error of One API's shape without `param` and `code`."""
    request_id = reply.headers["x-oneapi-request-id"]
    assert reply.error == {"message": f"{message} (request id: {request_id})", "type": "one_api_error"}


# --- models -----------------------------------------------------------------------------------------------------------


async def test_models_are_those_the_key_may_use(site: Site) -> None:
    reply = await site.get("/v1/models")
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    body = reply.json()
    assert body["object"] == "list"
    ids = [each["id"] for each in body["data"]]
    assert set(ids) == {
        *("gpt-4o", "gpt-3.5-turbo", "text-embedding-3-small", "my-own", "maker/model:free", "engine-alias"),
        *("gpt-4.1", "gpt-4.5", "gpt-4.0", "dall-e-3", "whisper-1"),
    }
    known = next(each for each in body["data"] if each["id"] == "gpt-4o")
    assert (known["owned_by"], known["created"], known["root"], known["parent"]) == (
        "openai",
        1626777600,
        "gpt-4o",
        None,
    )
    (permission,) = known["permission"]
    assert permission == {
        "id": "modelperm-LwHkVFn8AcMItP432fKKDIKJ",
        "object": "model_permission",
        "created": 1626777600,
        **dict.fromkeys(("allow_create_engine", "allow_sampling", "allow_logprobs", "allow_view"), True),
        **dict.fromkeys(("allow_search_indices", "allow_fine_tuning", "is_blocking"), False),
        "organization": "*",
        "group": None,
    }
    custom = next(each for each in body["data"] if each["id"] == "my-own")
    assert (custom["owned_by"], custom["permission"]) == ("custom", None)


@pytest.mark.parametrize("name", ["gpt-4o", "my-own", "maker/model:free", "maker%2Fmodel%3Afree"])
async def test_a_model_is_found_by_its_name_slashes_and_all(site: Site, name: str) -> None:
    reply = await site.get(f"/v1/models/{name}")
    assert reply.status == 200, reply
    assert reply.json()["id"] == name.replace("%2F", "/").replace("%3A", ":")
    assert reply.json()["object"] == "model"


@pytest.mark.parametrize("name", ["gpt-4", "nobody/has/it", "my-own/", "MY-OWN"])
async def test_a_model_the_key_may_not_use_does_not_exist(site: Site, name: str) -> None:
    reply = await site.get(f"/v1/models/{name}")
    assert reply.status == 404
    assert reply.error == {
        "message": f"The model '{name}' does not exist",
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_found",
    }


async def test_a_keys_own_list_holds_even_what_no_channel_has(site: Site) -> None:
    key = site.alice.token(name="picky", models="gpt-4o,claude-3-opus-20240229")
    reply = await site.get("/v1/models", key)
    assert {each["id"] for each in reply.json()["data"]} == {"gpt-4o", "claude-3-opus-20240229"}
    assert (await site.get("/v1/models/my-own", key)).status == 404
    refused = await site.world.ask(wire.chat(key, model="my-own"))
    assert refused.status == 403
    bare(refused, "该令牌无权使用模型：my-own")


# --- dashboards -------------------------------------------------------------------------------------------------------


async def bill(site: Site, key: str) -> None:
    site.world.upstream.scripts["up"] = scripted.replies(200, completion(usage=tokens(1000, 500)))
    assert (await site.world.ask(wire.chat(key, model="gpt-4o"))).status == 200


PREFIXES = ("/dashboard/billing", "/v1/dashboard/billing")


async def shown(site: Site, prefix: str, key: str) -> tuple[dict[str, Any], dict[str, Any]]:
    subscription = await site.get(f"{prefix}/subscription?start=x", key)
    usage = await site.get(f"{prefix}/usage?start_date=2020-01-01&end_date=2030-01-01", key)
    assert (subscription.status, usage.status) == (200, 200)
    return subscription.json(), usage.json()


def limits(amount: float, until: int) -> dict[str, Any]:
    return {
        "object": "billing_subscription",
        "has_payment_method": True,
        **dict.fromkeys(("soft_limit_usd", "hard_limit_usd", "system_hard_limit_usd"), amount),
        "access_until": until,
    }


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_dashboards_show_the_key_or_its_user(site: Site, prefix: str) -> None:
    await bill(site, site.limited)
    root, books = site.world.root, site.world.books
    used = (await books.token(site.limited)).used_quota
    user = await books.user("alice")
    assert used >= 7500  # 1000 and 4 times 500, at 2.5
    total = {"object": "list"}
    try:
        assert await shown(site, prefix, site.limited) == (
            limits(1, EXPIRES),
            {**total, "total_usage": used / UNIT * 100},
        )
        assert (await shown(site, prefix, site.key))[0] == limits(100_000_000, 0)
        root.option("DisplayInCurrencyEnabled", "false")
        assert await shown(site, prefix, site.limited) == (limits(UNIT, EXPIRES), {**total, "total_usage": used * 100})
        root.option("DisplayTokenStatEnabled", "false")
        expected = (limits(START, 0), {**total, "total_usage": user.used_quota * 100})
        assert await shown(site, prefix, site.limited) == await shown(site, prefix, site.key) == expected
        root.option("DisplayInCurrencyEnabled", "true")
        assert (await shown(site, prefix, site.key))[0] == limits(START / UNIT, 0)
    finally:
        root.option("DisplayInCurrencyEnabled", "true")
        root.option("DisplayTokenStatEnabled", "true")


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/gpt-4o", "/v1/files", *(f"{p}/usage" for p in PREFIXES)])
async def test_all_of_them_need_a_key(site: Site, path: str) -> None:
    nobody = await site.world.ask(wire.request(path, method="GET", kind=""))
    assert nobody.status == 401
    bare(nobody, "未提供令牌")
    unknown = await site.get(path, "sk-" + "x" * 48)
    assert unknown.status == 401
    bare(unknown, "无效的令牌")


# --- what is not there ------------------------------------------------------------------------------------------------


ABSENT: Mapping[str, str] = {
    "/v1/files": "GET POST",
    "/v1/files/f1": "GET DELETE",
    "/v1/files/f1/content": "GET",
    "/v1/fine_tuning/jobs": "GET POST",
    "/v1/fine_tuning/jobs/j1": "GET",
    "/v1/fine_tuning/jobs/j1/events": "GET",
    "/v1/fine_tuning/jobs/j1/cancel": "POST",
    "/v1/models/gpt-4o": "DELETE",
    "/v1/assistants": "GET POST",
    "/v1/assistants/a1": "GET POST DELETE",
    "/v1/assistants/a1/files": "GET POST",
    "/v1/assistants/a1/files/f1": "GET DELETE",
    "/v1/threads": "POST",
    "/v1/threads/t1": "GET POST DELETE",
    "/v1/threads/t1/messages": "POST",
    "/v1/threads/t1/messages/m1": "GET POST",
    "/v1/threads/t1/messages/m1/files": "GET",
    "/v1/threads/t1/messages/m1/files/f1": "GET",
    "/v1/threads/t1/runs": "GET POST",
    "/v1/threads/t1/runs/r1": "GET POST",
    "/v1/threads/t1/runs/r1/submit_tool_outputs": "POST",
    "/v1/threads/t1/runs/r1/cancel": "POST",
    "/v1/threads/t1/runs/r1/steps": "GET",
    "/v1/threads/t1/runs/r1/steps/s1": "GET",
}


@pytest.mark.parametrize("path", ABSENT)
async def test_routes_that_are_not_implemented_say_so(site: Site, path: str) -> None:
    for method in ABSENT[path].split():
        reply = await site.get(path, method=method)
        assert reply.status == 501, (method, reply)
        assert reply.headers["content-type"] == "application/json; charset=utf-8"
        assert reply.headers["x-oneapi-request-id"]
        assert reply.error == {
            "message": "API not implemented",
            "type": "one_api_error",
            "param": "",
            "code": "api_not_implemented",
        }
    assert not site.world.upstream.received


@pytest.mark.parametrize(
    "method, path",
    [
        ("GET", "/v1/foo"),
        ("GET", "/v1/chat/completions"),
        ("PUT", "/v1/files"),
        ("POST", "/v1/models"),
        ("GET", "/v1/threads"),
    ],
)
async def test_an_unknown_address_is_named(site: Site, method: str, path: str) -> None:
    reply = await site.get(f"{path}?a=1", method=method)
    assert reply.status == 404
    assert reply.error["message"].startswith(f"Invalid URL ({method} {path}")
    assert {**reply.error, "message": ""} == {"message": "", "type": "invalid_request_error", "param": "", "code": ""}


# --- engines ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "engine, name, target",
    [("text-embedding-3-small", "up", "text-embedding-3-small"), ("engine-alias", "mapped", "text-embedding-3-large")],
)
async def test_the_oldest_embeddings_route_names_its_model_in_the_path(
    site: Site, engine: str, name: str, target: str
) -> None:
    answer = {"object": "list", "data": [], "usage": {"prompt_tokens": 50, "total_tokens": 50}}
    site.world.upstream.scripts[name] = scripted.replies(200, json.dumps(answer).encode())
    request = wire.request(f"/v1/engines/{engine}/embeddings", b'{"input":"hello"}', key=site.key)
    reply = await site.world.ask(request)
    assert (reply.status, reply.json()) == (200, answer)
    (received,) = site.world.upstream.received
    assert received.target == f"/{name}/v1/engines/{target}/embeddings"
    assert received.body == b'{"input":"hello"}'
    assert (await site.world.books.last_final()).model_name == target


# --- Azure ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model, name, deployment, version",
    [
        ("gpt-4.1", "azure", "gpt-41", "2025-01-01"),
        ("gpt-4.5", "azure-old", "gpt-45", "2023-05-15"),
        ("gpt-4.0", "azure-new", "gpt-40", "2024-03-01-preview"),
    ],
)
async def test_azure_is_asked_at_a_deployment(site: Site, model: str, name: str, deployment: str, version: str) -> None:
    site.world.upstream.scripts[name] = scripted.replies(200, completion(usage=tokens(1, 1)))
    body = JSON_ROUTES["chat"].body(model=model)
    path = "/v1/chat/completions?api-version=of-the-callers-choice"
    assert (await site.world.ask(wire.request(path, body, key=site.key))).status == 200
    (received,) = site.world.upstream.received
    assert received.target == f"/{name}/openai/deployments/{deployment}/chat/completions?api-version={version}"
    assert received.header("api-key") == "azure-key"
    assert received.header("authorization") == ""
    assert received.body == body


async def test_azure_keeps_dots_where_it_draws_and_listens(site: Site) -> None:
    site.world.upstream.scripts["azure"] = scripted.replies(200, b'{"data":[{"url":"https://x/1"}]}')
    assert (
        await site.world.ask(JSON_ROUTES["images"].request(site.key, JSON_ROUTES["images"].body(model="dall-e-3")))
    ).status == 200
    site.world.upstream.scripts["azure"] = scripted.replies(200, b'{"text":"hello"}')
    sound = wire.request("/v1/audio/transcriptions", form(part("model", "whisper-1"), SOUND), key=site.key, kind=FORM)
    assert (await site.world.ask(sound)).status == 200
    targets = [each.target for each in site.world.upstream.received]
    assert targets == [
        "/azure/openai/deployments/dall-e-3/images/generations?api-version=2025-01-01",
        "/azure/openai/deployments/whisper-1/audio/transcriptions?api-version=2025-01-01",
    ]
