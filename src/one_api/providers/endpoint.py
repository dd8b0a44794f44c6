"""From a channel and a call to the address and the headers of the upstream request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from one_api.providers.catalog import Headers, Provider, provider
from one_api.providers.modes import Mode
from one_api.providers.paths import Place, Unsupported


class Account(Protocol):
    """What a channel knows about its provider."""

    @property
    def type(self) -> int: ...
    @property
    def base_url(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def config(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a request goes and what it has to carry. The headers hold the channel's key."""

    url: str
    headers: Headers

    def __repr__(self) -> str:
        return f"<Endpoint {self.url}>"


def endpoint(
    account: Account, mode: Mode, model: str, *, engine: str = "", stream: bool = False, version: str = "v1"
) -> Endpoint:
    """The endpoint of `account` for a call of `mode` and the mapped `model`. Raises Unsupported.

    Scheme, host and port come from the account or our table; nothing a caller sends changes them.
    """
    row = provider(account.type)
    base = (account.base_url or row.base_url).rstrip("/")
    place = Place(
        mode=mode, model=model, base=base, config=account.config, engine=engine, stream=stream, version=version
    )
    path = row.path(place)
    if not base:
        raise Unsupported(f"the channel has no base URL, and type {row.key} has no default")
    return Endpoint(base + path, (*_credentials(row, account.key), *row.headers))


def _credentials(row: Provider, key: str) -> Headers:
    if not key.isprintable():  # a line break would begin a header of its own
        raise Unsupported("the channel's key holds a character that no header can carry")
    value = key.encode()
    match row.auth:
        case "bearer":
            return ((b"authorization", b"Bearer " + value),)
        case "api-key":
            return ((b"api-key", value),)
        case "x-api-key" | "x-goog-api-key":
            return ((row.auth.encode(), value),)
        case "verbatim":
            return ((b"authorization", value),)
