"""What an operator sets for a channel, seen by its upstream; and channels with several keys."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from one_api.relay import forms
from tests.e2e import wire
from tests.e2e.books import eventually
from tests.e2e.wire import Reply
from tests.e2e.world import START, Site, open_world
from tests.harness import scripted, servers
from tests.harness.replay_lines import encode_form
from tests.harness.scripted import Turn, completion, tokens

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("fresh")]

GOOD = completion("good", usage=tokens(20, 10))
SET = {
    "headers": {"User-Agent": "mine/1", "Authorization": "Token {api_key}", "X-Org": "o"},
    "body": {"set": {"provider.order": ["a"]}, "default": {"temperature": 0.5}, "delete": ["user"]},
    "test_model": "second",
}
KEYS = ("sk-key-one", "sk-key-two", "sk-key-three")


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    directory = tmp_path_factory.mktemp("parameters")
    async with open_world(directory, servers.sqlite(directory)) as world:
        root = world.root
        root.option("ModelRatio", json.dumps(dict.fromkeys(("set", "second", "slow", "keys", "claude"), 1)))
        root.option("AutomaticDisableChannelEnabled", "true")
        root.option("AutomaticEnableChannelEnabled", "true")
        world.channel("set", "set,second", parameters=json.dumps(SET))
        world.channel("slow", "slow", parameters='{"timeouts":{"first_byte":0.6}}')
        world.channel("claude", "claude", type=14, parameters=json.dumps(SET))
        yield Site(world, root.user("alice", START).token())


async def ask(site: Site, model: str, **fields: Any) -> Reply:
    return await site.world.ask(wire.chat(site.key, model=model, **fields))


async def test_headers_and_fields_are_the_operators(site: Site) -> None:
    site.world.upstream.scripts["set"] = scripted.replies(200, GOOD)
    assert (await ask(site, "set", user="u", seed=1)).status == 200
    sent = site.request
    assert [sent.header(name) for name in ("user-agent", "authorization", "x-org")] == [
        "mine/1",
        "Token sk-upstream-set",
        "o",
    ]
    body = sent.json()
    assert body.pop("messages")
    assert body == {"model": "set", "seed": 1, "provider": {"order": ["a"]}, "temperature": 0.5}
    assert int(sent.header("content-length")) == len(sent.body)


async def test_they_are_applied_in_the_dialect_of_the_channel(site: Site) -> None:
    said: dict[str, Any] = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "hi"}]}
    said |= {"id": "m", "model": "claude", "stop_reason": "end_turn", "usage": {"input_tokens": 5, "output_tokens": 2}}
    site.world.upstream.scripts["claude"] = scripted.replies(200, json.dumps(said).encode())
    assert (await ask(site, "claude", user="u")).status == 200
    assert (site.request.json()["provider"], site.request.json()["temperature"]) == ({"order": ["a"]}, 0.5)
    assert (site.request.header("authorization"), site.request.header("x-org")) == ("Token sk-upstream-claude", "o")


async def test_they_hold_for_forms_too(site: Site) -> None:
    site.world.upstream.scripts["set"] = scripted.replies(200, b'{"text":"hello"}')
    boundary = "b0und"
    parts = [
        {"name": "file", "filename": "a.wav", "type": "audio/wav", "value": "RIFF"},
        *({"name": name, "value": value} for name, value in (("model", "set"), ("user", "u"))),
    ]
    kind = f"multipart/form-data; boundary={boundary}"
    body = encode_form(parts, boundary)
    asked = wire.request("/v1/audio/transcriptions", body, key=site.key, kind=kind)
    assert (await site.world.ask(asked)).status == 200
    sent = forms.parse(site.request.body, kind)
    assert {each.name: sent.value(each.name) for each in sent.fields} == {
        "temperature": "0.5",
        "file": "RIFF",
        "model": "set",
    }


async def test_a_time_limit_is_the_channels(site: Site) -> None:
    answer = await ask(site, "slow")
    assert answer.status == 504
    await (await site.world.upstream.turn()).left()


async def test_a_test_asks_for_the_channels_model(site: Site) -> None:
    site.world.upstream.scripts["set"] = scripted.replies(200, GOOD)
    await asyncio.to_thread(site.world.root.ask, "GET", f"/api/channel/test/{number_of(site, 'set')}")
    assert site.request.json()["model"] == "second"


async def test_several_keys_take_turns_and_go_out_of_use_one_by_one(site: Site) -> None:
    """The first key is refused by its upstream; the others serve."""
    world = site.world

    async def script(turn: Turn) -> None:
        key = turn.request.header("authorization").removeprefix("Bearer ")
        if key == "sk-key-one":
            await turn.reply(
                401, b'{"error":{"message":"bad key ' + key.encode() + b'","type":"authentication_error"}}'
            )
        else:
            await turn.reply(200, GOOD)

    world.upstream.scripts["keys"] = script
    number = world.channel("keys", "keys", key="\n".join(KEYS), key_choice="round_robin")
    first = await ask(site, "keys")
    assert (first.status, b"sk-key" in first.body) == (401, False)
    path = f"/api/channel/{number}/keys"

    async def out_of_use() -> bool:
        return bool(world.root.ask("GET", path)[0]["status"] == 3)

    await eventually(out_of_use)
    shown = world.root.ask("GET", path)
    assert [each["status"] for each in shown] == [3, 1, 1]
    assert shown[0]["cause"].startswith("bad key: status 401")
    assert not any(key in json.dumps(shown) for key in KEYS)

    async def take_turns() -> bool:
        world.upstream.received.clear()
        async with wire.connect(world.port) as connection:  # and so one process, which may not have heard of it yet
            for _ in range(4):
                connection.send(wire.chat(site.key, model="keys"))
                await connection.reply()
        used = [each.header("authorization").removeprefix("Bearer ") for each in world.upstream.received]
        return used in (["sk-key-two", "sk-key-three"] * 2, ["sk-key-three", "sk-key-two"] * 2)

    await eventually(take_turns)
    world.root.ask("PUT", f"{path}/2", json={"status": 2})
    world.root.ask("PUT", f"{path}/1", json={"status": 1})
    assert [each["status"] for each in world.root.ask("GET", path)] == [1, 2, 1]


async def test_another_key_is_tried_where_retries_are_allowed(site: Site) -> None:
    world = site.world
    world.root.option("RetryTimes", "2")
    try:
        number = world.channel("again", "set2", key="sk-a\nsk-b", key_choice="round_robin")
        world.root.option("ModelRatio", json.dumps({"set2": 1}))

        async def script(turn: Turn) -> None:
            good = turn.request.header("authorization") == "Bearer sk-b"
            await turn.reply(200 if good else 402, GOOD if good else b'{"error":{"message":"no"}}')

        world.upstream.scripts["again"] = script
        assert (await ask(site, "set2")).status == 200
        assert len(world.upstream.received) == 2
        world.root.ask("DELETE", f"/api/channel/{number}")
    finally:
        world.root.option("RetryTimes", "0")


def number_of(site: Site, name: str) -> int:
    found = site.world.root.ask("GET", "/api/channel/search", params={"keyword": name})
    return next(int(each["id"]) for each in found if each["name"] == name)


async def test_models_are_listed_by_the_upstream(site: Site) -> None:
    world = site.world
    page = {"data": [{"id": "one"}], "has_more": True, "last_id": "one"}
    last = {"data": [{"id": "two"}], "has_more": False, "last_id": "two"}

    async def script(turn: Turn) -> None:
        await turn.reply(200, json.dumps(last if "after_id=one" in turn.request.target else page).encode())

    world.upstream.scripts["claude"] = script
    found = await asyncio.to_thread(world.root.ask, "GET", f"/api/channel/fetch_models/{number_of(site, 'claude')}")
    assert found == ["one", "two"]
    assert {each.header("x-org") for each in world.upstream.received} == {"o"}
    world.upstream.scripts["form"] = scripted.replies(200, b'{"data":[{"id":"three"}]}')
    form = {"type": 8, "key": "sk-form", "base_url": world.upstream.at("form")}
    assert await asyncio.to_thread(world.root.ask, "POST", "/api/channel/fetch_models", json=form) == ["three"]
    sent = world.upstream.received[-1]
    assert (sent.method, sent.target, sent.header("authorization")) == ("GET", "/form/v1/models", "Bearer sk-form")
