"""The composition root: from settings to a running gateway, built in order and closed in reverse."""

import asyncio
import gc
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from random import Random
from typing import Any, TypedDict
from uuid import uuid4

from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from one_api import __version__, logs, metrics
from one_api.accounts import passwords, settings
from one_api.accounts.oauth import Providers
from one_api.config import Config, ConfigError
from one_api.edge import compat
from one_api.edge.api import ENDPOINTS, Parts, build_api
from one_api.edge.asgi import AsgiExchange, target
from one_api.edge.journal import WRITE_S, Journal, line
from one_api.edge.middleware import ClientIP
from one_api.edge.readiness import Readiness
from one_api.edge.relay import RelayService
from one_api.edge.turnstile import Turnstile
from one_api.jobs import Job, Runner
from one_api.jobs.table import jobs, log_jobs, upkeep_jobs
from one_api.jobs.upkeep import Upkeep
from one_api.ledger import MOVE_S, Ledger
from one_api.lib.ids import RequestIds
from one_api.limits import Limiter
from one_api.limits.limiter import RENEW_S
from one_api.metrics import Meter
from one_api.metrics.beat import BEAT_S, Beat
from one_api.notify import Outbox
from one_api.pricing.tokens import Encoders, TokenCounter
from one_api.providers import COUNTS, REALTIME_PATH, Mode
from one_api.relay import pipeline, proxying, token_counts
from one_api.relay.attempt import Upstreams
from one_api.relay.calls import Call
from one_api.relay.client import Client
from one_api.relay.counting import Counting
from one_api.relay.fetch import Fetcher
from one_api.relay.framing import ArrayClient
from one_api.relay.planner import Planner
from one_api.store import dsn
from one_api.store.engine import Database, open_database
from one_api.store.firstrun import create_root
from one_api.store.migrations import MigrationError, current, migrate, migrate_logs, suitable
from one_api.sync import end
from one_api.web import Web
from one_api.wiring import (
    Watched,
    content,
    limiter,
    limits,
    look_after,
    measure,
    notices,
    now,
    reach,
    watch,
    watch_health,
    ways,
)

log = logging.getLogger(__name__)

DRAIN_S = 1.0  # for what has no connection any more; the server has waited for the others
LOG_DIRECTORY = "ONE_API_LOG_DIR"


class State(TypedDict):
    """What the server hands to every connection."""

    relay: RelayService


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
    database, log_database, ledger = await open_books(config, stack)
    watched = await watch(config, database)
    web = Web()
    messages = notices(database, watched, web)
    ids, client_ip = RequestIds(), ClientIP(config.trusted_proxies)
    transports = ways(config)
    stack.push_async_callback(transports.aclose)
    outbox = Outbox(messages)
    stack.push_async_callback(outbox.aclose)
    meter = Meter() if config.metrics_token else None
    health = watch_health(config, database, watched, outbox, meter)
    stack.push_async_callback(health.drain)
    fetcher = content(config, transports)
    upstreams = reach(config, transports, health, fetcher)
    upkeep = look_after(config, database, log_database, watched, upstreams, health, outbox, ids)
    stack.push_async_callback(upkeep.aclose)
    restraint = limiter(config, stack, database)
    relay = assemble(ledger, watched, fetcher, upstreams, upkeep, restraint)
    told = None if meter is None else meter.refused
    run = traced(config, stack, calls(relay), ledger, watched)
    journal = Journal(line(config.log_format))
    service = relaying(config, stack, partial(RelayService, run, ids=ids, client_ip=client_ip, told=told), journal)

    counts = limits(config, stack)
    under_v1 = compat.Compat(
        accounts=watched.accounts,
        options=lambda: watched.options.now,
        routes=lambda: watched.routes.now,
        now=now,
        client_ip=client_ip,
        limits=counts,
    )

    periodic = [*jobs(database, watched.poller, service.tick), *upkeep_jobs(config, upkeep)]
    periodic += log_jobs(log_database, lambda: watched.options.now)
    periodic += [
        Job("hold the slots of running calls", restraint.renew, every=RENEW_S, alone=False),
        Job("write the lines of calls", journal.write, every=WRITE_S, alone=False),
    ]
    routes = compat.routes(under_v1)
    if meter is not None:
        share = measure(meter, ledger, transports, service, database, watched)
        periodic.append(Job("publish metrics", Beat(meter, share), every=BEAT_S, alone=False))
        routes.append(metrics.route(share, config.metrics_token))
    runner = Runner(database, periodic, holder=uuid4().hex, slave=config.slave)
    stack.push_async_callback(end, asyncio.get_running_loop().create_task(runner.run(), name="jobs"))

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
        documents=fetcher,
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
    if config.gin_mode == "debug":
        list_routes()
    application = build_api(parts, [*probes(config, database, stack), *routes])
    talk = partial(sessions, relay, config.relay_proxy, ids=ids, client_ip=client_ip, told=told)
    return service, with_relay(application, service, talk(over=journal.note if config.log_calls else None))


def sessions(relay: pipeline.Relay, proxy: str, **parts: Any) -> ASGIApp:
    """The application of `/v1/realtime`, loaded with the first session: most sites have none, and it is a megabyte."""
    made: list[ASGIApp] = []

    async def talk(scope: Scope, receive: Receive, send: Send) -> None:
        if not made:
            from one_api.edge.realtime import Sessions  # noqa: PLC0415  # see above
            from one_api.relay import realtime  # noqa: PLC0415  # as above

            made.append(Sessions(partial(realtime.run, relay, proxy=proxy), **parts))
        await made[0](scope, receive, send)

    return talk


def relaying(
    config: Config, stack: AsyncExitStack, service: Callable[..., RelayService], journal: Journal
) -> RelayService:
    """Calls are ended before the last of them is written down."""
    stack.push_async_callback(journal.write)
    made = service(over=journal.note if config.log_calls else None)
    stack.push_async_callback(made.drain, DRAIN_S)
    return made


def probes(config: Config, database: Database, stack: AsyncExitStack) -> list[Route]:
    readiness = Readiness(partial(suitable, database))
    stack.callback(readiness.heed_signals(config.shutdown_grace))
    return readiness.routes()


async def open_books(config: Config, stack: AsyncExitStack) -> tuple[Database, Database, Ledger]:
    """The main database, the one of the table `logs`, and the ledger."""
    database = open_database(config)
    stack.push_async_callback(database.aclose)
    logs = database
    if config.log_sql_dsn:
        logs = open_database(config, config.log_sql_dsn)
        stack.push_async_callback(logs.aclose)
    address = dsn.parse(config.sql_dsn, sqlite_path=config.sqlite_path)
    move_s = float(config.batch_update_interval) if config.batch_update_enabled else MOVE_S
    ledger = Ledger.open(address, logs=logs if config.log_sql_dsn else None, move_s=move_s)
    await ledger.start()
    stack.push_async_callback(ledger.aclose)
    return database, logs, ledger


def list_routes() -> None:
    for endpoint in ENDPOINTS:
        log.info("route %s %s for %s", endpoint.method, endpoint.path, endpoint.access.name.lower())


def assemble(
    ledger: Ledger, watched: Watched, fetcher: Fetcher, upstreams: Upstreams, upkeep: Upkeep, restraint: Limiter
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
    rng = Random()  # noqa: S311  # spreads load, decides nothing else
    return pipeline.Relay(
        accounts=watched.accounts,
        ledger=ledger,
        upstreams=upstreams,
        planner=Planner(upstreams.health, rng),
        counting=counting,
        options=lambda: watched.options.now,
        prices=watched.prices.now,
        routes=lambda: watched.routes.now,
        now=now,
        rng=rng,
        spent=upkeep.reminders.spent,
        limiter=restraint,
    )


def calls(relay: pipeline.Relay) -> Callable[[Call, Client], Awaitable[None]]:
    """Proxied calls and counts of tokens have pipelines of their own."""
    others = {Mode.PROXY: proxying.run, **dict.fromkeys(COUNTS.values(), token_counts.run)}

    def answer(call: Call, client: Client) -> Awaitable[None]:
        if call.heading.array:
            client = ArrayClient(client)
        return others.get(call.mode, pipeline.run)(relay, call, client)

    return answer


def traced(
    config: Config,
    stack: AsyncExitStack,
    run: Callable[[Call, Client], Awaitable[None]],
    ledger: Ledger,
    watched: Watched,
) -> Callable[[Call, Client], Awaitable[None]]:
    """The pipeline, with a span around each call where the operator wants spans. Raises ConfigError."""
    if not config.otel_exporter_otlp_endpoint:
        return run
    try:
        from one_api.metrics.traces import exporting  # noqa: PLC0415  # an extra, and twenty megabytes
    except ImportError:
        raise ConfigError("OTEL_EXPORTER_OTLP_ENDPOINT: spans need the extra `otel` (docs/monitoring.md)") from None
    spans = exporting(lambda: watched.routes.now)
    ledger.observers.append(spans.settled)
    stack.push_async_callback(asyncio.to_thread, spans.close)
    return spans.around(run)


def with_relay(application: ASGIApp, service: RelayService, sessions: ASGIApp) -> ASGIApp:
    """Relay requests that came as ASGI messages after all: an upgrade was asked for, or another server runs us."""

    async def entry(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            heading = service.read(scope["method"].encode(), target(scope), list(scope["headers"]))
            if heading is not None:
                await AsgiExchange(scope, receive, send, heading).run(service)
                return
        if scope["type"] == "websocket" and scope["path"] == REALTIME_PATH:
            await sessions(scope, receive, send)
            return
        await application(scope, receive, send)

    return entry
