"""An immutable copy of something in the database, read as an attribute and reloaded when its topics moved."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.store.engine import Database
from one_api.sync.generations import generation

T = TypeVar("T")
Load = Callable[[AsyncConnection], Awaitable[T]]


class Snapshot(Generic[T]):
    """`now` is the value; it is replaced, never changed, so whoever took it may keep it for a call."""

    def __init__(self, database: Database, topics: tuple[str, ...], load: Load[T], *, first: T) -> None:
        """`first` stands until the first refresh."""
        self.now = first
        self._database = database
        self._topics = topics
        self._load = load
        self._seen: tuple[tuple[str, int], ...] | None = None
        self._busy = asyncio.Lock()

    async def refresh(self) -> bool:
        """Reload if a topic moved since the last load; True if it did. A failed load keeps the value and raises."""
        async with self._busy, self._database.read() as tx:
            # Read before loading: a change that slips in between is loaded once more, never missed.
            current = await generation(tx, self._topics)
            if current == self._seen:
                return False
            self.now = await self._load(tx)
            self._seen = current
            return True
