import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from sqlalchemy import insert, select, update

from one_api.accounts.cache import Accounts, Caller
from one_api.errors import AccessDenied, TokenRefused, Unavailable
from one_api.store.engine import Database
from one_api.store.schema import generations, tokens, users

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000
KEY = "AbC0" * 12


@dataclass(slots=True)
class Counting:
    """A database that counts how often it is read, and may stop a reader in the middle or fail."""

    database: Database
    reads: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    down: bool = False

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Any]:
        self.reads += 1
        self.entered.set()
        if self.down:
            raise Unavailable("the database does not answer")
        async with self.database.read() as tx:
            yield tx
        await self.gate.wait()

    def write(self) -> Any:
        return self.database.write()


@dataclass(slots=True)
class Clock:
    now: float = NOW

    def __call__(self) -> float:
        return self.now


async def add(store: Database, *, key: str = KEY, user: str = "alice", **token: Any) -> None:
    async with store.write() as tx:
        found = (await tx.execute(select(users.c.id).where(users.c.username == user))).scalar()
        if found is None:
            made = await tx.execute(insert(users).values(username=user, password="", role=1, status=1, aff_code=user))
            found = made.inserted_primary_key[0] if made.inserted_primary_key else 0
        values = {"user_id": found, "key": key, "status": 1, "name": "t", "expired_time": -1, "remain_quota": 10}
        await tx.execute(insert(tokens).values(**values | token))


async def change(store: Database, statement: Any) -> None:
    async with store.write() as tx:
        await tx.execute(statement)


async def token_status(store: Database) -> int:
    async with store.read() as tx:
        return int((await tx.execute(select(tokens.c.status))).scalar_one())


def opened(store: Database, clock: Clock | None = None, **kinds: Any) -> tuple[Accounts, Counting]:
    counting = Counting(store)
    counting.gate.set()
    return Accounts(cast("Database", counting), clock=clock or Clock(), **kinds), counting


async def test_a_caller_is_found_and_then_known_without_a_query(store: Database) -> None:
    await add(store, models="gpt-4,gpt-4o", subnet="10.0.0.0/8")
    accounts, counting = opened(store)
    assert accounts.known(KEY) is None
    caller = await accounts.find(KEY, NOW)
    assert (caller.username, caller.models, caller.subnet, caller.group) == (
        "alice",
        ("gpt-4", "gpt-4o"),
        "10.0.0.0/8",
        "default",
    )
    assert accounts.known(KEY) is caller
    assert counting.reads == 1


@pytest.mark.parametrize("key", ["aBc0" * 12, "AbC0" * 11, KEY + " ", "nope", "ключ", "x" * 300, "a\0b", "%"])
async def test_a_key_is_compared_byte_for_byte(store: Database, key: str) -> None:
    await add(store)
    accounts, _ = opened(store)
    with pytest.raises(TokenRefused, match="无效的令牌"):
        await accounts.find(key, NOW)
    assert accounts.known(key) is None


async def test_a_short_key_is_found_where_the_column_is_padded(store: Database) -> None:
    await add(store, key="shortkey")
    accounts, _ = opened(store)
    assert (await accounts.find("shortkey", NOW)).key == "shortkey"


async def test_an_expired_token_is_refused_and_written_as_expired(store: Database) -> None:
    await add(store, expired_time=NOW - 1)
    accounts, _ = opened(store)
    with pytest.raises(TokenRefused, match="该令牌已过期"):
        await accounts.find(KEY, NOW)
    assert await token_status(store) == 3
    async with store.read() as tx:
        assert (await tx.execute(select(generations.c.topic))).scalars().all() == ["token:1"]


async def test_an_exhausted_token_is_refused_and_written_as_exhausted(store: Database) -> None:
    await add(store, remain_quota=0)
    accounts, _ = opened(store)
    with pytest.raises(TokenRefused, match="该令牌额度已用尽"):
        await accounts.find(KEY, NOW)
    assert await token_status(store) == 4
    with pytest.raises(TokenRefused, match="令牌 t（#1）额度已用尽"):
        await accounts.find(KEY, NOW)


async def test_an_unlimited_token_is_not_exhausted(store: Database) -> None:
    await add(store, remain_quota=-1, unlimited_quota=True)
    accounts, _ = opened(store)
    assert (await accounts.find(KEY, NOW)).unlimited
    assert await token_status(store) == 1


async def test_a_banned_users_token_is_denied(store: Database) -> None:
    await add(store)
    await change(store, update(users).values(status=2))
    accounts, _ = opened(store)
    with pytest.raises(AccessDenied, match="用户已被封禁"):
        await accounts.find(KEY, NOW)


async def test_a_known_caller_ends_with_his_tokens_expiry(store: Database) -> None:
    await add(store, expired_time=NOW + 10)
    clock = Clock()
    accounts, _ = opened(store, clock)
    await accounts.find(KEY, NOW)
    clock.now = NOW + 10.9
    assert accounts.known(KEY) is not None
    clock.now = NOW + 11
    assert accounts.known(KEY) is None


async def test_a_known_caller_ends_after_a_minute(store: Database) -> None:
    await add(store)
    clock = Clock()
    accounts, _ = opened(store, clock)
    await accounts.find(KEY, NOW)
    clock.now = NOW + 60
    assert accounts.known(KEY) is None


@pytest.mark.parametrize("topic", ["token:1", "user:1"])
async def test_a_topic_evicts_who_it_is_about(store: Database, topic: str) -> None:
    await add(store)
    await add(store, key="B" * 48, user="bob")
    accounts, _ = opened(store)
    await accounts.find(KEY, NOW)
    await accounts.find("B" * 48, NOW)
    accounts.evict(topic)
    assert accounts.known(KEY) is None
    assert accounts.known("B" * 48) is not None
    accounts.evict("user:999")
    accounts.evict("routes")
    assert len(accounts) == 1


async def test_a_user_topic_evicts_all_his_tokens(store: Database) -> None:
    await add(store)
    await add(store, key="C" * 48)
    accounts, _ = opened(store)
    await accounts.find(KEY, NOW)
    await accounts.find("C" * 48, NOW)
    accounts.evict("user:1")
    assert len(accounts) == 0


async def test_what_was_read_before_an_eviction_is_not_remembered(store: Database) -> None:
    await add(store)
    accounts, counting = opened(store)
    counting.gate.clear()
    loading = asyncio.create_task(accounts.find(KEY, NOW))
    await counting.entered.wait()
    accounts.evict("token:1")
    counting.gate.set()
    assert (await loading).token_id == 1
    assert accounts.known(KEY) is None


async def test_a_hundred_callers_of_one_key_cost_one_query(store: Database) -> None:
    await add(store)
    accounts, counting = opened(store)
    found = await asyncio.gather(*(accounts.find(KEY, NOW) for _ in range(100)))
    assert counting.reads == 1
    assert len({id(caller) for caller in found}) == 1


async def test_callers_of_many_keys_share_queries_and_each_gets_his_own_answer(store: Database) -> None:
    keys = [f"{number:048d}" for number in range(300)]
    for number, key in enumerate(keys[:60]):
        await add(store, key=key, user=f"u{number % 7}", name=key, status=2 if number == 5 else 1)
    accounts, counting = opened(store)
    found = await asyncio.gather(*(accounts.find(key, NOW) for key in keys), return_exceptions=True)
    assert counting.reads <= 4
    for number, (key, caller) in enumerate(zip(keys, found, strict=True)):
        if number < 60 and number != 5:
            assert isinstance(caller, Caller)
            assert (caller.key, caller.token_name, caller.username) == (key, key, f"u{number % 7}")
        else:
            assert isinstance(caller, TokenRefused)


async def test_a_query_that_fails_is_not_the_end(store: Database) -> None:
    await add(store)
    accounts, counting = opened(store)
    counting.down = True
    found = await asyncio.gather(*(accounts.find(letter * 48, NOW) for letter in "xyz"), return_exceptions=True)
    assert all(isinstance(each, Unavailable) for each in found)
    counting.down = False
    assert (await accounts.find(KEY, NOW)).token_id == 1


async def test_who_leaves_does_not_take_the_others_answer_with_him(store: Database) -> None:
    await add(store)
    accounts, counting = opened(store)
    counting.gate.clear()
    first = asyncio.create_task(accounts.find(KEY, NOW))
    second = asyncio.create_task(accounts.find(KEY, NOW))
    await counting.entered.wait()
    first.cancel()
    counting.gate.set()
    assert (await second).token_id == 1


async def test_wrong_keys_are_not_remembered(store: Database) -> None:
    accounts, counting = opened(store)
    for _ in range(3):
        with pytest.raises(TokenRefused):
            await accounts.find(KEY, NOW)
    assert counting.reads == 3
    await add(store)
    assert (await accounts.find(KEY, NOW)).token_id == 1


async def test_a_full_cache_forgets_the_one_loaded_longest_ago(store: Database) -> None:
    for letter in "abc":
        await add(store, key=letter * 48, user=letter)
    accounts, _ = opened(store, most=2)
    for letter in "abc":
        await accounts.find(letter * 48, NOW)
    assert [accounts.known(letter * 48) is not None for letter in "abc"] == [False, True, True]


async def test_without_a_database_nobody_new_is_judged(store: Database) -> None:
    await add(store)
    accounts, counting = opened(store)
    caller = await accounts.find(KEY, NOW)
    counting.down = True
    assert accounts.known(KEY) is caller
    with pytest.raises(Unavailable, match="令牌验证失败"):
        await accounts.find("z" * 48, NOW)


async def test_balances_are_read_at_the_moment(store: Database) -> None:
    await add(store, used_quota=5)
    accounts, _ = opened(store)
    caller = await accounts.find(KEY, NOW)
    await change(store, update(users).values(quota=77, used_quota=8))
    balance = await accounts.balance(caller)
    assert (balance.token_remain, balance.token_used, balance.user_quota, balance.user_used) == (10, 5, 77, 8)
