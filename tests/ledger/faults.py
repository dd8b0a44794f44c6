"""A connection that breaks when told to, and a pulse that does not wait."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, TypeVar

from one_api.ledger.book import Book, Connect
from one_api.ledger.connection import Connection, TroubleError
from one_api.ledger.decide import Result
from one_api.ledger.model import Operation
from one_api.ledger.pulse import LoopPulse
from one_api.ledger.statements import Query, Statements
from one_api.ledger.writer import Ticket, Writer

T = TypeVar("T")
When = Literal["before", "after"]


class Faults:
    """Break the connection at the n-th thing it is asked to do from now on, before or after the database does it."""

    def __init__(self) -> None:
        self.countdown: int | None = None
        self.when: When = "before"
        self.struck = 0
        self.log: list[str] = []

    def strike(self, number: int, when: When) -> None:
        self.countdown, self.when = number, when

    async def pass_on(self, what: str, work: Callable[[], Awaitable[T]]) -> T:
        self.log.append(what)
        due = self.countdown == 0
        self.countdown = None if due or self.countdown is None else self.countdown - 1
        self.struck += due
        if due and self.when == "before":
            raise TroubleError("broken before")
        result = await work()
        if due:
            raise TroubleError("broken after")
        return result


class FaultyConnection:
    """Passes everything on to a real one, with faults."""

    def __init__(self, inner: Connection, faults: Faults) -> None:
        self.inner = inner
        self.faults = faults

    @property
    def statements(self) -> Statements:
        return self.inner.statements

    async def begin(self) -> None:
        await self.faults.pass_on("begin", self.inner.begin)

    async def rows(self, query: Query) -> list[tuple[Any, ...]]:
        return await self.faults.pass_on(label(query), lambda: self.inner.rows(query))

    async def change(self, query: Query) -> int:
        return await self.faults.pass_on(label(query), lambda: self.inner.change(query))

    async def commit(self) -> None:
        await self.faults.pass_on("commit", self.inner.commit)

    async def rollback(self) -> None:
        await self.faults.pass_on("rollback", self.inner.rollback)

    async def close(self) -> None:
        await self.inner.close()


def label(query: Query) -> str:
    """As "update users"."""
    table = re.search(r"\b(users|tokens|holds|ledger|leases|marks|channels|logs)\b", query.text)
    return f"{query.text.split()[0]} {table and table[0]}"


def faulty(connect: Connect, faults: Faults) -> Connect:
    async def connected() -> Connection:
        return FaultyConnection(await connect(), faults)

    return connected


class Hasty(LoopPulse):
    """Nobody waits in these tests."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class Desk:
    """A writer without its queue: hand in a batch, get the results."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.writer = Writer(book, Hasty(), self.tell, [])

    def tell(self, tickets: Sequence[Ticket], results: Sequence[Result]) -> None:
        for (_, future, _), result in zip(tickets, results, strict=True):
            future.set_result(result)

    async def write(self, *operations: Operation) -> list[Any]:
        loop = asyncio.get_running_loop()
        tickets: list[Ticket] = [(operation, loop.create_future(), 0) for operation in operations]
        await self.writer.serve(tickets)
        return [ticket[1].result() for ticket in tickets]
