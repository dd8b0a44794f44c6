"""Limits of calls in a running gateway: who is refused is told in his own dialect, and pays nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import wire
from tests.e2e.books import eventually
from tests.e2e.wire import Reply
from tests.e2e.world import START, World, open_world
from tests.harness import scripted, servers
from tests.harness.scripted import DONE, chunk, completion, replies, tokens, usage_chunk

pytestmark = pytest.mark.anyio

MODEL = "limited-model"
TEXT = [{"role": "user", "content": "hi"}]


@dataclass(frozen=True, slots=True)
class Site:
    world: World
    key: str

    async def limit(self, *rules: dict[str, Any]) -> None:
        """New rules, whose counts begin at nothing because none has their conditions."""
        await asyncio.to_thread(self.world.root.option, "CallLimits", json.dumps(rules) if rules else "")

    async def chat(self, model: str = MODEL, **more: Any) -> Reply:
        return await self.world.ask(wire.chat(self.key, model=model, **more))


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    directory: Path = tmp_path_factory.mktemp("limits")
    async with open_world(directory, servers.sqlite(directory)) as world:
        alice = world.root.user("alice", START)
        key = alice.token()
        for name in ("up", "held"):
            world.channel(name, f"{name}-model,{MODEL}" if name == "up" else f"{name}-model")
        own = (("content-type", "application/json"), ("x-ratelimit-limit-requests", "9999"))
        world.upstream.scripts["up"] = replies(200, completion(usage=tokens(30, 40)), own)
        yield Site(world, key)


DIALECTS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", {"messages": TEXT}),
    "messages": ("/v1/messages", {"messages": TEXT, "max_tokens": 5}),
    "responses": ("/v1/responses", {"input": "hi"}),
    "gemini": (f"/v1beta/models/{MODEL}:generateContent", {"contents": [{"parts": [{"text": "hi"}]}]}),
}


def kind(name: str, body: Any) -> object:
    error = body["error"]
    return error["status"] if name == "gemini" else error["type"] if name == "messages" else error["code"]


KINDS = {
    "chat": "rate_limit_exceeded",
    "messages": "rate_limit_error",
    "responses": "rate_limit_exceeded",
    "gemini": "RESOURCE_EXHAUSTED",
}


async def test_who_asks_too_often_is_told_in_his_own_dialect(site: Site) -> None:
    await site.limit({"per": "model", "model": MODEL, "requests": 1})
    await eventually(lambda: refused(site))
    before = site.world.root.ask("GET", "/api/user/2")["used_quota"]
    for name, (path, body) in DIALECTS.items():
        data = json.dumps({"model": MODEL, **body} if name != "gemini" else body).encode()
        while (reply := await site.world.ask(wire.request(path, data, key=site.key))).status != 429:
            before = None  # a new minute has let it in
        assert kind(name, reply.json()) == KINDS[name]
        assert 0 < int(reply.headers["retry-after"]) <= 60
        assert reply.headers["x-ratelimit-limit-requests"] == "1"
        assert reply.headers["x-ratelimit-remaining-requests"] == "0"
        assert reply.headers["x-ratelimit-reset-requests"].endswith("s")
    await site.world.books.settled()
    if before is not None:
        assert site.world.root.ask("GET", "/api/user/2")["used_quota"] == before


async def refused(site: Site) -> bool:
    """Whether the rule is known and its minute is used up."""
    return (await site.chat()).status == 429


async def test_who_is_let_in_is_told_how_he_stands(site: Site) -> None:
    await site.limit({"per": "user", "user": 2, "requests": 500, "tokens": 100_000})
    reply = await site.chat("up-model", max_tokens=100)
    while "x-ratelimit-limit-tokens" not in reply.headers:
        reply = await site.chat("up-model", max_tokens=100)
    assert reply.headers["x-ratelimit-limit-requests"] == "500"  # and not the upstream's
    left = int(reply.headers["x-ratelimit-remaining-tokens"])
    assert left <= 100_000 - 100
    site.world.upstream.scripts["held"] = scripted.streams(chunk("a"), usage_chunk(tokens(3, 4)), DONE)
    streamed = await site.chat("held-model", stream=True)
    assert streamed.complete
    assert streamed.headers["x-ratelimit-limit-tokens"] == "100000"


async def test_no_more_calls_run_at_a_time_than_are_allowed(site: Site) -> None:
    await site.limit({"per": "token", "model": "held-model", "parallel": 1})
    site.world.upstream.scripts.pop("held", None)
    async with wire.connect(site.world.port) as first:
        first.send(wire.chat(site.key, model="held-model"))
        turn = await site.world.upstream.turn()

        async def second_is_refused() -> bool:
            """Until the rule is known a second call would wait for its turn."""
            task = asyncio.ensure_future(site.chat("held-model"))
            extra = asyncio.ensure_future(site.world.upstream.turn())
            await asyncio.wait((task, extra), return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                await (await extra).reply(200, completion(usage=tokens(1, 1)))
            extra.cancel()
            return (await task).status == 429

        await turn.reply(200, completion(usage=tokens(1, 1)))
        assert (await first.reply()).status == 200
        first.send(wire.chat(site.key, model="held-model"))
        turn = await site.world.upstream.turn()
        await eventually(second_is_refused)
        await turn.reply(200, completion(usage=tokens(1, 1)))
        assert (await first.reply()).status == 200

    async def free_again() -> bool:
        site.world.upstream.scripts["held"] = replies(200, completion(usage=tokens(1, 1)))
        return (await site.chat("held-model")).status == 200

    await eventually(free_again)


@pytest.mark.parametrize("what", ["count", "proxy"])
async def test_counts_of_tokens_and_proxied_requests_are_calls(site: Site, what: str) -> None:
    if what == "count":
        body = json.dumps({"model": MODEL, "messages": TEXT}).encode()
        data = wire.request("/v1/messages/count_tokens", body, key=site.key)
        await site.limit({"per": "model", "model": MODEL, "requests": 2, "tokens": 1})
    else:
        site.world.upstream.scripts["proxy"] = replies(200, b"as it is")
        number = site.world.channel("proxy", "", type=43)
        data = wire.request(f"/v1/oneapi/proxy/{number}/x", key=site.world.root.token())
        await site.limit({"per": "user", "user": 1, "requests": 2, "tokens": 1})
    seen: dict[int, Reply] = {}

    async def refused_at_last() -> bool:
        reply = await site.world.ask(data)
        if "x-ratelimit-limit-requests" in reply.headers:
            seen[reply.status] = reply
        return reply.status == 429

    await eventually(refused_at_last)
    assert set(seen) == {200, 429}
    assert seen[200].headers["x-ratelimit-remaining-tokens"] == "1"
    assert seen[429].headers["x-ratelimit-remaining-requests"] == "0"


async def test_without_rules_nobody_is_told_anything(site: Site) -> None:
    await site.limit()

    async def silent() -> bool:
        return "x-ratelimit-limit-tokens" not in (await site.chat("up-model")).headers

    await eventually(silent)
