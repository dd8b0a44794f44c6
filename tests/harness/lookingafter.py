"""What looks after channels, on a real database and real sockets; only the letters it writes stay here."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from one_api.channels.upkeep import Switches
from one_api.config import Config
from one_api.jobs.means import Means
from one_api.jobs.upkeep import Upkeep
from one_api.notify import NotSent, Outbox
from one_api.options import DEFAULTS, Options
from one_api.relay.attempt import Upstreams
from one_api.relay.direct import default_tls
from one_api.relay.fetch import Fetcher
from one_api.relay.flows import Flows
from one_api.relay.health import ChannelHealth
from one_api.relay.pool import Transports
from one_api.relay.targets import Targets
from one_api.relay.transport import Timeouts
from one_api.routing.health import SuccessRates
from one_api.store.engine import Database


@dataclass(slots=True)
class Letters:
    """Keeps what would have been sent: to whom (root is "", and "everywhere" by all ways), the subject, the content."""

    sent: list[tuple[str, str, str]] = field(default_factory=list)
    broken: bool = False

    async def to_root(self, subject: str, content: str) -> None:
        await self.to_user("", subject, content)

    async def to_root_by_all(self, subject: str, content: str) -> None:
        await self.to_user("everywhere", subject, content)

    async def to_user(self, address: str, subject: str, content: str) -> None:
        if self.broken:
            raise NotSent("the post office is closed")
        self.sent.append((address, subject, content))

    @property
    def subjects(self) -> list[str]:
        return [subject for _, subject, _ in self.sent]


@dataclass(frozen=True, slots=True, kw_only=True)
class LookingAfter:
    upkeep: Upkeep
    health: ChannelHealth
    outbox: Outbox
    letters: Letters
    documents: Fetcher

    async def read(self) -> list[tuple[str, str, str]]:
        """Every letter written so far."""
        await self.health.drain()
        await self.outbox.sent()
        return self.letters.sent


@cache
def _tls() -> ssl.SSLContext:
    """Loading the certificates of a system takes long."""
    return default_tls()


@asynccontextmanager
async def looking_after(
    database: Database,
    *,
    options: Callable[[], Options] = lambda: DEFAULTS,
    rates: SuccessRates | None = None,
    refresh: Callable[[], Any] | None = None,
    **changed: Any,
) -> AsyncIterator[LookingAfter]:
    async def nothing() -> None:
        pass

    loop = asyncio.get_running_loop()
    transports = Transports(loop, tls=_tls())
    letters = Letters()
    outbox = Outbox(letters)
    health = ChannelHealth(
        options=options, switches=Switches(database), outbox=outbox, rates=rates, refresh=refresh or nothing
    )
    documents = Fetcher(transports.direct, timeout=20)
    upstreams = Upstreams(
        loop=loop,
        transport=transports.for_proxy,
        targets=Targets(),
        health=health,
        flows=Flows(loop, time.time),
        timeouts=Timeouts(total=20),
        enforce_usage=False,
        now=lambda: int(time.time()),
        content=documents,
    )
    means: dict[str, Any] = {
        "database": database,
        "logs": database,
        "upstreams": upstreams,
        "health": health,
        "outbox": outbox,
        "options": options,
        "request_id": lambda: "periodic",
        "prompt": Config().test_prompt,
        "pause_s": 0.0,
        "clock": time.time,
        **changed,
    }
    upkeep = Upkeep(Means(**means))
    try:
        yield LookingAfter(upkeep=upkeep, health=health, outbox=outbox, letters=letters, documents=documents)
    finally:
        await upkeep.aclose()
        await health.drain()
        await outbox.aclose()
        await transports.aclose()
