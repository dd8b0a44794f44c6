"""The only JSON codec for what crosses the wire: strict on the way in, so that what we priced is what we send.

A document is refused where two readers could disagree: two values for one key, NaN, lone surrogates, a byte order mark,
data after the end, nesting past `MAX_DEPTH`. What passes may be forwarded byte for byte.
"""

import json
import re
from itertools import filterfalse
from operator import methodcaller
from typing import Any

import msgspec

MAX_DEPTH = 64
SHORT = 4096
PER_OTHER = 4  # bytes of text: a number in an array of tokens is a token
_is_data = methodcaller("startswith", "data:")
_ESCAPED_COLON = re.compile(rb"\\u003[aA]")
_decoder = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()
encode = _encoder.encode


class InvalidJSON(ValueError):
    """The body is not JSON, or is JSON that two readers could read differently."""


class Document(msgspec.Struct, frozen=True, gc=False):
    """A decoded body.

    `text` counts UTF-8 bytes of all strings but data URLs, the basis of a token estimate; `media` counts data URLs and
    image links.
    """

    value: Any
    text: int
    media: int


def _measure(value: Any) -> tuple[int, int, int]:
    """(keys, text, media) of what a document was decoded to. Raises InvalidJSON if it is nested too deep."""
    keys = others = media = 0
    strings: list[str] = []
    add = strings.append
    level: list[Any] = [value] if isinstance(value, (dict, list)) else [[value]]
    for _ in range(MAX_DEPTH):
        deeper: list[Any] = []
        for each in level:
            if type(each) is dict:
                keys += len(each)
                media += "image_url" in each or "input_audio" in each
                each = each.values()  # noqa: PLW2901  # the items of a list or the values of an object
            for item in each:
                kind = type(item)
                if kind is str:
                    add(item)
                elif kind is dict or kind is list:
                    deeper.append(item)
                else:
                    others += 1
        if not deeper:
            break
        level = deeper
    else:
        raise InvalidJSON(f"nested deeper than {MAX_DEPTH} levels")
    written = [*filterfalse(_is_data, strings)]
    media += len(strings) - len(written)
    text = "".join(written)
    size = len(text) if text.isascii() else len(text.encode())
    return keys, size + others * PER_OTHER, media


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
    keys, text, media = _measure(value)
    if not _names_each_key_once(data, value, keys):
        _refuse_duplicates(data)
    return Document(value, text, media)


def _names_each_key_once(data: bytes, value: Any, keys: int) -> bool:
    """Whether counting proves it; where it proves nothing, the slow reader has to look.

    Each key is followed by one structural colon, also one that was given twice and of which the decoder kept the last.
    All other colons stand in strings. So if the colons of the text, without those in the strings that were kept, are as
    many as the keys that were kept, no key was dropped. An escaped colon would be counted in a string and not in the
    text, and hide a structural one.
    """
    colons = _at_most(data, keys) if len(data) > SHORT else -1
    if colons < 0:
        colons = len(data.split(b":")) - 1  # half the cost of count()
    if colons == keys:
        return True
    return _ESCAPED_COLON.search(data) is None and colons - _colons(value) == keys


def _at_most(data: bytes, most: int) -> int:
    """How many colons there are, -1 for more than `most`: where they are few, each is found at the speed of memory."""
    place = data.find(b":")
    for count in range(most + 1):
        if place < 0:
            return count
        place = data.find(b":", place + 1)
    return -1


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
