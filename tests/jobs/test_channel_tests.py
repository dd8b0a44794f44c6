"""Tests of channels against a scripted upstream: what is asked, said, saved, and done about it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from one_api.channels import queries
from one_api.channels.rules import Refused, Wish
from one_api.options import DEFAULTS
from one_api.store.engine import Database
from one_api.store.schema import channels, logs
from tests.harness import scripted
from tests.harness.lookingafter import LookingAfter, looking_after
from tests.harness.scripted import Turn, Upstream, completion, replies

pytestmark = pytest.mark.anyio

PROMPT = "Output only your specific model name with no additional text."
NOW = 1_795_487_000
AUTOMATIC = replace(
    DEFAULTS,
    automatic_disable_channel_enabled=True,
    automatic_enable_channel_enabled=True,
    channel_disable_threshold=0.0,
)


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with scripted.serve() as serving:
        yield serving


async def channel(store: Database, upstream: Upstream, name: str = "main", **more: Any) -> int:
    wish = {"type": 1, "key": f"sk-up-{name}", "models": "gpt-3.5-turbo,gpt-4o", **more}
    made = await queries.create(store, Wish(name=name, base_url=upstream.at(name), **wish), now=NOW)
    return made[0]


async def row(store: Database, number: int) -> dict[str, Any]:
    async with store.read() as tx:
        found = (await tx.execute(select(channels).where(channels.c.id == number))).mappings().one()
        return dict(found)


async def log_rows(store: Database) -> list[dict[str, Any]]:
    async with store.read() as tx:
        return [dict(each) for each in (await tx.execute(select(logs).order_by(logs.c.id))).mappings()]


@asynccontextmanager
async def automatic(store: Database, **changed: Any) -> AsyncIterator[LookingAfter]:
    async with looking_after(store, options=lambda: AUTOMATIC, clock=lambda: NOW + 5.0, **changed) as after:
        yield after


async def everything(after: LookingAfter, scope: str = "all") -> None:
    """Begin a test of many, and wait for its end."""
    assert await after.upkeep.tests.begin(scope, request_id="r1")
    await after.upkeep.tests.settled()


async def test_a_channel_that_works(store: Database, upstream: Upstream) -> None:
    number = await channel(store, upstream)
    upstream.scripts["main"] = replies(200, completion("I am gpt", usage=scripted.tokens(11, 3)))
    async with automatic(store) as after:
        found = await after.upkeep.tests.test(number, "", request_id="r1")
    assert (found.passed, found.text, found.model) == (True, "I am gpt", "gpt-3.5-turbo")
    (request,) = upstream.received
    assert (request.method, request.target) == ("POST", "/main/v1/chat/completions")
    assert request.json() == {"messages": [{"role": "user", "content": PROMPT}], "model": "gpt-3.5-turbo"}
    assert request.header("authorization") == "Bearer sk-up-main"
    saved = await row(store, number)
    assert (saved["response_time"], saved["test_time"]) == (found.elapsed_ms, NOW + 5)
    (entry,) = await log_rows(store)
    shown = ("type", "user_id", "username", "content", "model_name", "channel_id", "quota", "request_id", "created_at")
    assert [entry[name] for name in shown] == [
        5, 0, "", "渠道 main 测试成功，响应：I am gpt", "gpt-3.5-turbo", number, 0, "r1", NOW + 5,
    ]  # fmt: skip
    assert entry["elapsed_time"] == found.elapsed_ms


@pytest.mark.parametrize(
    "models, mapping, asked, sent",
    [
        ("gpt-3.5-turbo,gpt-4o", "", "gpt-4o", "gpt-4o"),
        ("gpt-3.5-turbo,gpt-4o", "", "claude-x", "gpt-3.5-turbo"),
        ("gpt-4o,other", "", "", "gpt-4o"),
        ("gpt-4o,other", "", "pt-4", "gpt-4o"),
        ("gpt-3.5-turbo", '{"gpt-3.5-turbo":"gpt-4"}', "", "gpt-4"),
        ("", "", "", "gpt-3.5-turbo"),
        ("", "", "my-model", "my-model"),
    ],
)
async def test_which_model_is_asked_for(
    store: Database, upstream: Upstream, models: str, mapping: str, asked: str, sent: str
) -> None:
    number = await channel(store, upstream, models=models, model_mapping=mapping, system_prompt="be brief")
    upstream.scripts["main"] = replies(200, completion())
    async with automatic(store) as after:
        found = await after.upkeep.tests.test(number, asked, request_id="r1")
    body = upstream.received[0].json()
    assert (body["model"], found.model) == (sent, sent)
    assert [message["role"] for message in body["messages"]] == ["user"]


OK = b'{"choices":[{"message":{"content":null}}],"usage":{}}'


@pytest.mark.parametrize(
    "status, body, message",
    [
        (401, b'{"error":{"message":"bad sk-up-main key"}}', "http status code: 401, error message: bad *** key"),
        (429, b'{"error":{"message":"slow down"}}', "http status code: 429, error message: slow down"),
        (500, b"boom", "http status code: 500"),
        (502, b'{"detail":"x"}', "http status code: 502, error message: bad response status code 502"),
        (200, b'{"id":"x","choices":[]}', "response has no choices"),
        (200, b"{}", "response has no choices"),
        (200, b'{"choices":[5]}', "response content is not string"),
        (200, OK, "response content is not string"),
        (200, b"hello", "invalid character 'h' looking for beginning of value"),
        (200, b'{"error":{"message":"bad","type":"server_error"}}', "bad"),
    ],
)
async def test_what_is_said_of_a_failure(
    store: Database, upstream: Upstream, status: int, body: bytes, message: str
) -> None:
    number = await channel(store, upstream)
    upstream.scripts["main"] = replies(status, body)
    async with automatic(store) as after:
        found = await after.upkeep.tests.test(number, "", request_id="r1")
        assert (found.passed, found.text) == (False, message)
        assert (await row(store, number))["response_time"] == 0
        assert [entry["content"] for entry in await log_rows(store)] == [f"渠道 main 测试失败，错误：{message}"]
        # A single test only tells.
        assert (await row(store, number))["status"] == 1
        assert await after.read() == []


async def test_a_model_that_repeats_the_key_shows_it_to_nobody(store: Database, upstream: Upstream) -> None:
    number = await channel(store, upstream)
    upstream.scripts["main"] = replies(200, completion("you sent sk-up-main\0"))
    async with automatic(store) as after:
        found = await after.upkeep.tests.test(number, "", request_id="r1")
    assert found.text == "you sent ***"
    assert "sk-up-main" not in str(await log_rows(store))


async def test_an_unknown_channel_and_one_nobody_reaches(store: Database, upstream: Upstream) -> None:
    closed = await queries.create(store, Wish(type=1, key="k", base_url="http://127.0.0.1:1", models="m"), now=NOW)
    async with automatic(store) as after:
        with pytest.raises(Refused, match="record not found"):
            await after.upkeep.tests.test(9999, "", request_id="r1")
        found = await after.upkeep.tests.test(closed[0], "", request_id="r1")
    assert (found.passed, found.text) == (False, "do request failed: the upstream cannot be reached")


async def test_all_are_tested_one_after_another_and_root_is_told(store: Database, upstream: Upstream) -> None:
    names = ["a", "b", "c"]
    for name in names:
        await channel(store, upstream, name)
        upstream.scripts[name] = replies(200, completion())
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async with automatic(store, pause_s=3.0, sleep=sleep) as after:
        await everything(after)
        progress = await after.upkeep.tests.progress()
        assert (progress.running, progress.total, progress.done, progress.failed) == (False, 3, 3, 0)
        assert progress.began == NOW + 5
        assert [subject for _, subject, _ in await after.read()] == ["渠道测试完成"]
    assert [request.name for request in upstream.received] == ["c", "b", "a"]
    assert pauses == [3.0, 3.0]


async def test_a_periodic_test_writes_no_letter(store: Database, upstream: Upstream) -> None:
    await channel(store, upstream)
    upstream.scripts["main"] = replies(200, completion())
    async with automatic(store) as after:
        await after.upkeep.tests.run()
        assert await after.read() == []
    assert [entry["request_id"] for entry in await log_rows(store)] == ["periodic"]


async def test_while_one_runs_no_other_begins_on_any_node(store: Database, upstream: Upstream) -> None:
    await channel(store, upstream)
    async with automatic(store) as first, automatic(store) as second:
        tests = [first.upkeep.tests, second.upkeep.tests]
        begun = await asyncio.gather(*(each.begin("all", request_id="r1") for each in tests * 3))
        assert sum(begun) == 1
        turn = await upstream.turn()
        progress = await second.upkeep.tests.progress()
        assert (progress.running, progress.total, progress.done) == (True, 1, 0)
        await tests[1].run()  # the job of a node finds it running, and leaves it alone
        await turn.reply(200, completion())
        for each in tests:
            await each.settled()
        assert not (await second.upkeep.tests.progress()).running
        assert await tests[1].begin("none", request_id="r2")
    assert len(upstream.received) == 1


async def test_the_end_of_the_process_cuts_a_test_off_and_frees_the_next(store: Database, upstream: Upstream) -> None:
    number = await channel(store, upstream)
    async with automatic(store) as first:
        assert await first.upkeep.tests.begin("all", request_id="r1")
        turn = await upstream.turn()
    await turn.left()
    assert not (await row(store, number))["test_time"]
    upstream.scripts["main"] = replies(200, completion())
    async with automatic(store) as second:
        await everything(second)
    assert (await row(store, number))["test_time"] == NOW + 5


async def test_a_finished_account_is_disabled_and_a_healthy_one_comes_back(store: Database, upstream: Upstream) -> None:
    dead = await channel(store, upstream, "dead")
    back = await channel(store, upstream, "back")
    by_hand = await channel(store, upstream, "hand", status=2)
    sick = await channel(store, upstream, "sick")
    await queries.disable(store, back, "before")
    upstream.scripts |= {name: replies(200, completion()) for name in ("back", "hand")}
    upstream.scripts["dead"] = replies(401, b'{"error":{"message":"key sk-up-dead <b>gone</b>"}}')
    upstream.scripts["sick"] = replies(500, b'{"error":{"message":"the word credit"}}')
    async with automatic(store) as after:
        await everything(after)
        await after.read()
        assert after.letters.subjects == ["渠道状态变更提醒", "渠道状态变更提醒", "渠道测试完成"]
        disabled = next(content for _, _, content in after.letters.sent if "已被禁用" in content)
    assert [(await row(store, number))["status"] for number in (dead, back, by_hand, sick)] == [3, 1, 2, 1]
    assert f"渠道「dead」（#{dead}）" in disabled
    assert "&lt;b&gt;gone&lt;/b&gt;" in disabled
    assert "sk-up-dead" not in disabled


async def test_only_the_disabled(store: Database, upstream: Upstream) -> None:
    await channel(store, upstream, "on")
    await channel(store, upstream, "hand", status=2)
    tired = await channel(store, upstream, "tired")
    await queries.disable(store, tired, "before")
    upstream.scripts |= {name: replies(200, completion()) for name in ("on", "hand", "tired")}
    async with automatic(store) as after:
        await everything(after, "disabled")
    assert [request.name for request in upstream.received] == ["tired", "hand"]


async def slow(turn: Turn) -> None:
    await asyncio.sleep(0.03)  # it is slow
    await turn.reply(200, completion())


@pytest.mark.parametrize("disable, status", [(True, 3), (False, 1)])
async def test_a_slow_channel(store: Database, upstream: Upstream, *, disable: bool, status: int) -> None:
    number = await channel(store, upstream)
    upstream.scripts["main"] = slow
    options = replace(AUTOMATIC, automatic_disable_channel_enabled=disable, channel_disable_threshold=0.02)
    async with looking_after(store, options=lambda: options) as after:
        await everything(after)
        (receiver, subject, content), finished = await after.read()
    saved = await row(store, number)
    assert saved["status"] == status
    assert saved["response_time"] >= 20
    assert (receiver, finished[0]) == ("" if disable else "everywhere", "everywhere")
    assert subject == ("渠道状态变更提醒" if disable else f"渠道 main （{number}）测试超时")
    assert f"响应时间 {saved['response_time'] / 1000:.2f}s 超过阈值 0.02s" in content


async def test_nothing_is_disabled_or_enabled_unless_the_options_say_so(store: Database, upstream: Upstream) -> None:
    dead = await channel(store, upstream, "dead")
    back = await channel(store, upstream, "back")
    await queries.disable(store, back, "before")
    upstream.scripts |= {"back": replies(200, completion()), "dead": replies(401, b"{}")}
    async with looking_after(store) as after:
        await everything(after)
        assert [subject for _, subject, _ in await after.read()] == ["渠道测试完成"]
    assert [(await row(store, number))["status"] for number in (dead, back)] == [1, 3]
