"""The windows of `limits` in Redis or Valkey, one count for all nodes."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, Final

from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from one_api.config import Config, ConfigError
from one_api.edge.limits import Memory, Rule, Windows

log = logging.getLogger(__name__)

PATIENCE_S: Final = 1.0  # a request waits no longer for Redis
CONNECTIONS: Final = 16
PAUSE_S: Final = 5.0  # after a failure, until it is asked again
PREFIX: Final = "one-api:limit:"

# A list of times in ms, the latest first, by the clock of Redis, which all nodes share.
ADMIT: Final = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local most, window = tonumber(ARGV[1]), tonumber(ARGV[2])
if redis.call('LLEN', KEYS[1]) >= most then
  if now - tonumber(redis.call('LINDEX', KEYS[1], most - 1)) < window then return 0 end
  redis.call('LTRIM', KEYS[1], 0, most - 2)
end
redis.call('LPUSH', KEYS[1], now)
redis.call('PEXPIRE', KEYS[1], window)
return 1
"""


class Shared:
    """Windows in Redis; those of this process stand in for it while it fails."""

    def __init__(
        self,
        redis: Redis | RedisCluster,
        *,
        instead: Windows | None = None,
        clock: Callable[[], float] = time.monotonic,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._redis = redis
        self._admit = redis.register_script(ADMIT)
        self._instead = instead or Memory()
        self._clock = clock
        self._patience_s = patience_s
        self._paused_until = 0.0
        self._failing = False

    async def admit(self, rule: Rule, who: str) -> bool:
        if self._clock() >= self._paused_until:
            try:
                async with asyncio.timeout(self._patience_s):
                    answer = await self._admit(keys=[_key(rule, who)], args=[rule.most, rule.window * 1000])
                self._works()
                return bool(answer)
            except (RedisError, OSError, TimeoutError) as error:
                self._fails(error)
        return await self._instead.admit(rule, who)

    async def give_back(self, rule: Rule, who: str) -> None:
        if self._clock() >= self._paused_until:
            try:
                async with asyncio.timeout(self._patience_s):
                    await self._redis.lpop(_key(rule, who))
                self._works()
                return
            except (RedisError, OSError, TimeoutError) as error:
                self._fails(error)
        await self._instead.give_back(rule, who)

    def _works(self) -> None:
        if self._failing:
            self._failing = False
            log.warning("Redis answers again, requests are counted for all nodes")

    def _fails(self, error: Exception) -> None:
        self._paused_until = self._clock() + PAUSE_S
        if not self._failing:
            self._failing = True
            log.warning("Redis does not answer (%s), this process counts requests for itself", type(error).__name__)


def _key(rule: Rule, who: str) -> str:
    return f"{PREFIX}{rule.mark}:{who}"


def open_redis(config: Config) -> Redis | RedisCluster:
    """The connections to the Redis that is configured; they are made when they are used. Raises ConfigError.

    With REDIS_MASTER_NAME its sentinels are listed, else several are the nodes of a cluster.
    """
    settings: dict[str, Any] = {
        "socket_timeout": PATIENCE_S,
        "socket_connect_timeout": PATIENCE_S,
        "retry": Retry(NoBackoff(), 0),
    }
    if not config.redis_master_name and "," in config.redis_conn_string:
        return _cluster(config, settings)
    if not config.redis_master_name:
        try:
            pool = BlockingConnectionPool.from_url(
                config.redis_conn_string, max_connections=CONNECTIONS, timeout=PATIENCE_S, **settings
            )
            return Redis.from_pool(pool)
        except ValueError:
            raise ConfigError("REDIS_CONN_STRING: not an address of Redis") from None
    password = config.redis_password or None  # of the servers; as in One API, sentinels are asked without
    sentinel = Sentinel(  # type: ignore[no-untyped-call]  # redis-py has no types for it
        _places(config.redis_conn_string), password=password, sentinel_kwargs=settings
    )
    master: Redis = sentinel.master_for(config.redis_master_name, **settings)
    return master


async def close_redis(redis: Redis | RedisCluster) -> None:
    """Close its connections, and those to the sentinels that know where it is."""
    pool = getattr(redis, "connection_pool", None)
    if isinstance(pool, SentinelConnectionPool):
        for watcher in pool.sentinel_manager.sentinels:
            await watcher.aclose()
    await redis.aclose()


def _cluster(config: Config, settings: dict[str, Any]) -> RedisCluster:
    nodes = [ClusterNode(host, port) for host, port in _places(config.redis_conn_string)]
    return RedisCluster(
        startup_nodes=nodes, password=config.redis_password or None, max_connections=CONNECTIONS, **settings
    )


def _places(text: str) -> list[tuple[str, int]]:
    found = []
    for item in text.split(","):
        host, colon, port = item.strip().rpartition(":")
        if not colon or not port.isdecimal():
            raise ConfigError(
                "REDIS_CONN_STRING: sentinels and nodes of a cluster are a list of host:port, separated by commas"
            )
        found.append((host.strip("[]"), int(port)))
    return found
