"""The database is slow, locked, gone, or breaks in the middle; and what a call costs it when all is well."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import text

from one_api.errors import OneAPIError, QuotaExceeded, Unavailable
from one_api.ledger import Facts, Hold, Ledger
from one_api.ledger.book import Book
from one_api.ledger.connection import Connection, TroubleError
from one_api.ledger.decide import Decision, Stamp, State, decide
from one_api.ledger.model import Operation, Settle
from one_api.ledger.writer import Writer
from tests.harness.servers import Database
from tests.ledger.faults import Desk, Faults, When, faulty
from tests.ledger.test_machine import Machine, create
from tests.ledger.world import World, request

pytestmark = pytest.mark.anyio

DONE = Facts(channel_id=1, source="reported")


def desk(books: World, faults: Faults) -> Desk:
    """A writer whose connection breaks on command."""
    ledger = Ledger.open(books.url)
    if ledger.lock is not None:
        ledger.lock.close()
    ledger.book.connect = faulty(ledger.book.connect, faults)
    return Desk(ledger.book)


async def test_a_release_whose_commit_is_unknown_happens_once(books: World) -> None:
    await books.add_user()
    await books.add_token()
    faults = Faults()
    writer = desk(books, faults)
    for when in ("before", "after"):
        (hold,) = await writer.write(request(when))
        faults.log.clear()
        faults.strike(6, when)  # begin, two reads, two updates, a delete, and then the commit
        assert await writer.write(Settle(hold, 0, Facts(logged=False))) == [True]
        assert faults.log[6] == "commit"
        assert (await books.user())[0] == 1000
    await writer.book.close()


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_connection_that_breaks_at_any_statement_changes_nothing_about_the_outcome(
    books: World, when: When
) -> None:
    """Above all during COMMIT, when nobody can know without looking."""
    await books.add_user(quota=10_000)
    await books.add_token(remain=10_000)
    faults = Faults()
    writer = desk(books, faults)
    for number in range(14):
        faults.strike(number, when)
        (hold,) = await writer.write(request(f"call{number}", most=100))
        assert isinstance(hold, Hold)
        faults.strike(number, when)
        assert await writer.write(Settle(hold, 30, DONE)) == [True]
        faults.countdown = None
        assert (await books.user())[:2] == (10_000 - 30 * (number + 1), 30 * (number + 1))
        assert await books.token() == (10_000 - 30 * (number + 1), 30 * (number + 1))
    assert faults.struck >= 14
    assert await books.rows("select * from holds") == []
    await writer.book.close()


async def test_one_hold_is_one_transaction_and_so_is_one_settle(books: World) -> None:
    await books.add_user()
    await books.add_token()
    faults = Faults()
    writer = desk(books, faults)
    (first,) = await writer.write(request("warm up"))
    faults.log.clear()
    second, third = await writer.write(request("second"), request("third"))
    update = ["begin", "select users", "select tokens", "update users", "update tokens"]
    assert faults.log == [*update, *["insert holds"] * (len(faults.log) - 6), "commit"]
    faults.log.clear()
    assert await writer.write(*[Settle(hold, 1, DONE) for hold in (first, second, third)]) == [True] * 3
    assert faults.log == [*update, "delete holds", *["insert ledger"] * (len(faults.log) - 7), "commit"]
    await writer.book.close()


async def test_calls_of_one_turn_share_a_transaction(books: World) -> None:
    await books.add_user(quota=10_000)
    await books.add_token(remain=10_000)
    async with books.ledger() as ledger:
        await ledger.flush()
        before = ledger.writer.batches
        holds = await asyncio.gather(*[ledger.hold(request(f"call{number}")) for number in range(64)])
        assert before < ledger.writer.batches <= before + 2  # two, if it was busy when the first were queued
        await asyncio.gather(*[ledger.settle(hold, 1, DONE) for hold in holds])
        assert ledger.writer.batches <= before + 4


async def test_a_locked_database_refuses_holds_in_two_seconds_and_keeps_settles(file: World) -> None:
    await file.add_user()
    await file.add_token()
    async with file.ledger() as ledger:
        hold = await ledger.hold(request("early"))
        other = sqlite3.connect(file.engine.url.database or "", isolation_level=None)
        other.execute("begin immediate")
        settled = ledger.settle(hold, 10, DONE)
        start = ledger.loop.time()
        with pytest.raises(Unavailable):
            await ledger.hold(request("refused"))
        assert 1.0 <= ledger.loop.time() - start <= 2.6
        assert not settled.done()
        other.execute("rollback")
        other.close()
        assert await settled
        await ledger.hold(request("late"))
    assert await file.user() == (890, 10, 1)


async def test_a_server_that_is_gone_refuses_holds_and_settles_are_written_when_it_is_back(books: World) -> None:
    await books.add_user()
    await books.add_token()
    async with books.ledger() as ledger:
        hold = await ledger.hold(request("early"))
        connect, there = ledger.book.connect, threading.Event()

        async def reconnect() -> Connection:
            if not there.is_set():
                raise TroubleError("no answer")
            return await connect()

        async def cut(book: Book) -> None:
            await book.close()
            book.connect = reconnect

        await ledger.run(cut)
        settled = ledger.settle(hold, 10, DONE)
        with pytest.raises(Unavailable):
            await ledger.hold(request("refused"))
        assert not settled.done()
        there.set()
        assert await settled
    assert await books.user() == (990, 10, 1)
    assert await books.rows("select * from holds") == []


async def test_a_row_that_somebody_else_locks_delays_and_does_not_lose(books: World) -> None:
    """An administrator's transaction, or a console that was left open."""
    if books.engine.dialect.name == "sqlite":
        pytest.skip("SQLite locks the whole file, see above")
    await books.add_user()
    await books.add_token()
    async with books.ledger() as ledger:
        hold = await ledger.hold(request("early"))
        async with books.engine.begin() as tx:
            await tx.execute(text("select * from users where id = 1 for update"))
            settled = ledger.settle(hold, 10, DONE)
            with pytest.raises(Unavailable):
                await ledger.hold(request("refused"))
            await asyncio.sleep(2)  # beyond the limit of the lock's wait
            assert not settled.done()
        assert await settled
    assert await books.user() == (990, 10, 1)
    assert await books.rows("select * from holds") == []


async def test_closing_ends_though_the_database_does_not_come_back(file: World) -> None:
    await file.add_user()
    await file.add_token()
    ledger = Ledger.open(file.url)
    await ledger.start()
    hold = await ledger.hold(request())
    other = sqlite3.connect(file.engine.url.database or "", isolation_level=None)
    other.execute("begin immediate")
    settled = ledger.settle(hold, 10, DONE)
    await ledger.aclose(grace_s=0.2)
    with pytest.raises(Unavailable):
        await settled
    other.close()
    async with file.ledger():
        assert await file.user() == (1000, 0, 0), "the next process gives the hold back"


async def test_a_tick_writes_the_last_checkpoint_of_each_hold(books: World) -> None:
    await books.add_user()
    await books.add_token()
    async with books.ledger() as ledger:
        ledger.ticking.cancel()  # it is this test that ticks
        hold, other = await ledger.hold(request()), await ledger.hold(request("other"))
        for cost in range(1, 50):
            ledger.checkpoint(hold, cost)
        ledger.checkpoint(other, 3)
        await ledger.flush()
        assert await books.value("select sum(checkpoint) from holds") == 0
        before = ledger.writer.batches
        ledger.on_tick()
        ledger.ticking.cancel()
        async with asyncio.timeout(30):
            while ledger.writer.batches == before or ledger.writer.busy:  # noqa: ASYNC110  # the writer tells nobody
                await asyncio.sleep(0.01)
        assert await books.value("select sum(checkpoint) from holds") == 49 + 3
        assert ledger.writer.batches == before + 1, "one for all of them"
        ledger.checkpoint(hold, 77)
        assert await ledger.settle(hold, 5, DONE)
        assert ledger.notes == {}


# Mutants: the ledger with one mistake each. A second fence in the database must hold, or a test above must notice.


def grants_without_looking(state: State, operations: Sequence[Operation], stamp: Stamp) -> Decision:
    users = [(key, 10**9, status) for key, _, status in state.users]
    return decide(replace(state, users=users), operations, stamp)


async def test_the_statements_refuse_what_a_wrong_decision_would_overspend(books: World) -> None:
    await books.add_user(quota=150)
    await books.add_token(remain=10**6)
    writer = desk(books, Faults())
    writer.book.decide = grants_without_looking
    answers = await writer.write(*[request(f"call{number}", least=100) for number in range(5)])
    assert sum(isinstance(answer, Hold) for answer in answers) == 1
    assert (await books.user())[0] == 50
    writer.book.decide = decide
    with pytest.raises(QuotaExceeded):
        raise next(
            answer for answer in await writer.write(request("honest", least=100)) if isinstance(answer, OneAPIError)
        )
    await writer.book.close()


def fails_on_one(state: State, operations: Sequence[Operation], stamp: Stamp) -> Decision:
    if any(isinstance(operation, Settle) and operation.hold.request_id == "odd" for operation in operations):
        raise ZeroDivisionError("a mistake")
    return decide(state, operations, stamp)


async def test_an_operation_that_cannot_be_decided_holds_up_no_other(file: World) -> None:
    await file.add_user()
    await file.add_token()
    writer = desk(file, Faults())
    holds = await writer.write(*[request(name) for name in ("first", "odd", "last")])
    writer.book.decide = fails_on_one
    first, odd, last = await writer.write(*[Settle(hold, 10, DONE) for hold in holds])
    assert (first, type(odd), last) == (True, ZeroDivisionError, True)
    assert await file.user() == (880, 20, 2)
    await writer.book.close()


async def test_a_hold_whose_charge_is_there_already_is_given_back(books: World) -> None:
    """An id used twice, which no part of this program does: better free than charged twice or held for ever."""
    await books.add_user()
    await books.add_token()
    async with books.ledger() as ledger:
        for name in ("settled", "swept"):
            await ledger.settle(await ledger.hold(request(name)), 10, DONE)
        again = await ledger.hold(request("settled"))
        await ledger.hold(request("swept"))
        assert await ledger.settle(again, 20, DONE)
        await books.change("update holds set instance = 'gone', checkpoint = 30")
        assert await ledger.sweep() == 1
    assert (await books.user())[:2] == (980, 20)
    assert await books.value("select count(*) from ledger") == 2


class NeverLooks(Writer):
    """After an unknown commit, tries again without reading."""

    async def landed(self, operations: Sequence[Operation], decision: Decision) -> bool:
        return False


class AlwaysHopes(Writer):
    """After an unknown commit, takes it for written."""

    async def landed(self, operations: Sequence[Operation], decision: Decision) -> bool:
        return True


def settles_again(state: State, operations: Sequence[Operation], stamp: Stamp) -> Decision:
    """Forgets that a hold was settled by somebody else."""
    return decide(replace(state, closed=()), operations, stamp)


def gives_back_too_much(state: State, operations: Sequence[Operation], stamp: Stamp) -> Decision:
    """Charges, and forgets to take it."""
    decision = decide(state, operations, stamp)
    return replace(decision, users=[(key, change + used, used, count) for key, change, used, count in decision.users])


SOON = 8  # a seed with which each of them is noticed soon


def with_writer(kind: type[Writer]) -> Callable[[Desk], None]:
    def change(desk: Desk) -> None:
        desk.writer = kind(desk.book, desk.writer.pulse, desk.tell, [])

    return change


def with_decide(wrong: Callable[[State, Sequence[Operation], Stamp], Decision]) -> Callable[[Desk], None]:
    def change(desk: Desk) -> None:
        desk.book.decide = wrong

    return change


@pytest.mark.parametrize(
    "mutate",
    [
        pytest.param(with_writer(NeverLooks), id="never looks"),
        pytest.param(with_writer(AlwaysHopes), id="always hopes"),
        pytest.param(with_decide(settles_again), id="settles again"),
        pytest.param(with_decide(gives_back_too_much), id="gives back too much"),
    ],
)
def test_the_state_machine_notices_a_broken_ledger(sqlite: Database, mutate: Callable[[Desk], None]) -> None:
    class Mutant(Machine):
        def new_process(self) -> Desk:
            desk = super().new_process()
            mutate(desk)
            return desk

    asyncio.run(create(sqlite.url))
    with pytest.raises((AssertionError, KeyError)):
        run_state_machine_as_test(
            seed(SOON)(lambda: Mutant(sqlite.url)),  # type: ignore[arg-type]  # any factory will do
            settings=settings(
                max_examples=300, stateful_step_count=20, deadline=None, database=None,
                print_blob=False, report_multiple_bugs=False, suppress_health_check=list(HealthCheck),
                phases=[Phase.generate],
            ),
        )  # fmt: skip
