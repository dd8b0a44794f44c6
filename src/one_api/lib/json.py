"""The only JSON codec for what crosses the wire: strict on the way in, so that what we priced is what we send.

A document is refused where two readers could disagree: two values for one key, NaN, lone surrogates, a byte order mark,
data after the end, nesting past `MAX_DEPTH`. What passes may be forwarded byte for byte.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

MAX_DEPTH = 64
_ESCAPED_COLON = re.compile(rb"\\u003[aA]")
_decoder = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()
encode = _encoder.encode


class InvalidJSON(ValueError):
    """The body is not JSON, or is JSON that two readers could read differently."""


@dataclass(frozen=True, slots=True)
class Document:
    """A decoded body.

    `text` counts UTF-8 bytes of all strings but data URLs, the basis of a token estimate; `media` counts data URLs and
    image links.
    """

    value: Any
    text: int
    media: int


class _Measure:
    """Counts what one walk over a decoded document can tell."""

    __slots__ = ("keys", "media", "text")

    def __init__(self) -> None:
        self.keys = 0
        self.text = 0
        self.media = 0

    def walk(self, value: Any, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise InvalidJSON(f"nested deeper than {MAX_DEPTH} levels")
        kind = type(value)
        if kind is dict:
            self.keys += len(value)
            if "image_url" in value or "input_audio" in value:
                self.media += 1
            self._items(value.values(), depth + 1)
        elif kind is list:
            self._items(value, depth + 1)
        elif kind is str:
            self._string(value)

    def _items(self, items: Iterable[Any], depth: int) -> None:
        for item in items:
            kind = type(item)
            if kind is str:
                self._string(item)
            elif kind is dict or kind is list:
                self.walk(item, depth)
            else:
                self.text += 4  # a number in an array of tokens is a token

    def _string(self, value: str) -> None:
        if value.startswith("data:"):
            self.media += 1
        elif value.isascii():
            self.text += len(value)
        else:
            self.text += len(value.encode())


def decode(data: bytes) -> Any:
    """Decode a document somebody else answers for (an upstream's answer): no checks beyond the grammar.

    Raises InvalidJSON.
    """
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidJSON(str(error)) from None


def decode_strict(data: bytes) -> Document:
    """Decode a caller's document, refusing what two readers could read differently.

    Raises InvalidJSON with a sentence for the caller.
    """
    value = decode(data)
    measure = _Measure()
    measure.walk(value, 1)
    if not _names_each_key_once(data, value, measure.keys):
        _refuse_duplicates(data)
    return Document(value, measure.text, measure.media)


def _names_each_key_once(data: bytes, value: Any, keys: int) -> bool:
    """Whether counting proves it; where it proves nothing, the slow reader has to look.

    Each key is followed by one structural colon, also one that was given twice and of which the decoder kept the last.
    All other colons stand in strings. So if the colons of the text, without those in the strings that were kept, are as
    many as the keys that were kept, no key was dropped. An escaped colon would be counted in a string and not in the
    text, and hide a structural one.
    """
    colons = len(data.split(b":")) - 1  # half the cost of count()
    if colons == keys:
        return True
    return _ESCAPED_COLON.search(data) is None and colons - _colons(value) == keys


def _colons(value: Any) -> int:
    if isinstance(value, str):
        return value.count(":")
    if isinstance(value, dict):
        return sum(key.count(":") + _colons(item) for key, item in value.items())
    return sum(_colons(item) for item in value) if isinstance(value, list) else 0


def _refuse_duplicates(data: bytes) -> None:
    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        seen = dict(items)
        if len(seen) != len(items):
            names = [name for name, _ in items]
            twice = next(name for name in names if names.count(name) > 1)
            raise InvalidJSON(f"the key {twice!r} is given twice")
        return seen

    json.loads(data, object_pairs_hook=pairs)
