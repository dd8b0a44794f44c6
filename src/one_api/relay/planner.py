"""Which of the channels that serve a call are asked, and with which of their keys."""

from collections.abc import Iterable
from random import Random
from typing import Protocol

from one_api.relay.calls import Ask
from one_api.relay.spoken import speaks
from one_api.routing import Channel

MOST_TURNS = 10_000


class Rests(Protocol):
    """Who knows which channels want to be left alone for a while."""

    def resting(self, channel: Channel, model: str) -> bool: ...


class Planner:
    """Has the keys of a channel take turns, in this process."""

    def __init__(self, rests: Rests, rng: Random) -> None:
        self._rests = rests
        self._rng = rng
        self._turns: dict[int, int] = {}

    def choose(self, planned: Iterable[Channel], ask: Ask, tries: int) -> list[Channel]:
        """As many of them as may be tried. One that asked to be left alone for a while comes last, and after all
        channels other keys of those that have several.
        """
        found: list[Channel] = []
        resting: list[Channel] = []
        spare: list[Channel] = []
        if ask.unseen:  # by others than those who speak the caller's dialect, as a rule
            planned = sorted(planned, key=lambda channel: not speaks(channel, ask.mode, _mapped(channel, ask)))
        for channel in planned:
            chosen = channel
            if channel.keys:
                chosen, *others = self._keys(channel, _mapped(channel, ask))
                spare += others
            if self._rests.resting(chosen, _mapped(chosen, ask)):
                resting.append(chosen)
                continue
            found.append(chosen)
            if len(found) >= tries:
                break
        return (found + resting + spare)[:tries]

    def _keys(self, channel: Channel, model: str) -> list[Channel]:
        """The channel with each of its keys, in the order to try them."""
        if channel.in_turn:
            if len(self._turns) >= MOST_TURNS:
                self._turns.clear()
            turn = self._turns[channel.id] = self._turns.get(channel.id, -1) + 1
            first = turn % len(channel.keys)
        else:
            first = int(self._rng.random() * len(channel.keys))
        keys = channel.keys[first:] + channel.keys[:first]
        return sorted(keys, key=lambda key: self._rests.resting(key, model))


def _mapped(channel: Channel, ask: Ask) -> str:
    return channel.mapping.get(ask.model) or ask.model
