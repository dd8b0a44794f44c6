"""OpenAI's and Anthropic's clients on a channel of the Gemini API: recorded bytes upstream, the books after each."""

import json
from array import array
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.e2e import wire
from tests.e2e.test_anthropic_channel import HELLO, TOOL, both, put
from tests.e2e.world import START, Site, open_world
from tests.harness import scripted, servers
from tests.harness.scripted import completion, recorded, replies, streams, tokens

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("fresh")]

RECORDED = Path(__file__).parent.parent / "dialects" / "gemini_to_openai"
MODEL = "gemini-3-pro-preview"  # one unit for a token of input, two for one of output
KEY = "AIza-canary-83"


@dataclass(frozen=True, slots=True)
class Chat(Site):
    def records(self, case: str) -> None:
        """The upstream gives this recorded answer, whole or as a stream, as it is asked."""
        self.world.upstream.scripts["up"] = recorded(RECORDED / case)

    def said(self) -> list[dict[str, Any]]:
        """The contents that the upstream was sent last."""
        return list(self.request.json()["contents"])


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chat]:
    directory = tmp_path_factory.mktemp("gemini")
    env = {"GEMINI_SAFETY_SETTING": "OFF", "GEMINI_VERSION": "v9", "USER_CONTENT_NETWORKS": "127.0.0.0/8"}
    async with open_world(directory, servers.sqlite(directory), **env) as world:
        root = world.root
        names = (MODEL, "two", "gemini-pro", "text-embedding-004")
        world.price(*names)
        world.channel("up", f"{MODEL},gemini-pro,text-embedding-004", type=24, key=KEY)
        world.channel("pinned", "mine", type=24, key=KEY, config='{"api_version":"v7"}', model_mapping='{"mine":"x/y"}')
        world.channel("first", "two", type=24, key=KEY, priority=9)
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
async def test_the_request_is_googles_own(site: Chat, *, stream: bool) -> None:
    site.records("text")
    async with site.client(default_headers={"x-goog-api-key": "mine", "cookie": "a=b"}) as client:
        await say(client, stream=stream, messages=[{"role": "system", "content": "Be brief."}, *HELLO], stop="END")
    request = site.request
    action = "streamGenerateContent?alt=sse" if stream else "generateContent"
    assert request.target == f"/up/v1beta/models/{MODEL}:{action}"
    sent = {name: value for name, value in request.headers if name not in ("host", "content-length")}
    assert sent == {
        "x-goog-api-key": KEY,
        "content-type": "application/json",
        **({"accept": "text/event-stream"} if stream else {}),
        "user-agent": "one-api",
    }
    body = request.json()
    assert {each["threshold"] for each in body.pop("safetySettings")} == {"OFF"}
    assert body == {
        "contents": [{"role": "user", "parts": [{"text": "hello"}]}],
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "generationConfig": {"stopSequences": ["END"]},
    }


@pytest.mark.parametrize(
    "model, name, target", [("gemini-pro", "up", "/v9/models/gemini-pro"), ("mine", "pinned", "/v7/models/x%2Fy")]
)
async def test_the_version_is_the_channels_or_the_models(site: Chat, model: str, name: str, target: str) -> None:
    site.world.upstream.scripts[name] = replies(200, (RECORDED / "text" / "answer.in.json").read_bytes())
    async with site.client() as client:
        await say(client, stream=False, model=model)
    assert site.request.target == f"/{name}{target}:generateContent"


@both
async def test_thoughts_and_signed_calls_come_back_as_they_were(site: Chat, *, stream: bool) -> None:
    site.records("thoughts_and_signed_calls")
    async with site.client() as client:
        message, usage = await say(client, stream=stream, tools=[TOOL], reasoning_effort="low")
        thinking = site.request.json()["generationConfig"]["thinkingConfig"]
        assert thinking == {"includeThoughts": True, "thinkingLevel": "LOW"}
        assert (message.pop("finish"), message["reasoning_content"]) == ("tool_calls", "Well, then.")
        assert (usage.prompt_tokens, usage.prompt_tokens_details.cached_tokens) == (3210, 3000)
        assert (usage.completion_tokens, usage.completion_tokens_details.reasoning_tokens) == (164, 120)
        site.world.upstream.reset()
        site.records("text")
        results = [{"role": "tool", "tool_call_id": each["id"], "content": "21"} for each in message["tool_calls"]]
        await say(client, stream=stream, tools=[TOOL], messages=[*HELLO, message, *results])
    called, answered = site.said()[1:]
    assert called["parts"] == [
        {"text": "Well, then.", "thought": True},
        {"text": "Let me see"},
        {"text": "", "thoughtSignature": "c2lnMA=="},
        {
            "functionCall": {"name": "get_weather", "args": {"city": "Paris"}, "id": "fc-1"},
            "thoughtSignature": "c2lnMQ==",
        },
        {"functionCall": {"name": "now", "args": {}, "id": "fc-2"}},
    ]
    assert [each["functionResponse"]["id"] for each in answered["parts"]] == ["fc-1", "fc-2"]
    finals = await site.world.books.finals("alice")
    assert (finals[-2].quota, finals[-2].prompt_tokens) == (3210 + 2 * 164, 3210)


@both
async def test_images_are_drawn(site: Chat, *, stream: bool) -> None:
    site.records("image")
    async with site.client() as client:
        message, _ = await say(client, stream=stream, extra_body={"modalities": ["image", "text"]})
    assert site.request.json()["generationConfig"] == {"responseModalities": ["IMAGE", "TEXT"]}
    assert message["images"] == [{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}]
    assert (await site.paid()).quota == 12 + 2 * 1290


@both
async def test_several_answers_may_be_asked_for(site: Chat, *, stream: bool) -> None:
    parts = [{"role": "model", "parts": [{"text": text}]} for text in ("heads", "tails")]
    candidates = [{"index": n, "content": each, "finishReason": "STOP"} for n, each in enumerate(parts)]
    counts = {"promptTokenCount": 9, "candidatesTokenCount": 4}
    value = {"candidates": candidates, "usageMetadata": counts, "modelVersion": MODEL, "responseId": "r"}
    data = json.dumps(value).encode()
    site.world.upstream.scripts["up"] = streams(b"data: %b\n\n" % data) if stream else replies(200, data)
    said = ["", ""]
    async with site.client() as client:
        if stream:
            async for chunk in await client.chat.completions.create(model=MODEL, messages=HELLO, n=2, stream=True):
                for choice in chunk.choices:
                    said[choice.index] += choice.delta.content or ""
        else:
            answer = await client.chat.completions.create(model=MODEL, messages=HELLO, n=2)
            said = [choice.message.content or "" for choice in answer.choices]
    assert said == ["heads", "tails"]
    assert site.request.json()["generationConfig"] == {"candidateCount": 2}
    assert (await site.paid()).quota == 9 + 2 * 4


async def test_usage_nobody_asked_for_is_kept_back(site: Chat) -> None:
    site.records("text")
    reply = await site.world.ask(wire.chat(site.key, model=MODEL, stream=True))
    assert reply.body.endswith(b'"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
    assert b"usage" not in reply.body
    assert (await site.paid()).quota == 55


@both
async def test_anthropics_clients_keep_googles_signatures(site: Chat, *, stream: bool) -> None:
    site.records("thoughts_and_signed_calls")
    asked: dict[str, Any] = {
        "model": MODEL,
        "max_tokens": 90,
        "messages": [{"role": "user", "content": "hello"}],
        "stream": stream,
    }
    extra = f"x-api-key: {site.key}\r\nanthropic-version: 2023-06-01\r\n"
    reply = await site.world.ask(wire.request("/v1/messages", json.dumps(asked).encode(), extra=extra))
    assert reply.status == 200
    content = blocks(reply.body) if stream else reply.json()["content"]
    kinds = ["thinking", "text", "redacted_thinking", "redacted_thinking", "tool_use", "tool_use"]
    assert [each["type"] for each in content] == kinds
    assert (await site.paid()).quota == 3210 + 2 * 164
    site.world.upstream.reset()
    site.records("text")
    results = [
        {"type": "tool_result", "tool_use_id": each["id"], "content": "21"}
        for each in content
        if each["type"] == "tool_use"
    ]
    later = [*asked["messages"], {"role": "assistant", "content": content}, {"role": "user", "content": results}]
    again = json.dumps({**asked, "messages": later}).encode()
    assert (await site.world.ask(wire.request("/v1/messages", again, extra=extra))).status == 200
    parts = site.said()[1]["parts"]
    assert [each.get("thoughtSignature") for each in parts] == [None, None, "c2lnMA==", "c2lnMQ==", None]
    assert parts[0] == {"text": "Well, then.", "thought": True}


def blocks(stream: bytes) -> list[dict[str, Any]]:
    """The content of a message as Anthropic's clients put it together."""
    content: list[dict[str, Any]] = []
    written = ""
    for line in stream.decode().split("\n"):
        event: dict[str, Any] = json.loads(line[6:]) if line.startswith("data: ") else {"type": ""}
        if event["type"] == "content_block_start":
            content.append(event["content_block"])
            written = ""
        elif event["type"] == "content_block_delta":
            delta = event["delta"]
            for name in ("text", "thinking", "signature"):
                if name in delta:
                    content[-1][name] = content[-1].get(name, "") + delta[name]
            written += delta.get("partial_json", "")
        elif event["type"] == "content_block_stop" and content[-1]["type"] == "tool_use":
            content[-1]["input"] = json.loads(written)
    return content


# --- what goes wrong --------------------------------------------------------------------------------------------------


ERRORS = [
    (400, "INVALID_ARGUMENT", openai.BadRequestError),
    (403, "PERMISSION_DENIED", openai.PermissionDeniedError),
    (429, "RESOURCE_EXHAUSTED", openai.RateLimitError),
    (503, "UNAVAILABLE", openai.InternalServerError),
]


@both
@pytest.mark.parametrize("status, name, raised", ERRORS)
@pytest.mark.parametrize("form", ["{}", "[{}]"])
async def test_errors_cost_nothing(
    site: Chat, status: int, name: str, raised: type[openai.APIStatusError], form: str, *, stream: bool
) -> None:
    before = await site.charges()
    error = json.dumps({"error": {"code": status, "message": "Because.", "status": name}})
    site.world.upstream.scripts["up"] = replies(status, form.replace("{}", error).encode())
    async with site.client() as client:
        with pytest.raises(raised, match="Because." if status != 429 else "饱和") as refused:
            await say(client, stream=stream)
    assert refused.value.status_code == status
    assert await site.charges() == before


@both
@pytest.mark.parametrize("case, status", [("blocked", 400), ("nothing_said", 502)])
async def test_an_answer_that_is_none_costs_nothing(site: Chat, case: str, status: int, *, stream: bool) -> None:
    before = await site.charges()
    site.records(case)
    async with site.client() as client:
        with pytest.raises(openai.APIStatusError) as refused:
            await say(client, stream=stream)
    assert refused.value.status_code == status
    assert await site.charges() == before


@both
async def test_a_blocked_prompt_is_not_tried_elsewhere_and_a_failure_is(site: Chat, *, stream: bool) -> None:
    folder = RECORDED / "blocked"
    raw = (folder / "stream.in.sse").read_bytes() if stream else (folder / "answer.in.json").read_bytes()
    site.world.upstream.scripts["first"] = streams(raw) if stream else replies(200, raw)
    async with site.client() as client:
        with pytest.raises(openai.BadRequestError, match="PROHIBITED_CONTENT") as refused:
            await say(client, stream=stream, model="two")
        assert refused.value.type == "content_filter"
        assert [each.name for each in site.world.upstream.received] == ["first"]
        site.world.upstream.scripts["first"] = replies(503, b'{"error":{"code":503,"message":"m","status":"X"}}')
        site.world.upstream.scripts["second"] = (
            streams(scripted.chunk("hi"), scripted.chunk(finish="stop"), scripted.usage_chunk(tokens(3, 1)))
            if stream
            else replies(200, completion(usage=tokens(3, 1)))
        )
        site.world.root.option("RetryTimes", "1")
        message, _ = await say(client, stream=stream, model="two")
        site.world.root.option("RetryTimes", "0")
    assert message["content"] == "hi"


async def test_a_stream_that_breaks_ends_with_an_error_and_costs_what_came(site: Chat) -> None:
    site.records("error")
    reply = await site.world.ask(wire.chat(site.key, model=MODEL, stream=True))
    assert reply.body.partition(b"\n\n")[0].endswith(b'"content":"Hel"},"finish_reason":null}]}')
    assert b"overloaded" in reply.body
    assert not reply.body.endswith(b"[DONE]\n\n")
    final = await site.paid()
    assert (final.source, final.completion_tokens) == ("estimated", 1)


# --- what requests name by address ------------------------------------------------------------------------------------

PICTURE = b"\x89PNG picture"


def picture(site: Chat, path: str = "a.png") -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": f"{site.world.upstream.at('images')}/{path}"}}


async def test_images_by_address_are_fetched_once_and_sent_inline(site: Chat) -> None:
    site.records("text")
    site.world.upstream.scripts["images"] = replies(200, PICTURE, [("content-type", "image/png; x=y")])
    linked = {"type": "image_url", "image_url": {"url": "https://generativelanguage.googleapis.com/v1beta/files/x"}}
    content = [picture(site), linked, picture(site)]
    async with site.client() as client:
        await say(client, stream=False, messages=[{"role": "user", "content": content}])
    fetched, sent = site.world.upstream.received
    assert (fetched.method, fetched.target, fetched.header("authorization")) == ("GET", "/images/a.png", "")
    inline = {"inlineData": {"mimeType": "image/png", "data": b64encode(PICTURE).decode()}}
    file = {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/x"}}
    assert sent.json()["contents"][0]["parts"] == [inline, file, inline]


@pytest.mark.parametrize(
    "status, kind, count, message",
    [
        (404, "image/png", 1, "the answer is not 200"),
        (200, "text/html", 1, "what is there is none"),
        (200, "image/png", 17, "more than 16 images"),
    ],
)
async def test_images_that_cannot_be_had_are_the_callers_fault(
    site: Chat, status: int, kind: str, count: int, message: str
) -> None:
    before = await site.charges()
    site.records("text")
    site.world.upstream.scripts["images"] = replies(status, PICTURE, [("content-type", kind)])
    content = [picture(site, f"{number}.png") for number in range(count)]
    async with site.client() as client:
        with pytest.raises(openai.BadRequestError, match=message):
            await say(client, stream=False, messages=[{"role": "user", "content": content}])
    assert "up" not in [each.name for each in site.world.upstream.received]
    assert await site.charges() == before


async def test_another_channel_may_do_with_the_address(site: Chat) -> None:
    site.world.upstream.scripts["second"] = replies(200, completion(usage=tokens(3, 1)))
    site.world.upstream.scripts["images"] = replies(404, b"")
    site.world.root.option("RetryTimes", "1")
    async with site.client() as client:
        await say(client, stream=False, model="two", messages=[{"role": "user", "content": [picture(site)]}])
    site.world.root.option("RetryTimes", "0")
    assert [each.name for each in site.world.upstream.received][-1] == "second"


# --- embeddings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["float", "base64"])
async def test_embeddings_are_made_and_paid(site: Chat, form: Any) -> None:
    body = b'{"embeddings":[{"values":[0.5,-1]},{"values":[0.25,2]}]}'
    site.world.upstream.scripts["up"] = replies(200, body)
    async with site.client() as client:
        made = await client.embeddings.create(
            model="text-embedding-004", input=["hello", "world"], dimensions=2, encoding_format=form
        )
    vectors = [[0.5, -1.0], [0.25, 2.0]]
    packed = [b64encode(array("f", each).tobytes()).decode() for each in vectors]
    assert [(each.index, each.embedding) for each in made.data] == list(
        enumerate(vectors if form == "float" else packed)
    )
    assert site.request.target == "/up/v9/models/text-embedding-004:batchEmbedContents"
    assert site.request.json() == {
        "requests": [
            {"model": "models/text-embedding-004", "content": {"parts": [{"text": each}]}, "outputDimensionality": 2}
            for each in ("hello", "world")
        ]
    }
    final = await site.paid()
    assert (final.source, final.prompt_tokens, final.completion_tokens, final.quota) == ("counted", 2, 0, 2)


async def test_tokens_cannot_be_embedded_by_another_vendor(site: Chat) -> None:
    before = await site.charges()
    async with site.client() as client:
        with pytest.raises(openai.BadRequestError, match="array of strings"):
            await client.embeddings.create(model="text-embedding-004", input=[[1, 2]])
    assert await site.charges() == before


@pytest.mark.parametrize("body", [b"{}", b'{"embeddings":1}', b'{"error":{"code":500,"message":"m","status":"X"}}'])
async def test_embeddings_that_are_none_cost_nothing(site: Chat, body: bytes) -> None:
    before = await site.charges()
    site.world.upstream.scripts["up"] = replies(200, body)
    async with site.client() as client:
        with pytest.raises(openai.InternalServerError):
            await client.embeddings.create(model="text-embedding-004", input="hello")
    assert await site.charges() == before
