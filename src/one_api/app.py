"""The composition root: from settings to a running gateway, built in order and closed in reverse."""

import asyncio
import gc
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import TypedDict
from uuid import uuid4

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from one_api import __version__, channels, logs
from one_api.accounts import passwords, settings, users
from one_api.accounts.cache import Accounts
from one_api.accounts.oauth import Providers
from one_api.channels.upkeep import Switches
from one_api.config import Config
from one_api.dialects.outbound import outbound
from one_api.edge import compat
from one_api.edge.api import ENDPOINTS, Parts, build_api
from one_api.edge.asgi import AsgiExchange, target
from one_api.edge.limits import Limits, Memory
from one_api.edge.middleware import ClientIP
from one_api.edge.relay import RelayService
from one_api.edge.turnstile import Turnstile
from one_api.jobs import Runner
from one_api.jobs.means import Means
from one_api.jobs.table import jobs, upkeep_jobs
from one_api.jobs.upkeep import Upkeep
from one_api.ledger import MOVE_S, Ledger
from one_api.lib.ids import RequestIds
from one_api.notify import Mailer, Notices, Outbox, Pusher
from one_api.options import DEFAULTS, Options
from one_api.pricing import Prices
from one_api.pricing.tokens import Encoders, TokenCounter
from one_api.providers import COUNTS, Mode
from one_api.relay import pipeline, proxying, token_counts
from one_api.relay.attempt import Upstreams
from one_api.relay.by_environment import Proxies
from one_api.relay.calls import Call
from one_api.relay.client import Client
from one_api.relay.counting import Counting
from one_api.relay.fetch import Fetcher
from one_api.relay.flows import Flows
from one_api.relay.framing import ArrayClient
from one_api.relay.health import ChannelHealth
from one_api.relay.pool import Transports
from one_api.relay.targets import Targets
from one_api.relay.transport import Timeouts
from one_api.routing import Routes
from one_api.routing.health import SuccessRates
from one_api.store import dsn
from one_api.store.engine import Database, open_database
from one_api.store.firstrun import create_root
from one_api.store.migrations import MigrationError, current, migrate, migrate_logs
from one_api.sync import Poller, Snapshot, end
from one_api.web import Web

log = logging.getLogger(__name__)

DRAIN_S = 5.0
CALLERS_S = 600  # One API's period; what is changed through any gateway is seen within a second, whatever this is
LOG_DIRECTORY = "ONE_API_LOG_DIR"


class State(TypedDict):
    """What the server hands to every connection."""

    relay: RelayService


@dataclass(frozen=True, slots=True)
class Watched:
    """What a process remembers of the database, and who keeps it true."""

    options: Snapshot[Options]
    prices: "Derived"
    routes: Snapshot[Routes]
    accounts: Accounts
    poller: Poller


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


def create() -> Starlette:
    """What the server loads, in each of its processes."""
    config = Config.load(os.environ)
    if not logging.getLogger().handlers:  # a worker process, which did not pass through the command
        logs.configure(config, os.environ.get(LOG_DIRECTORY, ""))
    return gateway(config)


def gateway(config: Config) -> Starlette:
    """The ASGI application; its lifespan opens and closes everything."""
    inner: list[ASGIApp] = []

    async def delegate(scope: Scope, receive: Receive, send: Send) -> None:
        await inner[0](scope, receive, send)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[State]:
        async with AsyncExitStack() as stack:
            let_threads_finish()
            service, application = await build(config, stack)
            inner.append(application)
            spare_the_collector()
            yield {"relay": service}

    return Starlette(routes=[Mount("/", app=delegate)], lifespan=lifespan)


async def prepare(config: Config) -> None:
    """Bring the databases up to date and make the first user, before any process serves.

    Raises MigrationError, ConfigError and Unavailable; a node that cannot do it must not start.
    """
    database = open_database(config)
    try:
        if not config.slave:
            await migrate(database)
        elif not await current(database):
            raise MigrationError("the database is not up to date: start a node that is not a slave first")
        await create_root(database, config, now=now())
        await passwords.warn_of_default(database)
    finally:
        await database.aclose()
    if config.log_sql_dsn and not config.slave:
        database = open_database(config, config.log_sql_dsn)
        try:
            await migrate_logs(database)
        finally:
            await database.aclose()


def spare_the_collector() -> None:
    """Calls leave little cyclic garbage: what was loaded is not looked at again, and the young are rarely."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def let_threads_finish() -> None:
    """Of the loop and the ledger's writer none is to interrupt the other whenever it wakes up.

    Each of a batch's statements lets go of the interpreter and wants it back. On one core that was a switch of threads
    back and forth at each; as a batch process, which only says that, the writer goes on to where it waits for the disk.
    """
    if hasattr(os, "SCHED_BATCH") and os.sched_getscheduler(0) == os.SCHED_OTHER:
        with suppress(OSError):  # a container may forbid it
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


async def build(config: Config, stack: AsyncExitStack) -> tuple[RelayService, ASGIApp]:
    """Open the parts in order; `stack` closes them in reverse."""
    database = open_database(config)
    stack.push_async_callback(database.aclose)
    log_database = database
    if config.log_sql_dsn:
        log_database = open_database(config, config.log_sql_dsn)
        stack.push_async_callback(log_database.aclose)
    address = dsn.parse(config.sql_dsn, sqlite_path=config.sqlite_path)
    move_s = float(config.batch_update_interval) if config.batch_update_enabled else MOVE_S
    ledger = Ledger.open(address, logs=log_database if config.log_sql_dsn else None, move_s=move_s)
    await ledger.start()
    stack.push_async_callback(ledger.aclose)

    watched = await watch(config, database)
    web = Web()
    messages = notices(database, watched, web)
    ids, client_ip = RequestIds(), ClientIP(config.trusted_proxies)
    around = Proxies(config.http_proxy, config.https_proxy, config.no_proxy)
    transports = Transports(asyncio.get_running_loop(), default_proxy=config.relay_proxy, around=around)
    stack.push_async_callback(transports.aclose)
    outbox = Outbox(messages)
    stack.push_async_callback(outbox.aclose)
    health = watch_health(config, database, watched, outbox)
    stack.push_async_callback(health.drain)
    fetcher = content(config, transports)
    upstreams = reach(config, transports, health, fetcher)
    means = Means(
        database=database,
        logs=log_database,
        upstreams=upstreams,
        health=health,
        outbox=outbox,
        options=lambda: watched.options.now,
        request_id=ids.next,
        prompt=config.test_prompt,
        pause_s=float(config.polling_interval),
    )
    upkeep = Upkeep(means)
    stack.push_async_callback(upkeep.aclose)
    relay = assemble(ledger, watched, fetcher, upstreams, upkeep)
    service = RelayService(calls(relay), ids=ids, client_ip=client_ip)
    stack.push_async_callback(service.drain, DRAIN_S)

    periodic = [*jobs(database, watched.poller, service.tick), *upkeep_jobs(config, upkeep)]
    runner = Runner(database, periodic, holder=uuid4().hex, slave=config.slave)
    stack.push_async_callback(end, asyncio.get_running_loop().create_task(runner.run(), name="jobs"))

    counts = limits(config, stack)

    parts = Parts(
        config=config,
        database=database,
        logs=log_database,
        options=watched.options,
        options_at_start=await settings.rows(database),
        routes=watched.routes,
        accounts=watched.accounts,
        providers=Providers(),
        ledger=ledger,
        tests=upkeep.tests,
        balances=upkeep.balances,
        poller=watched.poller,
        notices=messages,
        outbox=outbox,
        limits=counts,
        turnstile=Turnstile(lambda: watched.options.now, web=web),
        ids=ids,
        client_ip=client_ip,
        clock=time.time,
        version=__version__,
        start_time=now(),
    )
    under_v1 = compat.Compat(
        accounts=watched.accounts,
        options=lambda: watched.options.now,
        routes=lambda: watched.routes.now,
        now=now,
        client_ip=client_ip,
        limits=counts,
    )
    if config.gin_mode == "debug":
        for endpoint in ENDPOINTS:
            log.info("route %s %s for %s", endpoint.method, endpoint.path, endpoint.access.name.lower())
    return service, with_relay(build_api(parts, compat.routes(under_v1)), service)


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


def notices(database: Database, watched: Watched, web: Web) -> Notices:
    def options() -> Options:
        return watched.options.now

    return Notices(
        mailer=Mailer(options), pusher=Pusher(options, web=web), root_address=partial(users.root_email, database)
    )


def watch_health(config: Config, database: Database, watched: Watched, outbox: Outbox) -> ChannelHealth:
    """Who takes channels out of service, and forgets how those did that are out already."""
    rates = SuccessRates(size=config.metric_queue_size, threshold=config.metric_success_rate_threshold)
    health = ChannelHealth(
        options=lambda: watched.options.now,
        switches=Switches(database),
        outbox=outbox,
        rates=rates if config.enable_metric else None,
        refresh=watched.poller.look,
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


def assemble(
    ledger: Ledger, watched: Watched, fetcher: Fetcher, upstreams: Upstreams, upkeep: Upkeep
) -> pipeline.Relay:
    """The parts that a call meets on its way."""
    encoders = Encoders()
    names = frozenset(watched.options.now.model_ratio)
    counting = Counting(
        exact=TokenCounter(encoders, names),
        approximate=TokenCounter(encoders, names, approximate=True),
        images=fetcher,
        clock=upstreams.loop.time,
    )
    return pipeline.Relay(
        accounts=watched.accounts,
        ledger=ledger,
        upstreams=upstreams,
        counting=counting,
        options=lambda: watched.options.now,
        prices=watched.prices.now,
        routes=lambda: watched.routes.now,
        now=now,
        rng=Random(),  # noqa: S311  # spreads load, decides nothing else
        spent=upkeep.reminders.spent,
    )


def calls(relay: pipeline.Relay) -> Callable[[Call, Client], Awaitable[None]]:
    """Proxied calls and counts of tokens have pipelines of their own."""
    others = {Mode.PROXY: proxying.run, **dict.fromkeys(COUNTS.values(), token_counts.run)}

    def answer(call: Call, client: Client) -> Awaitable[None]:
        if call.heading.array:
            client = ArrayClient(client)
        return others.get(call.mode, pipeline.run)(relay, call, client)

    return answer


def with_relay(application: ASGIApp, service: RelayService) -> ASGIApp:
    """Relay requests that came as ASGI messages after all: an upgrade was asked for, or another server runs us."""

    async def entry(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            heading = service.read(scope["method"].encode(), target(scope), list(scope["headers"]))
            if heading is not None:
                await AsgiExchange(scope, receive, send, heading).run(service)
                return
        await application(scope, receive, send)

    return entry


def now() -> int:
    return int(time.time())
