"""The parts of a process that need each other, made from the settings: what remembers, tells, reaches and looks after.

The gateway is made of them in `app`; a command takes those it needs.
"""

import asyncio
import logging
import os
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from one_api import channels
from one_api.accounts import settings, users
from one_api.accounts.cache import Accounts
from one_api.channels.upkeep import Switches
from one_api.config import Config
from one_api.dialects.outbound import outbound
from one_api.edge.limits import Limits, Memory
from one_api.edge.relay import RelayService
from one_api.jobs.means import Means
from one_api.jobs.upkeep import Upkeep
from one_api.ledger import Ledger
from one_api.lib.ids import RequestIds
from one_api.limits import Counts, Limiter
from one_api.limits.counts import Memory as Counted
from one_api.limits.stored import Stored
from one_api.metrics import Meter, Share, gauges, share
from one_api.notify import Mailer, Notices, Outbox, Pusher
from one_api.options import DEFAULTS, Options
from one_api.pricing import Prices
from one_api.relay.attempt import Upstreams
from one_api.relay.by_environment import Proxies
from one_api.relay.fetch import Fetcher
from one_api.relay.flows import Flows
from one_api.relay.health import ChannelHealth
from one_api.relay.pool import Transports
from one_api.relay.targets import Targets
from one_api.relay.transport import Timeouts
from one_api.routing import Routes
from one_api.routing.health import SuccessRates
from one_api.store.engine import Database
from one_api.sync import Poller, Snapshot
from one_api.web import Web

log = logging.getLogger(__name__)

CALLERS_S = 600  # One API's period; what is changed through any gateway is seen within a second, whatever this is


class Derived:
    """The prices of the present options; made anew only when the options are."""

    def __init__(self, options: Snapshot[Options]) -> None:
        self._options = options
        self._source = options.now
        self._prices = Prices(options.now)

    def now(self) -> Prices:
        if self._options.now is not self._source:
            self._source = self._options.now
            self._prices = Prices(self._source)
        return self._prices


@dataclass(frozen=True, slots=True)
class Watched:
    """What a process remembers of the database, and who keeps it true."""

    options: Snapshot[Options]
    prices: Derived
    routes: Snapshot[Routes]
    accounts: Accounts
    poller: Poller


async def watch(config: Config, database: Database) -> Watched:
    """Load the snapshots and subscribe them, and the remembered callers, to changes."""
    defaults = replace(DEFAULTS, theme=config.theme)
    options: Snapshot[Options] = Snapshot(
        database, ("options",), settings.loader(defaults, lambda: options.now), first=defaults
    )
    routes = Snapshot(database, ("routes",), channels.load_routes, first=Routes.build((), ()))
    await options.refresh()
    await routes.refresh()
    accounts = Accounts(database, ttl_s=config.sync_frequency or CALLERS_S)
    poller = Poller(database)
    poller.on("options", lambda _topic: options.refresh())
    poller.on("routes", lambda _topic: routes.refresh())
    poller.on("token:", accounts.evict)
    poller.on("user:", accounts.evict)
    return Watched(options, Derived(options), routes, accounts, poller)


def limits(config: Config, stack: AsyncExitStack) -> Limits:
    """How often somebody may ask, counted in Redis where there is one."""
    if not config.redis_enabled:
        return Limits.of(config, Memory())
    from one_api.edge.shared_limits import Shared, close_redis, open_redis  # noqa: PLC0415  # loads long, and few need it

    redis = open_redis(config)
    stack.push_async_callback(close_redis, redis)
    return Limits.of(config, Shared(redis))


def limiter(config: Config, stack: AsyncExitStack, database: Database) -> Limiter:
    """What counts calls by the operator's rules: Redis, else the database, or this process where it is the only one."""
    counts: Counts
    if config.redis_enabled:
        from one_api.edge.shared_limits import close_redis, open_redis  # noqa: PLC0415  # as above
        from one_api.limits.shared import Shared  # noqa: PLC0415

        redis = open_redis(config)
        stack.push_async_callback(close_redis, redis)
        counts = Shared(redis)
    elif database.kind == "sqlite":
        counts = Counted()
    else:
        counts = Stored(database)
    made = Limiter(counts)
    stack.push_async_callback(made.drain)
    return made


def notices(database: Database, watched: Watched, web: Web) -> Notices:
    def options() -> Options:
        return watched.options.now

    return Notices(
        mailer=Mailer(options), pusher=Pusher(options, web=web), root_address=partial(users.root_email, database)
    )


def watch_health(
    config: Config, database: Database, watched: Watched, outbox: Outbox, meter: Meter | None = None
) -> ChannelHealth:
    """Who takes channels out of service, and forgets how those did that are out already."""
    rates = SuccessRates(size=config.metric_queue_size, threshold=config.metric_success_rate_threshold)
    health = ChannelHealth(
        options=lambda: watched.options.now,
        switches=Switches(database),
        outbox=outbox,
        rates=rates if config.enable_metric else None,
        refresh=watched.poller.look,
        told=None if meter is None else meter.failed,
    )
    watched.poller.on("routes", lambda _topic: health.follow(watched.routes.now))
    return health


def content(config: Config, transports: Transports) -> Fetcher:
    """The way to what requests name by address."""
    content_proxy = config.user_content_request_proxy
    return Fetcher(
        transports.direct,
        timeout=float(config.user_content_request_timeout),
        proxied=transports.for_proxy(content_proxy) if content_proxy else None,
        allowed=config.user_content_networks,
    )


def reach(config: Config, transports: Transports, health: ChannelHealth, fetcher: Fetcher) -> Upstreams:
    """The way to upstreams."""
    total = float(config.relay_timeout)
    return Upstreams(
        loop=asyncio.get_running_loop(),
        transport=transports.for_proxy,
        targets=Targets(outbound(safety=config.gemini_safety_setting), version=config.gemini_version),
        health=health,
        flows=Flows(asyncio.get_running_loop(), now),
        timeouts=Timeouts(total=total) if total else Timeouts(total=0),
        enforce_usage=config.enforce_include_usage,
        now=now,
        content=fetcher,
    )


def ways(config: Config) -> Transports:
    """The connections to upstreams, past the proxies that are configured."""
    around = Proxies(config.http_proxy, config.https_proxy, config.no_proxy)
    return Transports(asyncio.get_running_loop(), default_proxy=config.relay_proxy, around=around)


def measure(
    meter: Meter,
    ledger: Ledger,
    transports: Transports,
    service: RelayService,
    database: Database,
    watched: Watched,
) -> Share:
    """Have the ledger tell the meter of what it wrote, and know where all else is that is measured."""
    ledger.observe = meter.settled

    def moment() -> Mapping[str, float]:
        under_way, connections = service.counts()
        shown = gauges.gauges(ledger, transports, database, watched.accounts)
        return {"calls_under_way": under_way, "connections": connections, **shown}

    directory = os.environ.get(share.DIRECTORY)
    return Share(meter, Path(directory) if directory else None, gauges=moment, totals=partial(gauges.totals, ledger))


def look_after(
    config: Config,
    database: Database,
    logs: Database,
    watched: Watched,
    upstreams: Upstreams,
    health: ChannelHealth,
    outbox: Outbox,
    ids: RequestIds,
) -> Upkeep:
    """Tests of channels, their balances, and reminders. `logs` is where the table `logs` is."""
    means = Means(
        database=database,
        logs=logs,
        upstreams=upstreams,
        health=health,
        outbox=outbox,
        options=lambda: watched.options.now,
        request_id=ids.next,
        prompt=config.test_prompt,
        pause_s=float(config.polling_interval),
    )
    return Upkeep(means)


def now() -> int:
    return int(time.time())
