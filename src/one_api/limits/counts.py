"""Where calls are counted, and the way to do it in this process."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from one_api.routing.limits import Want

MINUTE_S: Final = 60
SLOT_S: Final = 60  # that a slot of a running call holds unless it is renewed

What = Literal["requests", "tokens", "parallel"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How many requests and tokens each rule has counted in this minute, the call's own among them."""

    minute: int
    left_s: int
    used: Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Exceeded:
    """The rule that refuses, by its place among the wants, what there is too much of, and when it is over."""

    place: int
    what: What
    used: int
    left_s: int


class Counts(Protocol):
    """All wants of a call are counted, or none is. Raises what its store raises."""

    async def enter(self, wants: Sequence[Want], call: str) -> Standing | Exceeded: ...

    async def leave(self, wants: Sequence[Want], call: str, *, minute: int, tokens: int) -> None:
        """The call is over: its slots are free, and it used so many tokens instead of what it said."""

    async def renew(self, slots: Sequence[tuple[str, str]]) -> None:
        """These calls run on: key and call of each slot."""


class Memory:
    """For an installation of one process. Every minute the counts of the one before are forgotten."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._minute = 0
        self._used: dict[str, tuple[int, int]] = {}
        self._slots: dict[str, set[str]] = {}

    async def enter(self, wants: Sequence[Want], call: str) -> Standing | Exceeded:
        now = int(self._clock())
        minute, left_s = now // MINUTE_S, MINUTE_S - now % MINUTE_S
        if minute != self._minute:
            self._minute, self._used = minute, {}
        for place, want in enumerate(wants):
            found = exceeded(place, want, self._used.get(want.key, (0, 0)), len(self._slots.get(want.key, ())), left_s)
            if found is not None:
                return found
        used = []
        for want in wants:
            requests, tokens = self._used.get(want.key, (0, 0))
            self._used[want.key] = (requests + 1, tokens + want.cost)
            used.append(self._used[want.key])
            if want.rule.parallel:
                self._slots.setdefault(want.key, set()).add(call)
        return Standing(minute, left_s, used)

    async def leave(self, wants: Sequence[Want], call: str, *, minute: int, tokens: int) -> None:
        for want in wants:
            if want.rule.tokens and minute == self._minute and want.key in self._used:
                requests, counted = self._used[want.key]
                self._used[want.key] = (requests, max(0, counted + tokens - want.cost))
            slots = self._slots.get(want.key)
            if slots is not None:
                slots.discard(call)
                if not slots:
                    del self._slots[want.key]

    async def renew(self, slots: Sequence[tuple[str, str]]) -> None:
        """They last as long as this process."""


def exceeded(place: int, want: Want, used: tuple[int, int], running: int, left_s: int) -> Exceeded | None:
    """Whether a rule refuses one more call."""
    rule = want.rule
    if rule.requests and used[0] >= rule.requests:
        return Exceeded(place, "requests", used[0], left_s)
    if rule.tokens and used[1] + max(want.cost, 1) > rule.tokens:
        return Exceeded(place, "tokens", used[1], left_s)
    if rule.parallel and running >= rule.parallel:
        return Exceeded(place, "parallel", running, 1)
    return None
