"""Somebody who signs in at a provider, in a world whose vendors are tests' own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
from joserfc import jwk
from sqlalchemy import delete, func, select

from one_api.accounts import settings
from one_api.store.schema import github_accounts, logs, oauth_states, options, sessions, tokens, users
from tests.edge.api.world import NOW, Person, World, world
from tests.harness import servers
from tests.harness.provider import SECRETS, WELL_KNOWN, Vendors, vendors


@dataclass(slots=True)
class Signing:
    here: World
    vendors: Vendors

    async def set(self, **options_: str) -> None:
        for key, value in options_.items():
            await settings.save(self.here.database, key=key, value=value)
        await self.here.parts.poller.look()

    async def begin(self, person: Person, kind: str) -> dict[str, str]:
        """What the provider's page would be asked with, as our console begins it."""
        answer = await person.get(f"/api/oauth/state?provider={kind}")
        assert answer["success"], answer
        asked = {name: values[0] for name, values in parse_qs(urlsplit(answer["url"]).query).items()}
        assert asked["state"] == answer["data"]
        self.vendors.nonce = asked.get("nonce", "")
        return asked

    async def finish(self, person: Person, kind: str, **query: str) -> httpx2.Response:
        return await person.ask("GET", f"/api/oauth/{kind}?{urlencode(query)}")

    async def enter(self, person: Person, kind: str) -> Any:
        """The whole way; the envelope at its end."""
        if kind == "wechat":
            return await person.get("/api/oauth/wechat?code=good")
        asked = await self.begin(person, kind)
        return (await self.finish(person, kind, code="good", state=asked["state"])).json()

    async def user(self, user_id: int) -> dict[str, Any]:
        return (await self.here.rows(select(users).where(users.c.id == user_id)))[0]

    async def reset(self, *, timeout_s: float = 5.0) -> None:
        """As at the beginning: root alone, nothing bound, vendors that behave well and are not remembered."""
        self.vendors.reset(KEY)
        for table in (sessions, tokens, logs, oauth_states, github_accounts, options):
            await self.here.execute(delete(table))
        await self.here.execute(delete(users).where(users.c.id > 1))
        for person in self.here.people:
            await person.http.aclose()
        self.here.people.clear()
        self.here.clock.now = NOW
        self.here.parts = replace(self.here.parts, providers=self.vendors.providers(timeout_s=timeout_s))
        self.here.app.state.parts = self.here.parts
        await self.set(**self.configured())

    def configured(self) -> dict[str, str]:
        """All four providers are on."""
        at = self.vendors.upstream.at
        return {
            "ServerAddress": "http://gateway.test",
            "GitHubOAuthEnabled": "true",
            "GitHubClientId": "gh-client",
            "GitHubClientSecret": SECRETS[0],
            "LarkClientId": "lark-client",
            "LarkClientSecret": SECRETS[1],
            "OidcEnabled": "true",
            "OidcClientId": "oidc-client",
            "OidcClientSecret": SECRETS[2],
            "OidcWellKnown": at("oidc") + WELL_KNOWN.removeprefix("/oidc"),
            "WeChatAuthEnabled": "true",
            "WeChatServerAddress": at("wechat"),
            "WeChatServerToken": SECRETS[3],
        }

    async def counts(self) -> dict[str, int]:
        """What a failure must not add to."""
        tables = {"users": users, "tokens": tokens, "sessions": sessions}
        found = {
            name: await self.here.rows(select(func.count().label("n")).select_from(t)) for name, t in tables.items()
        }
        return {name: rows[0]["n"] for name, rows in found.items()}


KEY = jwk.RSAKey.generate_key(2048, parameters={"use": "sig"}, auto_kid=True)


@asynccontextmanager
async def signing(where: servers.Database) -> AsyncIterator[Signing]:
    """A world to be shared by tests; each begins with `reset`."""
    async with world(where) as here, vendors(here.clock, KEY) as fake:
        yield Signing(here, fake)
