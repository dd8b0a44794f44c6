"""Values of options as the text that the table holds, by the type of the default."""

import math
import re
from types import MappingProxyType
from typing import Final, Literal, TypeVar

from one_api.pricing import gojson, ratios
from one_api.pricing.ratios import Ratios
from one_api.routing import limits
from one_api.routing.limits import CallLimits

Value = bool | int | float | str | tuple[str, ...] | Ratios | CallLimits
Kind = Literal["switch", "integer", "number", "text", "list", "ratios"]
Number = TypeVar("Number", int, float)

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,19}")
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INT64: Final = 1 << 63


def read(text: str, default: Value, *, key: str, at_least: float) -> Value:
    """`text` as a value of the type `default` has. Raises ValueError with a sentence for the administrator."""
    match default:
        case bool():
            return text == "true"
        case int():
            if not _INTEGER.fullmatch(text) or not -_INT64 <= int(text) < _INT64:
                raise ValueError(f"{key} 必须是整数")
            return _bounded(int(text), key, at_least)
        case float():
            if not _DECIMAL.fullmatch(text) or math.isinf(float(text)):
                raise ValueError(f"{key} 必须是数字")
            return _bounded(float(text), key, at_least)
        case str():
            return text
        case tuple():
            return tuple(text.split(",")) if text else ()
        case CallLimits():
            return limits.parse(text)
        case _:
            return MappingProxyType(gojson.numbers(text))


def write(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | str():
            return str(value)
        case float():
            return ratios.plain_number(value)
        case tuple():
            return ",".join(value)
        case CallLimits():
            return limits.write(value)
        case _:
            return ratios.encode(value)


def kind(value: Value) -> Kind:
    """What a form shows it as."""
    match value:
        case bool():
            return "switch"
        case int():
            return "integer"
        case float():
            return "number"
        case str() | CallLimits():
            return "text"
        case tuple():
            return "list"
        case _:
            return "ratios"


def _bounded(number: Number, key: str, at_least: float) -> Number:
    if number < at_least:
        least = "必须大于 0" if at_least > 0 else "不能为负数"
        raise ValueError(f"{key} {least}")
    return number
