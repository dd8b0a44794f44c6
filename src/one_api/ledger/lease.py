"""Which processes write, for databases that several share: each holds a slot, a row of `leases` it renews.

Rules
- The lease's holder is the process's instance; holds of an instance without a living lease are orphans.
- A slot's number goes into each ledger row, because ids of several writers are not committed in their order. Its mark
  starts at the end of the ledger and the mover follows it; when the process is gone, an heir moves the rest and ends
  the slot.
- A process that was asleep longer than its lease finds out before it writes again: it takes a new slot.
- Times are the database's: clocks of nodes do not matter.
"""

# ruff: noqa: S608 - statements are made of the constants here
import time
from typing import Final

from one_api.ledger.book import Book
from one_api.ledger.connection import ClashError, Connection
from one_api.ledger.mover import mark_name

SLOTS: Final = "name >= 'ledger:' and name < 'ledger;'"
SAFE: Final = 0.7  # of the lease: what a process believes in without asking


class Lease:
    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        self.believed_until = 0.0

    async def check(self, book: Book) -> None:
        """Before a write: make sure that the slot is ours still."""
        if time.monotonic() >= self.believed_until:
            await self.keep(book)

    async def keep(self, book: Book) -> bool:
        """Renew, or take a slot. Never more to do."""
        start = time.monotonic()
        if not (book.slot and await self.renew(book)):
            await self.claim(book)
        self.believed_until = start + SAFE * self.seconds
        return False

    async def renew(self, book: Book) -> bool:
        now = (await book.connected()).statements.now
        text = f"update leases set until = {now} + ? where name = ? and holder = ?"
        return await book.change(text, self.seconds, slot_name(book.slot), book.instance) == 1

    async def claim(self, book: Book) -> None:
        while True:
            taken = {
                int(name.partition(":")[2]) for (name,) in await book.rows(f"select name from leases where {SLOTS}")
            }
            slot = next(number for number in range(1, len(taken) + 2) if number not in taken)
            try:
                await self.insert(book, slot)
            except ClashError:  # another process was faster
                continue
            book.slot = slot
            return

    async def insert(self, book: Book, slot: int) -> None:
        """The slot and its mark: every id of ours will be above those that can be seen now."""

        async def work(connection: Connection) -> None:
            statements = connection.statements
            text = f"insert into leases(name, holder, until) values (?, ?, {statements.now} + ?)"
            await connection.change(statements.plain(text, slot_name(slot), book.instance, self.seconds))
            top = await connection.rows(statements.plain("select coalesce(max(id), 0) from ledger"))
            await connection.change(statements.put_mark(mark_name(slot), int(top[0][0])))

        await book.transaction(work)

    async def inherit(self, book: Book) -> list[int]:
        """Take over the slots of processes that are gone. Move their rows, then `end` them."""
        now = (await book.connected()).statements.now
        slots = []
        for name, holder in await book.rows(f"select name, holder from leases where {SLOTS} and until < {now}"):
            text = f"update leases set holder = ?, until = {now} + ? where name = ? and holder = ? and until < {now}"
            if await book.change(text, book.instance, self.seconds, name, holder) == 1:
                slots.append(int(name.partition(":")[2]))
        return slots

    async def end(self, book: Book, slot: int) -> None:
        """Forget a slot that nobody writes to any more and whose rows are moved."""

        async def work(connection: Connection) -> None:
            statements = connection.statements
            text = "delete from leases where name = ? and holder = ?"
            if await connection.change(statements.plain(text, slot_name(slot), book.instance)) == 1:
                await connection.change(statements.plain("delete from marks where name = ?", mark_name(slot)))

        await book.transaction(work)


def slot_name(slot: int) -> str:
    return f"ledger:{slot}"
