"""What takes channels out of service in a running gateway, and what cannot, whatever callers write."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import wire
from tests.e2e.books import eventually
from tests.e2e.world import START, World, open_world
from tests.harness import servers
from tests.harness.admin import Admin
from tests.harness.scripted import Turn, completion, replies
from tests.harness.servers import Database, Gateway

pytestmark = pytest.mark.anyio

PHRASES = [
    "Your credit balance is too low to access the API",
    "your access was terminated due to violation of our policies",
    "This organization has been disabled.",
    "API key not valid. Please pass a valid API key.",
    "API key expired",
    "Permission denied",
    "已欠费",
    "credit",
    "balance",
]
CANARY = "canary-of-a-prompt"


def shouted(text: str) -> str:
    return text.upper()


def spread(text: str) -> str:
    return text.replace(" ", " \n ")


def as_it_is(text: str) -> str:
    return text


def escaped(text: str) -> bytes:
    """JSON in which every letter is written as its number."""
    return ('"' + "".join(f"\\u{ord(letter):04x}" for letter in text) + '"').encode()


async def echo(turn: Turn) -> None:
    """An upstream whose every error is what the caller said, at the very start."""
    said = turn.request.json()["messages"][-1]["content"]
    status, form = turn.request.json().get("seed", 400), turn.request.json().get("top_logprobs", 0)
    forms: list[Any] = [{"error": {"message": said, "type": "invalid_request_error"}}, {"message": said}, {"msg": said}]
    await turn.reply(status, json.dumps(forms[form]).encode())


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    env = {"ENABLE_METRIC": "true", "METRIC_QUEUE_SIZE": "4", "METRIC_SUCCESS_RATE_THRESHOLD": "0.5"}
    async with open_world(tmp_path, servers.sqlite(tmp_path), **env) as opened:
        opened.root.option("AutomaticDisableChannelEnabled", "true")
        yield opened


def status(root: Admin, number: int) -> int:
    return int(root.ask("GET", f"/api/channel/{number}")["status"])


async def disabled(root: Admin, number: int) -> None:
    async def off() -> bool:
        return status(root, number) == 3

    await eventually(off)


async def test_no_words_of_a_caller_disable_a_channel(world: World) -> None:
    channel = world.channel("echo")
    control = world.channel("control", "gpt-4o")
    world.upstream.scripts |= {"echo": echo, "control": replies(401, b"{}")}
    key = world.root.user("alice", START).token()
    for phrase in PHRASES:
        for change in (as_it_is, shouted, spread):
            for upstream_status in (400, 403, 404, 422):
                for form in range(3):
                    said = [{"role": "user", "content": change(phrase)}]
                    await world.ask(wire.chat(key, messages=said, seed=upstream_status, top_logprobs=form))
        body = b'{"model":"gpt-3.5-turbo","messages":[{"role":"user","content":' + escaped(phrase) + b"}]}"
        reply = await world.ask(wire.request("/v1/chat/completions", body, key=key))
        assert reply.error["message"].startswith(phrase)
    await world.ask(wire.chat(key, model="gpt-4o"))
    await disabled(world.root, control)
    assert status(world.root, channel) == 1


async def test_a_sentence_of_the_upstreams_own_does_and_root_hears_of_it(world: World) -> None:
    channel = world.channel("poor", key="sk-secret")
    world.root.option("MessagePusherAddress", world.upstream.at("push"))
    world.upstream.scripts["poor"] = replies(
        400, b'{"error":{"message":"Your credit balance is too low, sk-secret","type":"x"}}'
    )
    key = world.root.user("alice", START).token()
    await world.ask(wire.chat(key))
    await disabled(world.root, channel)
    push = await world.upstream.turn()
    letter = push.request.json()
    await push.reply(200, b'{"success":true}')
    assert letter["title"] == "渠道状态变更提醒"
    assert "poor" in letter["content"]
    assert "Your credit balance is too low" in letter["content"]
    assert "sk-secret" not in push.request.body.decode()


async def test_what_is_still_to_be_told_is_told_at_the_end(world: World) -> None:
    world.root.option("MessagePusherAddress", world.upstream.at("push"))
    channel = world.channel("dead")
    world.upstream.scripts["dead"] = replies(401, b"{}")
    await world.ask(wire.chat(world.root.token()))
    await disabled(world.root, channel)
    push = await world.upstream.turn()
    world.gateway.child.terminate()
    await push.reply(200, b'{"success":true}')
    world.gateway.stop()
    assert "was not sent" not in world.gateway.output()


async def test_the_log_holds_no_prompt_that_an_upstream_repeats(world: World) -> None:
    channel = world.channel("leaky")
    world.upstream.scripts["leaky"] = replies(401, json.dumps({"error": {"message": f"no: {CANARY}"}}).encode())
    key = world.root.user("alice", START).token()
    reply = await world.ask(wire.chat(key, messages=[{"role": "user", "content": CANARY}]))
    assert CANARY in reply.error["message"]
    await disabled(world.root, channel)
    world.gateway.stop()
    assert f"Channel {channel} was disabled" in world.gateway.output()
    assert CANARY not in world.gateway.output()
    assert "sk-upstream" not in world.gateway.output()


async def test_in_a_storm_a_model_keeps_half_its_channels(world: World) -> None:
    numbers = [world.channel(f"up{n}") for n in range(5)]
    world.upstream.scripts |= {f"up{n}": replies(500, b"boom") for n in range(5)}
    key = world.root.user("alice", START).token()

    async def two_are_off() -> bool:
        for _ in range(10):
            assert (await world.ask(wire.chat(key))).status == 500
        return sum(status(world.root, number) == 3 for number in numbers) >= 2

    await eventually(two_are_off)
    for _ in range(60):
        assert (await world.ask(wire.chat(key))).status == 500
    assert sorted(status(world.root, number) for number in numbers) == [1, 1, 1, 3, 3]


async def test_mistakes_of_callers_cost_a_channel_nothing(world: World) -> None:
    numbers = [world.channel(name) for name in ("a", "b")]
    world.upstream.scripts |= {name: replies(422, b"{}") for name in ("a", "b")}
    key = world.root.user("alice", START).token()
    for _ in range(40):
        assert (await world.ask(wire.chat(key))).status == 422
    assert [status(world.root, number) for number in numbers] == [1, 1]


async def test_two_gateways_run_one_test(tmp_path: Path, postgres: Database) -> None:
    async with open_world(tmp_path, postgres) as world:
        other = Gateway(tmp_path, postgres.env)
        other.start()
        try:
            with Admin(other.url) as second:
                await beside(world, second)
        finally:
            other.stop()


async def beside(world: World, second: Admin) -> None:
    for name in ("a", "b"):
        world.channel(name)
    world.root.ask("GET", "/api/channel/test")
    turn = await world.upstream.turn()
    refused = second._client.get("/api/channel/test").json()
    assert refused == {"success": False, "message": "测试已在运行中"}
    progress = second.ask("GET", "/api/channel/test/progress")
    assert (progress["running"], progress["total"], progress["done"]) == (True, 2, 0)
    await turn.reply(200, completion())
    await (await world.upstream.turn()).reply(200, completion())

    async def over() -> bool:
        return not second.ask("GET", "/api/channel/test/progress")["running"]

    await eventually(over)
    assert second.ask("GET", "/api/channel/test/progress")["done"] == 2
    assert len(world.upstream.received) == 2
    second.ask("GET", "/api/channel/test")  # and now the other may
    await (await world.upstream.turn()).reply(200, completion())
    await (await world.upstream.turn()).reply(200, completion())
