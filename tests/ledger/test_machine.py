"""Whatever happens in whatever order, money is neither made nor lost: a state machine on each database.

Holds, settles (twice too), releases, checkpoints, grants, token edits, disabled users, broken connections at any
statement, processes that vanish, and the sweep after them.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy.ext.asyncio import create_async_engine

from one_api.ledger import Facts, Hold, HoldRequest, Ledger
from one_api.ledger.model import Checkpoint, Grant, Operation, Settle, TokenQuota
from one_api.ledger.mover import Mover
from one_api.ledger.sweep import sweep
from one_api.store.schema import metadata
from tests.harness.servers import Database
from tests.ledger.faults import Desk, Faults, When, faulty
from tests.ledger.world import World, audit

USERS = (1, 2)
TOKENS = {11: (1, False), 12: (2, False), 13: (1, True)}
LIMITED = (11, 12)

small = st.integers(0, 120)


class Machine(RuleBasedStateMachine):
    """The model is a few dictionaries: what was granted, what is held, what was charged."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.world = World(url, create_async_engine(url))
        self.faults = Faults()
        self.granted = Counter(dict.fromkeys(USERS, 300))
        self.limits = Counter(dict.fromkeys(LIMITED, 200))
        self.open: dict[str, Hold] = {}
        self.checkpoints: dict[str, int] = {}
        self.settled: list[Hold] = []
        self.charged: dict[str, int] = {}
        self.names = 0
        self.run(self.seed())
        self.desk = self.new_process()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(coroutine)

    async def seed(self) -> None:
        await self.world.clear()
        for user in USERS:
            await self.world.add_user(user, 300)
        for token, (user, unlimited) in TOKENS.items():
            await self.world.add_token(token, user, 0 if unlimited else 200, unlimited_quota=unlimited)
        await self.world.add_channel(1)

    def new_process(self) -> Desk:
        ledger = Ledger.open(self.world.url)
        self.shared = ledger.lease is not None
        if ledger.lock is not None:
            ledger.lock.close()
        ledger.book.connect = faulty(ledger.book.connect, self.faults)
        self.mover = Mover()
        return Desk(ledger.book)

    def teardown(self) -> None:
        self.faults.countdown = None
        self.run(self.desk.book.close())
        self.run(self.world.engine.dispose())
        self.runner.close()

    @rule(number=st.integers(0, 12), when=st.sampled_from(["before", "after"]))
    def break_connection(self, number: int, when: When) -> None:
        self.faults.strike(number, when)

    @rule(
        wishes=st.lists(st.tuples(st.sampled_from(sorted(TOKENS)), small, small), max_size=5),
        closings=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 150), st.booleans()), max_size=5),
        again=st.integers(0, 7),
    )
    def batch(self, wishes: list[tuple[int, int, int]], closings: list[tuple[int, int, bool]], again: int) -> None:
        """Holds and settles in one transaction; settles of the open, and one of a hold settled before."""
        operations: list[Operation] = []
        for token, least, more in wishes:
            self.names += 1
            operations.append(
                HoldRequest(
                    request_id=f"call{self.names}",
                    user_id=TOKENS[token][0],
                    token_id=token,
                    unlimited=False,
                    least=least,
                    most=least + more,
                )
            )
        holds = list(self.open.values())
        for index, cost, logged in closings:
            if index < len(holds):
                operations.append(Settle(holds[index], cost, Facts(logged=logged, channel_id=1)))
        if again < len(self.settled):
            operations.append(Settle(self.settled[again], 50, Facts()))
        if operations:
            self.book(operations, self.run(self.desk.write(*operations)))

    def book(self, operations: list[Operation], results: list[Any]) -> None:
        for operation, result in zip(operations, results, strict=True):
            match operation, result:
                case HoldRequest(), Hold():
                    assert operation.least <= result.quota <= operation.most
                    self.open[result.request_id] = result
                case Settle(hold=hold), _:
                    assert result is (hold.request_id in self.open), "settled twice, or not at all"
                    if result:
                        self.close(hold, operation.cost)

    def close(self, hold: Hold, cost: int) -> None:
        del self.open[hold.request_id]
        self.settled.append(hold)
        self.charged[hold.request_id] = cost

    @rule(index=st.integers(0, 7), cost=small)
    def checkpoint(self, index: int, cost: int) -> None:
        if index < len(self.open):
            name = list(self.open)[index]
            self.run(self.desk.write(Checkpoint(name, cost)))
            self.checkpoints[name] = cost

    @rule(user=st.sampled_from(USERS), amount=st.integers(-100, 100), key=st.sampled_from("abcdef"))
    def grant(self, user: int, amount: int, key: str) -> None:
        before = self.run(self.world.user(user))[0]
        (done,) = self.run(self.desk.write(Grant(user_id=user, amount=amount, kind="topup", key=key, facts=Facts())))
        if done:
            self.granted[user] += max(amount, -before)

    @rule(token=st.sampled_from(LIMITED), remain=small)
    def edit_token(self, token: int, remain: int) -> None:
        before = self.run(self.world.token(token))[0]
        assert self.run(self.desk.write(TokenQuota(token_id=token, remain_quota=remain, unlimited=False))) == [True]
        self.limits[token] += remain - before

    @rule(user=st.sampled_from(USERS), status=st.sampled_from([1, 2]))
    def switch_user(self, user: int, status: int) -> None:
        self.run(self.world.change("update users set status = :status where id = :id", status=status, id=user))

    @rule()
    def move(self) -> None:
        self.faults.countdown = None
        self.run(self.move_all())

    async def move_all(self) -> None:
        while await self.mover.step(self.desk.book):
            pass

    @rule()
    def crash(self) -> None:
        """The process is gone with its connection; another one comes up and settles what was open, twice to be sure."""
        self.faults.countdown = None
        self.run(self.desk.book.close())
        self.run(self.world.change("update leases set until = 0"))
        self.desk = self.new_process()
        recovered = [self.run(sweep(self.desk.book, alone=not self.shared)) for _ in range(2)]
        assert recovered == [len(self.open), 0]
        for hold in list(self.open.values()):
            self.close(hold, min(self.checkpoints.get(hold.request_id, 0), hold.quota))

    @invariant()
    def adds_up(self) -> None:
        self.run(self.check())

    async def check(self) -> None:
        world = self.world
        users = await world.rows("select id, quota, used_quota from users")
        tokens = await world.rows("select id, remain_quota, used_quota from tokens")
        finals = await world.rows("select request_id, user_id, token_id, quota, short from ledger where kind = 'final'")
        holds = await world.rows("select request_id, user_id, token_id, quota, unlimited from holds")
        assert {row["request_id"] for row in holds} == set(self.open)
        assert all(self.charged[row["request_id"]] == row["quota"] + row["short"] for row in finals)
        assert min(row["quota"] for row in users) >= 0
        assert min(row["remain_quota"] for row in tokens if row["id"] in LIMITED) >= 0
        for key, rows, column, grants in (
            ("user_id", users, "quota", self.granted),
            ("token_id", tokens, "remain_quota", self.limits),
        ):
            used = Counter[int]()
            for row in finals:
                used[row[key]] += row["quota"]
            assert all(used[row["id"]] == row["used_quota"] for row in rows)
            left = {row["id"]: row[column] for row in rows if row["id"] in grants}
            assert (
                audit(
                    left,
                    grants,
                    [(row[key], row["quota"]) for row in finals],
                    [(row[key], row["quota"]) for row in holds],
                )
                == {}
            )


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
def test_money_is_neither_made_nor_lost(database: Database, anyio_backend: str) -> None:
    asyncio.run(create(database.url))
    examples = 40 if database.kind == "sqlite" else 12
    quiet = [HealthCheck.too_slow, HealthCheck.data_too_large]
    run_state_machine_as_test(
        lambda: Machine(database.url),  # type: ignore[arg-type]  # any factory will do
        settings=settings(max_examples=examples, stateful_step_count=20, deadline=None, suppress_health_check=quiet),
    )


async def create(url: str) -> None:
    engine = create_async_engine(url)
    async with engine.begin() as tx:
        await tx.run_sync(metadata.create_all)
    await engine.dispose()
