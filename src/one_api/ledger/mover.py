"""From the ledger to what One API's tables show: rows of `logs`, and what each channel has used.

A mark for each slot says how far the move has come and changes in the same transaction, so that every row arrives
once. A slot's rows are committed in the order of their ids, because one connection writes them; rows of different
slots are not.
"""

import time
from typing import Final

from one_api.ledger.book import Book
from one_api.ledger.connection import Connection

CHUNK: Final = 500
CHUNK_MOST: Final = 8000
LONG_S: Final = 0.1


class Mover:
    """Moves the rows of one slot, in steps short enough that the calls waiting for the writer do not notice."""

    def __init__(self, *, copies: bool = True) -> None:
        self.copies = copies  # False: `logs` is in another database and somebody else fills it
        self.chunk = CHUNK
        self.seen = -1

    async def step(self, book: Book) -> bool:
        """Move a chunk; True if more is waiting."""
        finals = book.finals
        if finals == self.seen:
            return False
        start = time.monotonic()
        more = await self.move(book, book.slot, self.chunk)
        self.pace(time.monotonic() - start)
        if not more:
            self.seen = finals
        return more

    def pace(self, took: float) -> None:
        if took > LONG_S:
            self.chunk = max(CHUNK // 4, self.chunk // 2)
        elif took < LONG_S / 3:
            self.chunk = min(CHUNK_MOST, self.chunk * 2)

    async def move(self, book: Book, slot: int, chunk: int, *, until: int | None = None) -> bool:
        """A chunk of any slot, not beyond the id `until`; True if more is waiting."""

        async def work(connection: Connection) -> bool:
            statements = connection.statements
            name = mark_name(slot)
            low = await mark(connection, name)
            (top,) = (await connection.rows(statements.plain("select coalesce(max(id), 0) from ledger")))[0]
            high = min(low + chunk, int(top) if until is None else until)
            if high <= low:
                return False
            if self.copies:
                await connection.change(statements.move(slot, low, high))
            await connection.change(statements.add_to_channels(slot, low, high))
            await connection.change(statements.put_mark(name, high))
            return high < int(top)

        return await book.transaction(work)


def mark_name(slot: int) -> str:
    return f"moved:{slot}"


async def mark(connection: Connection, name: str) -> int:
    found = await connection.rows(connection.statements.plain("select value from marks where name = ?", name))
    return int(found[0][0]) if found else 0
