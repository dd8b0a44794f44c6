"""The callers a process remembers, so that a known key costs a dictionary look-up and no query.

- It may be out of date by what the poller has not yet heard, half a second as a rule: it lets a call begin. Only the
  hold, which asks for the statuses again, grants anything.
- Whoever is refused is not remembered; a flood of wrong keys costs one indexed query each.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from one_api.accounts import queries, rules
from one_api.accounts.rules import Caller
from one_api.errors import TokenRefused, Unavailable
from one_api.store.engine import Database
from one_api.sync import bump

__all__ = ["Accounts", "Balance", "Caller"]

log = logging.getLogger(__name__)

MOST: Final = 50_000
TTL_S: Final = 60
LONGEST_KEY: Final = 255


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
        self._loading: dict[str, asyncio.Task[Caller]] = {}
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
        task = self._loading.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._load(key, now), name="find a caller")
            self._loading[key] = task
            task.add_done_callback(lambda done: self._loaded(key, done))
        return await asyncio.shield(task)  # who leaves does not take the others' answer with him

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

    async def _load(self, key: str, now: int) -> Caller:
        evictions = self._evictions
        loaded_at = self._clock()
        try:
            async with self._database.read() as tx:
                token = await queries.find_holder(tx, key=key)
        except Unavailable as error:
            # One API's words, but not its 401: the key may be good, and clients should try again.
            raise Unavailable("令牌验证失败") from error
        if token is None:
            raise TokenRefused("无效的令牌")
        refusal = rules.refusal(token, now)
        if refusal is not None:
            if refusal.becomes is not None:
                await self._retire(token, refusal.becomes)
            raise refusal.error
        caller = rules.caller(token)
        if evictions == self._evictions:  # else it may have been read before the change that evicted
            self._remember(caller, loaded_at)
        return caller

    def _loaded(self, key: str, task: "asyncio.Task[Caller]") -> None:
        del self._loading[key]
        if not task.cancelled():
            task.exception()  # has been raised where it was awaited, unless all who waited have left

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
