"""A gateway's console interface on a real database, asked over ASGI as a browser or a script would."""

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any

import httpx2
from sqlalchemy import Executable

from one_api import channels
from one_api.accounts import sessions, settings, users
from one_api.accounts.cache import Accounts
from one_api.accounts.oauth import Providers
from one_api.config import Config
from one_api.edge.api import Parts, build_api
from one_api.edge.limits import Limits, Memory
from one_api.edge.middleware import ClientIP
from one_api.edge.turnstile import VERIFY, Turnstile
from one_api.edge.web import Console
from one_api.ledger import Ledger
from one_api.lib.ids import RequestIds
from one_api.notify import Mailer, Notices, Pusher
from one_api.options import DEFAULTS, Options
from one_api.routing import Routes
from one_api.store import dsn
from one_api.store.engine import Database, open_database
from one_api.store.firstrun import any_user, insert_root
from one_api.store.migrations import migrate, migrate_logs
from one_api.store.schema import users as users_table
from one_api.sync import Poller, Snapshot
from one_api.web import Web
from tests.harness import servers
from tests.harness.lookingafter import LookingAfter, looking_after

NOW = 1_795_487_000
PASSWORD = "password12"


@dataclass(slots=True)
class Clock:
    now: float = NOW

    def __call__(self) -> float:
        return self.now


class Person:
    """Somebody with a browser's cookies, or a script with an access token."""

    def __init__(self, world: "World", ip: str = "203.0.113.9", **headers: str) -> None:
        transport = httpx2.ASGITransport(app=world.app, client=(ip, 1234))
        self.http = httpx2.AsyncClient(transport=transport, base_url="http://gateway.test", headers=headers)

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        content = body.encode() if isinstance(body, str) else None if body is None else json.dumps(body).encode()
        return await self.http.request(method, path, content=content, headers=headers)

    async def get(self, path: str, **headers: str) -> Any:
        """The envelope."""
        return (await self.ask("GET", path, **headers)).json()

    async def post(self, path: str, body: Any = None) -> Any:
        return (await self.ask("POST", path, body)).json()

    async def put(self, path: str, body: Any = None) -> Any:
        return (await self.ask("PUT", path, body)).json()

    async def delete(self, path: str) -> Any:
        return (await self.ask("DELETE", path)).json()

    async def login(self, username: str, password: str = PASSWORD) -> Any:
        return await self.post("/api/user/login", {"username": username, "password": password})


@dataclass(slots=True)
class World:
    database: Database
    ledger: Ledger
    parts: Parts
    app: Any
    clock: Clock
    web: Web
    after: LookingAfter
    people: list[Person] = field(default_factory=list)

    def somebody(self, ip: str = "203.0.113.9", **headers: str) -> Person:
        person = Person(self, ip, **headers)
        self.people.append(person)
        return person

    async def signed_in(self, username: str, password: str = PASSWORD) -> Person:
        person = self.somebody()
        answer = await person.login(username, password)
        assert answer["success"], answer
        return person

    async def with_session(self, user_id: int, ip: str = "203.0.113.9") -> Person:
        """Somebody who signed in, without the time a password takes."""
        person = self.somebody(ip)
        session_id = await sessions.begin(self.database, user_id=user_id, now=int(self.clock()))
        person.http.cookies.set("session", session_id, domain="gateway.test")
        return person

    async def with_access_token(self, user_id: int) -> Person:
        token = await users.rotate_access_token(self.database, user_id)
        return self.somebody(Authorization=token)

    async def root(self) -> Person:
        return await self.signed_in("root", "123456")

    async def user(self, username: str, *, role: int = 1, status: int = 1) -> int:
        """A user made behind the console's back; his number."""
        new = users.NewUser(username=username, password=HASH, display_name=username)
        user_id = await users.create(self.database, new, now=NOW)
        if (role, status) != (1, 1):
            change = users_table.update().where(users_table.c.id == user_id).values(role=role, status=status)
            await self.execute(change)
        return user_id

    async def execute(self, statement: Executable) -> None:
        async with self.database.write() as tx:
            await tx.execute(statement)

    async def rows(self, statement: Executable) -> list[dict[str, Any]]:
        async with self.database.read() as tx:
            return [dict(row) for row in (await tx.execute(statement)).mappings()]


# bcrypt of PASSWORD and of root's, with cost 4: tests need no protection.
HASH = "$2a$04$5wITdouvClMCLqexzJDeTecdzHCFWpHK5yx5jDXdEXTe/k/lUmyL6"
ROOT_HASH = "$2a$04$TvmrrKEtuCfxrOpS0471F.eZUb1IDJyrtSXswjWOjvwR93ukcciau"


@cache
def console() -> Console:
    """Packing its files takes long."""
    return Console.load()


@asynccontextmanager
async def world(
    where: servers.Database, logs: str = "", *, verify_address: str = VERIFY, **settings_: Any
) -> AsyncIterator[World]:
    """Everything around one database, closed at the end; or around two, if `logs` is the URL of another.

    Nobody is limited unless a setting says so.
    """
    unlimited = {"global_api_rate_limit": 0, "global_web_rate_limit": 0, "critical_rate_limit": 0}
    config = replace(Config(sql_dsn=where.url, log_sql_dsn=logs), **{**unlimited, **settings_})
    database = open_database(config)
    await migrate(database)
    async with database.write() as tx:
        if not await any_user(tx):
            await insert_root(tx, config, password=ROOT_HASH, now=NOW)
    log_database = open_database(config, logs) if logs else database
    if logs:
        await migrate_logs(log_database)
    clock = Clock()
    ledger = Ledger.open(dsn.parse(where.url), logs=log_database if logs else None, clock=clock)
    await ledger.start()
    web = Web(tls=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))  # the certificates of a system take long to load
    watched: list[Parts] = []

    async def refresh() -> None:
        await watched[0].poller.look()

    later = looking_after(database, options=lambda: watched[0].options.now, refresh=refresh, clock=clock)
    try:
        async with later as after:
            parts = await made(config, database, log_database, ledger, clock, web, after)
            turnstile = Turnstile(lambda: parts.options.now, web=web, verify_address=verify_address)
            parts = replace(parts, turnstile=turnstile)
            watched.append(parts)
            built = World(
                database,
                ledger,
                parts,
                build_api(parts, console=None if config.slave else console()),
                clock,
                web,
                after,
            )
            yield built
            for person in built.people:
                await person.http.aclose()
    finally:
        await ledger.aclose()
        await log_database.aclose()
        await database.aclose()


async def made(
    config: Config,
    database: Database,
    log_database: Database,
    ledger: Ledger,
    clock: Clock,
    web: Web,
    after: LookingAfter,
) -> Parts:
    options: Snapshot[Options] = Snapshot(
        database, ("options",), settings.loader(DEFAULTS, lambda: options.now), first=DEFAULTS
    )
    routes = Snapshot(database, ("routes",), channels.load_routes, first=Routes.build((), ()))
    accounts = Accounts(database, clock=clock)
    poller = Poller(database)
    poller.on("options", lambda _topic: options.refresh())
    poller.on("routes", lambda _topic: routes.refresh())
    poller.on("token:", accounts.evict)
    poller.on("user:", accounts.evict)
    return Parts(
        config=config,
        database=database,
        logs=log_database,
        options=options,
        options_at_start=await settings.rows(database),
        routes=routes,
        accounts=accounts,
        providers=Providers(),
        ledger=ledger,
        tests=after.upkeep.tests,
        balances=after.upkeep.balances,
        documents=after.documents,
        poller=poller,
        notices=notices(database, options, web),
        outbox=after.outbox,
        limits=Limits.of(config, Memory(clock)),
        turnstile=Turnstile(lambda: options.now, web=web),
        ids=RequestIds(),
        client_ip=ClientIP(config.trusted_proxies),
        clock=clock,
        version="v0.0.0",
        start_time=NOW,
    )


def notices(database: Database, options: Snapshot[Options], web: Web) -> Notices:
    def now() -> Options:
        return options.now

    return Notices(mailer=Mailer(now), pusher=Pusher(now, web=web), root_address=partial(users.root_email, database))
