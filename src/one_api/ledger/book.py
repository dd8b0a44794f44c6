"""A batch as one transaction: lock and read, decide, write. The same on every database.

Rows are locked in one order everywhere, users, tokens, holds, ids ascending, so that writers of several processes
wait for each other and do not deadlock. What was locked is what is decided upon; the conditions in the UPDATEs are a
second fence.
"""

import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

from one_api.ledger.connection import Connection, TroubleError, UnsureError
from one_api.ledger.decide import Decision, Stamp, State, decide
from one_api.ledger.model import Checkpoint, Grant, HoldRequest, Operation, Settle, TokenQuota, UserQuota
from one_api.ledger.statements import Query

T = TypeVar("T")
Connect = Callable[[], Awaitable[Connection]]
Decide = Callable[[State, Sequence[Operation], Stamp], Decision]


class MismatchError(Exception):
    """A statement found other rows than were locked: nothing was written."""


class Keys:
    """The rows a batch is about."""

    __slots__ = ("grants", "settled", "tokens", "users")

    def __init__(self, operations: Sequence[Operation]) -> None:
        users: set[int] = set()
        tokens: set[int] = set()
        self.settled: list[str] = []
        self.grants: list[str] = []
        for operation in operations:
            if type(operation) is HoldRequest:
                users.add(operation.user_id)
                tokens.add(operation.token_id)
            elif type(operation) is Settle:
                hold = operation.hold
                users.add(hold.user_id)
                tokens.add(hold.token_id)
                self.settled.append(hold.request_id)
            else:
                self.rare(operation, users, tokens)
        self.users: Final = sorted(users)
        self.tokens: Final = sorted(tokens)

    def rare(self, operation: Operation, users: set[int], tokens: set[int]) -> None:
        match operation:
            case Grant(user_id=user_id, key=key) | UserQuota(user_id=user_id, key=key):
                users.add(user_id)
                self.grants.append(key)
            case TokenQuota(token_id=token_id):
                tokens.add(token_id)
            case Checkpoint() | HoldRequest() | Settle():
                pass


class Book:
    """The ledger in the database, as one writer of a process sees it. Not to be used by two tasks at once."""

    def __init__(
        self,
        connect: Connect,
        *,
        instance: str,
        clock: Callable[[], float] = time.time,
        decide: Decide = decide,
        before_write: Callable[["Book"], Awaitable[None]] | None = None,
    ) -> None:
        self.connect = connect
        self.connection: Connection | None = None
        self.instance = instance
        self.slot = 0
        self.clock = clock
        self.decide = decide
        self.before_write = before_write
        self.finals = 0

    async def transaction(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Raises UnsureError if the connection broke while committing; after anything else nothing was written."""
        connection = await self.connected()
        try:
            await connection.begin()
            result = await work(connection)
        except BaseException as error:
            await self.undo(connection, lost=isinstance(error, TroubleError) and error.lost)
            raise
        try:
            await connection.commit()
        except TroubleError as error:
            await self.undo(connection, lost=error.lost)
            if error.lost:
                raise UnsureError(str(error), result) from error
            raise
        return result

    async def connected(self) -> Connection:
        """Whatever fails while connecting is no fault of what is to be written, which is kept until it works."""
        if self.connection is None:
            try:
                self.connection = await self.connect()
            except TroubleError:
                raise
            except Exception as error:
                raise TroubleError(f"{type(error).__name__}: {error}") from error
        return self.connection

    async def undo(self, connection: Connection, *, lost: bool) -> None:
        if not lost:
            try:
                await connection.rollback()
            except TroubleError:
                lost = True
        if lost:
            await self.close()

    async def close(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            await connection.close()

    async def post(self, operations: Sequence[Operation], *, careful: bool = False) -> Decision:
        """Decide and write a batch.

        Unless `careful`, holds to settle are taken to be open, and MismatchError says that one was not.
        """
        if self.before_write is not None:
            try:
                await self.before_write(self)
            except UnsureError as error:  # the doubt is not about this batch
                raise TroubleError(str(error)) from error

        async def work(connection: Connection) -> Decision:
            state = await self.state(connection, Keys(operations), careful=careful)
            stamp = Stamp(instance=self.instance, slot=self.slot, now=int(self.clock()))
            decision = self.decide(state, operations, stamp)
            for query, found in writes(connection, decision, stamp.now):
                if await connection.change(query) != found and found >= 0:
                    raise MismatchError(query.text[:40])
            self.finals += len(decision.ledger)
            return decision

        return await self.transaction(work)

    async def state(self, connection: Connection, keys: Keys, *, careful: bool) -> State:
        statements = connection.statements
        users = await connection.rows(statements.users(keys.users)) if keys.users else []
        tokens = await connection.rows(statements.tokens(keys.tokens)) if keys.tokens else []
        state = State(users=users, tokens=tokens)
        if careful and keys.settled:
            found = await connection.rows(statements.holds(sorted(set(keys.settled))))
            state.closed = set(keys.settled) - {request_id for (request_id,) in found}
        if keys.grants:
            rows = await connection.rows(statements.booked(sorted(set(keys.grants)), "ledger"))
            state.booked = {(request_id, kind) for request_id, kind, _ in rows}
        return state

    async def landed(self, operations: Sequence[Operation], decision: Decision) -> bool:
        """Whether a decision is written whose commit we did not see the end of.

        The rows are locked first: that waits until the lost transaction has ended, one way or the other.
        """

        async def work(connection: Connection) -> bool:
            statements = connection.statements
            await self.state(connection, Keys(operations), careful=False)
            if decision.opened:
                rows = await connection.rows(statements.booked(list(decision.opened), "hold"))
                return any(instance == self.instance for _, _, instance in rows)
            if decision.ledger:
                written = {(row[0], row[1]) for row in decision.ledger}
                rows = await connection.rows(statements.booked([str(row[0]) for row in decision.ledger], "ledger"))
                return any(
                    (request_id, kind) in written and instance == self.instance for request_id, kind, instance in rows
                )
            if decision.closed:
                return not await connection.rows(statements.holds(list(decision.closed)))
            return False

        return await self.transaction(work)

    async def change(self, text: str, *values: Any) -> int:
        """One statement, in a transaction of its own: how many rows it found."""

        async def work(connection: Connection) -> int:
            return await connection.change(connection.statements.plain(text, *values))

        return await self.transaction(work)

    async def rows(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read, in a transaction of its own."""

        async def work(connection: Connection) -> list[tuple[Any, ...]]:
            return await connection.rows(connection.statements.plain(text, *values))

        return await self.transaction(work)


def writes(connection: Connection, decision: Decision, now: int) -> Iterator[tuple[Query, int]]:
    """The statements of a decision and how many rows each must find (-1: any number)."""
    statements = connection.statements
    if decision.users:
        yield statements.add_to_users(decision.users), len(decision.users)
    if decision.tokens:
        yield statements.add_to_tokens(decision.tokens, now), len(decision.tokens)
    for token_id, unlimited in decision.unlimited.items():
        yield statements.plain("update tokens set unlimited_quota = ? where id = ?", unlimited, token_id), 1
    if decision.checkpoints:
        yield statements.checkpoints(list(decision.checkpoints.items())), -1
    if decision.closed:
        yield statements.close_holds(list(decision.closed)), len(decision.closed)
    if decision.opened:
        for query in statements.open_holds(list(decision.opened.values())):
            yield query, -1
    if decision.ledger:
        for query in statements.write(decision.ledger):
            yield query, -1
