"""Each crossing of the threshold is told once, by whichever process notices it, and never because of a hold."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from sqlalchemy import delete, insert, select, update

from one_api.options import DEFAULTS
from one_api.store.engine import Database
from one_api.store.schema import holds, marks, users
from tests.harness.lookingafter import LookingAfter, looking_after

pytestmark = pytest.mark.anyio

OPTIONS = replace(DEFAULTS, quota_remind_threshold=1000, server_address="https://gw.example")


async def user(store: Database, number: int, quota: int, *, used: int = 0, email: str | None = "u@example.com") -> None:
    async with store.write() as tx:
        row = {"id": number, "username": f"u{number}", "password": "", "email": email}
        row |= {"aff_code": f"a{number}", "access_token": f"t{number}"}
        await tx.execute(insert(users).values(**row, quota=quota, used_quota=used))


async def spend(store: Database, after: LookingAfter, number: int, quota: int) -> list[str]:
    """Leave him with that much, and tell what he was written meanwhile."""
    seen = len(await after.read())
    async with store.write() as tx:
        him = update(users).where(users.c.id == number)
        await tx.execute(him.values(used_quota=users.c.quota + users.c.used_quota - quota))
        await tx.execute(him.values(quota=quota))
    after.upkeep.reminders.spent(number)
    await after.upkeep.reminders.look()
    return [short(content) for _, _, content in (await after.read())[seen:]]


def short(content: str) -> str:
    return "empty" if "已用尽" in content else "low" if "即将用尽" in content else content


async def test_each_crossing_is_told_once(store: Database) -> None:
    async with looking_after(store, options=lambda: OPTIONS) as after:
        await user(store, 7, 5000)
        assert await spend(store, after, 7, 1000) == []
        assert await spend(store, after, 7, 999) == ["low"]
        assert await spend(store, after, 7, 400) == []
        assert await spend(store, after, 7, 0) == ["empty"]
        assert await spend(store, after, 7, 0) == []
        assert after.letters.sent[0][:2] == ("u@example.com", "额度提醒")
        assert "<strong>999</strong>" in after.letters.sent[0][2]


async def test_after_a_top_up_it_is_told_again(store: Database) -> None:
    async with looking_after(store, options=lambda: OPTIONS) as after:
        await user(store, 7, 5000)
        assert await spend(store, after, 7, 0) == ["empty"]
        assert await spend(store, after, 7, 500) == []  # a little: still low, and that is no news
        assert await spend(store, after, 7, 0) == ["empty"]
        assert await spend(store, after, 7, 3000) == []
        assert await spend(store, after, 7, 900) == ["low"]
        assert await spend(store, after, 7, -5) == ["empty"]


async def test_what_running_calls_hold_is_not_spent(store: Database) -> None:
    async with looking_after(store, options=lambda: OPTIONS) as after:
        await user(store, 7, 5000)
        async with store.write() as tx:
            await tx.execute(insert(holds).values(request_id="r", user_id=7, token_id=1, quota=4500))
        assert await spend(store, after, 7, 0) == []
        async with store.write() as tx:
            await tx.execute(delete(holds))
        assert await spend(store, after, 7, 0) == ["empty"]


async def test_who_never_had_that_much_has_not_fallen_below_it(store: Database) -> None:
    async with looking_after(store, options=lambda: OPTIONS) as after:
        await user(store, 7, 500)
        assert await spend(store, after, 7, 300) == []
        assert await spend(store, after, 7, 0) == ["empty"]


async def test_who_has_no_address_is_not_told(store: Database) -> None:
    async with looking_after(store, options=lambda: OPTIONS) as after:
        await user(store, 7, 5000, email="")
        await user(store, 8, 5000, email=None)
        assert await spend(store, after, 7, 0) == []
        assert await spend(store, after, 8, 0) == []
        async with store.read() as tx:
            assert (await tx.execute(select(marks.c.name))).all() == []


async def test_of_several_processes_one_tells(store: Database) -> None:
    await user(store, 7, 0, used=5000)
    async with AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(looking_after(store, options=lambda: OPTIONS)) for _ in range(4)]
        for node in nodes:
            node.upkeep.reminders.spent(7)
        await asyncio.gather(*(node.upkeep.reminders.look() for node in nodes))
        assert sum([len(await node.read()) for node in nodes]) == 1


async def test_many_are_looked_at_and_the_last_ones_at_the_end(store: Database) -> None:
    async with store.write() as tx:
        many = [
            {"id": n, "username": f"u{n}", "password": "", "email": f"u{n}@example.com", "quota": n % 2 * 5000}
            | {"aff_code": f"a{n}", "access_token": f"t{n}", "used_quota": 5000}
            for n in range(1, 1101)
        ]
        await tx.execute(insert(users), many)
    async with looking_after(store, options=lambda: OPTIONS) as after:
        for number in range(1, 1101):
            after.upkeep.reminders.spent(number)
    assert sorted(address for address, _, _ in after.letters.sent) == sorted(
        f"u{n}@example.com" for n in range(2, 1101, 2)
    )
