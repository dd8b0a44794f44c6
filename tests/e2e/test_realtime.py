"""`/v1/realtime`: OpenAI's SDK on one side, a scripted WebSocket on the other, a charge for each response between."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import openai
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.conftest import GATEWAYS
from tests.e2e.books import eventually
from tests.e2e.world import START, World, open_world
from tests.harness import servers
from tests.harness.admin import Admin
from tests.harness.sessions import Script, Sessions, Turn, sessions

pytestmark = pytest.mark.anyio

USAGE = {
    "total_tokens": 150,
    "input_tokens": 100,
    "output_tokens": 50,
    "input_token_details": {"text_tokens": 60, "audio_tokens": 40, "cached_tokens": 0},
    "output_token_details": {"text_tokens": 10, "audio_tokens": 40},
}
COST = 100 + 2 * 50
SCRIBE = "gpt-4o-mini-transcribe"
TRANSCRIBED = "conversation.item.input_audio_transcription.completed"
SMALL = 500  # quota of who cannot afford many


async def heard(socket: ClientConnection, *answered: str) -> tuple[list[Any], int, str]:
    """Every event until the session ends, and how that ended; `answered` are events that are followed by a request."""
    events: list[Any] = []
    with suppress(ConnectionClosed):
        while True:
            events.append(json.loads(await socket.recv()))
            if events[-1]["type"] in answered:
                with suppress(ConnectionClosed):
                    await socket.send('{"type":"response.create"}')
    return events, socket.close_code or 0, socket.close_reason or ""


@dataclass(frozen=True)
class Site:
    world: World
    upstream: Sessions
    key: str

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.world.port}/v1/realtime"

    async def charges(self, name: str = "alice") -> list[tuple[int, str]]:
        """Cost and source of each response; all of them and the balance add up."""
        await self.world.books.settled()
        row = await self.world.books.user(name)
        finals = [each for each in await self.world.books.finals(name) if each.logged]
        assert row.quota + sum(each.quota for each in finals) == (START if name == "alice" else SMALL)
        return [(each.quota, each.source) for each in finals]


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    directory = tmp_path_factory.mktemp("realtime")
    async with open_world(directory, servers.sqlite(directory)) as world, sessions() as upstream:
        root = world.root
        root.option("ModelRatio", json.dumps({"gpt-realtime": 1, "big-realtime": 1, "second": 1, SCRIBE: 3}))
        root.option("CompletionRatio", json.dumps({"gpt-realtime": 2, "second": 2, SCRIBE: 5}))
        root.option("PreConsumedQuota", "300")
        root.channel(upstream.at("talk"), "gpt-realtime,mine", name="talk", model_mapping='{"mine":"gpt-realtime"}')
        root.channel(upstream.at("azure"), "second", name="azure", type=3, config='{"api_version":"2025-04-01"}')
        yield Site(world, upstream, root.user("alice", START).token())


@pytest.fixture(autouse=True)
def fresh(request: pytest.FixtureRequest, site: Site) -> None:
    request.node.stash[GATEWAYS] = [site.world.gateway]
    site.upstream.reset()


async def answering(turn: Turn) -> None:
    """Answers each response that is asked for."""
    await turn.send("session.created", session={"model": "gpt-realtime"})
    while True:
        if (await turn.hear())["type"] == "response.create":
            await turn.send("response.created", response={"id": "r"})
            await turn.send("response.output_text.delta", delta="hello")
            await turn.send("response.done", response={"id": "r", "status": "completed", "usage": USAGE})


async def test_a_session_is_paid_response_by_response(site: Site, client: openai.AsyncOpenAI) -> None:
    site.upstream.scripts["talk"] = answering
    before = len(await site.charges())
    async with client.realtime.connect(model="mine") as session:
        kinds = []
        for _ in range(2):
            await session.response.create()
            async for event in session:
                kinds.append(event.type)
                if event.type == "response.done":
                    assert event.response.usage is not None
                    break
    assert kinds == [
        "session.created",
        *(("response.created", "response.output_text.delta", "response.done") * 2),
    ]
    (request,) = site.upstream.opened
    assert request.path == "/talk/v1/realtime?model=gpt-realtime"
    assert request.headers["authorization"] == "Bearer sk-upstream"
    assert "sk-" + site.key[3:] not in str(request.headers)
    assert (await site.charges())[before:] == [(COST, "reported")] * 2


def transcribing(usage: Any, *, older: bool = False) -> Script:
    """Writes down what was said, then answers."""
    model = {"model": SCRIBE}
    session = {"input_audio_transcription": model} if older else {"audio": {"input": {"transcription": model}}}

    async def script(turn: Turn) -> None:
        await turn.send("session.updated", session=session)
        await turn.send(TRANSCRIBED, item_id="i", content_index=0, transcript="hello there", usage=usage)
        await answering(turn)

    return script


@pytest.mark.parametrize(
    "usage, older, paid",
    [
        (
            {"type": "tokens", "input_tokens": 30, "output_tokens": 4, "input_token_details": {"audio_tokens": 30}},
            False,
            (3 * (30 + 5 * 4), "reported"),
        ),
        ({"type": "duration", "seconds": 2.5}, True, (3 * 2, "counted")),
        (None, False, (3 * 2, "counted")),
    ],
)
async def test_what_is_written_down_costs_what_its_own_model_does(
    site: Site, client: openai.AsyncOpenAI, usage: Any, paid: tuple[int, str], *, older: bool
) -> None:
    site.upstream.scripts["talk"] = transcribing(usage, older=older)
    before = len(await site.charges())
    async with client.realtime.connect(model="gpt-realtime") as session:
        await session.response.create()
        async for event in session:
            if event.type == "response.done":
                break
    assert (await site.charges())[before:] == [paid, (COST, "reported")]


async def test_a_transcript_nobody_has_a_price_for_costs_what_the_session_does(site: Site) -> None:
    async def script(turn: Turn) -> None:
        await turn.send(TRANSCRIBED, transcript="hello", usage={"input_tokens": 30, "output_tokens": 4})
        await turn.hear()

    site.upstream.scripts["talk"] = script
    before = len(await site.charges())
    headers = {"api-key": site.key}
    async with connect(f"{site.url}?model=gpt-realtime", additional_headers=headers, proxy=None) as socket:
        assert json.loads(await socket.recv())["transcript"] == "hello"
    assert (await site.charges())[before:] == [(30 + 2 * 4, "reported")]


def said(response: str, *words: str) -> list[Any]:
    """The beginning of a response, and what comes of it."""
    deltas = [{"type": "response.output_text.delta", "response_id": response, "delta": each} for each in words]
    return [{"type": "response.created", "response": {"id": response}}, *deltas]


def over(response: str, usage: Any) -> dict[str, Any]:
    return {"type": "response.done", "response": {"id": response, "usage": usage}}


def written(read: int) -> dict[str, Any]:
    """Of the caller's words, at a unit for each token."""
    return {"type": TRANSCRIBED, "transcript": "hello", "usage": {"input_tokens": read, "output_tokens": 0}}


@dataclass(frozen=True)
class Poor:
    """Somebody with so much left, and what he has paid since."""

    site: Site
    admin: Admin
    key: str

    async def talk(self, left: int, *events: Any) -> tuple[list[Any], list[tuple[int, str]], int]:
        """Every event, what was paid by which report, and what is left once the session is over."""
        root, books = self.site.world.root, self.site.world.books
        root.ask("PUT", "/api/user/", json={"id": self.admin.me()["id"], "quota": left})
        before = len(await books.finals("poor"))

        async def script(turn: Turn) -> None:
            for each in events:
                await turn.send(each["type"], **{name: each[name] for name in each if name != "type"})

        self.site.upstream.scripts["talk"] = script
        url = f"{self.site.url}?model=gpt-realtime"
        async with connect(url, additional_headers={"api-key": self.key}, proxy=None) as socket:
            seen, _, _ = await heard(socket)
        await books.settled()
        paid = [(each.quota, each.source) for each in (await books.finals("poor"))[before:]]
        return seen, paid, (await books.user("poor")).quota


@pytest.fixture(scope="module")
def poor(site: Site) -> Poor:
    admin = site.world.root.user("poor", 1)
    return Poor(site, admin, admin.token())


async def test_what_is_written_down_during_a_response_leaves_its_hold_alone(poor: Poor) -> None:
    """It is paid beside it, or else with it: who has nothing but the hold is not given the response."""
    words = said("a", "hello", "hello")
    _, paid, left = await poor.talk(100_000, *words, written(50), over("a", USAGE))
    assert (paid, left) == ([(50, "reported"), (COST, "reported")], 100_000 - 50 - COST)
    _, paid, left = await poor.talk(310, *words, written(50), over("a", USAGE))
    assert (paid, left) == ([(50 + COST, "reported")], 310 - 50 - COST)


async def test_a_response_may_have_a_price_instead_of_its_tokens(poor: Poor) -> None:
    """What is written down by a model without a price is part of it."""
    root = poor.site.world.root
    root.option("ModelPrice", json.dumps({"gpt-realtime": 0.002}))
    try:
        _, paid, left = await poor.talk(3000, written(50), *said("a", "hello"), over("a", USAGE), *said("b", "hello"))
    finally:
        root.option("ModelPrice", "{}")
    assert (paid, left) == ([(1000, "reported"), (1000, "estimated")], 1000)


async def test_a_response_that_is_never_done_is_paid_whatever_was_written_down_meanwhile(poor: Poor) -> None:
    events, paid, left = await poor.talk(310, *said("a", "hello", "hello"), written(50))
    assert events[-1]["type"] == TRANSCRIBED
    assert (paid, left) == ([(50 + 2 * 2, "estimated")], 310 - 50 - 2 * 2)


async def test_who_owes_more_than_is_held_is_told_and_pays_all_he_has(poor: Poor) -> None:
    events, paid, left = await poor.talk(310, *said("a", "hello", "hello"), written(200), written(200), written(1))
    assert [each["type"] for each in events][-2:] == [TRANSCRIBED, "error"]
    assert events[-1]["error"]["code"] == "insufficient_user_quota"
    assert (paid, left) == ([(310, "estimated")], 0)


async def test_responses_at_the_same_time_are_each_paid(poor: Poor) -> None:
    """Also by who can hold for one only, and for none after the first is done."""
    both = [*said("a", "hello"), *said("b", "hello", "hello")]
    _, paid, left = await poor.talk(100_000, *both, over("a", USAGE), over("b", USAGE))
    assert (paid, left) == ([(COST, "reported")] * 2, 100_000 - 2 * COST)
    _, paid, left = await poor.talk(400, *both, over("a", USAGE))
    assert (paid, left) == ([(COST + 150 + 2 * 2, "estimated")], 400 - COST - (150 + 2 * 2))


async def test_a_session_is_a_line_of_the_log_and_has_a_callers_name(site: Site) -> None:
    async def script(turn: Turn) -> None:
        for each in (*said("a", "hello"), over("a", USAGE), *said("b", "hello"), over("b", USAGE)):
            await turn.send(each["type"], **{name: each[name] for name in each if name != "type"})
        await turn.hear()

    site.upstream.scripts["talk"] = script
    headers = {"api-key": site.key, "X-Request-Id": "mine-1"}
    async with connect(f"{site.url}?model=mine", additional_headers=headers, proxy=None) as socket:
        assert socket.response is not None
        answered = socket.response.headers
        while json.loads(await socket.recv())["type"] != "response.done":
            pass
        while json.loads(await socket.recv())["type"] != "response.done":
            pass
    assert answered["x-request-id"] == "mine-1"
    line = await logged(site, answered["x-oneapi-request-id"])
    for pair in (
        *("caller_request_id=mine-1", "status=101", "mode=realtime", "model=mine", "channel=1", "tries=1"),
        *("stream=true", "prompt_tokens=200", "completion_tokens=100", f"quota={2 * COST}"),
    ):
        assert f" {pair} " in f"{line} ", pair
    assert "cause=" not in line


async def test_a_session_that_never_begins_is_a_line_too(site: Site) -> None:
    headers = {"api-key": site.key, "X-Request-Id": "mine-2"}
    with pytest.raises(InvalidStatus) as refusal:
        await connect(f"{site.url}?model=unheard-of", additional_headers=headers, proxy=None)
    answered = refusal.value.response.headers
    assert answered["x-request-id"] == "mine-2"
    line = await logged(site, answered["x-oneapi-request-id"])
    assert " status=503 cause=NoChannel mode=realtime model=unheard-of " in line


async def logged(site: Site, request_id: str) -> str:
    """The only line of this session."""

    def written() -> list[str]:
        whole, _, _ = site.world.gateway.output().rpartition("\n")  # the last line may be on its way
        return [each for each in whole.splitlines() if f" event=call request_id={request_id} " in each]

    async def there() -> bool:
        return bool(written())

    await eventually(there)
    (found,) = written()
    return found


async def test_a_page_has_its_key_in_a_subprotocol(site: Site) -> None:
    site.upstream.scripts["talk"] = answering
    protocols: Any = ["realtime", f"openai-insecure-api-key.{site.key}"]
    async with connect(f"{site.url}?model=gpt-realtime", subprotocols=protocols, proxy=None) as socket:
        assert socket.subprotocol == "realtime"
        assert json.loads(await socket.recv())["type"] == "session.created"
        assert socket.response is not None
        assert "x-oneapi-request-id" in socket.response.headers


async def test_azures_sessions_have_an_address_of_their_own(site: Site) -> None:
    site.upstream.scripts["azure"] = answering
    headers = {"Authorization": f"Bearer {site.key}", "OpenAI-Beta": "realtime=v1"}
    async with connect(f"{site.url}?model=second", additional_headers=headers, proxy=None) as socket:
        await socket.recv()
    (request,) = site.upstream.opened
    assert request.path == "/azure/openai/realtime?api-version=2025-04-01&deployment=second"
    assert (request.headers["api-key"], request.headers["openai-beta"]) == ("sk-upstream", "realtime=v1")
    assert "authorization" not in request.headers


@pytest.mark.parametrize(
    "query, key, status",
    [
        ("?model=gpt-realtime", "", 401),
        ("?model=gpt-realtime", "sk-nobody", 401),
        ("", "own", 400),
        ("?model=a&model=b", "own", 400),
        ("?model=unheard-of", "own", 503),
    ],
)
async def test_who_may_not_is_told_before_the_session(site: Site, query: str, key: str, status: int) -> None:
    headers = {"Authorization": f"Bearer {site.key if key == 'own' else key}"} if key else {}
    with pytest.raises(InvalidStatus) as refusal:
        await connect(site.url + query, additional_headers=headers, proxy=None)
    assert refusal.value.response.status_code == status
    assert json.loads(refusal.value.response.body or b"")["error"]["message"]
    assert site.upstream.opened == []


async def test_an_upstreams_refusal_is_told_without_its_key_and_costs_nothing(site: Site) -> None:
    before = await site.charges()
    said = {"error": {"message": "no sk-upstream here", "type": "x", "code": "y"}}
    site.upstream.refusals["talk"] = (400, json.dumps(said).encode())
    with pytest.raises(InvalidStatus) as refusal:
        await connect(f"{site.url}?model=gpt-realtime", additional_headers={"api-key": site.key}, proxy=None)
    body = refusal.value.response.body or b""
    assert (refusal.value.response.status_code, b"sk-upstream" in body, b"no *** here" in body) == (400, False, True)
    assert await site.charges() == before


async def test_an_upstream_that_points_elsewhere_is_not_followed(site: Site) -> None:
    site.upstream.refusals["talk"] = (302, b"{}")
    with pytest.raises(InvalidStatus) as refusal:
        await connect(f"{site.url}?model=gpt-realtime", additional_headers={"api-key": site.key}, proxy=None)
    assert refusal.value.response.status_code == 502
    assert len(site.upstream.opened) == 1


async def test_who_has_used_up_his_quota_is_told_and_the_session_ends(site: Site) -> None:
    poor = site.world.root.user("bob", SMALL).token()
    site.upstream.scripts["talk"] = answering
    async with connect(f"{site.url}?model=gpt-realtime", additional_headers={"api-key": poor}, proxy=None) as socket:
        events, code, _ = await heard(socket, "session.created", "response.done")
    assert [event["type"] for event in events][-2:] == ["response.done", "error"]
    assert (events[-1]["error"]["code"], code) == ("insufficient_user_quota", 1008)
    paid = await site.charges("bob")
    assert paid[0] == (COST, "reported")


async def test_who_leaves_in_the_middle_pays_for_what_he_got(site: Site) -> None:
    before = len(await site.charges())
    sound = base64.b64encode(bytes(48_000)).decode()

    async def script(turn: Turn) -> None:
        await turn.send("response.created", response={"id": "r"})
        await turn.send("response.output_audio.delta", delta=sound)
        await turn.hear()

    site.upstream.scripts["talk"] = script
    async with connect(
        f"{site.url}?model=gpt-realtime", additional_headers={"api-key": site.key}, proxy=None
    ) as socket:
        for _ in range(2):
            await socket.recv()

    async def settled() -> bool:
        return len(await site.charges()) > before

    await eventually(settled)
    assert (await site.charges())[before:] == [(2 * 20, "estimated")]


async def test_who_got_nothing_pays_nothing(site: Site) -> None:
    before = await site.charges()

    async def script(turn: Turn) -> None:
        await turn.send("session.created", session={})
        await turn.send("response.done", response={"id": "r", "status": "failed", "usage": None})
        await turn.hear()

    site.upstream.scripts["talk"] = script
    async with connect(
        f"{site.url}?model=gpt-realtime", additional_headers={"api-key": site.key}, proxy=None
    ) as socket:
        for _ in range(2):
            await socket.recv()

    async def left() -> bool:
        return bool(site.upstream.closed)

    await eventually(left)
    assert await site.charges() == before


@pytest.mark.parametrize("code, told", [(1000, []), (1011, ["error"]), (4000, ["error"])])
async def test_an_upstream_that_leaves_ends_the_session(site: Site, code: int, told: list[str]) -> None:
    async def script(turn: Turn) -> None:
        await turn.send("session.created", session={})
        await turn.connection.close(code, "because of sk-upstream")

    site.upstream.scripts["talk"] = script
    async with connect(
        f"{site.url}?model=gpt-realtime", additional_headers={"api-key": site.key}, proxy=None
    ) as socket:
        events, closed, reason = await heard(socket)
    assert [event["type"] for event in events] == ["session.created", *told]
    assert (closed, reason) == (code, "because of ***")


async def test_a_message_that_is_too_long_ends_the_session(site: Site) -> None:
    site.upstream.scripts["talk"] = answering
    async with connect(
        f"{site.url}?model=gpt-realtime", additional_headers={"api-key": site.key}, proxy=None
    ) as socket:
        await socket.recv()
        with suppress(ConnectionClosed):
            await socket.send("x" * (16 * 1024 * 1024 + 1))
        assert (await heard(socket))[1] == 1009


async def test_events_are_text(site: Site) -> None:
    site.upstream.scripts["talk"] = answering
    async with connect(
        f"{site.url}?model=gpt-realtime", additional_headers={"api-key": site.key}, proxy=None
    ) as socket:
        await socket.recv()
        await socket.send(b"\x00")
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1003
