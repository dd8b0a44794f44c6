"""Bodies and numbers as One API's Go code reads them: leniently where it is lenient, with its words where it is not.

A body's type is never looked at. The first JSON value in it fills a form by the names of its fields, in any case;
unknown names are ignored, null and absence leave what the form has, and a value of the wrong type is an error.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, NoReturn, TypeVar, get_args, get_origin, get_type_hints

from one_api.pricing import gojson
from one_api.pricing.gojson import DecodeError

T = TypeVar("T")

# Whole numbers by the names Go gives them in its complaints.
Int = Annotated[int, "int"]
Int64 = Annotated[int, "int64"]
Uint = Annotated[int, "uint"]

_INT64: Final = 1 << 63
_GO_NAMES: Final[Mapping[type, str]] = {str: "string", bool: "bool", float: "float64"}
_WHOLE: Final = re.compile(r"[+-]?[0-9]+")


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    kind: type
    go: str


class _Number(str):
    """A number as it was written: only that says whether Go would take it for a whole one."""

    __slots__ = ()


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("no JSON")


_reader = json.JSONDecoder(parse_int=_Number, parse_float=_Number, parse_constant=_no_constant)


def decode(form: type[T], body: bytes, *, name: str) -> T:
    """Fill a form, a dataclass whose fields all have defaults; `name` is what the complaints call it.

    Raises DecodeError.
    """
    value = _first_value(body)
    key: Any = form  # mypy does not take every class for hashable
    known = _fields(key)
    if value is None:
        return form()
    if not isinstance(value, dict):
        raise DecodeError(gojson.mismatch(_plain(value), "value", name))
    found = {}
    for key, item in value.items():
        field = known.get(key.lower())
        if field is not None and item is not None:
            found[field.name] = _convert(item, field, f"struct field {name}.{field.name}")
    return form(**found)


def _first_value(body: bytes) -> Any:
    text = body.decode("utf-8", "replace").lstrip(" \t\r\n")
    if not text:
        raise DecodeError("EOF")
    try:
        return _reader.raw_decode(text)[0]
    except RecursionError:
        raise DecodeError("exceeded max depth") from None
    except ValueError:
        complaint = gojson.complaint(text.encode("utf-8", "surrogatepass"))
        unfinished = complaint is None or complaint == "unexpected end of JSON input"
        raise DecodeError("unexpected EOF" if unfinished else complaint or "") from None


@lru_cache(maxsize=128)
def _fields(form: type) -> dict[str, _Field]:
    if not is_dataclass(form):
        raise TypeError(f"{form} is no form")
    hints = get_type_hints(form, include_extras=True)
    return {field.name.lower(): _field(field.name, hints[field.name]) for field in fields(form)}


def _field(name: str, hint: Any) -> _Field:
    if get_origin(hint) is UnionType or NoneType in get_args(hint):
        hint = next(part for part in get_args(hint) if part is not NoneType)
    if get_origin(hint) is Annotated:
        kind, go = get_args(hint)
        return _Field(name, kind, go)
    return _Field(name, hint, _GO_NAMES[hint])


def _convert(item: Any, field: _Field, place: str) -> Any:
    kind = field.kind
    if kind is str and isinstance(item, str) and not isinstance(item, _Number):
        if "\0" in item:
            raise DecodeError(f"invalid character in string: {field.name}")
        return item.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if kind is bool and isinstance(item, bool):
        return item
    if kind is float and isinstance(item, _Number):
        return _float(item, field, place)
    if kind is int and isinstance(item, _Number):
        return _int(item, field, place)
    raise DecodeError(gojson.mismatch(_plain(item), place, field.go))


def _int(item: _Number, field: _Field, place: str) -> int:
    low, high = (0, 2 * _INT64) if field.go == "uint" else (-_INT64, _INT64)
    # SQL columns are signed on all databases but one.
    if _WHOLE.fullmatch(item) and low <= _whole(item) < min(high, _INT64):
        return _whole(item)
    raise DecodeError(f"json: cannot unmarshal number {str(item)[:40]} into Go {place} of type {field.go}")


def _float(item: _Number, field: _Field, place: str) -> float:
    value = float(item)
    if value in (float("inf"), float("-inf")):
        raise DecodeError(f"json: cannot unmarshal number {str(item)[:40]} into Go {place} of type {field.go}")
    return value


def _plain(item: Any) -> Any:
    return 0 if isinstance(item, _Number) else item


def atoi(text: str) -> int:
    """A number in a query: what cannot be read is 0, what is too large the largest."""
    if not _WHOLE.fullmatch(text):
        return 0
    return max(-_INT64, min(_INT64 - 1, _whole(text)))


def atoi_strict(text: str) -> int:
    """A number in a path. Raises DecodeError with Go's words."""
    quoted = json.dumps(text[:80], ensure_ascii=False)
    if not _WHOLE.fullmatch(text):
        raise DecodeError(f"strconv.Atoi: parsing {quoted}: invalid syntax")
    number = _whole(text)
    if not -_INT64 <= number < _INT64:
        raise DecodeError(f"strconv.Atoi: parsing {quoted}: value out of range")
    return number


def _whole(text: str) -> int:
    """The number, or one as far out of range: many digits cost no time."""
    sign = -1 if text[0] == "-" else 1
    return sign * int(text.lstrip("+-").lstrip("0")[:25] or "0")
