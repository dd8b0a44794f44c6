"""Channels of providers with a protocol of their own, for OpenAI's and Anthropic's clients: real sockets, the books."""

import json
from array import array
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import wire
from tests.e2e.books import eventually
from tests.e2e.world import START, Site, open_world
from tests.harness import servers
from tests.harness.scripted import DONE, Received, Script, Turn, chunk, completion, replies, tokens, usage_chunk

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("fresh")]

RECORDED = Path(__file__).parent.parent / "dialects" / "providers"
HELLO: Any = [{"role": "user", "content": "hello"}]
both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@dataclass(frozen=True, slots=True)
class Case:
    """A channel type and what its provider says. `usage`: None where it does not tell.

    case: the recorded answer and stream. plain: it does not stream, so a stream is the answer in one piece. openai: its
    answers are OpenAI's. always: it does nothing but stream, so an answer is a stream read to its end. finished: an
    error that says that the account is, as status and body. embeds: an answer with the vectors 0.5, 1.5 and 2.5, 3.5,
    its path and tokens.
    """

    type: int
    target: str
    text: str
    usage: tuple[int, int] | None
    model: str = ""
    key: str = "key-canary-93"
    header: tuple[str, str] = ("authorization", "Bearer key-canary-93")
    config: Mapping[str, str] = field(default_factory=dict)
    case: str = "plain"
    kind: str = "text/event-stream"
    plain: bool = False
    openai: bool = False
    always: bool = False
    finished: tuple[int, Any] | None = None
    embeds: tuple[str, Any, int | None] | None = None


OPENAIS_VECTORS = {
    "data": [{"index": 0, "embedding": [0.5, 1.5]}, {"index": 1, "embedding": [2.5, 3.5]}],
    "usage": {"prompt_tokens": 4, "total_tokens": 4},
}
CASES = {
    "aiproxy": Case(
        type=21,
        target="/api/library/ask",
        text="Hi\n\n参考文档：\n1. [T](https://t)\n",
        usage=None,
        config={"library_id": "L1"},
        plain=True,
        finished=(401, {"success": False, "message": "no such key", "errCode": 401}),
    ),
    "deepl": Case(
        type=38,
        model="deepl-zh",
        target="/v2/translate",
        text="你好",
        usage=(5, 0),
        header=("authorization", "DeepL-Auth-Key key-canary-93"),
        plain=True,
        finished=(456, {"message": "Quota for this billing period has been exceeded"}),
    ),
    "coze": Case(
        type=34,
        model="bot-123",
        target="/v3/chat",
        text="Hi 你",
        usage=(9, 2),
        config={"user_id": "u1"},
        always=True,
        finished=(200, {"code": 4011, "msg": "no credits", "detail": {"logid": "x"}}),
    ),
    "dashscope": Case(
        type=17,
        target="/api/v1/services/aigc/text-generation/generation",
        text="Hi 你",
        usage=(9, 2),
        finished=(400, {"code": "Arrearage", "message": "Access denied, please pay.", "request_id": "r"}),
        embeds=(
            "/api/v1/services/embeddings/text-embedding/text-embedding",
            {
                "output": {
                    "embeddings": [
                        {"text_index": 1, "embedding": [2.5, 3.5]},
                        {"text_index": 0, "embedding": [0.5, 1.5]},
                    ]
                },
                "usage": {"total_tokens": 4},
            },
            4,
        ),
    ),
    "cohere": Case(
        type=35,
        target="/v2/chat",
        text="Hi 你",
        usage=(9, 2),
        finished=(401, {"message": "invalid api token"}),
        embeds=(
            "/v2/embed",
            {
                "id": "e",
                "embeddings": {"float": [[0.5, 1.5], [2.5, 3.5]]},
                "meta": {"billed_units": {"input_tokens": 4.0}},
            },
            4,
        ),
    ),
    "ollama": Case(
        type=30,
        target="/api/chat",
        text="Hi 你",
        usage=(26, 5),
        kind="application/x-ndjson",
        finished=(401, {"error": "unauthorized"}),
        embeds=("/api/embed", {"embeddings": [[0.5, 1.5], [2.5, 3.5]], "prompt_eval_count": 4}, 4),
    ),
}
CASES["zhipu"] = Case(
    type=16,
    target="/api/paas/v4/chat/completions",
    text="Hi 你",
    usage=(9, 2),
    openai=True,
    finished=(429, {"error": {"code": "1113", "message": "您的账户已欠费，请充值后重试"}}),
    embeds=("/api/paas/v4/embeddings", OPENAIS_VECTORS, 4),
)
CASES["cloudflare"] = Case(
    type=37,
    target="/client/v4/accounts/acct/ai/v1/chat/completions",
    text="Hi 你",
    usage=(9, 2),
    openai=True,
    config={"user_id": "acct"},
    finished=(403, {"success": False, "errors": [{"code": 10000, "message": "Authentication error"}]}),
    embeds=("/client/v4/accounts/acct/ai/v1/embeddings", OPENAIS_VECTORS, 4),
)
CASES["tencent"] = Case(
    type=23,
    target="/",
    text="Hi 你",
    usage=(9, 2),
    key="1250000000|id-canary|key-canary-93",
    header=("x-tc-action", "ChatCompletions"),
    finished=(200, {"Response": {"Error": {"Code": "AuthFailure.SecretIdNotFound", "Message": "no such id"}}}),
    embeds=(
        "/",
        {
            "Response": {
                "Data": [{"Embedding": [2.5, 3.5], "Index": 1}, {"Embedding": [0.5, 1.5], "Index": 0}],
                "Usage": {"PromptTokens": 4, "TotalTokens": 4},
            }
        },
        4,
    ),
)
_ERNIE = "/rpc/2.0/ai_custom/v1/wenxinworkshop"
CASES["baidu"] = Case(
    type=15,
    target=f"{_ERNIE}/chat/baidu-1?access_token=token-canary-93",
    text="Hi 你",
    usage=(9, 2),
    key="id-canary|key-canary-93",
    header=("authorization", ""),
    finished=(401, {"error": "invalid_client", "error_description": "unknown client id"}),
    embeds=(f"{_ERNIE}/embeddings/baidu-1?access_token=token-canary-93", OPENAIS_VECTORS, 4),
)
CASES["xunfei"] = Case(
    type=18,
    target="/v1/chat/completions",
    text="Hi 你",
    usage=(9, 2),
    key="app|secret-canary|key-canary-93",
    header=("authorization", "Bearer key-canary-93:secret-canary"),
    finished=(200, {"code": 11200, "message": "AppIdNoAuthError", "sid": "s"}),
)
CASES["replicate"] = Case(
    type=46,
    model="meta/m",
    target="/v1/predictions/p1",
    text="one\n\n你",
    usage=None,
    case="lines",
    finished=(401, {"title": "Unauthenticated", "detail": "You did not pass a valid token", "status": 401}),
)
EMBEDDING = [name for name, case in CASES.items() if case.embeds]
every = pytest.mark.parametrize("name", CASES)


@dataclass(frozen=True, slots=True)
class Providers(Site):
    @property
    def request(self) -> Received:
        """The last of a call: some take several."""
        *before, last = self.world.upstream.received
        assert not before or last.name in WAYS
        return last

    def answers(self, name: str) -> None:
        """The provider gives its recorded answer, whole or as a stream, as it is asked."""
        self.world.upstream.scripts[name] = recorded(name)


def model_of(name: str) -> str:
    return CASES[name].model or f"{name}-1"


def asks_events(turn: Turn) -> bool:
    return bool(turn.request.header("accept")) or (bool(turn.request.body) and bool(turn.request.json().get("stream")))


def two_of(name: str) -> str:
    """What two channels have, of which the first fails."""
    return "meta/two" if name == "replicate" else f"{name}-two"


async def openais(turn: Turn) -> None:
    if not turn.request.json().get("stream"):
        await turn.reply(200, completion("Hi 你", usage=tokens(9, 2)))
        return
    await turn.events(chunk("Hi ") + chunk("你") + chunk(finish="stop") + usage_chunk(tokens(9, 2)) + DONE)
    await turn.end()


def with_a_token(script: Script) -> Script:
    """Baidu gives a token first."""

    async def way(turn: Turn) -> None:
        if "/oauth/" in turn.request.target:
            await turn.reply(200, b'{"access_token":"token-canary-93","expires_in":2592000}')
        else:
            await script(turn)

    return way


def begun(script: Script) -> Script:
    """Replicate says where to ask for what was begun."""

    async def way(turn: Turn) -> None:
        if turn.request.method == "GET":
            await script(turn)
            return
        assert turn.request.target == "/replicate/v1/models/meta/m/predictions"
        host = turn.request.header("host")
        urls = {"stream": f"http://{host}/replicate/v1/predictions/p1"}
        await turn.reply(201, json.dumps({"id": "p1", "status": "succeeded", "urls": urls}).encode())

    return way


WAYS = {"baidu": with_a_token, "replicate": begun}


def played(name: str, script: Script) -> Script:
    return WAYS[name](script) if name in WAYS else script


def recorded(name: str) -> Script:
    case = CASES[name]
    if case.openai:
        return openais
    return played(name, from_its_folder(name))


def from_its_folder(name: str) -> Script:
    case = CASES[name]
    folder = RECORDED / name / case.case

    async def script(turn: Turn) -> None:
        if case.plain or not (case.always or asks_events(turn)):
            await turn.reply(200, (folder / "answer.in.json").read_bytes())
            return
        raw = (folder / "stream.in.txt").read_bytes()
        await turn.start(headers=[("content-type", case.kind)])
        for start in range(0, len(raw), 50):
            await turn.piece(raw[start : start + 50])
        await turn.end()

    return script


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Providers]:
    directory = tmp_path_factory.mktemp("providers")
    async with open_world(directory, servers.sqlite(directory)) as world:
        root = world.root
        names = ["minimax-1", *map(model_of, CASES), *map(two_of, CASES)]
        world.price(*names)
        for name, case in CASES.items():
            config = json.dumps(dict(case.config))
            world.channel(name, model_of(name), type=case.type, key=case.key, config=config)
            doomed = case.key if "|" in case.key else "doomed"
            two = {"type": case.type, "key": doomed, "config": config, "priority": 9}
            world.channel(f"{name}-first", two_of(name), **two)
            world.channel(f"{name}-second", two_of(name), priority=1)
        world.channel("palm", "PaLM-2", type=11)
        world.channel("minimax", "minimax-1", type=27)
        yield Providers(world, root.user("alice", START).token())


async def charged(site: Providers, case: Case) -> None:
    final = await site.paid()
    if case.usage is None:
        assert (final.source, final.quota) == ("counted", final.prompt_tokens + 2 * final.completion_tokens)
        assert final.prompt_tokens > 0
    else:
        read, written = case.usage
        assert (final.source, final.prompt_tokens, final.completion_tokens) == ("reported", read, written)
        assert final.quota == read + 2 * written


@both
@every
async def test_openais_client_is_answered_and_pays(site: Providers, name: str, *, stream: bool) -> None:
    case = CASES[name]
    site.answers(name)
    text, usage = "", None
    async with site.client() as client:
        if stream:
            options: Any = {"include_usage": True}
            chunks = await client.chat.completions.create(
                model=model_of(name), messages=HELLO, stream=True, stream_options=options
            )
            reason = None
            async for chunk in chunks:
                usage = chunk.usage or usage
                text += "".join(choice.delta.content or "" for choice in chunk.choices)
                reason = chunk.choices[0].finish_reason if chunk.choices else reason
        else:
            answer = await client.chat.completions.create(model=model_of(name), messages=HELLO)
            text, usage, reason = answer.choices[0].message.content or "", answer.usage, answer.choices[0].finish_reason
    assert reason == "stop"
    assert text == (case.text if stream or case.always or case.plain or case.openai else json_text(name))
    if case.usage is not None:
        assert usage is not None
        assert (usage.prompt_tokens, usage.completion_tokens) == case.usage
    assert site.request.target == f"/{name}{case.target}"
    assert site.request.header(case.header[0]) == case.header[1]
    await charged(site, case)


def json_text(name: str) -> str:
    """What the recorded whole answer says, as its own test has it."""
    folder = RECORDED / name / CASES[name].case
    expected = json.loads((folder / "answer.out.json").read_text("utf-8"))
    return str(expected["choices"][0]["message"]["content"])


@both
@every
async def test_anthropics_client_is_answered_and_pays(site: Providers, name: str, *, stream: bool) -> None:
    case = CASES[name]
    site.answers(name)
    body = {"model": model_of(name), "max_tokens": 50, "messages": HELLO, "stream": stream}
    asked = wire.request("/v1/messages", json.dumps(body).encode(), extra=f"x-api-key: {site.key}\r\n")
    reply = await site.world.ask(asked)
    assert reply.status == 200
    if stream:
        events = [json.loads(line[6:]) for line in reply.body.decode().split("\n") if line.startswith("data: ")]
        deltas = [each["delta"].get("text", "") for each in events if each["type"] == "content_block_delta"]
        assert ("".join(deltas), events[-1]["type"]) == (case.text, "message_stop")
    else:
        message = json.loads(reply.body)
        assert message["stop_reason"] == "end_turn"
        assert message["content"][-1]["type"] == "text"
    await charged(site, case)


@every
async def test_a_stream_that_breaks_off_is_told_and_not_completed(site: Providers, name: str) -> None:
    case = CASES[name]
    if case.plain or case.openai:
        return
    raw = (RECORDED / name / case.case / "stream.in.txt").read_bytes()

    async def script(turn: Turn) -> None:
        await turn.start(headers=[("content-type", case.kind)])
        await turn.piece(raw[: raw.index("你".encode()) - 40])
        await turn.end()

    site.world.upstream.scripts[name] = played(name, script)
    reply = await site.world.ask(wire.chat(site.key, model=model_of(name), stream=True))
    assert b"[DONE]" not in reply.body
    assert b"ended before its answer did" in reply.body


@both
@every
async def test_an_error_of_the_account_lets_another_channel_answer(site: Providers, name: str, *, stream: bool) -> None:
    """And takes the channel out of service, once the operator wants that."""
    case = CASES[name]
    assert case.finished is not None
    status, body = case.finished
    site.world.upstream.scripts |= {
        f"{name}-first": replies(status, json.dumps(body).encode()),
        f"{name}-second": replies(429, b'{"error":{"message":"Slow down","type":"rate_limit_error"}}'),
    }
    site.world.root.option("RetryTimes", "1")
    reply = await site.world.ask(wire.chat(site.key, model=two_of(name), stream=stream))
    assert reply.status == 429
    assert [each.name for each in site.world.upstream.received] == [f"{name}-first", f"{name}-second"]
    if not stream:
        return
    site.world.root.option("AutomaticDisableChannelEnabled", "true")
    try:
        await site.world.ask(wire.chat(site.key, model=two_of(name), stream=stream))

        async def out() -> bool:
            found = site.world.root.ask("GET", "/api/channel/search", params={"keyword": f"{name}-first"})
            return bool(found[0]["status"] == 3)

        await eventually(out)
    finally:
        site.world.root.option("AutomaticDisableChannelEnabled", "false")


async def test_an_error_of_zhipus_with_status_200_is_one_and_costs_nothing(site: Providers) -> None:
    before = await site.charges()
    site.world.upstream.scripts["zhipu"] = replies(200, b'{"code":1261,"msg":"Prompt too long","success":false}')
    reply = await site.world.ask(wire.chat(site.key, model="zhipu-1"))
    assert (reply.status, reply.json()["error"]["message"].partition(" (")[0]) == (502, "Prompt too long")
    assert await site.charges() == before


@both
async def test_a_channel_of_an_api_that_is_gone_says_so_and_costs_nothing(site: Providers, *, stream: bool) -> None:
    before = await site.charges()
    reply = await site.world.ask(wire.chat(site.key, model="PaLM-2", stream=stream))
    assert reply.status == 500
    assert "Google has shut the PaLM API down" in reply.json()["error"]["message"]
    assert not site.world.upstream.received
    assert await site.charges() == before


async def test_a_bot_of_cozes_is_told_who_asks_as_the_channels_settings_say(site: Providers) -> None:
    site.answers("coze")
    await site.world.ask(wire.chat(site.key, model="bot-123"))
    sent = site.request.json()
    assert (sent["user_id"], sent["bot_id"], sent["stream"]) == ("u1", "123", True)


async def test_a_library_is_that_of_the_channels_settings(site: Providers) -> None:
    site.answers("aiproxy")
    await site.world.ask(wire.chat(site.key, model="aiproxy-1", stream=True))
    assert (site.request.json()["libraryId"], site.request.json()["stream"]) == ("L1", False)


@pytest.mark.parametrize("name", EMBEDDING)
async def test_texts_are_embedded(site: Providers, name: str) -> None:
    case = CASES[name]
    assert case.embeds is not None
    target, answer, read = case.embeds
    site.world.upstream.scripts[name] = played(name, replies(200, json.dumps(answer).encode()))
    async with site.client() as client:
        found = await client.embeddings.create(model=model_of(name), input=["a", "b"])
    assert [each.embedding for each in found.data] == [[0.5, 1.5], [2.5, 3.5]]
    assert site.request.target == f"/{name}{target}"
    final = await site.paid()
    if read is not None:
        assert (final.quota, final.prompt_tokens, final.source) == (read, read, "reported")
    if case.openai:
        return  # its answer is passed on as it is
    reply = await site.world.ask(
        wire.request(
            "/v1/embeddings",
            json.dumps({"model": model_of(name), "input": "a", "encoding_format": "base64"}).encode(),
            key=site.key,
        )
    )
    assert list(array("f", b64decode(reply.json()["data"][0]["embedding"]))) == [0.5, 1.5]


@both
async def test_a_token_that_baidu_takes_no_more_is_not_used_again(site: Providers, *, stream: bool) -> None:
    """The call is tried on another channel, if there is one; the next gets a token of its own."""
    before = await site.charges()
    refused = replies(200, b'{"error_code":111,"error_msg":"Access token expired"}')
    site.world.upstream.scripts["baidu"] = with_a_token(refused)
    reply = await site.world.ask(wire.chat(site.key, model="baidu-1", stream=stream))
    assert (reply.status, reply.json()["error"]["type"]) == (502, "token_refused")
    assert "token-canary-93" not in reply.body.decode()
    assert await site.charges() == before
    site.world.upstream.received.clear()
    site.answers("baidu")
    await site.world.ask(wire.chat(site.key, model="baidu-1", stream=stream))
    assert ["/oauth/" in each.target for each in site.world.upstream.received] == [True, False]
    assert "token-canary-93" not in site.world.gateway.output()


async def test_an_error_of_minimaxs_with_status_200_is_one_in_every_dialect(site: Providers) -> None:
    before = await site.charges()
    body = b'{"choices":null,"base_resp":{"status_code":1002,"status_msg":"rate limit"}}'
    site.world.upstream.scripts["minimax"] = replies(200, body)
    messages = json.dumps({"model": "minimax-1", "max_tokens": 5, "messages": HELLO}).encode()
    for asked in (
        wire.chat(site.key, model="minimax-1"),
        wire.chat(site.key, model="minimax-1", stream=True),
        wire.request("/v1/messages", messages, extra=f"x-api-key: {site.key}\r\n"),
    ):
        reply = await site.world.ask(asked)
        assert (reply.status, reply.json()["error"]["message"].partition(" (")[0]) == (502, "rate limit")
    assert await site.charges() == before
