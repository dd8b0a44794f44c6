"""JSON Schema of the types that endpoints read and answer with. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from one_api.edge.api.declared import OneOf

Schema = dict[str, Any]

_PLAIN: Final[Mapping[Any, Schema]] = MappingProxyType(
    {
        str: {"type": "string"},
        bool: {"type": "boolean"},
        int: {"type": "integer", "format": "int64"},
        float: {"type": "number"},
        NoneType: {"type": "null"},
        None: {"type": "null"},
        Any: {},
        object: {},
    }
)
_UNNAMED: Final = ("rules", "queries")  # modules whose package says what their types are about


class Schemas:
    """Collects the named types it meets; `named` holds them once it has met all."""

    def __init__(self) -> None:
        self.named: dict[str, Schema] = {}
        self._kinds: dict[str, Any] = {}

    def answer(self, kind: Any) -> Schema:
        """What is answered: every member of a named type is there. Raises TypeError for a type no answer can have."""
        if kind in _PLAIN:
            return dict(_PLAIN[kind])
        origin, parts = get_origin(kind), get_args(kind)
        if origin is Annotated:
            words = next((part.words for part in parts[1:] if isinstance(part, OneOf)), None)
            return self.answer(parts[0]) if words is None else {"enum": list(words)}
        if origin is Literal:
            return {"enum": list(parts)}
        if origin in (UnionType, Union):
            return {"anyOf": [self.answer(part) for part in parts]}
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return {"type": "object", "additionalProperties": self.answer(parts[1])}
        if isinstance(origin, type) and issubclass(origin, Sequence):
            return {"type": "array", "items": self.answer(parts[0])}
        if isinstance(kind, type) and (is_dataclass(kind) or is_typeddict(kind)):
            return self._named(_name(kind), kind)
        raise TypeError(f"no answer can be of type {kind!r}")

    def form(self, kind: type[Any]) -> Schema:
        """What is read: every member may be left out, and null is the same as leaving it out."""
        name = f"{_name(kind)}Form"
        if self._is_new(name, kind):
            hints = get_type_hints(kind, include_extras=True)
            about = {field.name: _member(hints[field.name], field) for field in fields(kind)}
            self.named[name] = {"type": "object", "properties": about}
        return _reference(name)

    def _named(self, name: str, kind: Any) -> Schema:
        if self._is_new(name, kind):
            hints = get_type_hints(kind, include_extras=True)
            required = [member for member in hints if member not in getattr(kind, "__optional_keys__", ())]
            self.named[name] = {
                "type": "object",
                "required": required,
                "properties": {member: self.answer(hint) for member, hint in hints.items()},
            }
        return _reference(name)

    def _is_new(self, name: str, kind: Any) -> bool:
        known = self._kinds.setdefault(name, kind)
        if known is not kind:
            raise TypeError(f"two types would be {name!r}: {known!r} and {kind!r}")
        if name in self.named:
            return False
        self.named[name] = {}  # a type may hold itself
        return True


def _member(hint: Any, field: "Field[Any]") -> Schema:
    if get_origin(hint) in (UnionType, Union):
        hint = next(part for part in get_args(hint) if part is not NoneType)
    kind, go = get_args(hint) if get_origin(hint) is Annotated else (hint, "")
    schema = dict(_PLAIN[kind])
    schema["type"] = [schema["type"], "null"]
    if go == "uint":
        schema["minimum"] = 0
    if field.default is not MISSING:
        schema["default"] = field.default
    return schema


def _name(kind: Any) -> str:
    package, module = f".{kind.__module__}".split(".")[-2:]
    return f"{package if module in _UNNAMED else module}.{kind.__name__}"


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
