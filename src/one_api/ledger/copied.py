"""The ledger of a database that was copied: what the processes of its source left open is ended, as they would have.

No process writes to it yet, so there is neither lease nor slot to respect.
"""

# ruff: noqa: S608 - statements are made of the constants here
import time
import uuid

from one_api.ledger.book import Book
from one_api.ledger.connection import Connection
from one_api.ledger.front import connector
from one_api.ledger.mover import CHUNK_MOST, Mover, mark_name
from one_api.ledger.sweep import sweep
from one_api.store.dsn import Address

SLOTS = "name >= 'moved:' and name < 'moved;'"
NO_SLOT = 0  # SQLite's, and that of a book without a lease


async def bring_to_rest(where: Address) -> int:
    """Settle open holds at their checkpoints and move all rows to `logs`. How many holds there were."""
    book = Book(connector(where), instance=uuid.uuid4().hex[:16], clock=time.time)
    try:
        recovered = await sweep(book, alone=True)
        # A slot without a mark has ended: its rows were moved.
        marks = await book.rows(f"select name from marks where {SLOTS}")
        slots = {int(name.partition(":")[2]) for (name,) in marks}
        for slot in sorted(slots | {NO_SLOT}):
            while await Mover().move(book, slot, CHUNK_MOST):
                pass
        await forget_slots(book)
        return recovered
    finally:
        await book.close()


async def forget_slots(book: Book) -> None:
    """End them all but SQLite's, which is the same for ever: without its mark all would be moved again."""

    async def work(connection: Connection) -> None:
        text = f"delete from marks where {SLOTS} and name <> ?"
        await connection.change(connection.statements.plain(text, mark_name(NO_SLOT)))

    await book.transaction(work)
