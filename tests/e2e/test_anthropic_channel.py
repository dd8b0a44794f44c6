"""OpenAI's SDK on a channel of Anthropic's, over real sockets: recorded bytes upstream, the books after each call."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.e2e import wire
from tests.e2e.books import eventually
from tests.e2e.world import START, Site, open_world
from tests.harness import scripted, servers
from tests.harness.scripted import Turn, completion, recorded, replies, streams, tokens

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("fresh")]

RECORDED = Path(__file__).parent.parent / "dialects" / "anthropic_to_openai"
MODEL = "claude-sonnet-4-5"  # one unit for a token of input, two for one of output
KEY = "sk-ant-canary-81"
HELLO: Any = [{"role": "user", "content": "hello"}]
TOOL: Any = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}

both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@dataclass(frozen=True, slots=True)
class Chat(Site):
    def records(self, case: str) -> None:
        """The upstream gives this recorded answer, whole or as a stream, as it is asked."""
        self.world.upstream.scripts["up"] = recorded(RECORDED / case)


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chat]:
    directory = tmp_path_factory.mktemp("anthropic")
    async with open_world(directory, servers.sqlite(directory)) as world:
        root = world.root
        names = (MODEL, "two", "claude-3-haiku-20240307")
        world.price(*names)
        world.channel("up", MODEL, type=14, key=KEY, system_prompt="")
        world.channel("first", "two", type=14, key=KEY, priority=9)
        world.channel("second", "two", priority=1)
        yield Chat(world, root.user("alice", START).token())


async def say(client: openai.AsyncOpenAI, *, stream: bool, **fields: Any) -> tuple[dict[str, Any], Any]:
    """The message and usage of an answer; a stream's put together as clients do."""
    asked: dict[str, Any] = {"model": MODEL, "messages": HELLO, **fields}
    if not stream:
        answer = await client.chat.completions.create(**asked)
        message = answer.choices[0].message.model_dump(exclude_none=True)
        return {**message, "finish": answer.choices[0].finish_reason}, answer.usage
    message, usage = {"role": "assistant", "content": ""}, None
    chunks = await client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})
    async for chunk in chunks:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            put(message, choice.delta.model_dump(exclude_none=True))
            message["finish"] = choice.finish_reason
    return message, usage


def put(message: dict[str, Any], delta: dict[str, Any]) -> None:
    for call in delta.pop("tool_calls", ()):
        calls = message.setdefault("tool_calls", [])
        if call["index"] == len(calls):
            calls.append({name: value for name, value in call.items() if name != "index"})
        else:
            calls[call["index"]]["function"]["arguments"] += call["function"]["arguments"]
    for name, value in delta.items():
        if name != "role":
            message[name] = message[name] + value if name in message else value


# --- answers ----------------------------------------------------------------------------------------------------------


@both
async def test_text_is_answered_and_paid(site: Chat, *, stream: bool) -> None:
    site.records("text")
    async with site.client() as client:
        message, usage = await say(client, stream=stream, max_tokens=50)
    assert (message["content"], message["finish"]) == ("Hello, 你好", "stop")
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (25, 15, 40)
    final = await site.paid()
    assert (final.quota, final.prompt_tokens, final.completion_tokens, final.source) == (55, 25, 15, "reported")
    assert final.model_name == MODEL


@both
async def test_the_request_is_anthropics_own(site: Chat, *, stream: bool) -> None:
    site.records("text")
    async with site.client(default_headers={"anthropic-beta": "x-1", "cookie": "a=b"}) as client:
        await say(client, stream=stream, messages=[{"role": "system", "content": "Be brief."}, *HELLO], stop="END")
    request = site.request
    assert request.target == "/up/v1/messages"
    sent = {name: value for name, value in request.headers if name not in ("host", "content-length")}
    assert sent == {
        "x-api-key": KEY,
        "anthropic-version": "2023-06-01",
        "content-type": "application/json",
        **({"accept": "text/event-stream"} if stream else {}),
        "user-agent": "one-api",
    }
    assert request.json() == {
        "model": MODEL,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}],
        "system": "Be brief.",
        "max_tokens": 4096,
        "stop_sequences": ["END"],
        **({"stream": True} if stream else {}),
    }


async def test_a_caller_may_ask_for_another_version_of_the_api(site: Chat) -> None:
    site.records("text")
    async with site.client(default_headers={"anthropic-version": "2024-01-01", "x-api-key": "mine"}) as client:
        await say(client, stream=False)
    assert site.request.header("anthropic-version") == "2024-01-01"
    assert site.request.header("x-api-key") == KEY


@both
async def test_tools_are_called_in_parallel_and_answered(site: Chat, *, stream: bool) -> None:
    site.records("parallel_tools")
    async with site.client() as client:
        message, _ = await say(client, stream=stream, tools=[TOOL])
        finish, calls = message.pop("finish"), message["tool_calls"]
        assert finish == "tool_calls"
        assert [(each["id"], each["function"]["name"]) for each in calls] == [
            ("toolu_1", "get_weather"),
            ("toolu_2", "now"),
        ]
        assert [json.loads(each["function"]["arguments"]) for each in calls] == [{"city": "Paris"}, {}]
        site.world.upstream.reset()
        site.records("text")
        results = [{"role": "tool", "tool_call_id": each["id"], "content": "21"} for each in calls]
        await say(client, stream=stream, tools=[TOOL], messages=[*HELLO, message, *results])
    called, answered = site.request.json()["messages"][1:]
    assert called["content"] == [
        {"type": "text", "text": "Let me see"},
        {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Paris"}},
        {"type": "tool_use", "id": "toolu_2", "name": "now", "input": {}},
    ]
    assert [(each["type"], each["tool_use_id"]) for each in answered["content"]] == [
        ("tool_result", "toolu_1"),
        ("tool_result", "toolu_2"),
    ]


@both
async def test_thoughts_come_back_as_they_were(site: Chat, *, stream: bool) -> None:
    site.records("thinking")
    async with site.client() as client:
        message, usage = await say(client, stream=stream, reasoning_effort="low")
        assert site.request.json()["thinking"] == {"type": "enabled", "budget_tokens": 2048}
        assert (message["reasoning_content"], message["content"]) == ("Well, then.", "27")
        assert (usage.prompt_tokens, usage.prompt_tokens_details.cached_tokens) == (3210, 3000)
        site.world.upstream.reset()
        site.records("text")
        await say(client, stream=stream, messages=[*HELLO, message, *HELLO])
    assert site.request.json()["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "Well, then.", "signature": "EqQBCg"},
        {"type": "redacted_thinking", "data": "EmwKAh"},
        {"type": "text", "text": "27"},
    ]
    finals = await site.world.books.finals("alice")
    assert (finals[-2].quota, finals[-2].prompt_tokens) == (3210 + 2 * 44, 3210)


async def test_images_go_inline_or_by_address(site: Chat) -> None:
    site.records("text")
    content = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
        {"type": "image_url", "image_url": {"url": "https://images.example/a.png"}},
    ]
    async with site.client() as client:
        await say(client, stream=False, messages=[{"role": "user", "content": content}])
    assert site.request.json()["messages"][0]["content"] == [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
        {"type": "image", "source": {"type": "url", "url": "https://images.example/a.png"}},
    ]


@both
async def test_an_image_of_megabytes_arrives_whole_or_is_refused_as_a_small_one(site: Chat, *, stream: bool) -> None:
    """Such requests are written anew beside the loop."""
    site.records("text")
    data = "QUJD" * 1_000_000
    images: list[Any] = [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}]
    async with site.client() as client:
        message, _ = await say(client, stream=stream, messages=[{"role": "user", "content": images}])
        assert message["content"] == "Hello, 你好"
        (sent,) = site.request.json()["messages"][0]["content"]
        assert sent["source"]["data"] == data
        assert (await site.paid()).quota == 55
        before = await site.charges()
        audio = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
        with pytest.raises(openai.BadRequestError, match="'input_audio' cannot be sent to this channel"):
            await say(client, stream=stream, messages=[{"role": "user", "content": [*images, audio]}])
    assert await site.charges() == before
    assert len(site.world.upstream.received) == 1


async def test_usage_nobody_asked_for_is_kept_back(site: Chat) -> None:
    site.records("text")
    reply = await site.world.ask(wire.chat(site.key, model=MODEL, stream=True))
    assert reply.body.endswith(b'"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
    assert b"usage" not in reply.body
    assert (await site.paid()).quota == 55


# --- what goes wrong --------------------------------------------------------------------------------------------------


ERRORS = [
    (400, "invalid_request_error", 400, openai.BadRequestError),
    (413, "request_too_large", 413, openai.APIStatusError),
    (404, "not_found_error", 404, openai.NotFoundError),
    (429, "rate_limit_error", 429, openai.RateLimitError),
    (500, "api_error", 500, openai.InternalServerError),
    (529, "overloaded_error", 529, openai.InternalServerError),
]


@both
@pytest.mark.parametrize("status, kind, shown, raised", ERRORS)
async def test_errors_keep_their_type_and_cost_nothing(
    site: Chat, status: int, kind: str, shown: int, raised: type[openai.APIStatusError], *, stream: bool
) -> None:
    before = await site.charges()
    body = json.dumps({"type": "error", "error": {"type": kind, "message": "Because."}}).encode()
    site.world.upstream.scripts["up"] = replies(status, body)
    async with site.client() as client:
        with pytest.raises(raised) as refused:
            await say(client, stream=stream)
    assert (refused.value.status_code, refused.value.type) == (shown, kind)
    assert await site.charges() == before


@both
async def test_an_error_in_a_good_answer_is_one(site: Chat, *, stream: bool) -> None:
    before = await site.charges()
    failed = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
    site.world.upstream.scripts["up"] = streams(b"data: " + failed + b"\n\n") if stream else replies(200, failed)
    async with site.client() as client:
        with pytest.raises(openai.InternalServerError) as refused:
            await say(client, stream=stream)
    assert (refused.value.status_code, refused.value.type) == (502, "overloaded_error")
    assert await site.charges() == before


@pytest.mark.parametrize("body", [b"{", b'{"content":1}', b"<html>"])
async def test_an_answer_that_cannot_be_read_is_an_error(site: Chat, body: bytes) -> None:
    before = await site.charges()
    site.world.upstream.scripts["up"] = replies(200, body)
    async with site.client() as client:
        with pytest.raises(openai.InternalServerError, match="cannot be read"):
            await say(client, stream=False)
    assert await site.charges() == before


async def test_content_the_channel_has_no_form_for_is_refused(site: Chat) -> None:
    before = await site.charges()
    audio = [{"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}]
    async with site.client() as client:
        with pytest.raises(openai.BadRequestError, match="'input_audio' cannot be sent to this channel"):
            await say(client, stream=False, messages=[{"role": "user", "content": audio}])
        with pytest.raises(openai.BadRequestError, match="one answer a call and not 3"):
            await say(client, stream=False, n=3)
    assert not site.world.upstream.received
    assert await site.charges() == before


START_OF_STREAM = (RECORDED / "text" / "stream.in.sse").read_bytes().partition(b"event: content_block_stop")[0]
BROKEN = [
    (b"", "the upstream's stream ended before its answer did"),
    ((RECORDED / "error" / "stream.in.sse").read_bytes().partition(b"event: error")[2], "Overloaded"),
    (b"data: {\n\n", "the upstream sent an event that cannot be read"),
]


@pytest.mark.parametrize("rest, message", BROKEN)
async def test_a_stream_that_breaks_costs_its_prompt_and_what_came(site: Chat, rest: bytes, message: str) -> None:
    """The prompt as the upstream said at the start, what it produced as counted: four tokens of "Hello, 你好"."""
    site.world.upstream.scripts["up"] = streams(START_OF_STREAM, rest)
    said: list[str] = []

    async def read() -> None:
        nonlocal said
        async with site.client() as client:
            async for chunk in await client.chat.completions.create(model=MODEL, messages=HELLO, stream=True):
                said += [chunk.choices[0].delta.content or ""]

    with pytest.raises(openai.APIError, match=message):
        await read()
    assert "".join(said) == "Hello, 你好"
    final = await site.paid()
    assert (final.prompt_tokens, final.completion_tokens, final.source) == (25, final.completion_tokens, "estimated")
    assert final.quota == 25 + 2 * final.completion_tokens
    assert 3 <= final.completion_tokens <= 6


async def test_a_stream_cut_after_its_report_costs_what_was_reported(site: Chat) -> None:
    whole = (RECORDED / "text" / "stream.in.sse").read_bytes()

    async def script(turn: Turn) -> None:
        await turn.events(whole.partition(b"event: message_stop")[0])
        turn.close()

    site.world.upstream.scripts["up"] = script
    reply = await site.world.ask(wire.chat(site.key, model=MODEL, stream=True))
    assert b"the upstream broke off (closed)" in reply.body
    assert b"[DONE]" not in reply.body
    final = await site.paid()
    assert (final.quota, final.source) == (55, "estimated")


async def test_who_leaves_in_the_middle_pays_the_prompt_and_what_was_produced(site: Chat) -> None:
    before = await site.charges()
    async with wire.connect(site.world.port) as connection:
        connection.send(wire.chat(site.key, model=MODEL, stream=True))
        turn = await site.world.upstream.turn()
        await turn.events(START_OF_STREAM)
        assert (await connection.head())[0] == 200
        await connection.until("你好".encode())
        connection.leave()
        await turn.left()

    async def charged() -> bool:
        return await site.charges() > before

    await eventually(charged)
    final = await site.paid()
    assert (final.prompt_tokens, final.source) == (25, "counted")
    assert final.quota == 25 + 2 * final.completion_tokens


# --- other channels ---------------------------------------------------------------------------------------------------


@contextmanager
def one_retry(site: Chat) -> Iterator[None]:
    site.world.root.option("RetryTimes", "1")
    try:
        yield
    finally:
        site.world.root.option("RetryTimes", "0")


def refusing(kind: str, message: str, status: int) -> scripted.Script:
    return replies(status, json.dumps({"type": "error", "error": {"type": kind, "message": message}}).encode())


FAILING = {
    "overloaded": refusing("overloaded_error", "Overloaded", 529),
    "no credit": refusing("invalid_request_error", "Your credit balance is too low to access the Anthropic API.", 400),
    "error event": streams(
        START_OF_STREAM.partition(b"event: content_block_delta")[0],
        b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n',
    ),
    "nothing": streams(b""),
}


@pytest.mark.parametrize("case", FAILING)
async def test_another_channel_of_another_dialect_answers_instead(site: Chat, case: str) -> None:
    site.world.upstream.scripts |= {
        "first": FAILING[case],
        "second": streams(
            scripted.chunk("good"), scripted.chunk(finish="stop"), scripted.usage_chunk(tokens(20, 10)), scripted.DONE
        ),
    }
    with one_retry(site):
        async with site.client() as client:
            message, _ = await say(client, stream=True, model="two")
    assert message["content"] == "good"
    assert [each.name for each in site.world.upstream.received] == ["first", "second"]
    assert (await site.paid()).quota == 40


async def test_what_one_channel_cannot_be_told_another_may(site: Chat) -> None:
    site.world.upstream.scripts["second"] = replies(200, completion("heard", usage=tokens(20, 10)))
    audio = [{"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}]
    with one_retry(site):
        async with site.client() as client:
            message, _ = await say(client, stream=False, model="two", messages=[{"role": "user", "content": audio}])
    assert message["content"] == "heard"
    assert site.request.name == "second"
