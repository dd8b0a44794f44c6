"""How often somebody may ask: sliding windows, kept in this process or in Redis, which all nodes share.

- A request counts for its network: an IPv4 address, or the /64 an IPv6 address is in, which is what one customer gets.
- Only what was admitted counts. Who is refused gets a 429 without a body, as from One API.
- Redis that fails or is slow locks nobody out: each process counts for itself until Redis is tried again.
"""

import hashlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from typing import Final, Protocol

from one_api.config import Config

MOST_KEYS: Final = 50_000


@dataclass(frozen=True, slots=True)
class Rule:
    """At most `most` in any `window` seconds; 0 is without limit. `mark` tells the rules' counts apart."""

    mark: str
    most: int
    window: int


class Windows(Protocol):
    """Counts, by rule and by who is counted."""

    async def admit(self, rule: Rule, who: str) -> bool:
        """Count one more, unless there are `most` in the window: atomic, however many ask at once."""

    async def give_back(self, rule: Rule, who: str) -> None:
        """Take the latest out of the count."""


class Memory:
    """Windows of this process. At most 50,000 are kept of each rule; beyond, the one longest unused is forgotten."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, most_keys: int = MOST_KEYS) -> None:
        self._clock = clock
        self._most_keys = most_keys
        self._kept: dict[str, dict[str, deque[float]]] = {}  # by rule, the latest used at the end

    def __len__(self) -> int:
        return sum(map(len, self._kept.values()))

    async def admit(self, rule: Rule, who: str) -> bool:
        now = self._clock()
        kept = self._kept.setdefault(rule.mark, {})
        times = kept.pop(who, None) or deque()
        while times and now - times[0] >= rule.window:
            times.popleft()
        admitted = len(times) < rule.most
        if admitted:
            times.append(now)
        kept[who] = times
        self._forget(kept, rule, now)
        return admitted

    async def give_back(self, rule: Rule, who: str) -> None:
        times = self._kept.get(rule.mark, {}).get(who)
        if times:
            times.pop()

    def _forget(self, kept: dict[str, deque[float]], rule: Rule, now: float) -> None:
        """Drop what is over, oldest first: two at a time, so that nobody waits for many."""
        for _ in range(2):
            first = next(iter(kept))
            over = not kept[first] or now - kept[first][-1] >= rule.window
            if not over and len(kept) <= self._most_keys:
                return
            del kept[first]
            if not kept:
                return


@dataclass(frozen=True, slots=True)
class Limits:
    """The rules of an installation and their counts."""

    windows: Windows
    api: Rule
    web: Rule
    critical: Rule
    # Wrong passwords for one account, from wherever they come; more than one address may try, so that nobody locks
    # another out from a single one.
    guesses: Rule = field(default=Rule("PW", 50, 1200))
    # Mails with a code to one address, and codes tried for it.
    mails: Rule = field(default=Rule("ML", 10, 1200))
    tries: Rule = field(default=Rule("TR", 30, 1200))

    @classmethod
    def of(cls, config: Config, windows: Windows) -> "Limits":
        return cls(
            windows,
            api=Rule("GA", config.global_api_rate_limit, 180),
            web=Rule("GW", config.global_web_rate_limit, 180),
            critical=Rule("CT", config.critical_rate_limit, 1200),
        )

    async def allow(self, rule: Rule, ip: str) -> bool:
        """Whether this network may go on."""
        return not rule.most or await self.windows.admit(rule, network(ip))

    async def allow_for(self, rule: Rule, whom: str) -> bool:
        """Whether anybody may go on with this account or address; it is not readable in the counts."""
        return not rule.most or await self.windows.admit(rule, _hidden(whom))

    async def give_back(self, rule: Rule, whom: str) -> None:
        """It was the right password after all."""
        if rule.most:
            await self.windows.give_back(rule, _hidden(whom))


def network(ip: str) -> str:
    try:
        address = ip_address(ip.partition("%")[0])
    except ValueError:
        return ip[:64]
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(IPv6Address(int(address) >> 64 << 64))
    return str(address)


def _hidden(whom: str) -> str:
    return hashlib.sha256(whom.encode(errors="surrogatepass")).hexdigest()
