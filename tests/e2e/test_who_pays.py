"""Who pays for a call that was refused, failed or completed: rows of the policy, with the books after each."""

import json
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from tests.e2e import wire
from tests.e2e.paying import (
    COUNTED,
    ERROR,
    MODEL,
    PROMPT,
    TEXT,
    TOLERANCE,
    Site,
    all_in_the_log,
    answers,
    ask,
    mark,
    open_site,
    part_of_a_whole,
    read_by_gateway,
)
from tests.e2e.requests import FORM, GOOD_FORM, JSON_ROUTES
from tests.e2e.world import START
from tests.harness import scripted
from tests.harness.scripted import Turn, completion, tokens

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("fresh")]

MOST_BELIEVED = 10_000_000

both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with open_site(tmp_path_factory.mktemp("who-pays")) as site:
        yield site


# --- refused, failed --------------------------------------------------------------------------------------------------


REFUSED: Mapping[str, tuple[int, Callable[[str, bool], bytes]]] = {
    "unknown key": (401, lambda _key, stream: wire.chat("sk-" + "x" * 48, stream=stream)),
    "unknown model": (503, lambda key, stream: wire.chat(key, stream=stream, model="nobody-has-it")),
    "bad limit": (400, lambda key, stream: wire.chat(key, stream=stream, max_tokens=-1)),
    "no messages": (400, lambda key, stream: wire.chat(key, stream=stream, messages="")),
    "too dear": (403, lambda key, stream: wire.chat(key, stream=stream, max_tokens=2 * START)),
}


@both
@pytest.mark.parametrize("case", REFUSED)
async def test_who_is_refused_by_us_pays_nothing(site: Site, case: str, *, stream: bool) -> None:
    status, request = REFUSED[case]
    before = await mark(site)
    assert (await site.world.ask(request(site.key, stream))).status == status
    assert not site.world.upstream.received
    await before.free()


async def close_before_head(turn: Turn) -> None:
    turn.close()


async def close_in_head(turn: Turn) -> None:
    await turn.send(b"HTTP/1.1 200 OK\r\ncontent-ty")
    turn.close()


async def garbage(turn: Turn) -> None:
    await turn.send(b"220 mail.example ESMTP ready\r\n\r\n")
    turn.close()


async def half_a_body(turn: Turn) -> None:
    await turn.send(scripted.head(200, [("content-type", "application/json"), ("content-length", "500")]))
    await turn.send(completion(TEXT, usage=tokens(20, 10))[:60])
    turn.close()


FAILURES: Mapping[str, tuple[int, scripted.Script]] = {
    "closed before its head": (500, close_before_head),
    "closed in its head": (500, close_in_head),
    "no HTTP": (500, garbage),
    "half a body": (500, half_a_body),
    "bad request": (400, scripted.replies(400, b'{"error":{"message":"no","type":"t","param":"","code":"c"}}')),
    "unauthorized": (401, scripted.replies(401, b"{}")),
    "too many": (429, scripted.replies(429, b"{}")),
    "server error": (500, scripted.replies(500, b"oops")),
    "usage in an error": (503, scripted.replies(503, json.dumps({"usage": tokens(20, 10)}).encode())),
    "no content": (502, scripted.replies(204, b"")),
    "error in a 200": (502, scripted.replies(200, b'{"error":{"message":"overloaded","type":"server_error"}}')),
    "error text in a 200": (502, scripted.replies(200, b'{"error":"overloaded"}')),
    "error with usage in a 200": (
        502,
        scripted.replies(200, json.dumps({"error": {"message": "late"}, "usage": tokens(20, 10)}).encode()),
    ),
    "no JSON": (500, scripted.replies(200, b"<html>", [("content-type", "application/json")])),
}


@both
@pytest.mark.parametrize("case", FAILURES)
async def test_a_failure_before_content_is_free(site: Site, case: str, *, stream: bool) -> None:
    status, site.world.upstream.scripts["up"] = FAILURES[case]
    before = await mark(site)
    reply = await ask(site, stream=stream)
    assert reply.status == status, reply
    assert reply.error["message"]
    assert reply.headers["content-type"].startswith("application/json")
    await before.free()


@both
async def test_an_upstream_that_cannot_be_reached_is_free(site: Site, *, stream: bool) -> None:
    before = await mark(site)
    reply = await ask(site, stream=stream, model="dead")
    assert (reply.status, reply.error["code"]) == (500, "do_request_failed")
    assert "127.0.0.1" not in reply.error["message"]
    await before.free()


@pytest.mark.parametrize("first", [b"", b": wait\n\n", b"event: error\n"], ids=["alone", "comment", "named"])
async def test_an_error_event_before_content_is_free(site: Site, first: bytes) -> None:
    site.world.upstream.scripts["up"] = scripted.streams(first + ERROR)
    before = await mark(site)
    reply = await ask(site, stream=True)
    assert reply.status == 502, reply
    assert reply.error["message"].startswith("overloaded (request id: ")
    await before.free()


async def test_a_transcription_that_is_an_error_is_free(site: Site) -> None:
    site.world.upstream.scripts["up"] = scripted.replies(200, b' {"error":{"message":"no sound","type":"t"}}')
    before = await mark(site)
    request = wire.request("/v1/audio/transcriptions", GOOD_FORM, key=site.key, kind=FORM)
    reply = await site.world.ask(request)
    assert reply.status == 502, reply
    assert reply.error["message"].startswith("no sound (request id: ")
    await before.free()


# --- completed --------------------------------------------------------------------------------------------------------


@both
async def test_a_reported_usage_is_charged(site: Site, *, stream: bool) -> None:
    site.world.upstream.scripts["up"] = answers({"content": TEXT}, stream=stream, usage=tokens(20, 10))
    before = await mark(site)
    reply = await ask(site, stream=stream)
    assert (reply.status, reply.complete) == (200, True)
    final = await before.paid(20 + 2 * 10, "reported")
    assert (final.prompt_tokens, final.completion_tokens, final.is_stream) == (20, 10, stream)
    assert final.model_name == MODEL


CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "hello", "arguments": " world"}}
DELIVERED: Mapping[str, tuple[int, tuple[Mapping[str, object], ...]]] = {
    "text": (2, ({"content": TEXT},)),
    "text in pieces": (2, ({"content": "hel"}, {"content": "lo world"})),
    "reasoning_content": (4, ({"reasoning_content": TEXT}, {"content": TEXT})),
    "reasoning": (4, ({"reasoning": TEXT}, {"content": TEXT})),
    "the same reasoning twice": (2, ({"reasoning": TEXT, "reasoning_content": TEXT},)),
    "refusal": (2, ({"refusal": TEXT},)),
    "tool calls": (2, ({"content": None, "tool_calls": [CALL]},)),
    "two tool calls": (4, ({"content": None, "tool_calls": [CALL, CALL]},)),
    "function call": (2, ({"content": None, "function_call": CALL["function"]},)),
    "text in parts": (2, ({"content": [{"type": "text", "text": TEXT}]},)),
    "nothing": (0, ({"content": ""},)),
}


@both
@pytest.mark.parametrize("case", DELIVERED)
async def test_what_was_delivered_without_a_report_is_counted(site: Site, case: str, *, stream: bool) -> None:
    output, deltas = DELIVERED[case]
    if case == "text in pieces" and not stream:
        deltas = ({"content": TEXT},)
    site.world.upstream.scripts["up"] = answers(*deltas, stream=stream)
    before = await mark(site)
    assert (await ask(site, stream=stream)).status == 200
    final = await before.paid(PROMPT + 2 * output, "counted")
    assert (final.prompt_tokens, final.completion_tokens) == (PROMPT, output)


UNBELIEVABLE: Mapping[str, object] = {
    "negative": tokens(20, -10),
    "negative prompt": {"prompt_tokens": -20, "completion_tokens": 10, "total_tokens": 30},
    "huge": tokens(20, MOST_BELIEVED + 1),
    "beyond any number": tokens(20, 10**30),
    "half a token": {"prompt_tokens": 20, "completion_tokens": 1.5, "total_tokens": 21.5},
    "text": {"prompt_tokens": "20", "completion_tokens": "10", "total_tokens": "30"},
    "true": {"prompt_tokens": 20, "completion_tokens": True, "total_tokens": 21},
    "a list": {"prompt_tokens": 20, "completion_tokens": [10], "total_tokens": 30},
    "null": None,
    "an array": [1],
    "empty": {},
    "zeros": tokens(0, 0),
    "no total": {"prompt_tokens": 20, "completion_tokens": 10},
}


@both
@pytest.mark.parametrize("case", UNBELIEVABLE)
async def test_a_claim_that_cannot_be_true_is_not_believed(site: Site, case: str, *, stream: bool) -> None:
    usage = UNBELIEVABLE[case]
    site.world.upstream.scripts["up"] = answers({"content": TEXT}, stream=stream, usage=usage)
    before = await mark(site)
    assert (await ask(site, stream=stream)).status == 200
    await before.paid(COUNTED, "counted")


@both
async def test_whole_floats_are_believed(site: Site, *, stream: bool) -> None:
    usage = {"prompt_tokens": 20.0, "completion_tokens": 1e1, "total_tokens": 30.0}
    site.world.upstream.scripts["up"] = answers({"content": TEXT}, stream=stream, usage=usage)
    before = await mark(site)
    assert (await ask(site, stream=stream)).status == 200
    await before.paid(40, "reported")


@both
async def test_a_claim_beyond_the_hold_is_paid_up_to_its_tolerance(site: Site, *, stream: bool) -> None:
    site.world.upstream.scripts["up"] = answers({"content": TEXT}, stream=stream, usage=tokens(20, 5_000_000))
    before = await mark(site)
    assert (await ask(site, stream=stream, max_tokens=5)).status == 200
    held = (await site.world.books.last_final()).held
    final = await before.paid(held + TOLERANCE, "reported")
    assert final.short == 20 + 2 * 5_000_000 - final.quota
    assert str(final.short) in site.world.gateway.output()  # the alarm


@both
@pytest.mark.parametrize("whose", ["user", "token"])
async def test_a_balance_for_a_part_pays_the_part(site: Site, *, stream: bool, whose: str) -> None:
    world, balance = site.world, 50
    name = f"poor-{whose}-{stream:d}"
    given = balance if whose == "user" else START
    poor = world.root.user(name, given)
    key = poor.token() if whose == "user" else poor.token(unlimited_quota=False, remain_quota=balance)
    world.upstream.scripts["up"] = answers({"content": TEXT}, stream=stream, usage=tokens(20, 100))
    assert (await world.ask(wire.chat(key, stream=stream))).status == 200
    (final,) = await world.books.finals(name)
    assert (final.quota, final.short, final.held, final.source) == (balance, 220 - balance, balance, "reported")
    user, token = await world.books.user(name), await world.books.token(key)
    assert (user.quota, user.used_quota) == (given - balance, balance)
    assert token.used_quota == balance
    if whose == "token":
        assert token.remain_quota == 0
    assert (await world.ask(wire.chat(key, stream=stream))).status in (401, 403)
    assert len(world.upstream.received) == 1


# --- other kinds ------------------------------------------------------------------------------------------------------


async def test_an_embedding_pays_its_report_or_its_prompt(site: Site) -> None:
    world, request = site.world, JSON_ROUTES["embeddings"].request(site.key)
    body = {"object": "list", "data": [{"embedding": [0.1], "index": 0}]}
    for usage, cost in (({"prompt_tokens": 50, "total_tokens": 50}, 50), (None, 1)):
        world.upstream.scripts["up"] = scripted.replies(200, json.dumps({**body, "usage": usage}).encode())
        before = await mark(site)
        assert (await world.ask(request)).status == 200
        await before.paid(cost, "counted" if usage is None else "reported")


async def test_images_are_paid_when_delivered(site: Site) -> None:
    world, request = site.world, JSON_ROUTES["images"].request(site.key)
    world.upstream.scripts["up"] = scripted.replies(200, b'{"created":1,"data":[{"url":"https://x/1"}]}')
    before = await mark(site)
    assert (await world.ask(request)).status == 200
    assert (await before.paid((await world.books.last_final()).quota, "reported")).quota > 0
    before = await mark(site)
    async with wire.connect(world.port) as connection:
        del world.upstream.scripts["up"]
        connection.send(request)
        turn = await world.upstream.turn()
        await part_of_a_whole(turn)
        await read_by_gateway(site)
        connection.leave()
        await turn.left()
    await before.free()


async def test_speech_that_was_begun_is_paid(site: Site) -> None:
    world = site.world
    before = await mark(site)
    async with wire.connect(world.port) as connection:
        connection.send(JSON_ROUTES["speech"].request(site.key))
        turn = await world.upstream.turn()
        await turn.start(headers=[("content-type", "audio/mpeg")])
        await turn.piece(b"ID3 one")
        await read_by_gateway(site)  # so that it is a piece of its own; the last one known waits for the end
        await turn.piece(b"ID3 two")
        assert (await connection.head())[0] == 200
        await connection.content(len(b"ID3 one"))
        turn.reset()
        assert not (await connection.rest())[1]
    assert (await before.paid(len("hello"), (await world.books.last_final()).source)).quota > 0


# --- the log ---


async def test_every_charge_is_in_the_log(site: Site) -> None:
    """Last: of all the calls above."""
    await all_in_the_log(site)
