"""What the ledger asks of a database connection, and the three ways one can fail."""

from typing import Any, Protocol

from one_api.ledger.statements import Query, Statements


class TroubleError(Exception):
    """The database does not answer, or chose us as a deadlock's victim: nothing was written, try again.

    lost: the connection is of no use any more.
    """

    def __init__(self, message: str, *, lost: bool = True) -> None:
        super().__init__(message)
        self.lost = lost


class UnsureError(TroubleError):
    """The connection broke during COMMIT: the transaction, whose result is here, may be written or not.

    Read before trying again.
    """

    def __init__(self, message: str, result: object) -> None:
        super().__init__(message)
        self.result = result


class ClashError(Exception):
    """A key is there already."""


class Connection(Protocol):
    """One connection, one transaction at a time.

    Raises TroubleError and ClashError; anything else is a statement or value it cannot take.
    """

    @property
    def statements(self) -> Statements: ...

    async def begin(self) -> None: ...

    async def rows(self, query: Query) -> list[tuple[Any, ...]]: ...

    async def change(self, query: Query) -> int:
        """How many rows the statement found."""

    async def commit(self) -> None: ...

    async def rollback(self) -> None: ...

    async def close(self) -> None: ...
