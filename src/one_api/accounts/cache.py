"""The callers a process remembers, so that a known key costs a dictionary look-up and no query.

- It may be out of date by what the poller has not yet heard, half a second as a rule: it lets a call begin. Only the
  hold, which asks for the statuses again, grants anything.
- Whoever is refused is not remembered; a flood of wrong keys costs one indexed query each.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from one_api.accounts import queries, rules
from one_api.accounts.rules import Caller
from one_api.errors import AccessDenied, TokenRefused, Unavailable
from one_api.store.engine import Database
from one_api.sync import bump

__all__ = ["Accounts", "Balance", "Caller"]

log = logging.getLogger(__name__)

MOST: Final = 50_000
TTL_S: Final = 60
LONGEST_KEY: Final = 255
MOST_AT_ONCE: Final = 128


@dataclass(frozen=True, slots=True)
class Balance:
    """What a token and its user may still spend, and have spent."""

    token_remain: int
    token_used: int
    user_quota: int
    user_used: int


class Accounts:
    """Finds callers by key. `known` never waits; `find` asks the database."""

    def __init__(
        self, database: Database, *, clock: Callable[[], float] = time.time, most: int = MOST, ttl_s: float = TTL_S
    ) -> None:
        self._database = database
        self._clock = clock
        self._most = most
        self._ttl_s = ttl_s
        self._known: dict[str, tuple[Caller, float]] = {}  # with the time after which it is not believed
        self._of_token: dict[int, str] = {}
        self._of_user: dict[int, set[str]] = {}
        self._loading: dict[str, asyncio.Future[Caller]] = {}
        self._wanted: dict[str, int] = {}
        self._loader: asyncio.Task[None] | None = None
        self._evictions = 0

    def __len__(self) -> int:
        return len(self._known)

    def known(self, key: str) -> Caller | None:
        """The caller with this key, if he is remembered and his token has not expired."""
        found = self._known.get(key)
        if found is None or found[1] <= self._clock():
            return None
        return found[0]

    async def find(self, key: str, now: int) -> Caller:
        """The caller with this key, from the database. `now` in Unix seconds decides about expiry.

        Raises TokenRefused and AccessDenied as One API words them, and Unavailable. Who asks for a key that is being
        loaded waits for that load.
        """
        if len(key) > LONGEST_KEY or not key.isascii() or not key.isprintable():
            raise TokenRefused("无效的令牌")
        found = self._loading.get(key)
        if found is None:
            found = self._loading[key] = asyncio.get_running_loop().create_future()
            self._wanted[key] = now
            if self._loader is None:
                self._loader = asyncio.get_running_loop().create_task(self._load_wanted(), name="find callers")
        return await asyncio.shield(found)  # who leaves does not take the others' answer with him

    async def balance(self, caller: Caller) -> Balance:
        """The amounts of this moment. Raises Unavailable."""
        async with self._database.read() as tx:
            return Balance(*await queries.balances(tx, user_id=caller.user_id, token_id=caller.token_id))

    def evict(self, topic: str) -> None:
        """Forget who a topic of sync (`token:7`, `user:7`) is about, and whatever is being loaded just now."""
        kind, _, number = topic.partition(":")
        self._evictions += 1
        if not number.isdecimal():
            return
        if kind == "token":
            self._forget(self._of_token.get(int(number)))
        elif kind == "user":
            for key in tuple(self._of_user.get(int(number), ())):
                self._forget(key)

    async def _load_wanted(self) -> None:
        """Whatever is asked for while a query is under way shares the next one."""
        try:
            while self._wanted:
                batch = dict(islice(self._wanted.items(), MOST_AT_ONCE))
                for key in batch:
                    del self._wanted[key]
                await self._load(batch)
        finally:
            self._loader = None
            self._wanted.clear()
            for key in tuple(self._loading):
                self._loaded(key, Unavailable("令牌验证失败"))

    async def _load(self, batch: Mapping[str, int]) -> None:
        """`batch` holds for each key the time that decides about its expiry."""
        evictions = self._evictions
        loaded_at = self._clock()
        try:
            async with self._database.read() as tx:
                found = await queries.find_holders(tx, tuple(batch))
        except Exception as error:
            if not isinstance(error, Unavailable):
                log.exception("Keys cannot be looked up")
            for key in batch:
                # One API's words, but not its 401: the key may be good, and clients should try again.
                self._loaded(key, Unavailable("令牌验证失败"))
            return
        for key, now in batch.items():
            token = found.get(key)
            refusal = None if token is None else rules.refusal(token, now)
            if token is None:
                self._loaded(key, TokenRefused("无效的令牌"))
            elif refusal is None:
                self._admit(token, loaded_at if evictions == self._evictions else None)
            else:
                if refusal.becomes is not None:
                    await self._retire(token, refusal.becomes)
                self._loaded(key, refusal.error)

    def _admit(self, token: rules.Holder, loaded_at: float | None) -> None:
        """None: it may have been read before a change that evicted, so it is not to be remembered."""
        try:
            caller = rules.caller(token)
        except AccessDenied as error:
            self._loaded(token.key, error)
            return
        if loaded_at is not None:
            self._remember(caller, loaded_at)
        self._loaded(token.key, caller)

    def _loaded(self, key: str, result: Caller | Exception) -> None:
        future = self._loading.pop(key)
        if isinstance(result, Exception):
            future.set_exception(result)
            future.exception()  # seen, also when all who waited have left
        else:
            future.set_result(result)

    async def _retire(self, token: rules.Holder, becomes: int) -> None:
        try:
            async with self._database.write() as tx:
                if await queries.retire_token(tx, token, becomes=becomes):
                    await bump(tx, f"token:{token.id}")
        except Unavailable as error:  # the refusal stands all the same, and the next call tries again
            log.warning("The status of token %d cannot be written: %s", token.id, error)

    def _remember(self, caller: Caller, loaded_at: float) -> None:
        until = loaded_at + self._ttl_s
        if caller.expires != rules.NEVER:
            until = min(until, caller.expires + 1)
        self._forget(caller.key)
        while len(self._known) >= self._most:
            self._forget(next(iter(self._known)))  # the one loaded longest ago
        self._known[caller.key] = caller, until
        self._of_token[caller.token_id] = caller.key
        self._of_user.setdefault(caller.user_id, set()).add(caller.key)

    def _forget(self, key: str | None) -> None:
        found = None if key is None else self._known.pop(key, None)
        if found is None:
            return
        caller = found[0]
        self._of_token.pop(caller.token_id, None)
        keys = self._of_user[caller.user_id]
        keys.discard(caller.key)
        if not keys:
            del self._of_user[caller.user_id]
