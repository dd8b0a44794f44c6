"""Reading Google's JSON, where a field may bear either of two names: https://protobuf.dev/programming-guides/json/."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from one_api.ir import Unrepresentable


@cache
def snake(name: str) -> str:
    """`inline_data` of `inlineData`."""
    return re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name)


def field(value: Mapping[str, Any], name: str) -> Any:
    """The field `name`, given in camel case, under that name or its older one; None without one.

    Raises Unrepresentable for both: nobody knows which one Google would take.
    """
    other = snake(name)
    if other != name and other in value:
        if name in value:
            raise Unrepresentable(f"{name} is given twice: as {other} too")
        return value[other]
    return value.get(name)


def text(value: Mapping[str, Any], name: str) -> str:
    """A field that is text, "" if it is not."""
    found = field(value, name)
    return found if isinstance(found, str) else ""


def message(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A field that is an object, empty without one. Raises Unrepresentable."""
    found = field(value, name)
    if found is not None and not isinstance(found, dict):
        raise Unrepresentable(f"{name} has to be an object")
    return found or {}


def several(value: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A field that is an array of objects, empty without one. Raises Unrepresentable."""
    found = field(value, name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise Unrepresentable(f"{name} has to be an array of objects")
    return found


def number(value: Mapping[str, Any], name: str, *kinds: type) -> Any:
    """A field that is a number of one of these kinds, None without one. Raises Unrepresentable."""
    found = field(value, name)
    if found is not None and (isinstance(found, bool) or not isinstance(found, kinds)):
        raise Unrepresentable(f"{name} has to be a number")
    return found
