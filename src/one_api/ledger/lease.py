"""A process's right to a slot, for databases that several processes share."""

from one_api.ledger.book import Book


class Lease:
    def __init__(self, seconds: int) -> None:
        self.seconds = seconds

    async def keep(self, book: Book) -> bool:
        raise NotImplementedError
