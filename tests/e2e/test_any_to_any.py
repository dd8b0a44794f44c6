"""All four protocols that clients speak, by their vendors' SDKs, through channels of every kind that knows tools.

Each pair has the same conversation, streamed: the model thinks, calls a tool, is told the result, and answers. What it
thought comes back to its vendor, signed as it was.
"""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import anthropic
import openai
import pytest
from google import genai
from google.genai import types
from joserfc.jwk import RSAKey

from tests.e2e.world import START, Site, open_world
from tests.harness import servers, turns
from tests.harness.scripted import Turn, replies
from tests.harness.turns import Said

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("fresh")]

QUESTION, RESULT = "How warm is Paris?", "21 degrees"
SCHEMA: Final[dict[str, Any]] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
SEAL = "c2VhbC00MQ=="
FIRST = Said(
    thought="I have to look.", seal=SEAL, text="Let me see.", calls=(("call_7", "weather", '{"city":"Paris"}'),)
)
LAST = Said(text="It is 21 degrees.")


@dataclass(frozen=True, slots=True)
class Upstream:
    """A kind of channel, and how its model speaks. `sealed`: whether its vendor signs what was thought."""

    model: str
    writes: str
    sealed: bool = True
    media: str = "text/event-stream"
    channel: dict[str, Any] = field(default_factory=dict)


AMAZON = json.dumps({"region": "us-east-1", "ak": "AKIDCANARY", "sk": "secret-canary-key"})
_BEDROCK: Final = {"type": 33, "key": "AKIDCANARY|secret-canary-key|us-east-1", "config": AMAZON}
_FRAMES: Final = "application/vnd.amazon.eventstream"
UPSTREAMS: Final = {
    "openai": Upstream("gpt-5-mini", "chat", sealed=False),
    "anthropic": Upstream("claude-opus-4-6", "messages", channel={"type": 14}),
    "gemini": Upstream("gemini-3-flash-preview", "gemini", channel={"type": 24}),
    "bedrock": Upstream(
        "us.anthropic.claude-3-7-sonnet-20250219-v1:0",
        "bedrock",
        media=_FRAMES,
        channel=_BEDROCK,
    ),
    "converse": Upstream("us.amazon.nova-2-lite-v1:0", "converse", media=_FRAMES, channel=_BEDROCK),
    "responses": Upstream("gpt-5-nano", "responses", channel={"config": '{"responses":"only"}'}),
    "ollama": Upstream("qwen3", "ollama", sealed=False, media="application/x-ndjson", channel={"type": 30}),
    "cohere": Upstream("command-a-reasoning-08-2025", "cohere", sealed=False, channel={"type": 35}),
    "vertex": Upstream("claude-sonnet-4-6", "messages", channel={"type": 42, "key": "vertex"}),
    "dashscope": Upstream("qwen-plus", "dashscope", sealed=False, channel={"type": 17}),
    "tencent": Upstream("hunyuan-t1-latest", "tencent", sealed=False, channel={"type": 23, "key": "1|id|canary"}),
    "xunfei": Upstream("spark-x", "chat", sealed=False, channel={"type": 18, "key": "app|secret-canary|canary"}),
}
"""By the name of the wire."""
TOKENS: Final = "tokens"  # Google gives one before the first call


@dataclass(slots=True)
class Heard:
    """What a client was told; `said` is what it sends back of it."""

    text: str = ""
    thought: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    said: Any = None


class Talk(Protocol):
    async def __call__(self, port: int, key: str, model: str, before: Heard | None) -> Heard: ...


async def by_chat(port: int, key: str, model: str, before: Heard | None) -> Heard:
    messages: Any = [{"role": "user", "content": QUESTION}]
    if before is not None:
        messages += [before.said, {"role": "tool", "tool_call_id": before.ids[0], "content": RESULT}]
    tool: Any = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
    message: dict[str, Any] = {"role": "assistant"}
    url = f"http://127.0.0.1:{port}/v1"
    async with openai.AsyncOpenAI(base_url=url, api_key=key, max_retries=0, timeout=30) as client:
        chunks = await client.chat.completions.create(
            model=model, messages=messages, tools=[tool], reasoning_effort="low", stream=True
        )
        async for chunk in chunks:
            for choice in chunk.choices:
                put(message, choice.delta.model_dump(exclude_none=True))
    calls = message.get("tool_calls", [])
    return Heard(
        message.get("content", ""),
        message.get("reasoning_content", ""),
        [(each["function"]["name"], json.loads(each["function"]["arguments"])) for each in calls],
        [each["id"] for each in calls],
        message,
    )


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


async def by_responses(port: int, key: str, model: str, before: Heard | None) -> Heard:
    items: Any = [{"role": "user", "content": QUESTION}]
    if before is not None:
        items += [*before.said, {"type": "function_call_output", "call_id": before.ids[0], "output": RESULT}]
    tool: Any = {"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}
    url = f"http://127.0.0.1:{port}/v1"
    async with (
        openai.AsyncOpenAI(base_url=url, api_key=key, max_retries=0, timeout=30) as client,
        client.responses.stream(
            model=model,
            input=items,
            tools=[tool],
            reasoning={"effort": "low"},
            include=["reasoning.encrypted_content"],
            store=False,
        ) as stream,
    ):
        response = await stream.get_final_response()
    output = [item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in response.output]
    calls = [item for item in output if item["type"] == "function_call"]
    return Heard(
        response.output_text,
        "".join(part["text"] for item in output if item["type"] == "reasoning" for part in item["summary"]),
        [(each["name"], json.loads(each["arguments"])) for each in calls],
        [each["call_id"] for each in calls],
        [without_parsed(item) for item in output],
    )


def without_parsed(item: dict[str, Any]) -> dict[str, Any]:
    """The SDK adds fields of its own to what it got."""
    content = item.get("content")
    if not isinstance(content, list):
        return item
    return {**item, "content": [{name: each for name, each in part.items() if name != "parsed"} for part in content]}


async def by_messages(port: int, key: str, model: str, before: Heard | None) -> Heard:
    messages: Any = [{"role": "user", "content": QUESTION}]
    if before is not None:
        result = {"type": "tool_result", "tool_use_id": before.ids[0], "content": RESULT}
        messages += [{"role": "assistant", "content": before.said}, {"role": "user", "content": [result]}]
    async with (
        anthropic.AsyncAnthropic(base_url=f"http://127.0.0.1:{port}", api_key=key, max_retries=0, timeout=30) as client,
        client.messages.stream(
            model=model,
            max_tokens=4000,
            messages=messages,
            tools=[{"name": "weather", "input_schema": SCHEMA}],
            thinking={"type": "adaptive"},
        ) as stream,
    ):
        message = await stream.get_final_message()
    blocks = [block.model_dump(exclude_none=True) for block in message.content]
    return Heard(
        "".join(each["text"] for each in blocks if each["type"] == "text"),
        "".join(each["thinking"] for each in blocks if each["type"] == "thinking"),
        [(each["name"], each["input"]) for each in blocks if each["type"] == "tool_use"],
        [each["id"] for each in blocks if each["type"] == "tool_use"],
        [{name: value for name, value in each.items() if name != "parsed_output"} for each in blocks],
    )


async def by_contents(port: int, key: str, model: str, before: Heard | None) -> Heard:
    contents: Any = [types.Content(role="user", parts=[types.Part(text=QUESTION)])]
    if before is not None:
        answered = types.FunctionResponse(id=before.ids[0] or None, name="weather", response={"output": RESULT})
        contents += [
            types.Content(role="model", parts=before.said),
            types.Content(role="user", parts=[types.Part(function_response=answered)]),
        ]
    declared = types.FunctionDeclaration(name="weather", parameters_json_schema=SCHEMA)
    options = types.HttpOptions(base_url=f"http://127.0.0.1:{port}", timeout=30_000)
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[declared])],
        thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_level=types.ThinkingLevel.LOW),
    )
    heard = Heard(said=[])
    async with genai.Client(api_key=key, http_options=options).aio as client:
        async for each in await client.models.generate_content_stream(model=model, contents=contents, config=config):
            content = each.candidates[0].content if each.candidates else None
            for part in (content.parts or ()) if content is not None else ():
                heard.said.append(part)
                if part.function_call is not None:
                    heard.calls.append((part.function_call.name or "", part.function_call.args))
                    heard.ids.append(part.function_call.id or "")
                elif part.thought:
                    heard.thought += part.text or ""
                else:
                    heard.text += part.text or ""
    return heard


CLIENTS: Final[dict[str, Talk]] = {
    "chat": by_chat,
    "responses": by_responses,
    "messages": by_messages,
    "contents": by_contents,
}


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    directory = tmp_path_factory.mktemp("any")
    async with open_world(directory, servers.sqlite(directory)) as world:
        names = [name for each in UPSTREAMS.values() for name in (each.model, f"{each.model}(33)")]
        world.price(*names)
        for name, upstream in UPSTREAMS.items():
            config = {"config": google(world.upstream.at(TOKENS))} if name == "vertex" else {}
            world.channel(name, upstream.model, **upstream.channel, **config)
        yield Site(world, world.root.user("alice", START).token())


def google(tokens: str) -> str:
    account = {
        "client_email": "me@project.example",
        "private_key_id": "kid-1",
        "private_key": RSAKey.generate_key(2048, auto_kid=False).as_pem(private=True).decode(),
        "token_uri": tokens,
    }
    return json.dumps({"region": "us-east5", "vertex_ai_project_id": "p1", "vertex_ai_adc": json.dumps(account)})


@pytest.mark.parametrize("name", UPSTREAMS)
@pytest.mark.parametrize("client", CLIENTS)
async def test_a_conversation_with_thoughts_and_tools(site: Site, client: str, name: str) -> None:
    upstream, talk = UPSTREAMS[name], CLIENTS[client]
    left = [turns.STREAMED[upstream.writes](said) for said in (FIRST, LAST)]

    async def script(turn: Turn) -> None:
        data = left.pop(0)
        await turn.start(headers=[("content-type", upstream.media)])
        for piece in (data[:77], data[77:]):
            await turn.piece(piece)
        await turn.end()

    site.world.upstream.scripts[name] = script
    site.world.upstream.scripts[TOKENS] = replies(200, b'{"access_token":"ya29.canary","expires_in":3599}')
    before = await site.charges()
    heard = await talk(site.world.port, site.key, upstream.model, None)
    assert (heard.text, heard.thought, heard.calls) == (FIRST.text, FIRST.thought, [("weather", {"city": "Paris"})])
    assert (await talk(site.world.port, site.key, upstream.model, heard)).text == LAST.text
    first, second = (each.json() for each in site.world.upstream.received if each.name != TOKENS)
    assert SCHEMA["properties"] == find(first, "properties")
    told = "".join(texts(second))  # Google's client sends every piece of a text as a part of its own
    assert not [word for word in (QUESTION, FIRST.text, "weather", "Paris", RESULT) if word not in told], told
    assert (SEAL in told) == upstream.sealed
    assert (await site.paid()).quota == 100 + 2 * 20
    assert await site.charges() == before + 2


def texts(value: Any) -> Iterator[str]:
    """All there are, in order, but for names of kinds of blocks."""
    if isinstance(value, str):
        yield value
    if isinstance(value, dict):
        value = [each for name, each in value.items() if name != "type"]
    for each in value if isinstance(value, list) else ():
        yield from texts(each)


def find(value: Any, name: str) -> Any:
    """The first value of this name, however deep, also in a text of JSON."""
    if isinstance(value, str) and value.startswith("{"):
        value = json.loads(value)
    if isinstance(value, dict):
        if name in value:
            return value[name]
        value = list(value.values())
    found = [find(each, name) for each in value] if isinstance(value, list) else []
    return next((each for each in found if each is not None), None)
