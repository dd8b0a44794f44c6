"""Clients of OpenAI's Responses API, over real sockets, on channels that have it and on channels that do not.

OpenAI's own SDK is the client; upstreams send recorded bytes, or turns as their vendors stream them.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from pydantic import BaseModel

from tests.e2e import wire
from tests.e2e.books import eventually
from tests.e2e.wire import Reply
from tests.e2e.world import START, Site, open_world
from tests.harness import scripted, servers, turns
from tests.harness.scripted import Turn, replies, streams
from tests.harness.turns import Said

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("fresh")]

RECORDED = Path(__file__).parent.parent / "dialects" / "responses_to_openai"
STREAM = (RECORDED / "reasoning_and_calls" / "stream.in.sse").read_bytes()
WHOLE = (RECORDED / "reasoning_and_calls" / "answer.in.json").read_bytes()
PAID = 36 + 2 * 87
CLAUDE = "claude-sonnet-4-5"
MODELS = {"up": "gpt-up", "chat": "gpt-chat", "claude": CLAUDE}
"""By channel: one that has responses, one that has chat alone, one of Anthropic's. A token of output costs two."""

both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
each = pytest.mark.parametrize("channel", sorted(MODELS))
DIALECT = {"up": "responses", "chat": "chat", "claude": "messages"}


@dataclass(frozen=True, slots=True)
class Client(Site):
    async def ask(self, **fields: Any) -> Reply:
        return await self.world.ask(self.written(**fields))

    def written(self, **fields: Any) -> bytes:
        return wire.request("/v1/responses", body(**fields), key=self.key)

    def says(self, channel: str, *said: Said) -> None:
        """The channel's model takes these turns, one after another."""
        left = [turns.STREAMED[DIALECT[channel]](turn) for turn in said]

        async def script(turn: Turn) -> None:
            assert turn.request.json()["stream"] is True
            await streams(left.pop(0))(turn)

        self.world.upstream.scripts[channel] = script


def body(**fields: Any) -> bytes:
    return json.dumps({"model": "gpt-up", "input": "hello", **fields}, indent=1).encode()


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    directory = tmp_path_factory.mktemp("responses")
    async with open_world(directory, servers.sqlite(directory)) as world:
        root = world.root
        names = (*MODELS.values(), "renamed", "two", "mixed", "kept", "only")
        world.price(*names)
        world.channel("up", "gpt-up", config='{"responses":true}')
        world.channel("chat", "gpt-chat")
        world.channel("claude", CLAUDE, type=14)
        world.channel(
            "mapped", "mine", config='{"responses":true}', model_mapping='{"mine":"renamed"}', system_prompt="Be brief."
        )
        world.channel("kept", "kept", config='{"responses":true,"kept_responses":true}')
        world.channel("only", "only", config='{"responses":"only"}')
        world.channel("abroad", "mixed", priority=9)
        world.channel("home", "mixed", priority=1, config='{"responses":true}')
        world.channel("first", "two", priority=9, config='{"responses":true}')
        world.channel("second", "two", priority=1)
        yield Client(world, root.user("alice", START).token())


# --- a channel that has responses -------------------------------------------------------------------------------------


@both
async def test_what_is_said_is_passed_on_byte_for_byte_and_paid(site: Client, *, stream: bool) -> None:
    site.world.upstream.scripts["up"] = streams(STREAM) if stream else replies(200, WHOLE)
    tools = [{"type": "web_search"}, {"type": "mcp", "server_label": "x", "server_url": "https://x.example"}]
    asked = {"stream": stream, "store": True, "tools": tools, "unknown": 1}
    reply = await site.ask(**asked)
    assert (reply.status, reply.body) == (200, STREAM if stream else WHOLE)
    assert reply.headers["content-type"] == ("text/event-stream" if stream else "application/json")
    request = site.request
    assert (request.target, request.body) == ("/up/v1/responses", body(**asked))
    assert request.header("authorization") == "Bearer sk-upstream-up"
    final = await site.paid()
    assert (final.quota, final.prompt_tokens, final.completion_tokens) == (PAID, 36, 87)
    assert (final.source, final.model_name, bool(final.is_stream)) == ("reported", "gpt-up", stream)


async def test_the_end_of_a_stream_waits_for_its_charge(site: Client) -> None:
    async with wire.connect(site.world.port) as connection:
        connection.send(site.written(stream=True))
        turn = await site.world.upstream.turn()
        begin, _, end = STREAM.partition(b"event: response.completed")
        await turn.events(begin)
        assert (await connection.head())[0] == 200
        assert await connection.content(len(begin)) == begin
        before = await site.world.books.finals("alice")
        await turn.piece(b"event: response.completed" + end)
        await turn.end()
        assert await connection.chunk() == b"event: response.completed" + end
        assert len(await site.world.books.finals("alice")) == len(before) + 1


async def test_a_channel_may_rename_and_instruct(site: Client) -> None:
    site.world.upstream.scripts["mapped"] = replies(200, WHOLE)
    assert (await site.ask(model="mine", instructions="Be long.", unknown=1)).body == WHOLE
    assert site.request.json() == {**json.loads(body(instructions="Be brief.", unknown=1)), "model": "renamed"}
    assert (await site.paid()).model_name == "renamed"


async def test_thinking_of_another_vendor_is_not_sent_to_this_one(site: Client) -> None:
    site.world.upstream.scripts["up"] = replies(200, WHOLE)
    said = {"role": "user", "content": "hi"}
    own = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAAB"}
    await site.ask(input=[{**own, "encrypted_content": "one-api:anthropic:data:x"}, own, said])
    assert site.request.json()["input"] == [own, said]


@both
async def test_what_is_not_reported_is_counted(site: Client, *, stream: bool) -> None:
    silent = json.loads(WHOLE) | {"usage": None}
    pieces = STREAM.split(b"event: response.completed")[0]
    end = scripted.event({"type": "response.completed", "sequence_number": 99, "response": silent})
    site.world.upstream.scripts["up"] = streams(pieces, end) if stream else replies(200, json.dumps(silent).encode())
    image = {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64," + "A" * 40_000}
    text = {"type": "input_text", "text": "hello"}
    reply = await site.ask(stream=stream, input=[{"role": "user", "content": [image, text]}])
    assert reply.status == 200
    final = await site.paid()
    assert final.source == "counted"
    assert 10 < final.prompt_tokens < 60
    assert 12 <= final.completion_tokens <= 30
    assert final.quota == final.prompt_tokens + 2 * final.completion_tokens


async def test_an_answer_that_was_broken_off_by_its_limit_is_whole_and_paid(site: Client) -> None:
    raw = (RECORDED / "length" / "stream.in.sse").read_bytes()
    site.world.upstream.scripts["up"] = streams(raw)
    assert (await site.ask(stream=True, max_output_tokens=87)).body == raw
    assert (await site.paid()).quota == PAID


FAILED = json.loads((RECORDED / "error" / "answer.in.json").read_bytes())


@both
async def test_a_response_that_failed_costs_nothing(site: Client, *, stream: bool) -> None:
    before = await site.charges()
    event = scripted.event({"type": "response.failed", "sequence_number": 1, "response": FAILED})
    start = STREAM.partition(b"event: response.output_item.added")[0]
    site.world.upstream.scripts["up"] = streams(start, event) if stream else replies(200, json.dumps(FAILED).encode())
    reply = await site.ask(stream=stream)
    assert reply.status == 502
    assert reply.error["message"].startswith("Rate limit reached (request id: ")
    assert await site.charges() == before


SOME = STREAM.partition(b"event: response.output_item.done")[0]  # "**Looking**\n\nThen." was thought
ERROR = {"type": "error", "sequence_number": 9, "code": "server_error", "message": "overloaded", "param": None}


@pytest.mark.parametrize(
    "rest, message, kind",
    [
        (b"", "the upstream's stream ended before its answer did", "upstream_error"),
        (scripted.event(ERROR), "overloaded", "server_error"),
        (
            scripted.event({"type": "response.failed", "sequence_number": 9, "response": FAILED}),
            "Rate limit reached",
            "rate_limit_exceeded",
        ),
    ],
)
async def test_a_stream_that_breaks_ends_with_an_error_and_costs_what_came(
    site: Client, rest: bytes, message: str, kind: str
) -> None:
    site.world.upstream.scripts["up"] = streams(SOME, rest)
    reply = await site.ask(stream=True)
    assert reply.body.startswith(SOME)
    last = reply.body[len(SOME) :]
    assert last.startswith(b"event: error\ndata: {")
    event, failed = (json.loads(each.partition(b"data: ")[2]) for each in last.split(b"\n\n")[:2])
    assert (event["type"], event["error"]["type"], failed["type"]) == ("error", kind, "response.failed")
    assert event["message"].startswith(f"{message} (request id: ")
    assert failed["response"]["error"]["message"] == event["message"]
    final = await site.paid()
    assert final.source == "estimated"
    assert final.quota == final.prompt_tokens + 2 * final.completion_tokens
    assert 3 <= final.completion_tokens <= 10


async def test_who_leaves_pays_the_prompt_and_what_was_produced(site: Client) -> None:
    before = await site.charges()
    async with wire.connect(site.world.port) as connection:
        connection.send(site.written(stream=True))
        turn: Turn = await site.world.upstream.turn()
        await turn.events(SOME)
        assert (await connection.head())[0] == 200
        await connection.until(b"Then.")
        connection.leave()
        await turn.left()

    async def charged() -> bool:
        return await site.charges() > before

    await eventually(charged)
    assert (await site.paid()).source == "counted"


async def test_what_the_vendor_reads_beside_the_request_is_paid(site: Client) -> None:
    """What a search found, or what was said before, is in no request: a large prompt is then no absurd claim."""
    usage = {"input_tokens": 3_000_000, "output_tokens": 10, "total_tokens": 3_000_010}
    site.world.upstream.scripts["up"] = replies(200, json.dumps({**json.loads(WHOLE), "usage": usage}).encode())
    await site.ask(max_output_tokens=50)
    assert (await site.paid()).quota < 1_500_000
    await site.ask(max_output_tokens=50, tools=[{"type": "web_search"}])
    assert (await site.paid()).quota == 3_000_020


async def test_who_has_the_tools_is_asked_first(site: Client) -> None:
    site.world.upstream.scripts |= {
        "home": replies(200, WHOLE),
        "abroad": replies(200, scripted.completion("Hi", usage=scripted.tokens(36, 87))),
    }
    await site.ask(model="mixed")
    await site.ask(model="mixed", tools=[{"type": "web_search"}])
    assert [request.name for request in site.world.upstream.received] == ["abroad", "home"]


@each
async def test_who_cannot_pay_for_what_he_allows_is_refused(site: Client, channel: str) -> None:
    root = site.world.root
    key = await asyncio.to_thread(lambda: root.user(f"poor-{channel}", 900).token())
    site.world.upstream.scripts[channel] = replies(200, TEXT[channel])
    dear, cheap = (body(model=MODELS[channel], max_output_tokens=limit) for limit in (1000, 400))
    refused = await site.world.ask(wire.request("/v1/responses", dear, key=key))
    assert (refused.status, refused.error["code"]) == (403, "insufficient_user_quota")
    assert not site.world.upstream.received
    assert (await site.world.ask(wire.request("/v1/responses", cheap, key=key))).status == 200


# --- what is kept -----------------------------------------------------------------------------------------------------

KEPT: list[tuple[dict[str, Any], str]] = [
    ({"previous_response_id": "resp_1"}, "previous_response_id"),
    ({"conversation": "conv_1"}, "conversation"),
    ({"prompt": {"id": "pmpt_1"}}, "prompt"),
    ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input"),
    ({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}]}, "input"),
]


@each
@pytest.mark.parametrize("fields, field", KEPT)
async def test_what_others_may_have_said_is_not_read(
    site: Client, channel: str, fields: dict[str, Any], field: str
) -> None:
    before = await site.charges()
    reply = await site.ask(model=MODELS[channel], **fields)
    assert reply.status == 400
    assert (reply.error["code"], reply.error["param"]) == (
        "invalid_text_request",
        "" if channel != "up" and field == "input" else field,
    )
    assert not site.world.upstream.received
    assert await site.charges() == before


@pytest.mark.parametrize("fields, field", KEPT)
async def test_an_operator_may_let_callers_share_what_is_kept(site: Client, fields: dict[str, Any], field: str) -> None:
    site.world.upstream.scripts["kept"] = replies(200, WHOLE)
    assert (await site.ask(model="kept", **fields)).body == WHOLE
    assert site.request.json()[field] == fields[field]


@each
async def test_no_answer_is_given_in_the_background(site: Client, channel: str) -> None:
    reply = await site.ask(model=MODELS[channel], background=True)
    assert (reply.status, reply.error["param"]) == (400, "background")
    assert "background is not supported" in reply.error["message"]
    assert not site.world.upstream.received


@pytest.mark.parametrize(
    "method, path, words",
    [
        ("GET", "/v1/responses/resp_1", "responses are not kept here"),
        ("DELETE", "/v1/responses/resp_1", "responses are not kept here"),
        ("POST", "/v1/responses/resp_1/cancel", "responses are not kept here"),
        ("GET", "/v1/responses/resp_1/input_items", "responses are not kept here"),
        ("GET", "/v1/conversations/conv_1", "conversations are not kept here"),
        ("POST", "/v1/responses/compact", "not compacted here"),
    ],
)
async def test_other_routes_say_what_is_missing(site: Client, method: str, path: str, words: str) -> None:
    async with httpx2.AsyncClient(base_url=site.world.gateway.url, trust_env=False, timeout=30) as client:
        assert (await client.request(method, path)).status_code == 401
        answer = await client.request(method, path, headers={"authorization": f"Bearer {site.key}"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (501, "api_not_implemented")
    assert words in error["message"]


@each
async def test_input_tokens_are_counted_by_who_can_and_cost_nothing(site: Client, channel: str) -> None:
    before = await site.charges()
    site.world.upstream.scripts[channel] = replies(200, b'{"object":"response.input_tokens","input_tokens":77}')
    async with site.client() as client:
        count = await client.responses.input_tokens.count(
            model=MODELS[channel], input="hello", instructions="Be brief."
        )
    assert count.object == "response.input_tokens"
    if channel == "up":
        assert (site.request.target, count.input_tokens) == ("/up/v1/responses/input_tokens", 77)
    else:
        assert not site.world.upstream.received
        assert 3 < count.input_tokens < 20
    assert await site.charges() == before


@each
async def test_what_is_kept_elsewhere_is_not_counted(site: Client, channel: str) -> None:
    asked = body(model=MODELS[channel], previous_response_id="resp_1")
    reply = await site.world.ask(wire.request("/v1/responses/input_tokens", asked, key=site.key))
    assert reply.status == 400
    assert "previous_response_id refers to is not kept here" in reply.error["message"]
    assert not site.world.upstream.received


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields, status, message",
    [
        ({"model": "nowhere"}, 503, "无可用渠道"),
        ({"input": []}, 400, "field input is required"),
        ({"max_output_tokens": -1}, 400, "max_output_tokens is invalid"),
        ({"Input": "x"}, 400, "differs only in case"),
        ({"model": "gpt-chat", "tools": [{"type": "web_search"}]}, 400, "'web_search' cannot be used on this channel"),
        ({"model": CLAUDE, "tools": [{"type": "file_search"}]}, 400, "'file_search' cannot be used on this channel"),
        (
            {"model": CLAUDE, "input": [{"type": "web_search_call", "id": "ws_1"}]},
            400,
            "cannot be sent to this channel",
        ),
    ],
)
async def test_our_errors_are_openais(site: Client, fields: dict[str, Any], status: int, message: str) -> None:
    before = await site.charges()
    reply = await site.ask(**fields)
    assert reply.status == status
    assert message in reply.error["message"]
    assert not site.world.upstream.received
    assert await site.charges() == before


async def test_an_error_of_anthropics_is_openais_here(site: Client) -> None:
    site.world.upstream.scripts["claude"] = replies(
        529, b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
    )
    reply = await site.ask(model=CLAUDE)
    assert (reply.status, reply.error["type"]) == (529, "overloaded_error")
    assert reply.error["message"].startswith("Overloaded (request id: ")


@both
async def test_a_channel_of_chat_answers_instead_of_one_that_fails(site: Client, *, stream: bool) -> None:
    root = site.world.root
    root.option("RetryTimes", "1")
    said = Said(text="good")
    try:
        site.world.upstream.scripts |= {
            "first": replies(500, b'{"error":{"message":"no"}}'),
            "second": streams(turns.chat(said))
            if stream
            else replies(200, scripted.completion("good", usage=scripted.tokens(100, 20))),
        }
        reply = await site.ask(model="two", stream=stream)
    finally:
        root.option("RetryTimes", "0")
    assert b'"good"' in reply.body
    assert [request.name for request in site.world.upstream.received] == ["first", "second"]
    assert (await site.paid()).quota == 140


# --- the SDK ----------------------------------------------------------------------------------------------------------

TEXT = {
    "up": (RECORDED / "text" / "answer.in.json").read_bytes(),
    "chat": scripted.completion("Hi thère!", usage=scripted.tokens(36, 87)),
    "claude": json.dumps(
        {
            "id": "msg_1",
            "type": "message",
            "model": CLAUDE,
            "content": [{"type": "text", "text": "Hi thère!"}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 36, "output_tokens": 87},
        }
    ).encode(),
}


@each
async def test_the_sdk_is_answered(site: Client, channel: str) -> None:
    site.world.upstream.scripts[channel] = replies(200, TEXT[channel])
    async with site.client() as client:
        answer = await client.responses.create(
            model=MODELS[channel], input="Hi", instructions="Be brief.", metadata={"a": "b"}, max_output_tokens=100
        )
    assert answer.output_text == "Hi thère!"
    assert (answer.object, answer.status, answer.error) == ("response", "completed", None)
    assert answer.id.startswith("resp_")
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens) == (36, 87, 123)
    assert (await site.paid()).quota == PAID
    if channel != "up":
        assert (answer.instructions, answer.metadata, answer.max_output_tokens) == ("Be brief.", {"a": "b"}, 100)
        assert getattr(answer, "store") is False  # noqa: B009  # their types have no such field, their answers do


@each
async def test_the_sdk_is_answered_in_events(site: Client, channel: str) -> None:
    site.says(channel, Said(thought="Let me see.", seal="c2VhbA==", text="Hi thère!"))
    async with site.client() as client, client.responses.stream(model=MODELS[channel], input="Hi") as stream:
        events = [event async for event in stream]
        final = await stream.get_final_response()
    assert [event.type for event in events][:1] == ["response.created"]
    assert events[-1].type == "response.completed"
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == "Hi thère!"
    thought = [event.delta for event in events if event.type == "response.reasoning_summary_text.delta"]
    assert "".join(thought) == "Let me see."
    assert final.output_text == "Hi thère!"
    assert [item.type for item in final.output] == ["reasoning", "message"]
    assert (await site.paid()).quota == 140


class Point(BaseModel):
    x: int
    y: int


@each
async def test_the_sdk_parses_what_has_a_schema(site: Client, channel: str) -> None:
    site.says(channel, Said(text='{"x":1,"y":2}'))
    async with site.client() as client:
        async with client.responses.stream(model=MODELS[channel], input="Where?", text_format=Point) as stream:
            final = await stream.get_final_response()
        sent = site.request.json()
        whole = json.dumps('{"x":1,"y":2}').encode()
        site.world.upstream.scripts[channel] = replies(
            200, TEXT[channel].replace('"Hi thère!"'.encode(), whole).replace(b'"Hi th\\u00e8re!"', whole)
        )
        parsed = await client.responses.parse(model=MODELS[channel], input="Where?", text_format=Point)
    assert final.output_parsed == parsed.output_parsed == Point(x=1, y=2)
    schema = {
        "up": lambda: sent["text"]["format"]["schema"],
        "chat": lambda: sent["response_format"]["json_schema"]["schema"],
        "claude": lambda: sent["output_config"]["format"]["schema"],
    }[channel]()
    assert schema["required"] == ["x", "y"]


async def test_the_sdk_does_not_parse_a_refusal(site: Client) -> None:
    said = {"role": "assistant", "content": None, "refusal": "I cannot."}
    answer = {"id": "c", "model": "m", "choices": [{"index": 0, "message": said, "finish_reason": "stop"}]}
    site.world.upstream.scripts["chat"] = replies(200, json.dumps(answer).encode())
    async with site.client() as client:
        parsed = await client.responses.parse(model="gpt-chat", input="Where?", text_format=Point)
    (message,) = parsed.output
    assert message.type == "message"
    assert message.content[0].type == "refusal"
    assert (message.content[0].refusal, parsed.output_parsed) == ("I cannot.", None)


@pytest.mark.parametrize("channel", ["chat", "claude"])
async def test_the_sdk_hears_of_a_stream_that_breaks(site: Client, channel: str) -> None:
    raw = turns.STREAMED[DIALECT[channel]](Said(text="Once upon a time"))
    site.world.upstream.scripts[channel] = streams(raw[: raw.index(b" a time") + 20] + b"\n\n")
    seen: list[str] = []

    async def read(client: openai.AsyncOpenAI) -> None:
        async for event in await client.responses.create(model=MODELS[channel], input="Hi", stream=True):
            seen.append(event.type)  # noqa: PERF401  # what came before the error is wanted

    async with site.client() as client:
        with pytest.raises(openai.APIError, match="the upstream"):
            await read(client)
    assert "response.output_text.delta" in seen
    assert "response.completed" not in seen
    assert (await site.paid()).source == "estimated"


# --- a conversation ---------------------------------------------------------------------------------------------------

PATCH = '*** Begin Patch\n*** Update File: a.py\n-x = "1"\n+x = "2"\n*** End Patch'
CODEX: dict[str, Any] = {
    "instructions": "You are a coding agent.",
    "tools": [
        {
            "type": "function",
            "name": "shell",
            "description": "Runs a command.",
            "strict": False,
            "parameters": {"type": "object", "properties": {"command": {"type": "array", "items": {"type": "string"}}}},
        },
        {
            "type": "custom",
            "name": "apply_patch",
            "description": "Edits files.",
            "format": {"type": "grammar", "syntax": "lark", "definition": "start: begin"},
        },
    ],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "reasoning": {"effort": "medium", "summary": "auto"},
    "store": False,
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "0199",
    "text": {"verbosity": "medium"},
}
ASKED: list[dict[str, Any]] = [
    {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "<permissions/>"}]},
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "<environment_context/>"}]},
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Mend a.py"}]},
]
LOOK = '{"command":["cat","a.py"]}'
LIST = '{"command":["ls"]}'
SAID = (
    Said(
        thought="Look first.",
        seal="c2VhbDE=",
        text="I look.",
        calls=(("call_1", "shell", LOOK), ("call_2", "shell", LIST)),
    ),
    Said(thought="Now mend.", seal="c2VhbDI=", calls=(("call_3", "apply_patch", json.dumps({"input": PATCH})),)),
    Said(text="Done."),
)


async def converse(site: Client, channel: str) -> list[dict[str, Any]]:
    """All items of a conversation as Codex has it: what came back is sent again, without ids and states."""
    results = {"call_1": 'x = "1"', "call_2": "a.py", "call_3": "Success."}
    items = [*ASKED]
    async with site.client() as client:
        for _ in SAID:
            asked: Any = {"model": MODELS[channel], "input": items, "stream": True, **CODEX}
            events: Any = await client.responses.create(**asked)
            done = [
                event.item.model_dump(exclude_unset=True)
                async for event in events
                if event.type == "response.output_item.done"
            ]
            items += [{name: value for name, value in item.items() if name not in ("id", "status")} for item in done]
            items += [
                {"type": f"{item['type']}_output", "call_id": item["call_id"], "output": results[item["call_id"]]}
                for item in done
                if item["type"] in ("function_call", "custom_tool_call")
            ]
    return items


@each
async def test_a_conversation_with_tools_and_reasoning(site: Client, channel: str) -> None:
    site.says(channel, *SAID)
    items = await converse(site, channel)
    assert [item.get("role") or item["type"] for item in items] == [
        *("developer", "user", "user"),
        *("reasoning", "assistant", "function_call", "function_call", "function_call_output", "function_call_output"),
        *("reasoning", "custom_tool_call", "custom_tool_call_output"),
        "assistant",
    ]
    assert items[10]["input"] == PATCH
    assert (items[3]["summary"], items[5]["arguments"]) == ([{"type": "summary_text", "text": "Look first."}], LOOK)
    last = site.world.upstream.received[-1].json()
    {"up": sent_as_it_was, "chat": sent_as_chat, "claude": sent_as_messages}[channel](last, items[:-1])
    assert len(site.world.upstream.received) == len(SAID)
    assert (await site.paid()).quota == 140


def sent_as_it_was(last: dict[str, Any], items: list[dict[str, Any]]) -> None:
    assert last == {"model": "gpt-up", "input": items, "stream": True, **CODEX}
    assert items[3]["encrypted_content"] == "c2VhbDE="


def sent_as_chat(last: dict[str, Any], _items: list[dict[str, Any]]) -> None:
    def called(number: str, name: str, arguments: str) -> dict[str, Any]:
        return {"id": number, "type": "function", "function": {"name": name, "arguments": arguments}}

    assert last["messages"] == [
        {"role": "system", "content": "You are a coding agent.\n\n<permissions/>"},
        {"role": "user", "content": "<environment_context/>"},
        {"role": "user", "content": "Mend a.py"},
        {
            "role": "assistant",
            "content": "I look.",
            "tool_calls": [called("call_1", "shell", LOOK), called("call_2", "shell", LIST)],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": 'x = "1"'},
        {"role": "tool", "tool_call_id": "call_2", "content": "a.py"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [called("call_3", "apply_patch", json.dumps({"input": PATCH}, separators=(",", ":")))],
        },
        {"role": "tool", "tool_call_id": "call_3", "content": "Success."},
    ]
    assert [tool["function"]["name"] for tool in last["tools"]] == ["shell", "apply_patch"]
    assert (last["tool_choice"], last["parallel_tool_calls"]) == ("auto", True)


def sent_as_messages(last: dict[str, Any], _items: list[dict[str, Any]]) -> None:
    assert [text["text"] for text in last["system"]] == ["You are a coding agent.", "<permissions/>"]
    assert last["messages"] == [
        {
            "role": "user",
            "content": [{"type": "text", "text": "<environment_context/>"}, {"type": "text", "text": "Mend a.py"}],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Look first.", "signature": "c2VhbDE="},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "call_1", "name": "shell", "input": {"command": ["cat", "a.py"]}},
                {"type": "tool_use", "id": "call_2", "name": "shell", "input": {"command": ["ls"]}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call_1", "content": 'x = "1"'},
                {"type": "tool_result", "tool_use_id": "call_2", "content": "a.py"},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Now mend.", "signature": "c2VhbDI="},
                {"type": "tool_use", "id": "call_3", "name": "apply_patch", "input": {"input": PATCH}},
            ],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_3", "content": "Success."}]},
    ]
    assert last["thinking"]["type"] == "enabled"


# --- a channel that has nothing else ----------------------------------------------------------------------------------


@both
async def test_a_client_of_chat_is_answered_by_a_channel_of_responses_alone(site: Client, *, stream: bool) -> None:
    folder = RECORDED / "text"
    site.world.upstream.scripts["only"] = (
        streams((folder / "stream.in.sse").read_bytes())
        if stream
        else replies(200, (folder / "answer.in.json").read_bytes())
    )
    hello: Any = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]
    async with site.client() as client:
        if stream:
            chunks = await client.chat.completions.create(model="only", messages=hello, stream=True)
            text = "".join([chunk.choices[0].delta.content or "" async for chunk in chunks])
        else:
            answer = await client.chat.completions.create(model="only", messages=hello)
            text = answer.choices[0].message.content or ""
    assert text == "Hi thère!"
    request = site.request
    assert request.target == "/only/v1/responses"
    assert request.json() == {
        "model": "only",
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}],
        "instructions": "Be brief.",
        "store": False,
        **({"stream": True} if stream else {}),
    }
    assert (await site.paid()).quota == PAID


async def test_a_channel_of_responses_alone_can_be_tested(site: Client) -> None:
    site.world.upstream.scripts["only"] = replies(200, (RECORDED / "text" / "answer.in.json").read_bytes())
    found = next(row for row in site.world.root.ask("GET", "/api/channel/") if row["name"] == "only")
    await asyncio.to_thread(site.world.root.ask, "GET", f"/api/channel/test/{found['id']}")
    assert site.request.target == "/only/v1/responses"
