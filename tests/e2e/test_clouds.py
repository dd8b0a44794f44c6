"""OpenAI's SDK on channels of Amazon's and Google's clouds: signatures, tokens, frames, the books after each call."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from joserfc.jwk import RSAKey

from one_api.lib.sse import SSEReader
from tests.e2e.world import START, Site, open_world
from tests.harness import frames, scripted, servers
from tests.harness.scripted import (
    DONE,
    Received,
    Turn,
    chunk,
    completion,
    replies,
    streams,
    tokens,
    usage_chunk,
)

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("fresh")]

RECORDED = Path(__file__).parent.parent / "dialects" / "anthropic_to_openai" / "text"
CLAUDE, LLAMA, GOOGLES = "claude-3-haiku-20240307", "llama3-8b-8192", "claude-3-haiku@20240307"
OPEN, TEXTS, TITAN = "meta/llama-4-maas", "text-embedding-005", "amazon.titan-embed-text-v2:0"
AK, SK = "AKIDCANARY", "secret-canary-key"
FRAMES = [("content-type", "application/vnd.amazon.eventstream")]

both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@dataclass(frozen=True, slots=True)
class Clouds(Site):
    async def say(self, model: str, *, stream: bool) -> tuple[str, Any]:
        """The text of an answer, and its usage."""
        url = f"http://127.0.0.1:{self.world.port}/v1"
        asked: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": "hello"}], "max_tokens": 50}
        async with openai.AsyncOpenAI(base_url=url, api_key=self.key, max_retries=0, timeout=30) as client:
            if not stream:
                answer = await client.chat.completions.create(**asked)
                return answer.choices[0].message.content or "", answer.usage
            text, usage = "", None
            chunks = await client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})
            async for chunk in chunks:
                usage = chunk.usage or usage
                text += "".join(choice.delta.content or "" for choice in chunk.choices)
            return text, usage


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Clouds]:
    directory = tmp_path_factory.mktemp("clouds")
    async with open_world(directory, servers.sqlite(directory)) as world:
        root = world.root
        names = (CLAUDE, LLAMA, GOOGLES, OPEN, TEXTS, TITAN)
        world.price(*names)
        amazon = json.dumps({"region": "us-east-1", "ak": AK, "sk": SK})
        world.channel("aws", f"{CLAUDE},{LLAMA},{TITAN}", type=33, key=f"{AK}|{SK}|us-east-1", config=amazon)
        account = {
            "client_email": "me@project.example",
            "private_key_id": "kid-1",
            "private_key": RSAKey.generate_key(2048, auto_kid=False).as_pem(private=True).decode(),
            "token_uri": world.upstream.at("tokens"),
        }
        google = {"region": "us-east5", "vertex_ai_project_id": "p1", "vertex_ai_adc": json.dumps(account)}
        world.channel("vertex", f"{GOOGLES},{OPEN},{TEXTS}", type=42, key="vertex", config=json.dumps(google))
        yield Clouds(world, root.user("alice", START).token())


def signature(received: Received) -> str:
    """What Amazon's library makes of the request that arrived."""
    names = ("content-type", "x-amz-date", "host")
    headers = {name: received.header(name) for name in names}
    url = f"http://{headers.pop('host')}{received.target}"
    signer = SigV4Auth(Credentials(AK, SK), "bedrock", "us-east-1")
    request = AWSRequest("POST", url, headers, received.body)
    request.context["timestamp"] = headers["x-amz-date"]
    found: str = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    return found


def in_frames(*pieces: bytes) -> scripted.Script:
    async def script(turn: Turn) -> None:
        await turn.start(headers=FRAMES)
        for data in pieces:
            await turn.piece(data)
        await turn.end()

    return script


@both
async def test_a_model_of_anthropics_on_bedrock_is_asked_signed_and_paid(site: Clouds, *, stream: bool) -> None:
    events = [data for _, data in SSEReader().feed((RECORDED / "stream.in.sse").read_bytes()) if data is not None]
    data = b"".join(frames.event("chunk", {"bytes": base64.b64encode(each).decode()}) for each in events)
    whole = replies(200, (RECORDED / "answer.in.json").read_bytes())
    site.world.upstream.scripts["aws"] = in_frames(data[:100], data[100:]) if stream else whole
    text, usage = await site.say(CLAUDE, stream=stream)
    assert (text, usage.prompt_tokens, usage.completion_tokens) == ("Hello, 你好", 25, 15)
    assert (await site.paid()).quota == 55
    request = site.request
    action = "invoke-with-response-stream" if stream else "invoke"
    assert request.target == f"/aws/model/anthropic.claude-3-haiku-20240307-v1%3A0/{action}"
    assert request.header("authorization").endswith(f"Signature={signature(request)}")
    assert request.json()["anthropic_version"] == "bedrock-2023-05-31"
    assert SK not in site.world.gateway.output()


@both
async def test_another_model_on_bedrock_is_asked_by_the_api_of_all(site: Clouds, *, stream: bool) -> None:
    usage = {"inputTokens": 7, "outputTokens": 4, "totalTokens": 11}
    message = {"role": "assistant", "content": [{"text": "hi"}]}
    whole = {"output": {"message": message}, "stopReason": "end_turn", "usage": usage}
    site.world.upstream.scripts["aws"] = (
        in_frames(
            frames.event("messageStart", {"role": "assistant"}),
            frames.event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "hi"}}),
            frames.event("messageStop", {"stopReason": "end_turn"}),
            frames.event("metadata", {"usage": usage}),
        )
        if stream
        else replies(200, json.dumps(whole).encode())
    )
    text, told = await site.say(LLAMA, stream=stream)
    assert (text, told.prompt_tokens, told.completion_tokens) == ("hi", 7, 4)
    assert (await site.paid()).quota == 3  # One API has a price of its own for it on Bedrock: 0.15
    action = "converse-stream" if stream else "converse"
    assert site.request.target == f"/aws/model/meta.llama3-8b-instruct-v1%3A0/{action}"
    assert site.request.header("authorization").endswith(f"Signature={signature(site.request)}")


async def test_an_upstream_that_quotes_the_signature_is_not_passed_on(site: Clouds) -> None:
    async def script(turn: Turn) -> None:
        await turn.reply(400, json.dumps({"message": f"I saw {turn.request.header('authorization')}"}).encode())

    site.world.upstream.scripts["aws"] = script
    before = await site.charges()
    with pytest.raises(openai.BadRequestError) as refusal:
        await site.say(CLAUDE, stream=False)
    assert signature(site.request) not in str(refusal.value)
    assert AK not in str(refusal.value)
    assert "Signature=***" in str(refusal.value)
    assert await site.charges() == before


async def test_a_model_of_anthropics_on_vertex_is_asked_with_a_token_that_is_kept(site: Clouds) -> None:
    upstream = site.world.upstream
    upstream.scripts["tokens"] = replies(200, b'{"access_token":"ya29.canary","expires_in":3599}')
    upstream.scripts["vertex"] = replies(200, (RECORDED / "answer.in.json").read_bytes())
    assert (await site.say(GOOGLES, stream=False))[0] == "Hello, 你好"
    upstream.scripts["vertex"] = streams((RECORDED / "stream.in.sse").read_bytes())
    assert (await site.say(GOOGLES, stream=True))[0] == "Hello, 你好"
    assert (await site.paid()).quota == 55
    tokens, whole, stream = upstream.received
    assert tokens.name == "tokens"
    path = "/vertex/v1/projects/p1/locations/us-east5/publishers/anthropic/models/claude-3-haiku@20240307"
    assert (whole.target, stream.target) == (f"{path}:rawPredict", f"{path}:streamRawPredict")
    assert {each.header("authorization") for each in (whole, stream)} == {"Bearer ya29.canary"}
    assert whole.json()["anthropic_version"] == "vertex-2023-10-16"
    assert "ya29.canary" not in site.world.gateway.output()


@both
async def test_an_open_model_on_vertex_is_asked_in_openais_words(site: Clouds, *, stream: bool) -> None:
    upstream = site.world.upstream
    upstream.scripts["tokens"] = replies(200, b'{"access_token":"ya29.canary","expires_in":3599}')
    chunks = chunk("hi") + chunk(finish="stop") + usage_chunk(tokens(7, 4)) + DONE
    upstream.scripts["vertex"] = streams(chunks) if stream else replies(200, completion("hi", usage=tokens(7, 4)))
    text, usage = await site.say(OPEN, stream=stream)
    assert (text, usage.prompt_tokens, usage.completion_tokens) == ("hi", 7, 4)
    assert (await site.paid()).quota == 15
    asked = upstream.received[-1]
    assert asked.target == "/vertex/v1/projects/p1/locations/us-east5/endpoints/openapi/chat/completions"
    assert (asked.header("authorization"), asked.json()["model"]) == ("Bearer ya29.canary", OPEN)


async def test_texts_are_embedded_by_clouds(site: Clouds) -> None:
    upstream = site.world.upstream
    upstream.scripts["tokens"] = replies(200, b'{"access_token":"ya29.canary","expires_in":3599}')
    predicted = {"predictions": [{"embeddings": {"values": [0.5, 1.5], "statistics": {"token_count": 3.0}}}]}
    upstream.scripts["vertex"] = replies(200, json.dumps(predicted).encode())
    upstream.scripts["aws"] = replies(200, b'{"embedding":[0.5,1.5],"inputTextTokenCount":4}')
    url = f"http://127.0.0.1:{site.world.port}/v1"
    async with openai.AsyncOpenAI(base_url=url, api_key=site.key, max_retries=0, timeout=30) as client:
        for model, read in ((TEXTS, 3), (TITAN, 4)):
            found = await client.embeddings.create(model=model, input=["a"])
            assert [each.embedding for each in found.data] == [[0.5, 1.5]]
            assert (await site.paid()).quota == read
    request = upstream.received[-1]
    assert request.target == "/aws/model/amazon.titan-embed-text-v2%3A0/invoke"
    assert request.header("authorization").endswith(f"Signature={signature(request)}")
