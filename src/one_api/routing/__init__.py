"""Which channels serve a call, in the order to try them. Pure: an immutable table made of rows, and a source of chance.

Higher priority first, tier by tier, in every mode and for every number. Inside a tier the weights say how often a
channel comes first; where all weights are 0 the tier is uniform, as in One API, and beside weighted channels one of
weight 0 is tried after all of them.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate, chain
from random import Random
from typing import Final

from one_api.routing.parameters import Parameters

ENABLED: Final = 1

Ability = tuple[str, str, int, bool, int]
"""A row that says who may use what: group, model, channel id, enabled, priority."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """An operator's account at a provider. `key` is a secret: it must not reach a log, an answer or an error.

    keys: of a channel with several, the channel once for each that is in use, as calls are sent with it; `number` says
    which of the keys it has. in_turn: whether they are used one after another, instead of at random.
    """

    id: int
    type: int
    name: str
    key: str
    base_url: str
    models: tuple[str, ...]
    groups: tuple[str, ...]
    priority: int
    weight: int
    mapping: Mapping[str, str]
    system_prompt: str
    config: Mapping[str, str]
    status: int
    proxy: str = ""
    parameters: Parameters | None = None
    number: int = 0
    keys: tuple["Channel", ...] = ()
    in_turn: bool = False

    def __repr__(self) -> str:
        return f"<Channel {self.id} {self.name!r}>"


class _Tier:
    """Channels of one priority. `cumulative` are the running sums of weights above 0, whose channels stand first."""

    __slots__ = ("channels", "cumulative")

    def __init__(self, channels: Iterable[Channel]) -> None:
        self.channels = tuple(sorted(channels, key=lambda channel: channel.weight <= 0))
        self.cumulative = tuple(accumulate(channel.weight for channel in self.channels if channel.weight > 0))

    def order(self, rng: Random) -> Iterator[Channel]:
        """Weighted choice without replacement. Whoever needs one channel pays for one."""
        return self._drawn(rng) if len(self.channels) > 1 else iter(self.channels)

    def _drawn(self, rng: Random) -> Iterator[Channel]:
        channels, cumulative = self.channels, self.cumulative
        if not cumulative:
            yield from _shuffled(channels, rng)
            return
        first = min(bisect_right(cumulative, rng.random() * cumulative[-1]), len(cumulative) - 1)
        yield channels[first]
        weighted = list(channels[: len(cumulative)])
        del weighted[first]
        while weighted:
            sums = list(accumulate(channel.weight for channel in weighted))
            yield weighted.pop(min(bisect_right(sums, rng.random() * sums[-1]), len(sums) - 1))
        yield from _shuffled(channels[len(cumulative) :], rng)


def _shuffled(channels: tuple[Channel, ...], rng: Random) -> Iterator[Channel]:
    if not channels:
        return
    first = int(rng.random() * len(channels))
    yield channels[first]
    rest = list(channels)
    del rest[first]
    rng.shuffle(rest)
    yield from rest


class Routes:
    """All channels and who may use them, at one moment."""

    __slots__ = ("_candidates", "_channels", "_models", "_tiers")

    def __init__(
        self,
        channels: Mapping[int, Channel],
        tiers: Mapping[tuple[str, str], tuple[_Tier, ...]],
        models: Mapping[str, tuple[str, ...]],
    ) -> None:
        self._channels = channels
        self._tiers = tiers
        self._candidates = {
            place: tuple(each for tier in served for each in tier.channels) for place, served in tiers.items()
        }
        self._models = models

    @classmethod
    def build(cls, channels: Iterable[Channel], abilities: Iterable[Ability]) -> "Routes":
        """The table of these rows. The abilities decide; one whose channel is gone or not enabled is left out."""
        known = {channel.id: channel for channel in channels}
        served: dict[tuple[str, str], dict[int, dict[int, Channel]]] = {}
        models: dict[str, set[str]] = {}
        for group, model, channel_id, enabled, priority in abilities:
            channel = known.get(channel_id)
            if not enabled or channel is None or channel.status != ENABLED:
                continue
            served.setdefault((group, model), {}).setdefault(priority, {})[channel_id] = channel
            models.setdefault(group, set()).add(model)
        tiers = {
            place: tuple(_Tier(by_priority[priority].values()) for priority in sorted(by_priority, reverse=True))
            for place, by_priority in served.items()
        }
        return cls(known, tiers, {group: tuple(sorted(names)) for group, names in models.items()})

    def plan(self, group: str, model: str, rng: Random) -> Iterator[Channel]:
        """Every channel that serves `model` to `group`, once, in the order to try them; lazily."""
        tiers = self._tiers.get((group, model), ())
        if len(tiers) == 1:
            return tiers[0].order(rng)
        return chain.from_iterable(tier.order(rng) for tier in tiers)

    def candidates(self, group: str, model: str) -> tuple[Channel, ...]:
        """The same channels without a draw, highest priority first: for holds, which cover the dearest of them."""
        return self._candidates.get((group, model), ())

    def channel(self, channel_id: int) -> Channel | None:
        """A channel by number, whatever its status and groups."""
        return self._channels.get(channel_id)

    def enabled(self) -> frozenset[int]:
        """The numbers of the channels in use."""
        return frozenset(channel.id for channel in self._channels.values() if channel.status == ENABLED)

    def models(self, group: str) -> tuple[str, ...]:
        """The models `group` may use, sorted."""
        return self._models.get(group, ())
