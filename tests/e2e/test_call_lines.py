"""What the log says of each relayed call, and how a caller's own name for his request goes along."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.e2e import wire
from tests.e2e.books import eventually
from tests.e2e.world import START, Site, open_world
from tests.harness import servers
from tests.harness.scripted import DONE, Turn, chunk, completion, replies, streams, tokens, usage_chunk

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("fresh")]

MODEL = "gpt-3.5-turbo"


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("lines")
    async with open_world(folder, servers.sqlite(folder), LOG_FORMAT="json") as world:
        world.root.option("ModelRatio", json.dumps({MODEL: 1, "fails": 1}))
        world.root.option("CompletionRatio", json.dumps({MODEL: 1}))
        world.channel("up", MODEL)
        world.channel("fails", "fails")
        yield Site(world, world.root.user("alice", START).token())


def written(site: Site, request_id: str) -> list[dict[str, Any]]:
    whole, _, _ = site.world.gateway.output().rpartition("\n")  # the last line may be on its way
    events = [json.loads(each) for each in whole.splitlines() if each.startswith("{")]
    return [each for each in events if each["event"] == "call" and each["request_id"] == request_id]


async def line(site: Site, request_id: str) -> dict[str, Any]:
    """The only one of this call."""

    async def there() -> bool:
        return bool(written(site, request_id))

    await eventually(there)
    (found,) = written(site, request_id)
    return found


async def ask(site: Site, data: bytes) -> tuple[wire.Reply, dict[str, Any]]:
    reply = await site.world.ask(data)
    return reply, await line(site, reply.headers["x-oneapi-request-id"])


async def test_a_call_is_one_line_with_what_it_was(site: Site) -> None:
    site.world.upstream.scripts["up"] = replies(200, completion(usage=tokens(10, 20)))
    _, told = await ask(site, wire.chat(site.key, extra="x-request-id: theirs-1\r\n"))
    user = await site.world.books.user("alice")
    token = await site.world.books.token(site.key)
    assert {name: told[name] for name in told if name not in ("timestamp", "request_id", "ms", "first_ms")} == {
        "level": "info", "event": "call", "caller_request_id": "theirs-1", "status": 200, "cause": "", "mode": "chat",
        "model": MODEL, "user": user.id, "token": token.id, "ip": "127.0.0.1", "channel": 1, "tries": 1,
        "stream": False, "prompt_tokens": 10, "completion_tokens": 20, "quota": 30,
    }  # fmt: skip
    assert told["ms"] >= told["first_ms"] >= 0


async def test_a_stream_too(site: Site) -> None:
    site.world.upstream.scripts["up"] = streams(chunk("hi"), chunk(finish="stop") + usage_chunk(tokens(1, 2)), DONE)
    _, told = await ask(site, wire.chat(site.key, stream=True))
    assert (told["stream"], told["status"], told["cause"], told["quota"]) == (True, 200, "", 3)


async def test_refusals_and_failures_say_why(site: Site) -> None:
    site.world.upstream.scripts["fails"] = replies(500, b'{"error": {"message": "sk-canary broke"}}')
    for data, status, cause in (
        (wire.chat("sk-" + "x" * 48), 401, "TokenRefused"),
        (wire.chat(site.key, model="nobody-has-it"), 503, "NoChannel"),
        (wire.chat(site.key, max_tokens=2 * START), 403, "QuotaExceeded"),
        (wire.request("/v1/chat/completions", b"{", key=site.key), 400, "BadRequest"),
        (wire.chat(site.key, model="fails"), 500, "down"),
        (b"GET /v1/models HTTP/9.9\r\n\r\n", 400, "BadRequest"),
    ):
        _, told = await ask(site, data)
        assert (told["status"], told["cause"], told["quota"]) == (status, cause, 0)
    output = site.world.gateway.output()
    assert site.key.removeprefix("sk-") not in output
    assert "xxxxxxxx" not in output


async def test_a_stream_that_breaks_off_and_a_caller_who_leaves(site: Site) -> None:
    async def breaks_off(turn: Turn) -> None:
        await turn.events(chunk("hi"))
        turn.reset()

    site.world.upstream.scripts["up"] = breaks_off
    _, told = await ask(site, wire.chat(site.key, stream=True))
    assert (told["status"], told["cause"]) == (200, "cut")
    del site.world.upstream.scripts["up"]
    async with wire.connect(site.world.port) as connection:
        connection.send(wire.chat(site.key, stream=True))
        turn = await site.world.upstream.turn()
        await turn.events(chunk("hello"))
        _, headers = await connection.head()
        await connection.until(b"hello")
        connection.leave()
    told = await line(site, headers["x-oneapi-request-id"])
    assert (told["status"], told["cause"]) == (499, "left")


async def test_a_callers_name_is_echoed_and_no_key_of_ours(site: Site) -> None:
    """Two calls of one name are two calls."""
    site.world.upstream.scripts["up"] = replies(200, completion(usage=tokens(1, 1)))
    before = await site.charges()
    seen = set()
    for _ in range(2):
        reply = await site.world.ask(wire.chat(site.key, extra="X-Request-Id: same:one/1\r\n"))
        assert (reply.status, reply.headers["x-request-id"]) == (200, "same:one/1")
        seen.add(reply.headers["x-oneapi-request-id"])
    assert len(seen) == 2
    assert await site.charges() == before + 2


@pytest.mark.parametrize("name", ["x" * 129, "two words", "a,b", "<i>", "", '"', "caf\xe9"])
async def test_what_is_no_name_is_let_drop(site: Site, name: str) -> None:
    for data in (
        wire.chat(site.key, model="nobody-has-it", extra=f"x-request-id: {name}\r\n"),
        wire.request("/api/status", method="GET", extra=f"x-request-id: {name}\r\n"),
    ):
        reply = await site.world.ask(data)
        assert "x-request-id" not in reply.headers
        assert "x-oneapi-request-id" in reply.headers


async def test_the_console_and_errors_echo_it(site: Site) -> None:
    for data, status in (
        (wire.chat(site.key, model="nobody-has-it", extra="x-request-id: n-1\r\n"), 503),
        (wire.request("/api/status", method="GET", extra="x-request-id: n-1\r\n"), 200),
    ):
        reply = await site.world.ask(data)
        assert (reply.status, reply.headers["x-request-id"]) == (status, "n-1")
