"""Which dialect a caller speaks: by the kind of his call, and OpenAI's for every kind that no other has."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from one_api.dialects.inbound import INBOUND, MEASURED, OPENAI, Inbound, Measured
from one_api.providers import EMBEDDED, SPOKEN, Mode, wire
from one_api.routing import Channel

_WIRES: Final = {**SPOKEN, **EMBEDDED}
_BY_MODE: Final[Mapping[Mode, Inbound]] = MappingProxyType({mode: INBOUND[wire] for mode, wire in _WIRES.items()})
MEASURED_MODES: Final[Mapping[Mode, Measured]] = MappingProxyType(
    {mode: MEASURED[wire] for mode, wire in SPOKEN.items() if wire in MEASURED}
)
"""Kinds of calls that One API did not know."""
KEYS: Final[Mapping[Mode, bytes]] = MappingProxyType(
    {mode: MEASURED[wire].KEY for mode, wire in _WIRES.items() if wire in MEASURED}
)
"""Where clients of a kind put their key, besides `Authorization`."""
KEY_HEADERS: Final = frozenset(KEYS.values())


def spoken(mode: Mode) -> Inbound:
    return _BY_MODE.get(mode, OPENAI)


def speaks(channel: Channel, mode: Mode, model: str) -> bool:
    """Whether a conversation of this kind, with this model, needs no translation for the channel."""
    return wire(channel, SPOKEN[mode], model) == SPOKEN[mode]
