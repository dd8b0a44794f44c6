"""What One API's decoder says about JSON it cannot read.

Administrators see these sentences when they save a ratio table, clients when a field has the wrong type, and scripts
match on them: they are those of Go's `encoding/json`, which stops at the first byte that cannot continue the text.
"""

import json
import math
import re

_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_QUOTE, _BACKSLASH = b'"\\'
_BLANKS = frozenset((b" ", b"\t", b"\r", b"\n"))
_ESCAPES = frozenset(bytes((letter,)) for letter in b'"\\/bfnrt')
_HEX = frozenset(bytes((letter,)) for letter in b"0123456789abcdefABCDEF")
_NAMED = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 92: "\\\\", 39: "\\'"}
_LITERALS = {b"t": b"true", b"f": b"false", b"n": b"null"}
_KINDS = {dict: "object", list: "array", str: "string", bool: "bool", float: "number"}


class DecodeError(ValueError):
    """The text cannot be read as what it should be; the message is the decoder's."""


def numbers(text: str) -> dict[str, float]:
    """The object of numbers in `text`. Raises DecodeError.

    Unlike the original, `null` is refused, for the whole and for a value: there it empties the table or makes a model
    free.
    """
    check(text.encode("utf-8", "surrogatepass"))
    try:
        value = json.loads(text, parse_int=_number, parse_float=_number)
    except RecursionError:
        raise DecodeError("exceeded max depth") from None
    if not isinstance(value, dict):
        raise DecodeError(mismatch(value, "value", "map[string]float64"))
    for item in value.values():
        if not isinstance(item, float):
            raise DecodeError(mismatch(item, "value", "float64"))
    return value


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise DecodeError(f"json: cannot unmarshal number {text} into Go value of type float64")
    return value


def mismatch(value: object, place: str, wanted: str) -> str:
    """The sentence for a decoded `value` of the wrong type; `place` is `value` or `struct field Request.name`."""
    kind = "number" if isinstance(value, int) and not isinstance(value, bool) else _KINDS.get(type(value), "null")
    if wanted == "int" and isinstance(value, float):
        kind = f"number {value!r}"
    return f"json: cannot unmarshal {kind} into Go {place} of type {wanted}"


def complaint(text: bytes) -> str | None:
    """What the decoder says about `text`, or None if it is JSON."""
    try:
        check(text)
    except DecodeError as error:
        return str(error)
    return None


def check(text: bytes) -> None:
    """Raise DecodeError for the first byte that cannot continue a JSON text."""
    open_: list[bytes] = []  # the brackets we are inside of
    at = _value(text, 0, open_)
    while True:
        at = _skip(text, at)
        if not open_:
            if at < len(text):
                raise _bad(text, at, "after top-level value")
            return
        inside, here = open_[-1], text[at : at + 1]
        if here == (b"}" if inside == b"{" else b"]"):
            open_.pop()
            at += 1
        elif here == b",":
            at = _key(text, at + 1) if inside == b"{" else at + 1
            at = _value(text, at, open_)
        else:
            raise _bad(text, at, "after object key:value pair" if inside == b"{" else "after array element")


def _value(text: bytes, at: int, open_: list[bytes]) -> int:
    """Read a value, or go down to the first scalar (or empty bracket) of a nest."""
    while True:
        at = _skip(text, at)
        first = text[at : at + 1]
        if first in (b"{", b"["):
            at = _skip(text, at + 1)
            open_.append(first)
            if text[at : at + 1] == (b"}" if first == b"{" else b"]"):
                return at
            if first == b"{":
                at = _key(text, at)
        elif first == b'"':
            return _string(text, at)
        elif first in _LITERALS:
            return _literal(text, at, _LITERALS[first])
        elif first == b"-" or first.isdigit():
            return _digits(text, at)
        else:
            raise _bad(text, at, "looking for beginning of value")


def _key(text: bytes, at: int) -> int:
    at = _skip(text, at)
    if text[at : at + 1] != b'"':
        raise _bad(text, at, "looking for beginning of object key string")
    at = _skip(text, _string(text, at))
    if text[at : at + 1] != b":":
        raise _bad(text, at, "after object key")
    return at + 1


def _string(text: bytes, at: int) -> int:
    at += 1
    while at < len(text):
        here = text[at]
        if here == _QUOTE:
            return at + 1
        if here < 32:
            raise _bad(text, at, "in string literal")
        at = _escape(text, at + 1) if here == _BACKSLASH else at + 1
    raise _bad(text, at, "in string literal")


def _escape(text: bytes, at: int) -> int:
    letter = text[at : at + 1]
    if letter == b"u":
        for digit in range(at + 1, at + 5):
            if text[digit : digit + 1] not in _HEX:
                raise _bad(text, digit, "in \\u hexadecimal character escape")
        return at + 5
    if letter not in _ESCAPES:
        raise _bad(text, at, "in string escape code")
    return at + 1


def _literal(text: bytes, at: int, word: bytes) -> int:
    for offset, letter in enumerate(word):
        if text[at + offset : at + offset + 1] != bytes((letter,)):
            raise _bad(text, at + offset, f"in literal {word.decode()} (expecting '{chr(letter)}')")
    return at + len(word)


def _digits(text: bytes, at: int) -> int:
    match = _NUMBER.match(text, at)
    if match is None:  # a minus sign before something else
        raise _bad(text, at + 1, "in numeric literal")
    end, (fraction, exponent) = match.end(), match.groups()
    following = text[end : end + 1]
    if following == b"." and fraction is None and exponent is None:
        raise _bad(text, end + 1, "after decimal point in numeric literal")
    if following in (b"e", b"E") and exponent is None:
        signed = text[end + 1 : end + 2] in (b"+", b"-")
        raise _bad(text, end + 1 + signed, "in exponent of numeric literal")
    return end


def _skip(text: bytes, at: int) -> int:
    while text[at : at + 1] in _BLANKS:
        at += 1
    return at


def _bad(text: bytes, at: int, where: str) -> DecodeError:
    if at >= len(text):
        return DecodeError("unexpected end of JSON input")
    return DecodeError(f"invalid character {_quote(text[at])} {where}")


def _quote(byte: int) -> str:
    if byte in _NAMED:
        return f"'{_NAMED[byte]}'"
    if byte < 32 or byte == 127:
        return f"'\\x{byte:02x}'"
    if 128 <= byte < 161 or byte == 173:  # the Latin-1 characters Go does not print
        return f"'\\u{byte:04x}'"
    return f"'{chr(byte)}'"
