"""The one writer of a process: takes what is queued, writes it as a batch, tells the loop.

Rules
- Commit at once when idle; after a batch of n, gather for n * GATHER_S, at most GATHER_MOST_S, so that batches grow
  with the load.
- A settle is tried until it is durable. A hold nobody waits for any more is dropped before it is tried again.
- A batch that is refused as a whole is done again one by one: one bad operation must not hold up the others.
- Written once, as coroutines. On SQLite they run in a thread where no await ever suspends (`drive`).
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from itertools import repeat, starmap
from operator import itemgetter, methodcaller
from typing import Any, Final, TypeAlias, TypeVar, cast, get_args

from one_api.errors import Unavailable
from one_api.ledger.book import Book, MismatchError
from one_api.ledger.connection import ClashError, TroubleError, UnsureError
from one_api.ledger.decide import Decision, Result
from one_api.ledger.model import RELEASED, HoldRequest, Operation, Settle, storable_operation
from one_api.ledger.pulse import Pulse

BATCH: Final = 1024
GATHER_S: Final = 30e-6
GATHER_MOST_S: Final = 0.010
WORTH_SLEEPING_S: Final = 0.0002
ASKED: Final = itemgetter(0)  # of a ticket
WAITER: Final = itemgetter(1)
IS_OVER: Final = methodcaller("done")
OPERATIONS: Final = frozenset(get_args(Operation))
RETRY_S: Final = (0.02, 0.05, 0.1, 0.25, 0.5)

T = TypeVar("T")
log = logging.getLogger(__name__)

Errand: TypeAlias = Callable[[Book], Awaitable[object]]
Ticket: TypeAlias = tuple[Operation | Errand, "asyncio.Future[Any]", int]
"""What is asked, who waits for it, and the tick of the clock it was asked at."""


@dataclass(slots=True)
class Chore:
    """Something to do now and then between batches, on the writer's connection."""

    run: Errand
    every_s: float
    due: float = field(default=0.0)


class GaveUpError(Exception):
    """The process ends and the database did not come back."""


class Writer:
    def __init__(
        self,
        book: Book,
        pulse: Pulse,
        tell: Callable[[Sequence[Ticket], Sequence[Result]], None],
        chores: Sequence[Chore],
    ) -> None:
        self.book = book
        self.pulse = pulse
        self.tell = tell
        self.chores = chores
        self.queue: deque[Ticket] = deque()
        self.busy: Sequence[Ticket] = ()
        self.idle = False
        self.ailing = False
        self.troubled_at = float("-inf")  # when the database did not answer last
        self.give_up_at: float | None = None  # set when the process ends
        self.batches = 0

    # On the loop.

    def flush(self) -> None:
        """Whatever is queued may be written now."""
        if self.idle and self.queue:
            self.idle = False
            self.pulse.wake()

    def close(self, grace_s: float) -> None:
        self.give_up_at = time.monotonic() + grace_s
        self.idle = False
        self.pulse.wake()

    # In the writer.

    async def run(self) -> None:
        """Until closed and empty."""
        start = time.monotonic()
        while True:
            batch = self.take()
            if batch:
                await self.serve(batch)
                start = await self.gather(start, len(batch))
            elif self.give_up_at is not None:
                break
            else:
                await self.rest()
            await self.do_chores()
        await self.book.close()

    def take(self) -> list[Ticket]:
        # Nobody else takes, so that what is counted now is there.
        batch: list[Ticket] = [*starmap(self.queue.popleft, repeat((), min(len(self.queue), BATCH)))]
        self.busy = batch
        return batch

    async def rest(self) -> None:
        self.idle = True
        if not self.queue:  # looked at after `idle` is set, so that no flush is missed
            await self.pulse.wait(
                max(0.0, min(chore.due for chore in self.chores) - time.monotonic()) if self.chores else 60.0
            )
        self.idle = False

    async def gather(self, start: float, count: int) -> float:
        wait = start + min(GATHER_MOST_S, count * GATHER_S) - time.monotonic()
        if wait > WORTH_SLEEPING_S and self.give_up_at is None:
            await self.pulse.sleep(wait)
        return time.monotonic()

    async def do_chores(self) -> None:
        for chore in self.chores:
            if chore.due <= time.monotonic():
                try:
                    again = await chore.run(self.book)
                except TroubleError as trouble:
                    self.troubled_at = time.monotonic()
                    log.warning("the ledger's database does not answer: %s", trouble)
                    again = False
                except Exception:
                    log.exception("a chore of the ledger failed")
                    again = False
                chore.due = time.monotonic() + (0.0 if again else chore.every_s)

    async def serve(self, batch: Sequence[Ticket]) -> None:
        self.batches += 1
        operations, errands = batch, []
        if not OPERATIONS.issuperset(map(type, map(ASKED, batch))):
            operations = [ticket for ticket in batch if not callable(ticket[0])]
            errands = [ticket for ticket in batch if callable(ticket[0])]
        try:
            if operations:
                await self.write(operations)
            for errand in errands:
                await self.run_errand(errand)
        except GaveUpError:
            self.report(batch, [Unavailable("the database does not answer")] * len(batch))
        except Exception:  # a mistake in this program; the holds stay open and are recovered by the next process
            log.critical("the ledger's writer failed", exc_info=True)
            self.report(batch, [Unavailable("the ledger failed")] * len(batch))
        self.busy = ()

    def report(self, tickets: Sequence[Ticket], results: Sequence[Result]) -> None:
        self.pulse.call(self.tell, tickets, results)

    async def write(self, tickets: Sequence[Ticket]) -> None:
        """Together if possible, with a closer look if something was not as expected, one by one if that fails too."""
        for careful in (False, True):
            try:
                await self.attempt(tickets, careful=careful)
            except (GaveUpError, TroubleError):
                raise
            except (ClashError, MismatchError) as surprise:
                log.info("a batch of %d is looked at again: %s", len(tickets), surprise)
            except Exception:
                log.exception("a batch of %d is refused", len(tickets))
            else:
                return
        for ticket in tickets:
            await self.write_alone(ticket)

    async def attempt(self, tickets: Sequence[Ticket], *, careful: bool) -> None:
        """Until the database answers."""
        tries = 0
        while True:
            if any(map(IS_OVER, map(WAITER, tickets))):
                tickets = [ticket for ticket in tickets if type(ticket[0]) is not HoldRequest or not ticket[1].done()]
                if not tickets:
                    return
            operations: list[Operation] = [*map(ASKED, tickets)]
            try:
                decision = await self.book.post(operations, careful=careful)
            except UnsureError as doubt:
                decision = cast("Decision", doubt.result)
                if not await self.landed(operations, decision):
                    continue
            except TroubleError as trouble:
                await self.wait_out(trouble, tries)
                tries += 1
                continue
            self.recover()
            self.report(tickets, decision.results)
            return

    async def landed(self, operations: Sequence[Operation], decision: Decision) -> bool:
        tries = 0
        while True:
            try:
                return await self.book.landed(operations, decision)
            except TroubleError as trouble:
                await self.wait_out(trouble, tries)
                tries += 1

    async def wait_out(self, trouble: TroubleError, tries: int) -> None:
        if trouble.lost:
            self.troubled_at = time.monotonic()
        if not self.ailing and trouble.lost:
            self.ailing = True
            log.warning("the ledger's database does not answer, trying on: %s", trouble)
        if self.give_up_at is not None and time.monotonic() > self.give_up_at:
            raise GaveUpError
        await self.pulse.sleep(RETRY_S[min(tries, len(RETRY_S) - 1)])

    def recover(self) -> None:
        if self.ailing:
            self.ailing = False
            log.warning("the ledger's database answers again")

    async def write_alone(self, ticket: Ticket) -> None:
        """A settle counts whatever happens: if need be with a mended description, or as a release if it is charged."""
        operation = cast("Operation", ticket[0])
        attempts = [operation, storable_operation(operation)]
        if isinstance(operation, Settle):
            attempts.append(Settle(operation.hold, 0, RELEASED))
        error: Exception = Unavailable("not written")
        for number, alternative in enumerate(attempts):
            try:
                await self.attempt([(alternative, ticket[1], ticket[2])], careful=True)
            except GaveUpError:
                raise
            except ClashError as clash:
                error = Unavailable(f"this request id is in use: {clash}")
            except Exception as problem:  # noqa: BLE001  # whatever it is, it must not stop the writer
                error = problem
            else:
                return
            log.critical("the ledger cannot write %s (form %d): %s", describe(operation), number, error)
        self.report([ticket], [error])

    async def run_errand(self, ticket: Ticket) -> None:
        tries = 0
        while not ticket[1].done():
            try:
                result = await cast("Errand", ticket[0])(self.book)
            except TroubleError as trouble:
                await self.wait_out(trouble, tries)
                tries += 1
            except Exception as error:  # noqa: BLE001  # it is the asker's
                return self.report([ticket], [error])
            else:
                return self.report([ticket], [cast("Result", result)])
        return None


def describe(operation: Operation) -> str:
    if isinstance(operation, Settle):
        return f"the settle of {operation.hold.request_id!r} at {operation.cost}"
    return f"{type(operation).__name__} {getattr(operation, 'request_id', getattr(operation, 'key', ''))!r}"


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine none of whose awaits suspends."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return cast("T", stop.value)
    coroutine.close()
    raise RuntimeError("a coroutine of the ledger's thread tried to suspend")
