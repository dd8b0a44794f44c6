"""What an OIDC provider says about itself (OpenID Connect Discovery), and its keys; both remembered for a while."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from one_api.accounts.oauth.identity import Untrusted
from one_api.web import Unreachable, Web

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

KEPT_S: Final = 600.0
Way = Literal["form", "header"]
_WAYS: Final[tuple[tuple[str, Way], ...]] = (("client_secret_post", "form"), ("client_secret_basic", "header"))
WELL_KNOWN: Final = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """`secret_in`: where the client's secret may go, best first."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str
    algorithms: tuple[str, ...]
    pkce: bool
    secret_in: tuple[Way, ...]


def read(value: Any, url: str) -> Metadata:
    """The document at `url`. Raises Untrusted."""
    document: Mapping[str, Any] = value if isinstance(value, dict) else {}
    issuer = _text(document, "issuer")
    if not issuer or issuer.rstrip("/") + WELL_KNOWN != url:
        raise Untrusted("the issuer is not the one whose address was asked")
    ways = _texts(document, "token_endpoint_auth_methods_supported") or ("client_secret_basic",)
    made = Metadata(
        issuer=issuer,
        authorization_endpoint=_text(document, "authorization_endpoint"),
        token_endpoint=_text(document, "token_endpoint"),
        userinfo_endpoint=_text(document, "userinfo_endpoint"),
        jwks_uri=_text(document, "jwks_uri"),
        algorithms=_texts(document, "id_token_signing_alg_values_supported"),
        pkce="S256" in _texts(document, "code_challenge_methods_supported"),
        secret_in=tuple(way for name, way in _WAYS if name in ways),
    )
    places = (made.authorization_endpoint, made.token_endpoint, made.userinfo_endpoint, made.jwks_uri)
    if not made.token_endpoint or not made.jwks_uri:
        raise Untrusted("an endpoint is missing")
    if url.startswith("https:") and any(place and not place.startswith("https:") for place in places):
        raise Untrusted("an endpoint without TLS")
    return made


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name, "")
    return value if isinstance(value, str) else ""


def _texts(document: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = document.get(name)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


class Discovery:
    """Remembers the last provider that was asked about: there is one."""

    def __init__(self, web: Web, clock: Callable[[], float] = time.monotonic) -> None:
        self._web = web
        self._clock = clock
        self._metadata: tuple[str, float, Metadata] | None = None
        self._keys: tuple[str, float, KeySet] | None = None

    async def metadata(self, url: str) -> Metadata:
        """Raises Untrusted, and Unreachable."""
        known = self._metadata
        if known is not None and known[0] == url and self._clock() < known[1]:
            return known[2]
        found = read(await self._document(url), url)
        self._metadata = (url, self._clock() + KEPT_S, found)
        return found

    async def keys(self, url: str, *, anew: bool = False) -> "KeySet":
        """Raises Untrusted, and Unreachable."""
        from one_api.accounts.oauth import id_token  # noqa: PLC0415  # nine megabytes of cryptography, and few need it

        known = self._keys
        if known is not None and known[0] == url and self._clock() < known[1] and not anew:
            return known[2]
        found = id_token.key_set(await self._document(url))
        self._keys = (url, self._clock() + KEPT_S, found)
        return found

    async def _document(self, url: str) -> Any:
        reply = await self._web.get(url)
        if reply.status != 200:
            raise Unreachable(f"status {reply.status}")
        return reply.value
