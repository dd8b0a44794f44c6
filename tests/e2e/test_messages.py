"""Clients of Anthropic's Messages API on a channel that speaks it: its bytes, its errors, the books."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from one_api import ir
from one_api.dialects.anthropic import StreamDecoder
from tests.e2e import wire
from tests.e2e.books import eventually
from tests.e2e.wire import Reply
from tests.e2e.world import START, Site, open_world
from tests.harness import scripted, servers
from tests.harness.scripted import Turn, replies, streams

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("fresh")]

RECORDED = Path(__file__).parent.parent / "dialects" / "anthropic_to_openai"
MODEL = "claude-sonnet-4-5"  # one unit for a token of input, two for one of output
KEY = "sk-ant-canary-82"
STREAM = (RECORDED / "thinking" / "stream.in.sse").read_bytes()
WHOLE = (RECORDED / "thinking" / "answer.in.json").read_bytes()
PAID = 3210 + 2 * 44
BETAS = "anthropic-beta: interleaved-thinking-2025-05-14, files-api-2025-04-14,unknown,claude-code-20250219\r\n"

both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@dataclass(frozen=True, slots=True)
class Client(Site):
    async def ask(self, *, key: str | None = None, extra: str = "", **fields: Any) -> Reply:
        return await self.world.ask(self.written(key=key, extra=extra, **fields))

    def written(self, *, key: str | None = None, extra: str = "", **fields: Any) -> bytes:
        return wire.request(
            "/v1/messages?beta=true",
            body(**fields),
            extra=f"x-api-key: {self.key if key is None else key}\r\nanthropic-version: 2023-06-01\r\n{extra}",
        )


def body(**fields: Any) -> bytes:
    value = {"model": MODEL, "max_tokens": 50, "messages": [{"role": "user", "content": "hello"}], **fields}
    return json.dumps(value, indent=1).encode()


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    directory = tmp_path_factory.mktemp("messages")
    async with open_world(directory, servers.sqlite(directory)) as world:
        root = world.root
        names = (MODEL, "renamed", "gpt", "two")
        world.price(*names)
        world.channel("up", MODEL, type=14, key=KEY)
        world.channel("mapped", "mine", type=14, key=KEY, model_mapping='{"mine":"renamed"}', system_prompt="Be brief.")
        world.channel("openai", "gpt")
        world.channel("first", "two", type=14, key=KEY, priority=9)
        world.channel("second", "two", priority=1)
        yield Client(world, root.user("alice", START).token())


@both
async def test_what_is_said_is_passed_on_byte_for_byte_and_paid(site: Client, *, stream: bool) -> None:
    site.world.upstream.scripts["up"] = streams(STREAM) if stream else replies(200, WHOLE)
    reply = await site.ask(stream=stream, extra=BETAS, thinking={"type": "adaptive"})
    assert (reply.status, reply.body) == (200, STREAM if stream else WHOLE)
    assert reply.headers["content-type"] == ("text/event-stream" if stream else "application/json")
    request = site.request
    assert (request.target, request.body) == ("/up/v1/messages", body(stream=stream, thinking={"type": "adaptive"}))
    assert request.header("x-api-key") == KEY
    assert request.header("anthropic-version") == "2023-06-01"
    assert request.header("anthropic-beta") == "interleaved-thinking-2025-05-14,claude-code-20250219"
    final = await site.paid()
    assert (final.quota, final.prompt_tokens, final.completion_tokens) == (PAID, 3210, 44)
    assert (final.source, final.model_name, bool(final.is_stream)) == ("reported", MODEL, stream)


@both
async def test_what_was_cached_may_have_a_price_of_its_own(site: Client, *, stream: bool) -> None:
    root = site.world.root
    site.world.upstream.scripts["up"] = streams(STREAM) if stream else replies(200, WHOLE)
    root.option("CacheRatio", json.dumps({MODEL: 0.1}))
    root.option("CreateCacheRatio", json.dumps({MODEL: 1.25}))
    try:
        assert (await site.ask(stream=stream)).status == 200
        final = await site.paid()
    finally:
        root.option("CacheRatio", "{}")
        root.option("CreateCacheRatio", "{}")
    assert (final.quota, final.prompt_tokens) == (10 + 300 + 250 + 2 * 44, 3210)
    assert final.content == "倍率：1.00 × 1.00 × 2.00，缓存 0.10，缓存写入 1.25"


async def test_the_fee_of_a_tool_that_is_offered_is_held_once_and_paid_as_often_as_it_ran(site: Client) -> None:
    """A dollar a search: who has less is refused, who has it for one does not owe the others."""
    searched = {"id": "m", "model": MODEL, "content": [{"type": "text", "text": "x"}], "stop_reason": "end_turn"}
    offered = {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}
    books, root = site.world.books, site.world.root

    poor = root.user("poor", 1)

    async def left(start: int, ran: int, **fields: Any) -> tuple[int, int]:
        usage = {"input_tokens": 10, "output_tokens": 5, "server_tool_use": {"web_search_requests": ran}}
        site.world.upstream.scripts["up"] = replies(200, json.dumps({**searched, "usage": usage}).encode())
        root.ask("PUT", "/api/user/", json={"id": poor.me()["id"], "quota": start})
        reply = await site.ask(key=poor.token(), **fields)
        await books.settled()
        return reply.status, (await books.user("poor")).quota

    root.option("ToolPrice", json.dumps({"web_search": 1000}))
    try:
        assert await left(499_999, 0, **offered) == (403, 499_999)
        assert await left(499_999, 0) == (200, 499_979)
        assert await left(600_000, 0, **offered) == (200, 599_980)
        assert await left(600_000, 1, **offered) == (200, 99_980)
        assert await left(600_000, 3, **offered) == (200, 0)
        assert await left(2_000_000, 3, **offered) == (200, 499_980)
    finally:
        root.option("ToolPrice", "{}")


async def test_a_call_may_have_a_price_instead_of_its_tokens(site: Client) -> None:
    site.world.upstream.scripts["up"] = replies(200, WHOLE)
    site.world.root.option("ModelPrice", json.dumps({f"{MODEL}(14)": 0.002}))
    try:
        assert (await site.ask()).status == 200
        final = await site.paid()
    finally:
        site.world.root.option("ModelPrice", "{}")
    assert (final.quota, final.prompt_tokens, final.completion_tokens) == (1000, 3210, 44)
    assert final.content == "按次：1000 点额度，分组倍率 1.00"


async def test_the_end_of_a_stream_waits_for_its_charge(site: Client) -> None:
    async with wire.connect(site.world.port) as connection:
        connection.send(site.written(stream=True))
        turn = await site.world.upstream.turn()
        begin, _, end = STREAM.partition(b"event: message_stop")
        await turn.events(begin)
        assert (await connection.head())[0] == 200
        assert await connection.content(len(begin)) == begin
        before = await site.world.books.finals("alice")
        await turn.piece(b"event: message_stop" + end)
        await turn.end()
        assert await connection.chunk() == b"event: message_stop" + end
        assert len(await site.world.books.finals("alice")) == len(before) + 1


async def test_a_channel_may_rename_and_instruct(site: Client) -> None:
    site.world.upstream.scripts["mapped"] = replies(200, WHOLE)
    assert (await site.ask(model="mine", system="Be long.", unknown=1)).body == WHOLE
    assert site.request.json() == {**json.loads(body(system="Be brief.", unknown=1)), "model": "renamed"}
    assert (await site.paid()).model_name == "renamed"


@both
async def test_what_is_not_reported_is_counted(site: Client, *, stream: bool) -> None:
    silent = [line for line in STREAM.split(b"\n\n") if line]
    pieces = [json.loads(line.partition(b"data: ")[2]) for line in silent]
    for each in pieces:
        each.pop("usage", None)
        each.get("message", {}).pop("usage", None)
    whole = {name: value for name, value in json.loads(WHOLE).items() if name != "usage"}
    site.world.upstream.scripts["up"] = (
        streams(*(b"data: " + json.dumps(each).encode() + b"\n\n" for each in pieces))
        if stream
        else replies(200, json.dumps(whole).encode())
    )
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 40_000}}
    reply = await site.ask(
        stream=stream, messages=[{"role": "user", "content": [image, {"type": "text", "text": "hello"}]}]
    )
    assert reply.status == 200
    final = await site.paid()
    assert final.source == "counted"
    assert 10 < final.prompt_tokens < 60
    assert 4 <= final.completion_tokens <= 8
    assert final.quota == final.prompt_tokens + 2 * final.completion_tokens


# --- keys -------------------------------------------------------------------------------------------------------------


async def test_a_key_may_come_as_a_bearer(site: Client) -> None:
    site.world.upstream.scripts["up"] = replies(200, WHOLE)
    reply = await site.world.ask(wire.request("/v1/messages", body(), key=site.key))
    assert reply.status == 200
    assert site.request.header("authorization") == ""


@pytest.mark.parametrize(
    "key, extra, status, kind",
    [
        ("", "", 401, "authentication_error"),
        ("sk-nobody", "", 401, "authentication_error"),
        (None, "authorization: Bearer sk-another\r\n", 400, "invalid_request_error"),
        (None, "x-api-key: sk-another\r\n", 400, "invalid_request_error"),
    ],
)
async def test_other_keys_are_refused(site: Client, key: str | None, extra: str, status: int, kind: str) -> None:
    reply = await site.ask(key=key, extra=extra)
    assert (reply.status, reply.error["type"]) == (status, kind)
    assert not site.world.upstream.received


@pytest.mark.parametrize(
    "extra, status, message",
    [
        ("x-api-key: {key}\r\nauthorization: Bearer {key}\r\n", 200, ""),
        ("x-api-key: {key}\r\nauthorization: Bearer sk-another\r\n", 400, "two different keys are given"),
        ("x-api-key: {key}\r\nx-api-key: {key}\r\n", 400, "the header 'x-api-key' is given twice"),
        ("x-api-key: \r\n", 401, "未提供令牌"),
    ],
)
async def test_the_models_are_shown_to_one_key(site: Client, extra: str, status: int, message: str) -> None:
    extra = f"anthropic-version: 2023-06-01\r\n{extra.format(key=site.key)}"
    reply = await site.world.ask(wire.request("/v1/models", method="GET", extra=extra))
    assert reply.status == status
    assert (reply.json()["has_more"] is False) if status == 200 else (message in reply.error["message"])


# --- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields, status, kind, message",
    [
        ({"model": "nowhere"}, 503, "api_error", "无可用渠道"),
        ({"messages": []}, 400, "invalid_request_error", "field messages is required"),
        ({"max_tokens": -1}, 400, "invalid_request_error", "max_tokens is invalid"),
        (
            {"model": "gpt", "tools": [{"type": "bash", "name": "x"}]},
            400,
            "invalid_request_error",
            "of the client's own",
        ),
        ({"System": "x"}, 400, "invalid_request_error", "differs only in case"),
    ],
)
async def test_our_errors_have_anthropics_form(
    site: Client, fields: dict[str, Any], status: int, kind: str, message: str
) -> None:
    before = await site.charges()
    reply = await site.ask(**fields)
    value = reply.json()
    assert (reply.status, value["type"], value["error"]["type"]) == (status, "error", kind)
    assert message in value["error"]["message"]
    assert value["request_id"] == reply.headers["x-oneapi-request-id"]
    assert not site.world.upstream.received
    assert await site.charges() == before


FAILED = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'


@both
@pytest.mark.parametrize("status", [529, 200])
async def test_an_upstreams_error_keeps_its_type_and_costs_nothing(site: Client, status: int, *, stream: bool) -> None:
    before = await site.charges()
    event = streams(STREAM.partition(b"event: content_block_start")[0], b"event: error\ndata: " + FAILED + b"\n\n")
    site.world.upstream.scripts["up"] = event if stream and status == 200 else replies(status, FAILED)
    reply = await site.ask(stream=stream)
    assert reply.status == (529 if status == 529 else 502)
    assert (reply.json()["type"], reply.error["type"]) == ("error", "overloaded_error")
    assert reply.error["message"].startswith("Overloaded (request id: ")
    assert await site.charges() == before


SOME = STREAM.partition(b"event: content_block_stop")[0]  # "Well, then." was thought
BROKEN = [
    (b"", "the upstream's stream ended before its answer did", "api_error"),
    (b"event: error\ndata: " + FAILED + b"\n\n", "Overloaded", "overloaded_error"),
]


@pytest.mark.parametrize("rest, message, kind", BROKEN)
async def test_a_stream_that_breaks_ends_with_an_error_and_costs_what_came(
    site: Client, rest: bytes, message: str, kind: str
) -> None:
    site.world.upstream.scripts["up"] = streams(SOME, rest)
    reply = await site.ask(stream=True)
    assert reply.body.startswith(SOME)
    last = reply.body[len(SOME) :]
    assert last.startswith(b"event: error\ndata: {")
    error = json.loads(last.partition(b"data: ")[2])["error"]
    assert error["type"] == kind
    assert error["message"].startswith(f"{message} (request id: ")
    final = await site.paid()
    assert (final.prompt_tokens, final.source) == (3210, "estimated")
    assert final.quota == 3210 + 2 * final.completion_tokens
    assert 3 <= final.completion_tokens <= 6


async def test_a_stream_without_its_last_event_is_given_one(site: Client) -> None:
    begin = STREAM.partition(b"event: message_stop")[0]
    site.world.upstream.scripts["up"] = streams(begin)
    reply = await site.ask(stream=True)
    assert reply.body == begin + b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    assert (await site.paid()).quota == PAID


async def test_who_leaves_pays_the_prompt_and_what_was_produced(site: Client) -> None:
    before = await site.charges()
    async with wire.connect(site.world.port) as connection:
        connection.send(site.written(stream=True))
        turn: Turn = await site.world.upstream.turn()
        await turn.events(SOME)
        assert (await connection.head())[0] == 200
        await connection.until(b"then.")
        connection.leave()
        await turn.left()

    async def charged() -> bool:
        return await site.charges() > before

    await eventually(charged)
    final = await site.paid()
    assert (final.prompt_tokens, final.source) == (3210, "counted")


# --- a channel of another dialect -------------------------------------------------------------------------------------

SAID = scripted.chunk("Hello") + scripted.chunk(", 你好")
USED = scripted.usage_chunk(scripted.tokens(20, 10))


@both
async def test_a_channel_of_openais_answers_too(site: Client, *, stream: bool) -> None:
    site.world.upstream.scripts["openai"] = (
        streams(SAID, scripted.chunk(finish="stop"), USED, scripted.DONE)
        if stream
        else replies(200, scripted.completion("Hello, 你好", usage=scripted.tokens(20, 10)))
    )
    reply = await site.ask(model="gpt", stream=stream, system="Be brief.")
    assert reply.status == 200
    request = site.request
    assert request.target == "/openai/v1/chat/completions"
    assert request.header("authorization") == "Bearer sk-upstream-openai"
    assert (request.header("x-api-key"), request.header("anthropic-version")) == ("", "")
    assert request.json() == {
        "model": "gpt",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}],
        "max_tokens": 50,
        **({"stream": True, "stream_options": {"include_usage": True}} if stream else {}),
    }
    if stream:
        read = StreamDecoder().feed(reply.body)
        assert "".join(each.text for each in read if isinstance(each, ir.TextDelta)) == "Hello, 你好"
        assert read[-1] == ir.Ended(ir.Usage(20, 10))
    else:
        value = reply.json()
        assert value["content"] == [{"type": "text", "text": "Hello, 你好"}]
        assert (value["type"], value["stop_reason"]) == ("message", "end_turn")
    final = await site.paid()
    assert (final.quota, final.prompt_tokens, final.completion_tokens, final.source) == (40, 20, 10, "reported")


@pytest.mark.parametrize(
    "rest, message",
    [
        (b"", "the upstream's stream ended before its answer did"),
        (scripted.event({"error": {"message": "overloaded", "type": "server_error"}}), "overloaded"),
    ],
)
async def test_a_translated_stream_that_breaks_ends_with_an_error(site: Client, rest: bytes, message: str) -> None:
    site.world.upstream.scripts["openai"] = streams(SAID, rest)
    reply = await site.ask(model="gpt", stream=True)
    last = reply.body.split(b"\n\n")[-2]
    assert last.startswith(b"event: error\ndata: {")
    assert json.loads(last.partition(b"data: ")[2])["error"]["message"].startswith(f"{message} (request id: ")
    assert b"message_stop" not in reply.body
    final = await site.paid()
    assert final.source == "estimated"
    assert final.quota == final.prompt_tokens + 2 * final.completion_tokens


async def test_an_error_of_openais_has_anthropics_form(site: Client) -> None:
    before = await site.charges()
    site.world.upstream.scripts["openai"] = replies(429, b'{"error":{"message":"slow","type":"requests","code":"x"}}')
    reply = await site.ask(model="gpt")
    assert (reply.status, reply.json()["type"], reply.error["type"]) == (429, "error", "rate_limit_error")
    assert await site.charges() == before


async def test_a_channel_of_openais_answers_instead_of_one_that_fails(site: Client) -> None:
    root = site.world.root
    root.option("RetryTimes", "1")
    try:
        site.world.upstream.scripts |= {
            "first": replies(529, FAILED),
            "second": replies(200, scripted.completion("good", usage=scripted.tokens(20, 10))),
        }
        reply = await site.ask(model="two")
    finally:
        root.option("RetryTimes", "0")
    assert reply.json()["content"] == [{"type": "text", "text": "good"}]
    assert [each.name for each in site.world.upstream.received] == ["first", "second"]
    assert (await site.paid()).quota == 40
