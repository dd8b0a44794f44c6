"""Keys that are exchanged for a token which calls carry for a while."""

import hashlib
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote, urlencode

from one_api.lib import json
from one_api.providers.flows import Exchange, Flow, Query, Refused, Response, Token

GOOGLE_TOKENS: Final = "https://oauth2.googleapis.com/token"
GOOGLE_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
ASSERTED_S: Final = 3600
_FORM: Final = ((b"content-type", b"application/x-www-form-urlencoded"), (b"accept", b"application/json"))


@dataclass(frozen=True, slots=True)
class Baidu:
    """https://cloud.baidu.com/doc/WENXINWORKSHOP/s/Ilkkrb0i5. The token is part of the address."""

    client: str
    secret: str

    def __repr__(self) -> str:
        return "<Baidu>"

    def __call__(self, query: Query, now: float) -> Flow:  # noqa: ARG002
        """Tokens come from where calls go to: there the key belongs."""
        base = query.url.partition("/rpc/2.0/")[0]
        asked = {"grant_type": "client_credentials", "client_id": self.client, "client_secret": self.secret}
        wanted = Query(url=f"{base}/oauth/2.0/token?{urlencode(asked)}", headers=_FORM)
        token: str = yield Exchange(_name("baidu", base, self.client, self.secret), lambda: wanted, read_token)
        quoted = quote(token, safe="")
        joint = "&" if query.query else "?"
        return replace(query, url=f"{query.url}{joint}access_token={quoted}", secrets=(*query.secrets, token, quoted))


@dataclass(frozen=True, slots=True)
class Google:
    """A service account: https://developers.google.com/identity/protocols/oauth2/service-account#httprest."""

    email: str
    key_id: str
    private_key: str
    tokens: str = GOOGLE_TOKENS

    def __repr__(self) -> str:
        return "<Google>"

    @classmethod
    def parse(cls, credentials: str) -> "Google":
        """Of the file that Google's console gives out. Raises ValueError."""
        try:
            found = json.decode(credentials.encode())
        except (json.InvalidJSON, UnicodeEncodeError):
            raise ValueError("the credentials are no JSON") from None
        names = ("client_email", "private_key_id", "private_key", "token_uri")
        values = [found.get(name, "") if isinstance(found, dict) else "" for name in names]
        if not all(isinstance(each, str) for each in values) or not (values[0] and values[2]):
            raise ValueError("the credentials are not those of a service account")
        return cls(values[0], values[1], values[2], values[3] or GOOGLE_TOKENS)

    def __call__(self, query: Query, now: float) -> Flow:
        def ask() -> Query:
            asked = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": self.assertion(now)}
            return Query(url=self.tokens, headers=_FORM, body=urlencode(asked).encode())

        token: str = yield Exchange(_name("google", self.tokens, self.email, self.private_key), ask, read_token)
        return query.carrying((b"authorization", b"Bearer " + token.encode()), secrets=(token,))

    def assertion(self, now: float) -> str:
        """A JWT that says who we are. Raises Refused where the key cannot sign."""
        from joserfc import jwt  # noqa: PLC0415  # ten megabytes of cryptography, and few need it
        from joserfc.errors import JoseError  # noqa: PLC0415
        from joserfc.jwk import RSAKey  # noqa: PLC0415

        issued = int(now)
        who = {"iss": self.email, "scope": GOOGLE_SCOPE, "aud": self.tokens}
        claims = {**who, "iat": issued, "exp": issued + ASSERTED_S}
        try:
            return jwt.encode({"alg": "RS256", "kid": self.key_id}, claims, RSAKey.import_key(self.private_key))
        except (ValueError, TypeError, JoseError):
            raise Refused(401, "the channel's private key cannot be read", kind="authentication_error") from None


@dataclass(frozen=True, slots=True)
class GoogleUser:
    """What `gcloud auth application-default login` leaves behind.

    https://cloud.google.com/docs/authentication/application-default-credentials,
    https://developers.google.com/identity/protocols/oauth2/web-server#offline.
    """

    client: str
    secret: str
    refresh: str

    def __repr__(self) -> str:
        return "<GoogleUser>"

    def __call__(self, query: Query, now: float) -> Flow:  # noqa: ARG002
        asked = {
            "grant_type": "refresh_token",
            "client_id": self.client,
            "client_secret": self.secret,
            "refresh_token": self.refresh,
        }
        wanted = Query(url=GOOGLE_TOKENS, headers=_FORM, body=urlencode(asked).encode())
        token: str = yield Exchange(_name("google user", self.client, self.refresh), lambda: wanted, read_token)
        return query.carrying((b"authorization", b"Bearer " + token.encode()), secrets=(token,))


def google(credentials: str) -> Google | GoogleUser:
    """The way of the file that Google's console or command gives out. Raises ValueError."""
    try:
        found = json.decode(credentials.encode())
    except (json.InvalidJSON, UnicodeEncodeError):
        raise ValueError("the credentials are no JSON") from None
    if isinstance(found, dict) and found.get("type") == "authorized_user":
        values = [found.get(name) for name in ("client_id", "client_secret", "refresh_token")]
        if not all(isinstance(value, str) and value for value in values):
            raise ValueError("the credentials of a user are incomplete")
        return GoogleUser(*map(str, values))
    return Google.parse(credentials)


def read_token(response: Response) -> Token:
    """The answer of OAuth's token endpoint: https://www.rfc-editor.org/rfc/rfc6749#section-5. Raises Refused.

    A refusal is 400 there, which of a call would mean that the caller is to blame.
    """
    found = response.members()
    token, lifetime = found.get("access_token"), found.get("expires_in")
    if response.status in (200, 201) and isinstance(token, str) and token:
        return Token(token, float(lifetime) if isinstance(lifetime, (int, float)) else 0.0)
    told = ": ".join(each for name in ("error", "error_description") if isinstance(each := found.get(name), str))
    message = f"no token for the channel's key: {told or f'status code {response.status}'}"
    if isinstance(found.get("error"), str) and response.status < 500 and response.status != 429:
        raise Refused(401, message, kind="authentication_error")
    raise Refused(response.status if response.status >= 400 else 502, message)


def _name(*parts: str) -> str:
    """A name that shows nothing of what it is made of."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
