"""Google's own SDK as a client: on a channel that speaks its dialect, and on one of OpenAI's. Its bytes, the books."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from google import genai
from google.genai import errors, types

from tests.e2e import wire
from tests.e2e.books import eventually
from tests.e2e.wire import Reply
from tests.e2e.world import START, Site, open_world
from tests.harness import scripted, servers
from tests.harness.scripted import Turn, recorded, replies, streams

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("fresh")]

RECORDED = Path(__file__).parent.parent / "dialects" / "gemini_to_openai"
MODEL = "gemini-3-pro-preview"  # one unit for a token of input, two for one of output
KEY = "AIza-canary-84"
TEXT = (RECORDED / "text" / "answer.in.json").read_bytes()
STREAM = (RECORDED / "text" / "stream.in.sse").read_bytes()
PAID = 25 + 2 * 15
TOOL = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="get_weather",
            description="Weather",
            parameters=types.Schema(
                type=types.Type.OBJECT, properties={"city": types.Schema(type=types.Type.STRING)}, required=["city"]
            ),
        )
    ]
)

both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@dataclass(frozen=True, slots=True)
class Client(Site):
    def sdk(self, *, key: str | None = None, version: str = "v1beta") -> genai.Client:
        options = types.HttpOptions(base_url=f"http://127.0.0.1:{self.world.port}", api_version=version, timeout=30_000)
        return genai.Client(api_key=self.key if key is None else key, http_options=options)

    def records(self, case: str) -> None:
        """The upstream gives this recorded answer, whole or as a stream, as it is asked."""
        self.world.upstream.scripts["up"] = recorded(RECORDED / case)

    async def ask(self, action: str, *, model: str = MODEL, query: str = "", extra: str = "", **fields: Any) -> Reply:
        """Without the SDK."""
        return await self.world.ask(self.written(action, model=model, query=query, extra=extra, **fields))

    def written(self, action: str, *, model: str = MODEL, query: str = "", extra: str = "", **fields: Any) -> bytes:
        extra = extra or f"x-goog-api-key: {self.key}\r\n"
        return wire.request(f"/v1beta/models/{model}:{action}{query}", body(**fields), extra=extra)


def body(**fields: Any) -> bytes:
    return json.dumps({"contents": [{"role": "user", "parts": [{"text": "hello"}]}], **fields}, indent=1).encode()


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    directory = tmp_path_factory.mktemp("google")
    async with open_world(directory, servers.sqlite(directory)) as world:
        root = world.root
        names = (MODEL, "renamed", "gpt-4o", "o/slash")
        world.price(*names)
        world.channel("up", f"{MODEL},o/slash", type=24, key=KEY)
        world.channel("mapped", "mine", type=24, key=KEY, model_mapping='{"mine":"renamed"}', system_prompt="Be brief.")
        world.channel("openai", "gpt-4o")
        yield Client(world, root.user("alice", START).token())


async def say(client: genai.Client, *, stream: bool, **fields: Any) -> list[types.GenerateContentResponse]:
    asked: dict[str, Any] = {"model": MODEL, "contents": "hello", **fields}
    async with client.aio as sdk:
        if not stream:
            return [await sdk.models.generate_content(**asked)]
        return [each async for each in await sdk.models.generate_content_stream(**asked)]


def parts(answers: list[types.GenerateContentResponse]) -> list[types.Part]:
    contents = [candidate.content for answer in answers for candidate in answer.candidates or ()]
    return [part for content in contents if content is not None for part in content.parts or ()]


def text(answers: list[types.GenerateContentResponse]) -> str:
    return "".join(part.text or "" for part in parts(answers) if not part.thought)


def counted(answers: list[types.GenerateContentResponse]) -> types.GenerateContentResponseUsageMetadata:
    found = answers[-1].usage_metadata
    assert found is not None
    return found


# --- on a channel that speaks it --------------------------------------------------------------------------------------


@both
async def test_text_is_answered_and_paid(site: Client, *, stream: bool) -> None:
    site.records("text")
    answers = await say(site.sdk(), stream=stream, config={"max_output_tokens": 50})
    assert text(answers) == "Hello, 你好"
    assert (counted(answers).prompt_token_count, counted(answers).candidates_token_count) == (25, 15)
    final = await site.paid()
    assert (final.quota, final.prompt_tokens, final.completion_tokens) == (PAID, 25, 15)
    assert (final.source, final.model_name, bool(final.is_stream)) == ("reported", MODEL, stream)


async def test_a_client_that_blocks_works_too(site: Client) -> None:
    site.records("text")

    def ask() -> tuple[str, str]:
        with site.sdk(version="v1") as client:
            whole = client.models.generate_content(model=MODEL, contents="hello")
            stream = client.models.generate_content_stream(model=MODEL, contents="hello")
            return whole.text or "", "".join(each.text or "" for each in stream)

    assert await anyio.to_thread.run_sync(ask) == ("Hello, 你好", "Hello, 你好")
    assert await site.charges() >= 2


@both
async def test_what_is_said_is_passed_on_byte_for_byte(site: Client, *, stream: bool) -> None:
    site.world.upstream.scripts["up"] = streams(STREAM) if stream else replies(200, TEXT)
    action, query = ("streamGenerateContent", "?alt=sse") if stream else ("generateContent", "")
    reply = await site.ask(action, query=query, unknown={"a": [1]}, generation_config={"max_output_tokens": 9})
    assert (reply.status, reply.body) == (200, STREAM if stream else TEXT)
    assert reply.headers["content-type"] == ("text/event-stream" if stream else "application/json")
    request = site.request
    assert request.target == f"/up/v1beta/models/{MODEL}:{action}{query}"
    assert request.body == body(unknown={"a": [1]}, generation_config={"max_output_tokens": 9})
    assert request.header("x-goog-api-key") == KEY
    assert (await site.paid()).quota == PAID


async def test_a_stream_is_an_array_for_who_asks_for_no_events(site: Client) -> None:
    site.world.upstream.scripts["up"] = streams(STREAM)
    reply = await site.ask("streamGenerateContent")
    assert site.request.target.endswith(":streamGenerateContent?alt=sse")
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert reply.json() == [json.loads(line[6:]) for line in STREAM.decode().split("\r\n\r\n") if line]
    assert (await site.paid()).quota == PAID


async def test_an_array_that_breaks_ends_with_an_error(site: Client) -> None:
    site.records("error")
    reply = await site.ask("streamGenerateContent")
    first, last = reply.json()
    assert first["candidates"][0]["content"]["parts"] == [{"text": "Hel"}]
    assert last["error"]["message"].startswith("The model is overloaded. (request id: ")


async def test_the_end_of_a_stream_waits_for_its_charge(site: Client) -> None:
    begin, end = STREAM[: STREAM.rindex(b"data: ")], STREAM[STREAM.rindex(b"data: ") :]
    async with wire.connect(site.world.port) as connection:
        connection.send(site.written("streamGenerateContent", query="?alt=sse"))
        turn = await site.world.upstream.turn()
        await turn.events(begin)
        assert (await connection.head())[0] == 200
        assert await connection.content(len(begin)) == begin
        before = await site.world.books.finals("alice")
        await turn.piece(end)
        await turn.end()
        assert await connection.chunk() == end
        assert len(await site.world.books.finals("alice")) == len(before) + 1


async def test_a_second_answer_comes_as_it_is_said_after_the_first_has_ended(site: Client) -> None:
    def said(index: int, text: str, **fields: Any) -> bytes:
        candidate = {"index": index, "content": {"role": "model", "parts": [{"text": text}]}, **fields}
        counts = {"promptTokenCount": 9, "candidatesTokenCount": 4}
        return b"data: %b\r\n\r\n" % json.dumps({"candidates": [candidate], "usageMetadata": counts}).encode()

    first, second, end = said(0, "a", finishReason="STOP"), said(1, "b"), said(1, "c", finishReason="STOP")
    async with wire.connect(site.world.port) as connection:
        asked: Any = {"generationConfig": {"candidateCount": 2}}
        connection.send(site.written("streamGenerateContent", query="?alt=sse", **asked))
        turn = await site.world.upstream.turn()
        await turn.events(first)
        await turn.piece(second)
        assert (await connection.head())[0] == 200
        assert await connection.content(len(first + second)) == first + second
        before = await site.world.books.finals("alice")
        await turn.piece(end)
        await turn.end()
        assert await connection.chunk() == end
        assert len(await site.world.books.finals("alice")) == len(before) + 1


@both
async def test_tools_thoughts_and_signatures_go_there_and_back(site: Client, *, stream: bool) -> None:
    site.records("thoughts_and_signed_calls")
    config = types.GenerateContentConfig(
        tools=[TOOL],
        thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_level=types.ThinkingLevel.LOW),
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    answers = await say(site.sdk(), stream=stream, config=config)
    said = parts(answers)
    assert "".join(part.text or "" for part in said if part.thought) == "Well, then."
    calls = [part.function_call for part in said if part.function_call is not None]
    assert [(call.id, call.name, call.args) for call in calls] == [
        ("fc-1", "get_weather", {"city": "Paris"}),
        ("fc-2", "now", {}),
    ]
    assert [part.thought_signature for part in said if part.thought_signature] == [b"sig0", b"sig1"]
    assert (counted(answers).thoughts_token_count, counted(answers).cached_content_token_count) == (120, 3000)
    assert (await site.paid()).quota == 3210 + 2 * 164
    site.world.upstream.reset()
    site.records("text")
    results = [types.Part.from_function_response(name=call.name or "", response={"output": "21"}) for call in calls]
    turns = [
        types.UserContent("hello"),
        types.Content(role="model", parts=said),
        types.Content(role="user", parts=results),
    ]
    await say(site.sdk(), stream=stream, contents=turns, config=config)
    sent = site.request.json()["contents"][1]["parts"]
    assert [each["thoughtSignature"] for each in sent if "thoughtSignature" in each] == ["c2lnMA==", "c2lnMQ=="]


@both
async def test_images_go_there_and_back(site: Client, *, stream: bool) -> None:
    site.records("image")
    contents = ["Draw.", types.Part.from_bytes(data=b"\x89PNG", mime_type="image/png")]
    answers = await say(site.sdk(), stream=stream, contents=contents)
    images = [part.inline_data for part in parts(answers) if part.inline_data is not None]
    assert [(image.mime_type, image.data) for image in images] == [("image/png", b"\x89PNG\r\n\x1a\n")]
    sent = site.request.json()["contents"][0]["parts"][1]["inlineData"]  # half in the one names, half in the other
    assert sent == {"data": "iVBORw==", "mime_type": "image/png"}
    assert (await site.paid()).quota == 12 + 2 * 1290


async def test_a_channel_may_rename_and_instruct(site: Client) -> None:
    site.world.upstream.scripts["mapped"] = replies(200, TEXT)
    reply = await site.ask("generateContent", model="mine", system_instruction={"parts": [{"text": "Be long."}]})
    assert reply.body == TEXT
    assert site.request.target == "/mapped/v1beta/models/renamed:generateContent"
    assert site.request.json()["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert "system_instruction" not in site.request.json()
    assert (await site.paid()).model_name == "renamed"


@pytest.mark.parametrize("model", ["o/slash", "o%2Fslash"])
async def test_a_model_may_have_a_slash(site: Client, model: str) -> None:
    site.world.upstream.scripts["up"] = replies(200, TEXT)
    assert (await site.ask("generateContent", model=model)).status == 200
    assert site.request.target == "/up/v1beta/models/o%2Fslash:generateContent"
    assert (await site.paid()).model_name == "o/slash"


@both
async def test_what_is_not_reported_is_counted(site: Client, *, stream: bool) -> None:
    said = [{"candidates": [{"content": {"parts": [{"text": each}], "role": "model"}}]} for each in ("Hello", ", 你好")]
    said[-1]["candidates"][0]["finishReason"] = "STOP"  # type: ignore[assignment]  # of mixed types
    whole = {"candidates": [{"content": {"parts": [{"text": "Hello, 你好"}]}, "finishReason": "STOP"}]}
    site.world.upstream.scripts["up"] = (
        streams(*(scripted.event(each) for each in said)) if stream else replies(200, json.dumps(whole).encode())
    )
    image = {"inlineData": {"mimeType": "image/png", "data": "A" * 40_000}}
    action, query = ("streamGenerateContent", "?alt=sse") if stream else ("generateContent", "")
    contents = [{"role": "user", "parts": [image, {"text": "hello"}]}]
    assert (await site.ask(action, query=query, contents=contents)).status == 200
    final = await site.paid()
    assert final.source == "counted"
    assert 10 < final.prompt_tokens < 60
    assert 4 <= final.completion_tokens <= 8
    assert final.quota == final.prompt_tokens + 2 * final.completion_tokens


@both
async def test_a_blocked_prompt_is_told_as_google_tells_it(site: Client, *, stream: bool) -> None:
    site.records("blocked")
    (answer,) = await say(site.sdk(), stream=stream)
    assert answer.prompt_feedback is not None
    assert answer.prompt_feedback.block_reason == types.BlockedReason.PROHIBITED_CONTENT
    final = await site.paid()
    assert final.completion_tokens == 0


async def test_who_leaves_pays_the_prompt_and_what_was_produced(site: Client) -> None:
    before = await site.charges()
    begin = STREAM.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    async with wire.connect(site.world.port) as connection:
        connection.send(site.written("streamGenerateContent", query="?alt=sse"))
        turn: Turn = await site.world.upstream.turn()
        await turn.events(begin)
        assert (await connection.head())[0] == 200
        await connection.until(b"Hello")
        connection.leave()
        await turn.left()

    async def charged() -> bool:
        return await site.charges() > before

    await eventually(charged)
    final = await site.paid()
    assert (final.prompt_tokens, final.source) == (25, "counted")


# --- what costs nothing -----------------------------------------------------------------------------------------------


async def test_tokens_are_counted_by_a_channel_that_speaks_it(site: Client) -> None:
    before = await site.charges()
    site.world.upstream.scripts["up"] = replies(200, b'{"totalTokens":7}')
    async with site.sdk().aio as sdk:
        assert (await sdk.models.count_tokens(model=MODEL, contents="hello")).total_tokens == 7
    assert site.request.target == f"/up/v1beta/models/{MODEL}:countTokens"
    assert site.request.header("x-goog-api-key") == KEY
    assert await site.charges() == before


async def test_tokens_for_a_channel_that_cannot_tell_are_counted_here(site: Client) -> None:
    before = await site.charges()
    async with site.sdk().aio as sdk:
        found = await sdk.models.count_tokens(model="gpt-4o", contents="hello")
    assert found.total_tokens is not None
    assert 1 <= found.total_tokens < 20
    whole = {"model": "models/gpt-4o", "contents": [{"parts": [{"text": "hello " * 50}]}]}
    reply = await site.ask("countTokens", model="gpt-4o", contents=None, generateContentRequest=whole)
    assert 50 <= reply.json()["totalTokens"] < 120
    assert not site.world.upstream.received
    assert await site.charges() == before


@pytest.mark.parametrize("version", ["v1", "v1beta"])
async def test_models_are_listed(site: Client, version: str) -> None:
    async with site.sdk(version=version).aio as sdk:
        pages = await sdk.models.list(config={"page_size": 2})
        assert len(pages) == 2
        names = [each.name async for each in pages]
        one = await sdk.models.get(model="o/slash")
        with pytest.raises(errors.ClientError) as missing:
            await sdk.models.get(model="nowhere")
    assert sorted(each for each in names if each is not None) == sorted(
        f"models/{each}" for each in (MODEL, "o/slash", "mine", "gpt-4o")
    )
    assert (one.name, one.supported_actions) == ("models/o/slash", ["generateContent", "countTokens"])
    assert (missing.value.code, missing.value.status) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    "query, extra, status",
    [
        ("?key={key}", "", 200),
        ("", "x-goog-api-key: {key}\r\n", 200),
        ("", "authorization: Bearer {key}\r\n", 200),
        ("", "", 401),
        ("?key=sk-other", "x-goog-api-key: {key}\r\n", 400),
        ("?pageSize=x", "x-goog-api-key: {key}\r\n", 400),
        ("?pageToken=x", "x-goog-api-key: {key}\r\n", 400),
    ],
)
async def test_lists_need_a_key(site: Client, query: str, extra: str, status: int) -> None:
    target = "/v1beta/models" + query.format(key=site.key)
    reply = await site.world.ask(wire.request(target, b"", method="GET", extra=extra.format(key=site.key)))
    assert reply.status == status
    if status != 200:
        assert reply.error["code"] == status
    assert site.key.removeprefix("sk-") not in site.world.gateway.output()


# --- embeddings -------------------------------------------------------------------------------------------------------

VECTORS = b'{"embeddings":[{"values":[0.5,-1]},{"values":[0.25,2]}],"usageMetadata":{"promptTokenCount":2}}'


async def test_embeddings_of_a_channel_that_speaks_it_are_passed_on(site: Client) -> None:
    site.world.upstream.scripts["up"] = replies(200, VECTORS)
    async with site.sdk().aio as sdk:
        made = await sdk.models.embed_content(model=MODEL, contents=["hello", "world"])
    assert [each.values for each in made.embeddings or ()] == [[0.5, -1.0], [0.25, 2.0]]
    assert site.request.target == f"/up/v1beta/models/{MODEL}:batchEmbedContents"
    final = await site.paid()
    assert (final.prompt_tokens, final.completion_tokens, final.quota) == (2, 0, 2)


async def test_one_embedding_is_passed_on_byte_for_byte(site: Client) -> None:
    site.world.upstream.scripts["up"] = replies(200, b'{"embedding":{"values":[1]}}')
    reply = await site.ask("embedContent", contents=None, content={"parts": [{"text": "hello"}]}, taskType="X")
    assert reply.body == b'{"embedding":{"values":[1]}}'
    assert site.request.target == f"/up/v1beta/models/{MODEL}:embedContent"
    assert site.request.json()["taskType"] == "X"
    assert (await site.paid()).quota == 1


async def test_embeddings_are_renamed_in_every_place(site: Client) -> None:
    site.world.upstream.scripts["mapped"] = replies(200, VECTORS)
    async with site.sdk().aio as sdk:
        await sdk.models.embed_content(model="mine", contents=["hello", "world"])
    assert site.request.target == "/mapped/v1beta/models/renamed:batchEmbedContents"
    assert {each["model"] for each in site.request.json()["requests"]} == {"models/renamed"}


@pytest.mark.parametrize("action", ["embedContent", "batchEmbedContents"])
async def test_openais_channels_embed_too(site: Client, action: str) -> None:
    made = {"object": "list", "data": [{"index": 0, "embedding": [0.5, -1]}], "usage": {"prompt_tokens": 4}}
    site.world.upstream.scripts["openai"] = replies(200, json.dumps(made).encode())
    one = {"content": {"parts": [{"text": "hello"}]}, "outputDimensionality": 2}
    fields = one if action == "embedContent" else {"requests": [{"model": "models/gpt-4o", **one}]}
    reply = await site.ask(action, model="gpt-4o", contents=None, **fields)
    vector = {"values": [0.5, -1.0]}
    told = {"embedding": vector} if action == "embedContent" else {"embeddings": [vector]}
    assert reply.json() == {**told, "usageMetadata": {"promptTokenCount": 4}}
    assert site.request.target == "/openai/v1/embeddings"
    assert site.request.json() == {"model": "gpt-4o", "input": ["hello"], "dimensions": 2, "encoding_format": "float"}
    assert (await site.paid()).quota == 4


# --- keys -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["header", "query", "bearer"])
async def test_a_key_may_stand_where_clients_have_it(site: Client, place: str) -> None:
    site.world.upstream.scripts["up"] = replies(200, TEXT)
    query = f"?key={site.key}" if place == "query" else ""
    extra = {
        "header": f"x-goog-api-key: {site.key}\r\n",
        "query": "x-unused: 1\r\n",
        "bearer": f"authorization: Bearer {site.key}\r\n",
    }[place]
    assert (await site.ask("generateContent", query=query, extra=extra)).status == 200
    request = site.request
    assert (request.target, request.header("authorization")) == (f"/up/v1beta/models/{MODEL}:generateContent", "")
    assert request.header("x-goog-api-key") == KEY
    key = site.key.removeprefix("sk-")
    assert key not in str(request)
    assert key not in site.world.gateway.output()


@pytest.mark.parametrize(
    "query, extra, status, name",
    [
        ("", "x-unused: 1\r\n", 401, "UNAUTHENTICATED"),
        ("?key=", "x-unused: 1\r\n", 401, "UNAUTHENTICATED"),
        ("?key=sk-nobody", "x-unused: 1\r\n", 401, "UNAUTHENTICATED"),
        ("?key=sk-one", "x-goog-api-key: sk-other\r\n", 400, "INVALID_ARGUMENT"),
        ("?key=sk-one&key=sk-other", "x-unused: 1\r\n", 400, "INVALID_ARGUMENT"),
        ("", "x-goog-api-key: sk-one\r\nauthorization: Bearer sk-other\r\n", 400, "INVALID_ARGUMENT"),
        ("", "x-goog-api-key: sk-one\r\nx-goog-api-key: sk-one\r\n", 400, "INVALID_ARGUMENT"),
    ],
)
async def test_other_keys_are_refused(site: Client, query: str, extra: str, status: int, name: str) -> None:
    reply = await site.ask("generateContent", query=query, extra=extra)
    assert (reply.status, reply.error["code"], reply.error["status"]) == (status, status, name)
    assert not site.world.upstream.received


# --- what goes wrong --------------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize(
    "status, name, raised",
    [
        (400, "INVALID_ARGUMENT", errors.ClientError),
        (404, "NOT_FOUND", errors.ClientError),
        (503, "UNAVAILABLE", errors.ServerError),
    ],
)
async def test_an_upstreams_error_is_one_and_costs_nothing(
    site: Client, status: int, name: str, raised: type[errors.APIError], *, stream: bool
) -> None:
    before = await site.charges()
    failed = {"error": {"code": status, "message": "Because.", "status": name}}
    site.world.upstream.scripts["up"] = replies(status, json.dumps(failed).encode())
    with pytest.raises(raised) as refused:
        await say(site.sdk(), stream=stream)
    assert (refused.value.code, refused.value.status) == (status, name)
    assert (refused.value.message or "").startswith("Because. (request id: ")
    assert await site.charges() == before


@pytest.mark.parametrize(
    "fields, status, name, message",
    [
        ({"model": "nowhere"}, 503, "UNAVAILABLE", "无可用渠道"),
        ({"contents": []}, 400, "INVALID_ARGUMENT", "field contents is required"),
        ({"generationConfig": {"maxOutputTokens": -1}}, 400, "INVALID_ARGUMENT", "maxOutputTokens is invalid"),
        ({"generationConfig": {}, "generation_config": {}}, 400, "INVALID_ARGUMENT", "given twice"),
        (
            {"extra_model": 1, "model": "gpt-4o", "tools": [{"googleSearch": {}}]},
            400,
            "INVALID_ARGUMENT",
            "googleSearch",
        ),
    ],
)
async def test_our_errors_have_googles_form(
    site: Client, fields: dict[str, Any], status: int, name: str, message: str
) -> None:
    before = await site.charges()
    reply = await site.ask("generateContent", **fields)
    assert (reply.status, reply.error["code"], reply.error["status"]) == (status, status, name)
    assert message in reply.error["message"]
    assert not site.world.upstream.received
    assert await site.charges() == before


async def test_a_model_has_one_name(site: Client) -> None:
    raw = wire.request(
        f"/v1beta/models/{MODEL}:generateContent", body(model="models/gpt-4o"), extra=f"x-goog-api-key: {site.key}\r\n"
    )
    reply = await site.world.ask(raw)
    assert (reply.status, reply.error["status"]) == (400, "INVALID_ARGUMENT")
    assert "two different models" in reply.error["message"]


async def test_a_stream_that_breaks_ends_with_an_error_and_costs_what_came(site: Client) -> None:
    site.records("error")
    with pytest.raises(errors.APIError, match="overloaded"):
        await say(site.sdk(), stream=True)
    final = await site.paid()
    assert (final.source, final.completion_tokens) == ("estimated", 1)


# --- on a channel of OpenAI's -----------------------------------------------------------------------------------------

USED = scripted.usage_chunk(scripted.tokens(20, 10))


def openais(site: Client, *, stream: bool, calls: list[dict[str, Any]] | None = None) -> None:
    message = {
        "role": "assistant",
        "content": None if calls else "Hello, 你好",
        **({"tool_calls": calls} if calls else {}),
    }
    finish = "tool_calls" if calls else "stop"
    choice = {"index": 0, "message": message, "finish_reason": finish}
    whole = {"id": "c", "model": "m", "choices": [choice], "usage": scripted.tokens(20, 10)}
    pieces = [scripted.chunk("Hello"), scripted.chunk(", 你好")]
    if calls:
        deltas = [{"tool_calls": [{**call, "index": index}]} for index, call in enumerate(calls)]
        pieces = [scripted.event({"id": "c", "choices": [{"index": 0, "delta": delta}]}) for delta in deltas]
    site.world.upstream.scripts["openai"] = (
        streams(*pieces, scripted.chunk(finish=finish), USED, scripted.DONE)
        if stream
        else replies(200, json.dumps(whole).encode())
    )


@both
async def test_a_channel_of_openais_answers_too(site: Client, *, stream: bool) -> None:
    openais(site, stream=stream)
    config = {"system_instruction": "Be brief.", "max_output_tokens": 9, "temperature": 0.5}
    answers = await say(site.sdk(), stream=stream, model="gpt-4o", config=config)
    assert text(answers) == "Hello, 你好"
    assert answers[-1].candidates is not None
    assert answers[-1].candidates[0].finish_reason == types.FinishReason.STOP
    assert (counted(answers).prompt_token_count, counted(answers).candidates_token_count) == (20, 10)
    request = site.request
    assert request.target == "/openai/v1/chat/completions"
    assert request.header("authorization") == "Bearer sk-upstream-openai"
    assert request.header("x-goog-api-key") == ""
    assert request.json() == {
        "model": "gpt-4o",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}],
        "max_tokens": 9,
        "temperature": 0.5,
        **({"stream": True, "stream_options": {"include_usage": True}} if stream else {}),
    }
    final = await site.paid()
    assert (final.quota, final.prompt_tokens, final.completion_tokens, final.source) == (40, 20, 10, "reported")


@both
async def test_tools_of_openais_models_are_called_and_answered(site: Client, *, stream: bool) -> None:
    called = [
        {
            "id": f"call_{city}",
            "type": "function",
            "function": {"name": "get_weather", "arguments": f'{{"city":"{city}"}}'},
        }
        for city in ("Paris", "Rome")
    ]
    openais(site, stream=stream, calls=called)
    config = types.GenerateContentConfig(
        tools=[TOOL], automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True)
    )
    said = parts(await say(site.sdk(), stream=stream, model="gpt-4o", config=config))
    calls = [part.function_call for part in said if part.function_call is not None]
    assert [(call.id, call.args) for call in calls] == [
        ("call_Paris", {"city": "Paris"}),
        ("call_Rome", {"city": "Rome"}),
    ]
    assert site.request.json()["tools"][0]["function"]["parameters"] == {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    }
    site.world.upstream.reset()
    openais(site, stream=stream)
    results = [
        types.Part(function_response=types.FunctionResponse(id=call.id, name=call.name, response={"output": "21"}))
        for call in calls
    ]
    turns = [
        types.UserContent("hello"),
        types.Content(role="model", parts=[part for part in said if part.function_call]),
        types.Content(role="user", parts=results),
    ]
    await say(site.sdk(), stream=stream, model="gpt-4o", contents=turns, config=config)
    assert site.request.json()["messages"][1:] == [
        {"role": "assistant", "content": None, "tool_calls": called},
        {"role": "tool", "tool_call_id": "call_Paris", "content": "21"},
        {"role": "tool", "tool_call_id": "call_Rome", "content": "21"},
    ]


async def test_an_array_is_made_of_openais_stream_too(site: Client) -> None:
    openais(site, stream=True)
    reply = await site.ask("streamGenerateContent", model="gpt-4o")
    assert [each["candidates"][0]["content"]["parts"][0]["text"] for each in reply.json()] == ["Hello", ", 你好", ""]
    assert reply.json()[-1]["usageMetadata"]["totalTokenCount"] == 30


async def test_a_chat_of_the_sdks_goes_on(site: Client) -> None:
    openais(site, stream=False)
    async with site.sdk().aio as sdk:
        chat = sdk.chats.create(model="gpt-4o")
        assert (await chat.send_message("hello")).text == "Hello, 你好"
        site.world.upstream.received.clear()
        assert (await chat.send_message("and?")).text == "Hello, 你好"
    assert [each["role"] for each in site.request.json()["messages"]] == ["user", "assistant", "user"]
