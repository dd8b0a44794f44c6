"""From a channel and a call to the address and the headers of the upstream request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from one_api.providers.auth import credentials, printable, settings
from one_api.providers.catalog import provider
from one_api.providers.flows import Headers, Way
from one_api.providers.modes import Mode
from one_api.providers.paths import Place, Unsupported
from one_api.providers.row import Provider


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
    """Where a request goes and what it has to carry. The headers hold the channel's key.

    way: how the request gets there, if it takes more than sending it.
    """

    url: str
    headers: Headers
    way: Way | None = None

    def __repr__(self) -> str:
        return f"<Endpoint {self.url}>"


def endpoint(
    account: Account, mode: Mode, model: str, *, engine: str = "", stream: bool = False, version: str = "v1"
) -> Endpoint:
    """The endpoint of `account` for a call of `mode` and the mapped `model`. Raises Unsupported.

    Scheme, host and port come from the account or our table; nothing a caller sends changes them.
    """
    row = provider(account.type)
    config = settings(account.key, account.config, row.key_parts)
    base = (account.base_url or row.base_url or (row.home(config) if row.home else "")).rstrip("/")
    place = Place(mode=mode, model=model, base=base, config=config, engine=engine, stream=stream, version=version)
    path = row.path(place)
    if not base:
        raise Unsupported(f"the channel has no base URL, and type {row.key} has no default")
    headers, way = credentials(row.auth, account.key, config)
    asking = (*row.telling.get(mode, ()), *(row.streaming if stream else ()))
    return Endpoint(
        base + path, (*headers, *row.headers, *asking, *_configured(row, account)), way or row.ways.get(mode)
    )


def _configured(row: Provider, account: Account) -> Headers:
    found = ((name, account.config.get(setting, "")) for name, setting in row.configured)
    return tuple((name, printable(value)) for name, value in found if value)


def wire(account: Account, spoken: str, model: str) -> str:
    """What to speak with `account` for a caller of the dialect `spoken` who wants `model`.

    What a provider speaks beside its first dialects it speaks at its own address: another may be anybody's. For the
    Responses API the channel's setting `responses` says more: "true", "false", or "only" if it speaks nothing else.
    """
    row = provider(account.type)
    said = account.config.get("responses") if "openai" in row.wires else None
    if said == "only" or (said == "true" and spoken == "responses"):
        return "responses"
    at_home = not account.base_url or account.base_url.rstrip("/") == row.base_url
    refused = said == "false" and spoken == "responses"
    return spoken if at_home and not refused and row.knows(spoken, model) else row.wire(spoken, model)
