"""Anthropic's own SDK notices nothing, whatever the channel speaks: real sockets, recorded bytes, the books after."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anthropic
import pytest
from anthropic.types import Message, ToolUseBlock

from tests.e2e.world import START, Site, open_world
from tests.harness import scripted, servers
from tests.harness.scripted import either, replies, streams

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("fresh")]

RECORDED = Path(__file__).parent.parent / "dialects"
OWN, OTHER = "claude-own", "gpt"  # one unit for a token of input, two for one of output
HELLO: Any = [{"role": "user", "content": "hello"}]
TOOL: Any = {
    "name": "get_weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}

lanes = pytest.mark.parametrize("model", [OWN, OTHER], ids=["same dialect", "translated"])
both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@dataclass(frozen=True, slots=True)
class Chat(Site):
    def sdk(self, **more: Any) -> anthropic.AsyncAnthropic:
        named: dict[str, Any] = more or {"api_key": self.key}
        return anthropic.AsyncAnthropic(base_url=self.url, max_retries=0, timeout=30, **named)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.world.port}"

    def says(self, case: str) -> None:
        """Both channels give this case's answer, each in its dialect, whole or as a stream, as they are asked."""
        folder = RECORDED / "anthropic_to_openai" / case
        for channel, whole, stream in (
            ("own", "answer.in.json", "stream.in.sse"),
            ("other", "answer.out.json", "stream.out.sse"),
        ):
            self.world.upstream.scripts[channel] = either(
                (folder / whole).read_bytes(), (folder / stream).read_bytes().replace(b": ping\n\n", b"")
            )


async def ask(client: anthropic.AsyncAnthropic, *, stream: bool, **fields: Any) -> Message:
    """The message of an answer; a stream's as the SDK puts it together."""
    asked: dict[str, Any] = {"max_tokens": 100, "messages": HELLO, **fields}
    if not stream:
        message: Message = await client.messages.create(**asked)
        return message
    async with client.messages.stream(**asked) as events:
        return await events.get_final_message()


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chat]:
    directory = tmp_path_factory.mktemp("anthropic-sdk")
    async with open_world(directory, servers.sqlite(directory)) as world:
        root = world.root
        root.option("ModelRatio", json.dumps({OWN: 1, OTHER: 1}))
        root.option("CompletionRatio", json.dumps({OWN: 2, OTHER: 2}))
        root.option("PreConsumedQuota", "0")
        world.channel("own", OWN, type=14)
        world.channel("other", OTHER)
        yield Chat(world, root.user("alice", START).token())


# --- answers ----------------------------------------------------------------------------------------------------------


@lanes
@both
async def test_text_is_answered_and_paid(site: Chat, *, model: str, stream: bool) -> None:
    site.says("text")
    async with site.sdk() as client:
        message = await ask(client, stream=stream, model=model, system="Be brief.")
    assert "".join(each.text for each in message.content if each.type == "text") == "Hello, 你好"
    assert (message.type, message.role, message.stop_reason) == ("message", "assistant", "end_turn")
    assert (message.usage.input_tokens, message.usage.output_tokens) == (25, 15)
    final = await site.paid()
    assert (final.quota, final.prompt_tokens, final.completion_tokens, final.source) == (55, 25, 15, "reported")


@lanes
async def test_the_synchronous_client(site: Chat, model: str) -> None:
    site.says("text")

    def heard() -> str:
        with (
            anthropic.Anthropic(base_url=site.url, api_key=site.key, timeout=30) as client,
            client.messages.stream(model=model, max_tokens=9, messages=HELLO) as events,
        ):
            return "".join(events.text_stream)

    assert await asyncio.to_thread(heard) == "Hello, 你好"


@lanes
@both
async def test_tools_are_called_in_parallel_and_answered(site: Chat, *, model: str, stream: bool) -> None:
    site.says("parallel_tools")
    async with site.sdk() as client:
        message = await ask(client, stream=stream, model=model, tools=[TOOL])
        calls = [each for each in message.content if isinstance(each, ToolUseBlock)]
        assert [(each.id, each.name, each.input) for each in calls] == [
            ("toolu_1", "get_weather", {"city": "Paris"}),
            ("toolu_2", "now", {}),
        ]
        assert message.stop_reason == "tool_use"
        site.world.upstream.reset()
        site.says("text")
        results: Any = [{"type": "tool_result", "tool_use_id": each.id, "content": "21"} for each in calls]
        said: Any = {"role": "assistant", "content": message.content}
        await ask(
            client,
            stream=stream,
            model=model,
            tools=[TOOL],
            messages=[*HELLO, said, {"role": "user", "content": results}],
        )
    sent = site.request.json()["messages"][1:]
    if model == OWN:
        assert [each["type"] for each in sent[0]["content"]] == ["text", "tool_use", "tool_use"]
        assert sent[1] == {"role": "user", "content": results}
    else:
        assert [each["id"] for each in sent[0]["tool_calls"]] == ["toolu_1", "toolu_2"]
        assert [each["tool_call_id"] for each in sent[1:]] == ["toolu_1", "toolu_2"]


@lanes
@both
async def test_thoughts_are_heard(site: Chat, *, model: str, stream: bool) -> None:
    site.says("thinking")
    async with site.sdk() as client:
        message = await ask(
            client, stream=stream, model=model, max_tokens=4096, thinking={"type": "enabled", "budget_tokens": 2048}
        )
    (thought, *_) = message.content
    assert thought.type == "thinking"
    assert thought.thinking == "Well, then."
    usage = message.usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (10, 3000, 200)
    assert (await site.paid()).prompt_tokens == 3210


@lanes
async def test_an_answer_without_counts_is_still_one(site: Chat, model: str) -> None:
    silent = b"".join(
        (
            scripted.chunk("Hello"),
            scripted.chunk(finish="stop"),
            scripted.DONE,
        )
    )
    site.says("text")
    site.world.upstream.scripts["other"] = streams(silent)
    async with site.sdk() as client:
        message = await ask(client, stream=True, model=model)
    assert message.content
    assert (await site.paid()).quota > 0


# --- errors -----------------------------------------------------------------------------------------------------------

ERRORS = [
    (400, anthropic.BadRequestError, "invalid_request_error"),
    (401, anthropic.AuthenticationError, "authentication_error"),
    (404, anthropic.NotFoundError, "not_found_error"),
    (413, anthropic.RequestTooLargeError, "request_too_large"),
    (429, anthropic.RateLimitError, "rate_limit_error"),
    (500, anthropic.InternalServerError, "api_error"),
    (529, anthropic.OverloadedError, "overloaded_error"),
]


@lanes
@both
@pytest.mark.parametrize("status, kind, name", ERRORS)
async def test_errors_are_the_sdks_own(
    site: Chat, status: int, kind: type[anthropic.APIStatusError], name: str, *, model: str, stream: bool
) -> None:
    own = json.dumps({"type": "error", "error": {"type": name, "message": "no"}}).encode()
    other = json.dumps({"error": {"type": "some", "message": "no", "code": None}}).encode()
    site.world.upstream.scripts |= {"own": replies(status, own), "other": replies(status, other)}
    async with site.sdk() as client:
        with pytest.raises(kind) as caught:
            await ask(client, stream=stream, model=model)
    body: Any = caught.value.body
    assert (caught.value.status_code, body["type"], body["error"]["type"]) == (status, "error", name)


@lanes
async def test_an_error_in_mid_stream_is_raised(site: Chat, model: str) -> None:
    own = (RECORDED / "anthropic_to_openai" / "text" / "stream.in.sse").read_bytes()
    site.world.upstream.scripts |= {
        "own": streams(
            own.partition(b"event: content_block_stop")[0],
            b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"full"}}\n\n',
        ),
        "other": streams(scripted.chunk("Hel"), b'data: {"error":{"message":"full","type":"overloaded_error"}}\n\n'),
    }
    heard: list[str] = []

    async def listen(client: anthropic.AsyncAnthropic) -> None:
        async with client.messages.stream(model=model, max_tokens=9, messages=HELLO) as events:
            async for text in events.text_stream:
                heard.append(text)  # noqa: PERF401  # what was heard before the error counts

    async with site.sdk() as client:
        with pytest.raises(anthropic.APIStatusError, match="full"):
            await listen(client)
    assert heard[0] == "Hel"
    assert (await site.paid()).source == "estimated"


async def test_a_key_that_nobody_has_is_refused(site: Chat) -> None:
    async with site.sdk(api_key="sk-nobody") as client:
        with pytest.raises(anthropic.AuthenticationError):
            await ask(client, stream=False, model=OWN)


# --- keys, counts, models ---------------------------------------------------------------------------------------------


async def test_the_key_may_come_as_a_bearer(site: Chat) -> None:
    site.says("text")
    async with site.sdk(auth_token=site.key) as client:
        assert (await ask(client, stream=False, model=OWN)).content
        assert {each.id async for each in client.models.list()} == {OWN, OTHER}


async def test_a_channel_that_can_counts(site: Chat) -> None:
    before = await site.charges()
    site.world.upstream.scripts["own"] = replies(200, b'{"input_tokens":2095}')
    async with site.sdk() as client:
        count = await client.messages.count_tokens(model=OWN, messages=HELLO, tools=[TOOL])
    assert count.input_tokens == 2095
    assert site.request.target == "/own/v1/messages/count_tokens"
    assert site.request.json() == {"model": OWN, "messages": HELLO, "tools": [TOOL]}
    assert await site.charges() == before


@pytest.mark.parametrize("model, status", [(OTHER, 0), (OWN, 404), (OWN, 529)])
async def test_else_we_count(site: Chat, model: str, status: int) -> None:
    before = await site.charges()
    if status:
        site.world.upstream.scripts["own"] = replies(status, b'{"type":"error","error":{"type":"x","message":"no"}}')
    async with site.sdk() as client:
        short = await client.messages.count_tokens(model=model, messages=HELLO)
        long = await client.messages.count_tokens(model=model, messages=[*HELLO, *HELLO], system="word " * 50)
    assert 1 <= short.input_tokens < 30
    assert 50 <= long.input_tokens - short.input_tokens < 80
    assert len(site.world.upstream.received) == (2 if status else 0)
    assert await site.charges() == before


async def test_a_request_that_the_channel_refuses_is_not_counted(site: Chat) -> None:
    site.world.upstream.scripts["own"] = replies(
        400, b'{"type":"error","error":{"type":"invalid_request_error","message":"messages.0: no"}}'
    )
    async with site.sdk() as client:
        with pytest.raises(anthropic.BadRequestError, match=r"messages\.0: no"):
            await client.messages.count_tokens(model=OWN, messages=HELLO)
        with pytest.raises(anthropic.BadRequestError, match="field messages is required"):
            await client.messages.count_tokens(model=OWN, messages=[])


async def test_models_are_listed_page_by_page(site: Chat) -> None:
    async with site.sdk() as client:
        page = await client.models.list(limit=1)
        assert (page.has_more, len(page.data)) == (True, 1)
        following = await page.get_next_page()
        assert (following.has_more, len(following.data)) == (False, 1)
        names = [page.data[0].id, following.data[0].id]
        assert set(names) == {OWN, OTHER}
        back = await client.models.list(before_id=names[1], limit=5)
        assert ([each.id for each in back.data], back.has_more) == (names[:1], False)
        model = await client.models.retrieve(OTHER)
        assert (model.id, model.type, model.display_name, model.created_at.year) == (OTHER, "model", OTHER, 1970)
        with pytest.raises(anthropic.NotFoundError):
            await client.models.retrieve("nowhere")
        with pytest.raises(anthropic.BadRequestError):
            await client.models.list(limit=1001)
        with pytest.raises(anthropic.BadRequestError):
            await client.models.list(after_id="nowhere")
    async with site.sdk(api_key="sk-nobody") as client:
        with pytest.raises(anthropic.AuthenticationError):
            await client.models.list()
