"""The models each provider is known to serve, and the catalogue that `/v1/models` draws from."""

import json
from collections.abc import Iterator, Mapping
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

from one_api.providers.catalog import PROVIDERS

_DATA: Final[Any] = json.loads(resources.files(__package__).joinpath("models.json").read_text("utf-8"))

# The order in which One API asks its adaptors for their lists, then its OpenAI-compatible channels.
_CATALOGUE_TYPES: Final = (1, 14, 11, 15, 16, 17, 18, 23, 24, 30, 33, 34, 35, 37, 38, 42, 43, 46)
_COMPATIBLE_TYPES: Final = (19, 25, 26, 27, 40, 28, 29, 31, 32, 36, 39, 41, 44, 45, 47, 48)


def static_models(channel_type: int) -> tuple[str, ...]:
    """The models a new channel of this type is offered."""
    return _BY_TYPE.get(channel_type, ())


def models_by_type() -> Mapping[int, tuple[str, ...]]:
    """The lists of all types an operator may choose."""
    return MappingProxyType({number: static_models(number) for number in PROVIDERS if number})


def owner(model: str) -> str | None:
    """Who owns a model, the last of the catalogue's entries for it, or None if it is not in there."""
    return _OWNERS.get(model)


def _lists() -> Iterator[tuple[int, tuple[str, ...]]]:
    lists = {int(number): tuple(models) for number, models in _DATA["lists"].items()}
    yield from lists.items()
    for number, same in _DATA["same"].items():
        yield int(number), lists[same]


_BY_TYPE: Final[Mapping[int, tuple[str, ...]]] = MappingProxyType(dict(_lists()))
CATALOGUE: Final[tuple[tuple[str, str], ...]] = tuple(
    (model, PROVIDERS[number].owned_by)
    for number in (*_CATALOGUE_TYPES, *_COMPATIBLE_TYPES)
    for model in static_models(number)
)
"""Every known model and its owner, in One API's order; a model of two providers is in it twice."""
_OWNERS: Final[Mapping[str, str]] = MappingProxyType(dict(CATALOGUE))
