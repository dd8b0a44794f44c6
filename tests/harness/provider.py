"""GitHub, Lark, an OpenID provider and a WeChat server on 127.0.0.1, which answer well until a test says otherwise.

An answer is kept under its path; a test puts another there: a value, which goes out as JSON, bytes, or a script.
Keys and tokens are real: ID tokens are signed when they are asked for.
"""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwk, jwt

from one_api.accounts.oauth import Places, Providers, Web
from tests.harness.scripted import Headers, Script, Turn, Upstream, serve

JSON: Headers = (("content-type", "application/json"),)
SECRETS = (
    "gh-client-secret",
    "lark-client-secret",
    "oidc-client-secret",
    "wechat-server-token",
    "access-token-of-alice",
)
WELL_KNOWN = "/oidc/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer that is not JSON with status 200."""

    status: int = 200
    body: bytes = b""
    headers: Headers = JSON


@dataclass(slots=True)
class Vendors:
    upstream: Upstream
    now: Callable[[], float]
    key: jwk.RSAKey
    nonce: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)

    def reset(self, key: jwk.RSAKey) -> None:
        """Behave well again, and forget what was asked."""
        faults, self.upstream.faults = self.upstream.faults, []
        assert not faults, faults
        self.upstream.received = []
        self.key, self.nonce, self.claims = key, "", {}
        self.answers = answers(self)

    @property
    def issuer(self) -> str:
        return self.upstream.at("oidc")

    @property
    def asked(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [urlsplit(received.target).path for received in self.upstream.received]

    def sent(self, path: str) -> dict[str, str]:
        """What the last request to a path had in its body."""
        received = next(r for r in reversed(self.upstream.received) if urlsplit(r.target).path == path)
        if received.header("content-type").startswith("application/json"):
            return dict(received.json())
        return {name: values[0] for name, values in parse_qs(received.body.decode()).items()}

    def id_token(self, *, header: dict[str, Any] | None = None, key: Any = None, **claims: Any) -> str:
        """A good ID token with some of its claims changed; None leaves one out."""
        made: dict[str, Any] = {"iss": self.issuer, "aud": "oidc-client", "sub": "sub-1", "nonce": self.nonce}
        made |= {"iat": int(self.now()), "exp": int(self.now()) + 300, **claims}
        used = key or self.key
        head = {"alg": "RS256", "kid": self.key.kid, **(header or {})}
        kept = {name: value for name, value in made.items() if value is not None}
        return jwt.encode(head, kept, used, algorithms=["RS256", "HS256", "ES256"])

    def tokens(self) -> dict[str, str]:
        return {"access_token": SECRETS[-1], "token_type": "Bearer", "id_token": self.id_token(**self.claims)}

    def providers(self, *, timeout_s: float = 5.0) -> Providers:
        at = self.upstream.at
        places = Places(
            github=at("github"),
            github_api=at("api"),
            lark_accounts=at("lark"),
            lark=at("lark"),
            lark_passport=at("lark"),
        )
        return Providers(places, Web(timeout_s=timeout_s))

    def script(self) -> Script:
        async def answer(turn: Turn) -> None:
            path = urlsplit(turn.request.target).path
            found = self.answers.get(path, Raw(404, b"{}"))
            found = found() if callable(found) else found
            if isinstance(found, Played):
                await found.play(turn)
            elif isinstance(found, Raw):
                await turn.reply(found.status, found.body, found.headers)
            else:
                await turn.reply(200, json.dumps(found).encode())

        return answer


@dataclass(frozen=True, slots=True)
class Played:
    """An answer that a test plays byte by byte."""

    play: Script


def answers(vendors: Vendors) -> dict[str, Any]:
    """What well-behaved vendors say, as their documents have it."""
    issuer, token = vendors.issuer, {"access_token": SECRETS[-1], "token_type": "bearer"}
    return {
        "/github/login/oauth/access_token": {**token, "scope": "user:email"},
        "/api/user": {"id": 583231, "login": "octocat", "name": "The Octocat", "email": "public@example.com"},
        "/api/user/emails": [
            {"email": "other@example.com", "primary": False, "verified": True},
            {"email": "octocat@example.com", "primary": True, "verified": True},
        ],
        "/lark/open-apis/authen/v2/oauth/token": {**token, "code": 0, "expires_in": 7200},
        "/lark/suite/passport/oauth/userinfo": {"sub": "ou_1", "open_id": "ou_1", "name": "飞 书"},
        "/wechat/api/wechat/user": {"success": True, "message": "", "data": "wx-1"},
        WELL_KNOWN: {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "userinfo_endpoint": f"{issuer}/userinfo",
            "jwks_uri": f"{issuer}/jwks",
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        },
        "/oidc/token": vendors.tokens,
        "/oidc/jwks": {"keys": [vendors.key.as_dict(private=False)]},
        "/oidc/userinfo": {
            "sub": "sub-1",
            "name": "Alice",
            "preferred_username": "alice@corp.example",
            "email": "alice@corp.example",
            "email_verified": True,
        },
    }


@asynccontextmanager
async def vendors(now: Callable[[], float], key: jwk.RSAKey) -> AsyncIterator[Vendors]:
    async with serve() as upstream:
        made = Vendors(upstream, now, key)
        made.reset(key)
        for name in ("github", "api", "lark", "oidc", "wechat"):
            upstream.scripts[name] = made.script()
        yield made
