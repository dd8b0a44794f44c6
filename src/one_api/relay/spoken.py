"""Which dialect a caller speaks: by the kind of his call, and OpenAI's for every kind that no other has."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from one_api.dialects.inbound import INBOUND, MEASURED, OPENAI, Inbound, Measured
from one_api.providers import SPOKEN, Mode, wire
from one_api.routing import Channel

_BY_MODE: Final[Mapping[Mode, Inbound]] = MappingProxyType({mode: INBOUND[wire] for mode, wire in SPOKEN.items()})
MEASURED_MODES: Final[Mapping[Mode, Measured]] = MappingProxyType(
    {mode: MEASURED[wire] for mode, wire in SPOKEN.items() if wire in MEASURED}
)
"""Kinds of calls that One API did not know."""
KEY_HEADERS: Final = frozenset(dialect.KEY for dialect in MEASURED.values())
"""Where their clients put their key, besides `Authorization`."""


def spoken(mode: Mode) -> Inbound:
    return _BY_MODE.get(mode, OPENAI)


def speaks(channel: Channel, mode: Mode) -> bool:
    """Whether a conversation of this kind needs no translation for the channel."""
    return wire(channel, SPOKEN[mode]) == SPOKEN[mode]
