"""What the endpoints use, made by whoever starts the program."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from one_api.accounts import Database
from one_api.accounts.cache import Accounts
from one_api.config import Config
from one_api.edge.middleware import ClientIP
from one_api.ledger import Facts
from one_api.lib.ids import RequestIds
from one_api.options import Options
from one_api.routing import Routes
from one_api.sync import Poller, Snapshot


class Quotas(Protocol):
    """The ledger, as far as the console changes balances; every change is booked once per key."""

    async def grant(
        self, user_id: int, amount: int, kind: Literal["topup", "redeem", "adjust"], key: str, facts: Facts = ...
    ) -> bool: ...

    async def set_user_quota(self, user_id: int, quota: int, key: str, facts: Facts = ...) -> bool: ...

    async def set_token_quota(self, token_id: int, remain_quota: int, *, unlimited: bool) -> bool: ...


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
    ledger: Quotas
    poller: Poller
    ids: RequestIds
    client_ip: ClientIP
    clock: Callable[[], float]
    version: str
    start_time: int
