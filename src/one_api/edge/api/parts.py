"""What the endpoints use, made by whoever starts the program."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from one_api.accounts import Database
from one_api.accounts.cache import Accounts
from one_api.accounts.oauth import Providers
from one_api.channels.upkeep import Progress
from one_api.config import Config
from one_api.edge.limits import Limits
from one_api.edge.middleware import ClientIP
from one_api.edge.turnstile import Turnstile
from one_api.ledger import Facts
from one_api.lib.ids import RequestIds
from one_api.notify import Notices, Outbox
from one_api.options import Options
from one_api.relay.fetch import Fetched
from one_api.relay.probe import Probe
from one_api.routing import Channel, Routes
from one_api.sync import Poller, Snapshot


class Quotas(Protocol):
    """The ledger, as far as the console changes balances; every change is booked once per key."""

    async def grant(
        self, user_id: int, amount: int, kind: Literal["topup", "redeem", "adjust"], key: str, facts: Facts = ...
    ) -> bool: ...

    async def set_user_quota(self, user_id: int, quota: int, key: str, facts: Facts = ...) -> bool: ...

    async def set_token_quota(self, token_id: int, remain_quota: int, *, unlimited: bool) -> bool: ...


class ChannelTests(Protocol):
    """Tests of channels; those of many run beside the requests, on one process of all."""

    async def test(self, channel_id: int, model: str, *, request_id: str, key: int = 0) -> Probe: ...

    async def models(self, channel: Channel) -> list[str]: ...

    async def begin(self, scope: str, *, request_id: str) -> bool: ...

    async def progress(self) -> Progress: ...


class Documents(Protocol):
    """What stands at public addresses; an operator's networks count as such."""

    async def get(self, url: str, *, most: int) -> Fetched:
        """Raises FetchError."""
        ...


class ChannelBalances(Protocol):
    """Balances of channels, asked for and saved."""

    async def update(self, channel_id: int) -> float: ...

    async def update_all(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of a running process. `logs` is where the table `logs` is; `clock` gives Unix seconds."""

    config: Config
    database: Database
    logs: Database
    options: Snapshot[Options]
    options_at_start: Mapping[str, str]
    routes: Snapshot[Routes]
    accounts: Accounts
    providers: Providers
    ledger: Quotas
    tests: ChannelTests
    balances: ChannelBalances
    documents: Documents
    poller: Poller
    notices: Notices
    outbox: Outbox
    limits: Limits
    turnstile: Turnstile
    ids: RequestIds
    client_ip: ClientIP
    clock: Callable[[], float]
    version: str
    start_time: int
