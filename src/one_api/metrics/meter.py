"""Adds up what calls were: per channel and model, with a bound on how many of those there are."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from one_api.errors import OneAPIError, UpstreamError
from one_api.ledger.model import Facts, Settle
from one_api.routing import Channel
from one_api.routing.health import cause_of

SECONDS: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
LAGS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
MOST_SERIES: Final = 1000
OTHER: Final = "other"


class Times(msgspec.Struct):
    """A histogram: how many fell below each bound and above the last, and their sum in seconds."""

    counts: list[int]
    total: float = 0.0

    @classmethod
    def of(cls, bounds: Sequence[float]) -> "Times":
        return cls([0] * (len(bounds) + 1))

    def add(self, seconds: float, bounds: Sequence[float]) -> None:
        self.counts[bisect_left(bounds, seconds)] += 1
        self.total += seconds

    def merge(self, other: "Times") -> None:
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        self.total += other.total


class Calls(msgspec.Struct):
    """The sums of one channel and model."""

    channel: int
    model: str
    calls: int = 0
    streams: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    quota: int = 0
    seconds: Times = msgspec.field(default_factory=lambda: Times.of(SECONDS))
    first: Times = msgspec.field(default_factory=lambda: Times.of(SECONDS))

    def merge(self, other: "Calls") -> None:
        self.calls += other.calls
        self.streams += other.streams
        self.prompt_tokens += other.prompt_tokens
        self.completion_tokens += other.completion_tokens
        self.quota += other.quota
        self.seconds.merge(other.seconds)
        self.first.merge(other.first)


class Errors(msgspec.Struct):
    """Failed attempts at a channel, by cause; or refusals, by the name of the error, at no channel."""

    channel: int
    model: str
    cause: str
    status: int
    count: int = 0


class Counted(msgspec.Struct):
    """All that a process has counted since it began; `gauges` are of the moment, by name."""

    calls: list[Calls] = []
    errors: list[Errors] = []
    lag: Times = msgspec.field(default_factory=lambda: Times.of(LAGS))
    gauges: dict[str, float] = {}
    totals: dict[str, float] = {}


class Meter:
    """`settled` takes a batch of the ledger's; `failed` and `refused` are told of what is rare. `sum_up` adds up."""

    def __init__(self, *, most: int = MOST_SERIES) -> None:
        self._most = most
        self._batches: list[Sequence[Any]] = []
        self._calls: dict[tuple[int, str], Calls] = {}
        self._errors: dict[tuple[int, str, str, int], Errors] = {}
        self._lag = Times.of(LAGS)

    def settled(self, operations: Sequence[Any]) -> None:
        """Operations that were written. Nothing is done with them yet: a call is waiting for this."""
        self._batches.append(operations)

    def failed(self, channel: Channel, error: UpstreamError, model: str) -> None:
        cause = cause_of(error.status, error.type, error.code, error.message, quoted=error.quoted)
        self._count(channel.id, model, cause.name.lower(), error.status)

    def refused(self, error: OneAPIError) -> None:
        """An error that a caller was told, by the name of its class: text that others write would be no bound."""
        self._count(0, "", type(error).__name__, error.status)

    def lagged(self, seconds: float) -> None:
        self._lag.add(seconds, LAGS)

    def sum_up(self) -> Counted:
        batches, self._batches = self._batches, []
        for batch in batches:
            self._add(batch)
        return Counted(list(self._calls.values()), list(self._errors.values()), self._lag)

    def _add(self, batch: Iterable[Any]) -> None:
        for ticket in batch:
            operation = ticket[0]
            if type(operation) is Settle and operation.facts.channel_id:
                self._call(operation.facts, operation.cost)

    def _call(self, facts: Facts, cost: int) -> None:
        key = (facts.channel_id, facts.model_name)
        row = self._calls.get(key) or self._new(key)
        row.calls += 1
        row.streams += facts.is_stream
        row.prompt_tokens += facts.prompt_tokens
        row.completion_tokens += facts.completion_tokens
        row.quota += cost
        row.seconds.add(facts.elapsed_ms / 1000, SECONDS)
        if facts.first_s > 0:
            row.first.add(facts.first_s, SECONDS)

    def _new(self, key: tuple[int, str]) -> Calls:
        """Beyond the bound all models of a channel are one, and then all channels."""
        if len(self._calls) >= self._most:
            key = (key[0], OTHER) if len(self._calls) < 2 * self._most else (0, OTHER)
        return self._calls.setdefault(key, Calls(*key))

    def _count(self, channel: int, model: str, cause: str, status: int) -> None:
        key = (channel, model, cause, status)
        if key not in self._errors and len(self._errors) >= self._most:
            key = (0, OTHER, OTHER, 0)
        self._errors.setdefault(key, Errors(*key)).count += 1


def merged(parts: Iterable[Counted]) -> Counted:
    """What several processes counted, as one."""
    calls: dict[tuple[int, str], Calls] = {}
    errors: dict[tuple[int, str, str, int], Errors] = {}
    whole = Counted()
    for part in parts:
        for row in part.calls:
            key = (row.channel, row.model)
            calls.setdefault(key, Calls(*key)).merge(row)
        for found in part.errors:
            name = (found.channel, found.model, found.cause, found.status)
            errors.setdefault(name, Errors(*name)).count += found.count
        whole.lag.merge(part.lag)
        for gauge, value in part.gauges.items():
            whole.gauges[gauge] = whole.gauges.get(gauge, 0) + value
        for total, value in part.totals.items():
            whole.totals[total] = whole.totals.get(total, 0) + value
    whole.calls, whole.errors = list(calls.values()), list(errors.values())
    return whole
