"""Which dialect a caller speaks: by the kind of his call, and OpenAI's for every kind that no other has."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from one_api.dialects.inbound import INBOUND, MEASURED, OPENAI, Inbound, Measured
from one_api.providers import EMBEDDED, SPOKEN, Mode

_BY_MODE: Final[Mapping[Mode, Inbound]] = MappingProxyType(
    {mode: INBOUND[wire] for mode, wire in (*SPOKEN.items(), *EMBEDDED.items(), (Mode.COUNT, "gemini"))}
)
MEASURED_MODES: Final[Mapping[Mode, Measured]] = MappingProxyType(
    {mode: MEASURED[wire] for mode, wire in SPOKEN.items() if wire in MEASURED}
)
"""Kinds of calls that One API did not know."""


def spoken(mode: Mode) -> Inbound:
    return _BY_MODE.get(mode, OPENAI)
