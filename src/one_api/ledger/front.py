"""The ledger as the rest of the program sees it: put an operation in the queue, get a future.

The operation is queued by the call itself; nobody has to await for it to happen. A hold is answered within two seconds,
if need be with Unavailable; a settle is kept until it is durable or the process ends. Everything here runs on the loop.
"""

import asyncio
import logging
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, TypeVar, cast

from one_api.errors import Unavailable
from one_api.ledger.book import Book, Connect
from one_api.ledger.connection import Connection
from one_api.ledger.decide import Result
from one_api.ledger.lease import Lease
from one_api.ledger.model import (
    MOST,
    RELEASED,
    Checkpoint,
    Facts,
    Grant,
    GrantKind,
    Hold,
    HoldRequest,
    Operation,
    Settle,
    TokenQuota,
    UserQuota,
    checked,
)
from one_api.ledger.mover import CHUNK_MOST, Mover
from one_api.ledger.pulse import LoopPulse, Pulse, ThreadPulse
from one_api.ledger.ship import LogDatabase, ship, unshipped
from one_api.ledger.sqlite import FileLock, SqliteConnection
from one_api.ledger.sweep import sweep
from one_api.ledger.writer import Chore, Errand, Ticket, Writer, drive
from one_api.store.dsn import Address, parse
from one_api.sync import end

T = TypeVar("T")
log = logging.getLogger(__name__)

TICK_S: Final = 0.5
PATIENCE_TICKS: Final = 4
MOVE_S: Final = 0.7
SWEEP_S: Final = 30.0
LEASE_S: Final = 30
GRACE_S: Final = 10.0


class Ledger:
    """The only writer of balances in a process. `open`, `start`, and `aclose` at the end.

    logs: the database of the table `logs`, if it is not this one. move_s: seconds that rows wait until they are there.
    `observers` are told of each batch that was written.
    """

    def __init__(
        self,
        book: Book,
        *,
        lease: Lease | None,
        lock: FileLock | None,
        logs: LogDatabase | None,
        sweep_s: float,
        move_s: float,
    ) -> None:
        self.book = book
        self.lease = lease
        self.lock = lock
        self.logs = logs
        self.mover = Mover(copies=logs is None)
        self.shipping = asyncio.Lock()
        self.sweep_s = sweep_s
        self.move_s = move_s
        self.observers: list[Callable[[Sequence[Ticket]], None]] = []
        self.closing = False
        self.armed = False
        self.tick = 0
        self.notes: dict[str, int] = {}  # checkpoints that the next tick writes

    @classmethod
    def open(
        cls,
        address: Address | str,
        *,
        logs: LogDatabase | None = None,
        lease_s: int = LEASE_S,
        sweep_s: float = SWEEP_S,
        move_s: float = MOVE_S,
        clock: Callable[[], float] = time.time,
    ) -> "Ledger":
        """Connects when started. Raises RuntimeError if another process has the SQLite file."""
        where = address if isinstance(address, Address) else parse(address)
        instance = uuid.uuid4().hex[:16]
        if where.kind == "sqlite":
            lock = FileLock(where.url.database or "")
            book = Book(connector(where), instance=instance, clock=clock)
            return cls(book, lease=None, lock=lock, logs=logs, sweep_s=sweep_s, move_s=move_s)
        lease = Lease(lease_s)
        book = Book(connector(where), instance=instance, clock=clock, before_write=lease.check)
        return cls(book, lease=lease, lock=None, logs=logs, sweep_s=sweep_s, move_s=move_s)

    async def start(self) -> None:
        """Start the writer and settle what an earlier process left open."""
        self.loop = asyncio.get_running_loop()
        self.done = self.loop.create_future()
        pulse: Pulse = ThreadPulse(self.loop) if self.lease is None else LoopPulse()
        self.writer = Writer(self.book, pulse, self.tell, self.chores())
        if self.lease is None:
            threading.Thread(target=self.run_in_thread, args=(pulse,), name="ledger", daemon=True).start()
        else:
            self.task = self.loop.create_task(self.run_on_loop(), name="ledger")
        self.ticking = self.loop.call_later(TICK_S, self.on_tick)
        await self.sweep()
        self.housekeeping = self.loop.create_task(self.keep_house(), name="ledger housekeeping")

    def chores(self) -> list[Chore]:
        chores = [Chore(self.mover.step, self.move_s)] if self.logs is None else []
        return chores if self.lease is None else [Chore(self.lease.keep, self.lease.seconds / 3), *chores]

    async def keep_house(self) -> None:
        """Sweep now and then; ship log rows, if they go elsewhere."""
        next_sweep = self.loop.time() + self.sweep_s
        while True:
            await asyncio.sleep(self.sweep_s if self.logs is None else min(self.move_s, self.sweep_s))
            try:
                if self.logs is not None:
                    await self.flush()
                if self.loop.time() >= next_sweep:
                    next_sweep += self.sweep_s
                    await self.sweep()
            except Unavailable as trouble:
                log.warning("log rows wait: %s", trouble.message)
            except Exception:
                log.exception("the ledger's housekeeping failed")

    def run_in_thread(self, pulse: Pulse) -> None:
        try:
            drive(self.writer.run())
        finally:
            pulse.call(self.finished)

    async def run_on_loop(self) -> None:
        try:
            await self.writer.run()
        finally:
            self.finished()

    def finished(self) -> None:
        if not self.done.done():
            self.done.set_result(None)

    # What the pipeline uses.

    def hold(self, request: HoldRequest) -> "asyncio.Future[Hold]":
        """QuotaExceeded, TokenQuotaExceeded, TokenRefused, AccessDenied or Unavailable."""
        if not 0 <= request.least <= request.most <= MOST:
            raise ValueError(f"a hold of {request.least} to {request.most}")
        return self.ask(request)

    def settle(self, hold: Hold, cost: int, facts: Facts) -> "asyncio.Future[bool]":
        """False: somebody settled it before."""
        if self.notes:
            self.notes.pop(hold.request_id, None)
        return self.ask(Settle(hold, checked(cost, "a cost"), facts))

    def checkpoint(self, hold: Hold, cost: int) -> None:
        """What the call has cost so far. Written with those of all others, within half a second."""
        self.notes[hold.request_id] = checked(cost, "a checkpoint")

    # What others use.

    async def grant(self, user_id: int, amount: int, kind: GrantKind, key: str, facts: Facts = RELEASED) -> bool:
        """Credit a user once per (key, kind). False: done before, or no such user."""
        checked(amount, "a grant", lowest=-MOST)
        return await self.booked(Grant(user_id=user_id, amount=amount, kind=kind, key=key, facts=facts))

    async def set_user_quota(self, user_id: int, quota: int, key: str, facts: Facts = RELEASED) -> bool:
        """Set a balance; the difference is booked as an adjustment."""
        return await self.booked(UserQuota(user_id=user_id, quota=checked(quota, "a quota"), key=key, facts=facts))

    async def set_token_quota(self, token_id: int, remain_quota: int, *, unlimited: bool) -> bool:
        """Set what a token may spend from now on. False: no such token."""
        checked(remain_quota, "a quota", lowest=-MOST)
        return await self.booked(TokenQuota(token_id=token_id, remain_quota=remain_quota, unlimited=unlimited))

    async def booked(self, operation: Operation) -> bool:
        return bool(await self.ask(operation))

    async def flush(self) -> None:
        """Whatever was settled before is in `logs` and in the channels' totals when this returns."""
        await self.run(nothing)  # what is queued is written, and the slot known
        await self.empty(self.book.slot)

    async def empty(self, slot: int) -> None:
        """Move all that is in the ledger under this slot."""
        if self.logs is None:
            step = self.mover.step if slot == self.book.slot else partial(self.mover.move, slot=slot, chunk=CHUNK_MOST)
            while await self.run(step):
                pass
            return
        async with self.shipping:
            while True:
                high, rows = await self.run(partial(unshipped, slot=slot))
                await ship(self.logs, rows)
                if not await self.run(partial(self.mover.move, slot=slot, chunk=CHUNK_MOST, until=high)):
                    return

    async def sweep(self) -> int:
        """Settle the holds of processes that are gone, and move what they left. How many holds there were."""
        if self.lease is None:
            return await self.run(partial(sweep, alone=True))
        recovered, slots = await self.run(partial(self.take_over, self.lease))
        for slot in slots:
            await self.empty(slot)
            await self.run(partial(self.lease.end, slot=slot))
        return recovered

    async def take_over(self, lease: Lease, book: Book) -> tuple[int, list[int]]:
        """Holds that were recovered, and slots. None where the database was away: others had no way to renew theirs."""
        await lease.check(book)
        if time.monotonic() - self.writer.troubled_at < lease.seconds:
            return 0, []
        return await sweep(book, alone=False), await lease.inherit(book)

    async def run(self, errand: Callable[[Book], Awaitable[T]]) -> T:
        """Do something with the writer's own connection, between two batches."""
        return cast("T", await self.enqueue(errand))

    async def aclose(self, grace_s: float = GRACE_S) -> None:
        """Write what is queued, at most `grace_s` long if the database does not answer, and let go of the database."""
        if self.closing:
            return
        self.closing = True
        self.ticking.cancel()
        await end(self.housekeeping)
        try:
            async with asyncio.timeout(grace_s):
                await self.leave()
        except (TimeoutError, Unavailable):
            log.warning("the ledger leaves its last log rows to the next process")
        self.writer.close(grace_s)
        await self.done
        if self.lock is not None:
            self.lock.close()

    async def leave(self) -> None:
        """Leave nothing for others to do."""
        await self.flush()
        if self.lease is not None and self.book.slot:
            await self.run(partial(self.lease.end, slot=self.book.slot))

    # The queue.

    def ask(self, operation: Operation) -> "asyncio.Future[Any]":
        if self.closing and not isinstance(operation, Settle):
            future: asyncio.Future[Any] = self.loop.create_future()
            future.set_exception(Unavailable("the gateway is shutting down"))
            return future
        return self.enqueue(operation)

    def enqueue(self, operation: Operation | Errand) -> "asyncio.Future[Any]":
        future: asyncio.Future[Any] = self.loop.create_future()
        if self.done.done():
            future.set_exception(Unavailable("the ledger is closed"))
            return future
        self.writer.queue.append((operation, future, self.tick))
        if not self.armed:
            self.armed = True
            self.loop.call_soon(self.flush_queue)  # after all sockets of this turn were read: the turn is the batch
        return future

    def flush_queue(self) -> None:
        self.armed = False
        self.writer.flush()

    def tell(self, tickets: Sequence[Ticket], results: Sequence[Result]) -> None:
        """Pass the results on. A hold that nobody waits for any more is released."""
        for observe in self.observers:
            observe(tickets)
        for (_, future, _), result in zip(tickets, results, strict=True):
            if future.done():
                if isinstance(result, Hold):
                    self.settle(result, 0, RELEASED)
            elif isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

    def on_tick(self) -> None:
        """Twice a second: refuse holds that waited too long, and write checkpoints."""
        self.ticking = self.loop.call_later(TICK_S, self.on_tick)
        self.tick += 1
        for operation, future, asked in [*self.writer.busy, *self.writer.queue]:
            if self.tick - asked >= PATIENCE_TICKS and isinstance(operation, HoldRequest) and not future.done():
                future.set_exception(Unavailable("the database does not answer"))
        self.write_notes()

    def write_notes(self) -> None:
        notes, self.notes = self.notes, {}
        for request_id, cost in notes.items():
            self.ask(Checkpoint(request_id, cost))


async def nothing(_book: Book) -> None:
    pass


def connector(address: Address) -> Connect:
    """What opens the ledger's own connection."""
    if address.kind == "sqlite":
        path = address.url.database or ""

        async def connect() -> Connection:
            return SqliteConnection(path)

        return connect
    return postgres(address) if address.kind == "postgresql" else mysql(address)


def postgres(address: Address) -> Connect:
    from one_api.ledger.postgres import Connector  # noqa: PLC0415  # the driver is loaded by who uses it

    return Connector(address)


def mysql(address: Address) -> Connect:
    from one_api.ledger.mysql import Connector  # noqa: PLC0415  # as above

    return Connector(address)
