"""The part of JSON Schema that older models of Google's take: https://ai.google.dev/api/caching#Schema."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

_KEPT: Final = frozenset(
    (
        *("title", "description", "nullable", "minItems", "maxItems", "minProperties", "maxProperties"),
        *("minLength", "maxLength", "pattern", "minimum", "maximum", "propertyOrdering", "example", "default"),
    )
)
_FORMATS: Final = ("enum", "date-time", "float", "double", "int32", "int64")
_DEEPEST: Final = 32
_MOST: Final = 2000  # schemas within one, references followed


def reduced(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema in their words. What they have no word for is left out: it then admits more than was asked for."""
    return _Reducer(schema).reduce(schema, 0)


class _Reducer:
    """Follows references into the schema as a whole; a schema that contains itself ends as any object."""

    __slots__ = ("_left", "_root")

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._left = _MOST

    def reduce(self, schema: Any, depth: int) -> dict[str, Any]:
        self._left -= 1
        if depth > _DEEPEST or self._left < 0:
            return {"type": "object"}
        if not isinstance(schema, dict):
            return {}
        schema = self._resolved(schema)
        found = {name: value for name, value in schema.items() if name in _KEPT}
        found |= _types(schema)
        if schema.get("format") in _FORMATS:
            found["format"] = schema["format"]
        found |= _choices(schema, found.get("type"))
        properties = schema.get("properties")
        if isinstance(properties, dict) and properties:
            found["properties"] = {name: self.reduce(each, depth + 1) for name, each in properties.items()}
            required = schema.get("required")
            if isinstance(required, list):
                found["required"] = [name for name in required if isinstance(name, str) and name in properties]
        if isinstance(schema.get("items"), dict):
            found["items"] = self.reduce(schema["items"], depth + 1)
        return found | self._alternatives(schema, found, depth)

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """With what it refers to, or is made of, put in its place."""
        for _ in range(_DEEPEST):
            reference, parts = schema.get("$ref"), schema.get("allOf")
            if isinstance(reference, str):
                others = {name: value for name, value in schema.items() if name != "$ref"}
                schema = {**self._at(reference), **others}
            elif isinstance(parts, list):
                others = {name: value for name, value in schema.items() if name != "allOf"}
                schema = _merged([others, *(each for each in parts if isinstance(each, dict))])
            else:
                break
        return schema

    def _at(self, reference: str) -> Mapping[str, Any]:
        """What stands at `#/$defs/name`; nothing where that is nowhere."""
        found: Any = self._root
        for name in reference.removeprefix("#").split("/")[1:]:
            found = found.get(name.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}

    def _alternatives(self, schema: Mapping[str, Any], found: Mapping[str, Any], depth: int) -> dict[str, Any]:
        """One of several schemas; "or null" has a word of its own."""
        several = schema.get("anyOf") or schema.get("oneOf")
        if not isinstance(several, list):
            return {}
        real = [each for each in several if not (isinstance(each, dict) and each.get("type") == "null")]
        nullable = {"nullable": True} if len(real) < len(several) else {}
        if len(real) == 1:
            return {**self.reduce(real[0], depth + 1), **found, **nullable}
        return {"anyOf": [self.reduce(each, depth + 1) for each in real], **nullable}


def _types(schema: Mapping[str, Any]) -> dict[str, Any]:
    kind = schema.get("type")
    if isinstance(kind, str):
        return {"type": kind}
    if not isinstance(kind, list):
        return {"type": "object"} if isinstance(schema.get("properties"), dict) else {}
    real = [each for each in kind if isinstance(each, str) and each != "null"]
    nullable = {"nullable": True} if "null" in kind else {}
    if len(real) == 1:
        return {"type": real[0], **nullable}
    return {"anyOf": [{"type": each} for each in real], **nullable} if real else nullable


def _choices(schema: Mapping[str, Any], kind: Any) -> dict[str, Any]:
    """Only texts can be chosen from."""
    chosen = [schema["const"]] if "const" in schema else schema.get("enum")
    if not isinstance(chosen, list):
        return {}
    texts = [each for each in chosen if isinstance(each, str)]
    return {"type": "string", "enum": texts} if texts and kind in (None, "string") else {}


def _merged(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            known = merged.get(name)
            if name == "properties" and isinstance(known, dict) and isinstance(value, dict):
                merged[name] = {**known, **value}
            elif name == "required" and isinstance(known, list) and isinstance(value, list):
                merged[name] = [*known, *(each for each in value if each not in known)]
            else:
                merged[name] = value
    return merged


_PLAIN: Final = frozenset(
    (
        *("title", "description", "format", "enum", "pattern", "minimum", "maximum", "default", "required"),
        *("minItems", "maxItems", "minProperties", "maxProperties", "minLength", "maxLength"),
    )
)


def widened(schema: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """A schema in their words as JSON Schema."""
    if depth > _DEEPEST:
        return {}
    found: dict[str, Any] = {}
    for name, value in schema.items():
        word = re.sub("_([a-z])", lambda letter: letter[1].upper(), name)
        if word == "properties" and isinstance(value, dict):
            found[word] = {key: widened(each, depth + 1) for key, each in value.items() if isinstance(each, dict)}
        elif word in ("items", "additionalProperties") and isinstance(value, dict):
            found[word] = widened(value, depth + 1)
        elif word == "anyOf" and isinstance(value, list):
            found[word] = [widened(each, depth + 1) for each in value if isinstance(each, dict)]
        elif word == "type" and isinstance(value, str):
            found[word] = value.lower()
        elif word in _PLAIN or (word == "additionalProperties" and isinstance(value, bool)):
            found[word] = _whole(value)
    if schema.get("nullable") is True and isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
    return found


def _whole(value: Any) -> Any:
    """Their whole numbers of 64 bits are written as texts: https://protobuf.dev/programming-guides/json/."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else value
