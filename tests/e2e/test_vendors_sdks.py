"""The SDKs of other vendors as witnesses: against the gateway, and against what our upstreams say.

What stands for an upstream in other tests is played to its vendor's SDK here: it reads there what we read.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anthropic
import cohere
import ollama
import openai
import pytest
from mistralai.client import Mistral

from one_api import ir
from one_api.dialects.outbound import OUTBOUND
from tests.e2e.world import START, Site, open_world
from tests.harness import scripted, servers, turns
from tests.harness.scripted import Script, Turn, replies
from tests.harness.turns import Said

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("fresh")]

RECORDED = Path(__file__).parent.parent / "dialects" / "providers"
RESULTS = [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.25}]
HELLO: Any = [{"role": "user", "content": "hello"}]
RANKED = {
    "own": {"model": "own", "results": RESULTS, "usage": {"total_tokens": 77}},
    "cohere": {"id": "x", "results": RESULTS, "meta": {"billed_units": {"search_units": 1}}},
    "voyage": {"object": "list", "data": RESULTS, "model": "voyage", "usage": {"total_tokens": 77}},
}
"""What each kind of channel says; Voyage's form is https://docs.voyageai.com/reference/reranker-api."""


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    directory = tmp_path_factory.mktemp("sdks")
    async with open_world(directory, servers.sqlite(directory)) as world:
        names = ("mistral", "claude", "own", "cohere", "voyage", "sonar")
        world.root.option("ModelRatio", json.dumps(dict.fromkeys(names, 1)))
        for name, number in zip(names, (28, 14, 101, 35, 102, 100), strict=True):
            world.channel(name, name, type=number)
        yield Site(world, world.root.user("alice", START).token())


def streamed(data: bytes, kind: str = "text/event-stream") -> Script:
    async def script(turn: Turn) -> None:
        await turn.start(headers=[("content-type", kind)])
        await turn.piece(data)
        await turn.end()

    return script


def mistral(site: Site) -> Mistral:
    return Mistral(api_key=site.key, server_url=f"http://127.0.0.1:{site.world.port}")


@pytest.mark.parametrize("model, write", [("mistral", turns.chat), ("claude", turns.messages)])
async def test_mistrals_sdk_is_answered_in_a_stream(site: Site, model: str, write: Any) -> None:
    """Calls of tools would have to come in one piece each, as they do from Mistral."""
    site.world.upstream.scripts[model] = streamed(write(Said(text="Let me see.")))
    text, reason = "", None
    async with mistral(site) as client:
        async for event in await client.chat.stream_async(model=model, messages=HELLO):
            for choice in event.data.choices:
                text += str(choice.delta.content or "")
                reason = choice.finish_reason or reason
    assert (text, reason) == ("Let me see.", "stop")
    assert (await site.paid()).completion_tokens == 20


TOOL: Any = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}


async def test_mistrals_sdk_calls_a_tool_of_another_vendors_model(site: Site) -> None:
    call = {"type": "tool_use", "id": "call_7", "name": "weather", "input": {"city": "Paris"}}
    usage = {"input_tokens": 9, "output_tokens": 2}
    said = {"id": "m", "type": "message", "role": "assistant", "content": [call], "stop_reason": "tool_use"}
    site.world.upstream.scripts["claude"] = replies(200, json.dumps({**said, "usage": usage}).encode())
    async with mistral(site) as client:
        answer = await client.chat.complete_async(model="claude", messages=HELLO, tools=[TOOL])
    choice: Any = answer.choices[0]
    (called,) = choice.message.tool_calls
    assert (choice.finish_reason, called.id, called.function.name) == ("tool_calls", "call_7", "weather")
    assert json.loads(called.function.arguments) == {"city": "Paris"}
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (9, 2)


async def test_mistrals_sdk_is_answered_and_embeds(site: Site) -> None:
    vectors = {"object": "list", "model": "mistral", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]}
    usage = {"prompt_tokens": 4, "completion_tokens": 0, "total_tokens": 4}
    async with mistral(site) as client:
        site.world.upstream.scripts["mistral"] = replies(200, scripted.completion("Hi", usage=scripted.tokens(9, 2)))
        answer = await client.chat.complete_async(model="mistral", messages=HELLO, random_seed=7)
        assert (answer.choices[0].message.content, answer.usage.completion_tokens) == ("Hi", 2)
        assert site.request.json()["random_seed"] == 7
        site.world.upstream.scripts["mistral"] = replies(
            200, json.dumps({"id": "e", **vectors, "usage": usage}).encode()
        )
        found = await client.embeddings.create_async(model="mistral", inputs=["a"])
    assert found.data[0].embedding == [0.5]
    assert (await site.paid()).quota == 4


FOUND = [{"title": "A", "url": "https://x.example/a", "date": "2026-01-02", "snippet": "It is."}]


async def test_what_perplexity_found_arrives_as_it_is_or_as_citations(site: Site) -> None:
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "sonar", "search_results": FOUND}
    delta = {"index": 0, "delta": {"content": "Hi [1]"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
    last = {**chunk, "choices": [delta], "usage": usage}
    site.world.upstream.scripts["sonar"] = streamed(b"data: %b\n\ndata: [DONE]\n\n" % json.dumps(last).encode())
    base = f"http://127.0.0.1:{site.world.port}"
    async with openai.AsyncOpenAI(api_key=site.key, base_url=f"{base}/v1", max_retries=0) as asking:
        chunks = [
            each async for each in await asking.chat.completions.create(model="sonar", messages=HELLO, stream=True)
        ]
    assert (chunks[0].model_extra or {})["search_results"] == FOUND
    async with (
        anthropic.AsyncAnthropic(api_key=site.key, base_url=base, max_retries=0) as asking_too,
        asking_too.messages.stream(model="sonar", max_tokens=9, messages=HELLO) as stream,
    ):
        message = await stream.get_final_message()
    cited: Any = [each for block in message.content for each in getattr(block, "citations", None) or ()]
    assert [(each.url, each.title, each.cited_text) for each in cited] == [("https://x.example/a", "A", "It is.")]


@pytest.mark.parametrize("model", RANKED)
@pytest.mark.parametrize("version", [1, 2])
async def test_coheres_sdk_ranks_whatever_the_channel_speaks(site: Site, model: str, version: int) -> None:
    site.world.upstream.scripts[model] = replies(200, json.dumps(RANKED[model]).encode())
    made: Any = cohere.AsyncClient if version == 1 else cohere.AsyncClientV2
    async with made(api_key=site.key, base_url=f"http://127.0.0.1:{site.world.port}") as client:
        found = await client.rerank(model=model, query="Italy?", documents=["Paris", "Rome"], top_n=2)
    assert [(each.index, each.relevance_score) for each in found.results] == [(1, 0.9), (0, 0.25)]
    assert site.request.json()["documents"] == ["Paris", "Rome"]
    paid = await site.paid()
    if model == "cohere":
        assert paid.source == "counted"
    else:
        assert (paid.source, paid.quota) == ("reported", 77)


def read(wire: str, case: str) -> tuple[str, list[tuple[str, Any]]]:
    """What our decoder makes of a recorded stream: the text, and the calls of tools."""
    decoder = OUTBOUND[wire].decoder()
    events = [*decoder.feed((RECORDED / wire / case / "stream.in.txt").read_bytes()), *decoder.close()]
    calls: list[list[str]] = []
    for event in events:
        if isinstance(event, ir.CallStarted):
            calls.append([event.name, ""])
        elif isinstance(event, ir.ArgumentsDelta):
            calls[-1][1] += event.text
    text = "".join(event.text for event in events if isinstance(event, ir.TextDelta))
    return text, [(name, json.loads(arguments or "{}")) for name, arguments in calls]


@pytest.mark.parametrize("case", ["plain", "tools"])
async def test_ollamas_sdk_reads_what_ours_reads(site: Site, case: str) -> None:
    lines = (RECORDED / "ollama" / case / "stream.in.txt").read_bytes().splitlines(keepends=True)
    recorded = b"".join(line for line in lines if line.strip())  # ours bears blank lines too
    site.world.upstream.scripts["ollama"] = streamed(recorded, "application/x-ndjson")
    text, calls = "", []
    async with ollama.AsyncClient(host=site.world.upstream.at("ollama")) as client:
        async for piece in await client.chat("m", HELLO, stream=True):
            text += piece.message.content or ""
            calls += [(each.function.name, dict(each.function.arguments)) for each in piece.message.tool_calls or ()]
    assert (text, calls) == read("ollama", case)
    assert site.request.target == "/ollama/api/chat"


@pytest.mark.parametrize("case", ["plain", "tools"])
async def test_coheres_sdk_reads_what_ours_reads(site: Site, case: str) -> None:
    site.world.upstream.scripts["cohere"] = streamed((RECORDED / "cohere" / case / "stream.in.txt").read_bytes())
    text, calls = "", []
    async with cohere.AsyncClientV2(api_key="k", base_url=site.world.upstream.at("cohere")) as client:
        async for event in client.chat_stream(model="m", messages=HELLO):
            found: Any = event
            if event.type == "content-delta":
                text += found.delta.message.content.text or ""
            elif event.type == "tool-call-start":
                calls.append([found.delta.message.tool_calls.function.name, ""])
            elif event.type == "tool-call-delta":
                calls[-1][1] += found.delta.message.tool_calls.function.arguments
    assert (text, [(name, json.loads(arguments or "{}")) for name, arguments in calls]) == read("cohere", case)
    assert site.request.target == "/cohere/v2/chat"
