"""What looking after channels needs of the process."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from one_api.jobs.leases import Sleep
from one_api.notify import Outbox
from one_api.options import Options
from one_api.relay.attempt import Upstreams
from one_api.relay.health import ChannelHealth
from one_api.store.engine import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """`logs` is where the table `logs` is. `prompt` is what a test says, `pause_s` lies between two channels."""

    database: Database
    logs: Database
    upstreams: Upstreams
    health: ChannelHealth
    outbox: Outbox
    options: Callable[[], Options]
    request_id: Callable[[], str]
    prompt: str
    pause_s: float
    clock: Callable[[], float] = time.time
    sleep: Sleep = asyncio.sleep
