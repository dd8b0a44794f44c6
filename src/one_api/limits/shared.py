"""Counts in Redis or Valkey, by its clock. While it fails this process counts for itself, and nobody is locked out."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from redis.asyncio import Redis, RedisCluster
from redis.exceptions import RedisError

from one_api.limits.counts import SLOT_S, Counts, Exceeded, Memory, Standing, What
from one_api.routing.limits import Want

log = logging.getLogger(__name__)

PATIENCE_S: Final = 1.0
PAUSE_S: Final = 5.0
# The braces put all of them on one node of a cluster, as a script of several keys has to have it.
PREFIX: Final = "{one-api:calls}:"
WHAT: Final[tuple[What, ...]] = ("requests", "tokens", "parallel")

# For each want a hash (minute, requests, tokens) and a sorted set of running calls by the end of their slot.
ENTER: Final = """
local t = redis.call('TIME')
local now = tonumber(t[1])
local minute, left = math.floor(now / 60), 60 - now % 60
local call, slot = ARGV[1], tonumber(ARGV[2])
local used = {}
for i = 1, #KEYS / 2 do
  local r, k, p, cost = unpack(ARGV, i * 4 - 1, i * 4 + 2)
  r, k, p, cost = tonumber(r), tonumber(k), tonumber(p), tonumber(cost)
  local v = redis.call('HMGET', KEYS[i * 2 - 1], 'm', 'r', 't')
  local requests, tokens = 0, 0
  if v[1] and tonumber(v[1]) == minute then requests, tokens = tonumber(v[2]), tonumber(v[3]) end
  if r > 0 and requests >= r then return {i, 0, requests, left} end
  if k > 0 and tokens + math.max(cost, 1) > k then return {i, 1, tokens, left} end
  if p > 0 then
    redis.call('ZREMRANGEBYSCORE', KEYS[i * 2], '-inf', now)
    local running = redis.call('ZCARD', KEYS[i * 2])
    if running >= p then return {i, 2, running, 1} end
  end
  used[i] = {requests + 1, tokens + cost, p}
end
local answer = {0, minute, left}
for i, u in ipairs(used) do
  redis.call('HSET', KEYS[i * 2 - 1], 'm', minute, 'r', u[1], 't', u[2])
  redis.call('EXPIRE', KEYS[i * 2 - 1], 120)
  if u[3] > 0 then
    redis.call('ZADD', KEYS[i * 2], now + slot, call)
    redis.call('EXPIRE', KEYS[i * 2], slot)
  end
  answer[#answer + 1] = u[1]
  answer[#answer + 1] = u[2]
end
return answer
"""
LEAVE: Final = """
for i = 1, #KEYS / 2 do
  local more = tonumber(ARGV[i + 2])
  local v = redis.call('HMGET', KEYS[i * 2 - 1], 'm', 't')
  if more ~= 0 and v[1] == ARGV[2] then
    redis.call('HSET', KEYS[i * 2 - 1], 't', math.max(0, tonumber(v[2]) + more))
  end
  redis.call('ZREM', KEYS[i * 2], ARGV[1])
end
"""
RENEW: Final = """
local now = tonumber(redis.call('TIME')[1])
for i = 1, #KEYS do
  redis.call('ZADD', KEYS[i], now + tonumber(ARGV[1]), ARGV[i + 1])
  redis.call('EXPIRE', KEYS[i], ARGV[1])
end
"""


class Shared:
    """Counts in Redis; `instead` stands in for it while it fails."""

    def __init__(
        self,
        redis: Redis | RedisCluster,
        *,
        instead: Counts | None = None,
        clock: Callable[[], float] = time.monotonic,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._enter, self._leave, self._renew = map(redis.register_script, (ENTER, LEAVE, RENEW))
        self._instead = instead or Memory()
        self._clock = clock
        self._patience_s = patience_s
        self._paused_until = 0.0
        self._failing = False

    async def enter(self, wants: Sequence[Want], call: str) -> Standing | Exceeded:
        arguments: list[Any] = [call, SLOT_S]
        for want in wants:
            rule = want.rule
            arguments += [rule.requests, rule.tokens, rule.parallel, want.cost]
        found = await self._asked(self._enter, names(wants), arguments)
        if found is None:
            return await self._instead.enter(wants, call)
        place, *rest = map(int, cast("Sequence[int]", found))
        if place:
            return Exceeded(place - 1, WHAT[rest[0]], rest[1], rest[2])
        return Standing(rest[0], rest[1], list(zip(rest[2::2], rest[3::2], strict=True)))

    async def leave(self, wants: Sequence[Want], call: str, *, minute: int, tokens: int) -> None:
        more = [tokens - want.cost if want.rule.tokens else 0 for want in wants]
        await self._asked(self._leave, names(wants), [call, minute, *more])
        await self._instead.leave(wants, call, minute=minute, tokens=tokens)  # it may have been let in there

    async def renew(self, slots: Sequence[tuple[str, str]]) -> None:
        if slots:
            await self._asked(self._renew, [running(key) for key, _ in slots], [SLOT_S, *(call for _, call in slots)])

    async def _asked(self, script: Any, keys: list[str], arguments: list[Any]) -> object | None:
        """What the script answers; None while Redis fails."""
        if self._clock() < self._paused_until:
            return None
        try:
            async with asyncio.timeout(self._patience_s):
                answer: object = await script(keys=keys, args=arguments)
        except (RedisError, OSError, TimeoutError) as error:
            self._fails(error)
            return None
        self._works()
        return answer or ()

    def _works(self) -> None:
        if self._failing:
            self._failing = False
            log.warning("Redis answers again, calls are counted for all nodes")

    def _fails(self, error: Exception) -> None:
        """An outage is logged when it begins and when it ends."""
        self._paused_until = self._clock() + PAUSE_S
        if not self._failing:
            self._failing = True
            log.warning("Redis does not answer (%s), this process counts calls for itself", type(error).__name__)


def names(wants: Sequence[Want]) -> list[str]:
    return [name for want in wants for name in (f"{PREFIX}{want.key}", running(want.key))]


def running(key: str) -> str:
    return f"{PREFIX}{key}:running"
