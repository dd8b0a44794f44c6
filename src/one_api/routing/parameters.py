"""What an operator sets for one channel besides its account: headers, fields of bodies, time limits. Pure.

Read once, when the table of routes is made; a channel without parameters has None. What a call is priced by cannot be
set here: docs/decisions/0008.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from re import compile as pattern
from types import MappingProxyType
from typing import Any, Final

from one_api.lib import json

Headers = tuple[tuple[bytes, bytes], ...]
KEY: Final = "{api_key}"
MOST: Final = 64
LONGEST: Final = 4096
LIMITS: Final[Mapping[str, float]] = MappingProxyType(
    {"connect": 300, "first_byte": 3600, "idle": 3600, "total": 86_400}
)
"""The time limits by name, each with the most seconds it may have."""

# They frame a message, say how to read it, or belong to one connection.
_FRAMING: Final = frozenset(
    (
        "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect", "host",
        "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    )
)  # fmt: skip
_NAME: Final = pattern(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_MEMBERS: Final = ("headers", "body", "timeouts", "test_model")
_BODY: Final = ("set", "default", "delete")

PRICED: Final = frozenset(
    (
        # what is asked, in every dialect
        "audio", "chat_history", "content", "contents", "conversation", "document", "documents", "file", "image",
        "input", "instruction", "instructions", "mask", "message", "messages", "payload", "preamble", "prompt", "query",
        "requests", "suffix", "system", "systeminstruction", "system_instruction", "systemprompt", "texts",
        "cachedcontent", "previous_response_id",
        # of whom, how much of it, and how it is told
        "best_of", "background", "candidate_count", "model", "n", "num_images", "num_predict", "partial_images",
        "quality", "resolution", "seconds", "size", "stream", "stream_options", "top_n",
        "max_completion_tokens", "max_output_tokens", "max_tokens", "max_tokens_to_sample", "max_new_tokens",
        "generationconfig.candidatecount", "generationconfig.maxoutputtokens",
        "generation_config.candidate_count", "generation_config.max_output_tokens",
        "inferenceconfig.maxtokens",
        "options.num_predict",
        "parameters.incremental_output", "parameters.max_tokens", "parameters.n", "parameters.result_format",
        "parameters.size", "parameters.top_n",
        "parameter.chat.max_tokens", "parameter.chat.top_k",
    )
)  # fmt: skip
"""Fields that a price depends on, or how an answer is read: paths in small letters."""
_WHOLE: Final = frozenset(("text",))  # the same, but what is inside of an object of this name is free


class InvalidParameters(ValueError):
    """A sentence for the administrator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """What becomes of a body's fields; each is a path through objects."""

    set: tuple[tuple[tuple[str, ...], Any], ...] = ()
    default: tuple[tuple[tuple[str, ...], Any], ...] = ()
    delete: tuple[tuple[str, ...], ...] = ()


NO_FIELDS: Final = Fields()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """headers: by their names in small letters; None leaves one out. timeouts: seconds, by the names in LIMITS."""

    headers: Mapping[str, str | None]
    fields: Fields
    timeouts: Mapping[str, float]
    test_model: str

    def head(self, headers: Headers, key: str) -> Headers:
        """The headers of a request as the operator wants them. `key` is the channel's."""
        if not self.headers:
            return headers
        kept = tuple(item for item in headers if item[0].decode("latin-1") not in self.headers)
        ours = (
            (name.encode(), value.replace(KEY, key).encode())
            for name, value in self.headers.items()
            if value is not None
        )
        return (*kept, *ours)

    def body(self, body: bytes) -> bytes:
        """A JSON body as the operator wants it. What is no object stays as it is."""
        fields = self.fields
        if fields == NO_FIELDS:
            return body
        try:
            document = json.decode(body)
        except json.InvalidJSON:
            return body
        if not isinstance(document, dict):
            return body
        for path in fields.delete:
            place = _place(document, path, make=False)
            if place is not None:
                place.pop(path[-1], None)
        for path, value in fields.default:
            place = _place(document, path, make=True)
            if place is not None and place.get(path[-1]) is None:
                place[path[-1]] = deepcopy(value)
        for path, value in fields.set:
            place = _place(document, path, make=True)
            if place is not None:
                place[path[-1]] = deepcopy(value)
        return json.encode(document)


def _place(document: dict[str, Any], path: tuple[str, ...], *, make: bool) -> dict[str, Any] | None:
    """The object whose member the path names last; None where something else is in its way."""
    place: Any = document
    for name in path[:-1]:
        inner = place.get(name)
        if inner is None and make:
            inner = place[name] = {}
        if not isinstance(inner, dict):
            return None
        place = inner
    found: dict[str, Any] = place
    return found


def read(text: str) -> Parameters | None:
    """From a JSON text; None if it sets nothing. Raises InvalidParameters."""
    if not text.strip():
        return None
    try:
        said = json.decode_strict(text.encode()).value
    except (json.InvalidJSON, UnicodeEncodeError) as error:
        raise InvalidParameters(f"parameters is no JSON: {error}") from None
    found = _members(said, "parameters", _MEMBERS)
    parameters = Parameters(
        headers=MappingProxyType(_headers(found.get("headers"))),
        fields=_fields(found.get("body")),
        timeouts=MappingProxyType(_timeouts(found.get("timeouts"))),
        test_model=_test_model(found.get("test_model")),
    )
    return parameters if parameters != NOTHING else None


def _headers(said: Any) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name, value in _members(said, "headers").items():
        lowered = name.lower()
        if _NAME.fullmatch(name) is None:
            raise InvalidParameters(f"headers: {name!r} is no name of a header")
        if lowered in _FRAMING or lowered.startswith("sec-websocket-"):
            raise InvalidParameters(f"headers: {name!r} belongs to the connection and cannot be set")
        if lowered in found:
            raise InvalidParameters(f"headers: {name!r} is given twice")
        if value is not None and not (isinstance(value, str) and value.isprintable() and len(value) <= LONGEST):
            raise InvalidParameters(f"headers: {name!r} must be a line of text, or null to leave the header out")
        found[lowered] = value.strip() if value else None
    return found


def _fields(said: Any) -> Fields:
    found = _members(said, "body", _BODY)
    deleted = found.get("delete") or []
    if not isinstance(deleted, list) or not all(isinstance(name, str) for name in deleted) or len(deleted) > MOST:
        raise InvalidParameters(f"body.delete must be a list of at most {MOST} names of fields")
    fields = Fields(
        set=tuple((_path(name), value) for name, value in _members(found.get("set"), "body.set").items()),
        default=tuple((_path(name), value) for name, value in _members(found.get("default"), "body.default").items()),
        delete=tuple(_path(name) for name in deleted),
    )
    for path, value in (*fields.set, *fields.default):
        for inner in _paths(path, value):
            _refuse_priced(inner)
    for path in fields.delete:
        _refuse_priced(path)
    return fields


def _path(name: str) -> tuple[str, ...]:
    path = tuple(name.split("."))
    if not all(path) or len(path) > 8:
        raise InvalidParameters(f"body: {name!r} is no field")
    return path


def _paths(path: tuple[str, ...], value: Any) -> Iterable[tuple[str, ...]]:
    """The path, and those of all members that its value has."""
    yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _paths((*path, name), inner)


def _refuse_priced(path: tuple[str, ...]) -> None:
    """A field the price depends on, one inside of it, or an object that would take its place."""
    name = ".".join(path)
    folded = name.casefold().replace("[]", "")  # of a form, where it stands for one of several
    if folded in _WHOLE:
        raise InvalidParameters(f"body: {name!r} cannot be changed here, the price of a call depends on it")
    for priced in PRICED:
        if folded == priced or folded.startswith(f"{priced}.") or priced.startswith(f"{folded}."):
            raise InvalidParameters(f"body: {name!r} cannot be changed here, the price of a call depends on it")


def _timeouts(said: Any) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in _members(said, "timeouts", tuple(LIMITS)).items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LIMITS[name]:
            raise InvalidParameters(
                f"timeouts: {name} must be a number of seconds, more than 0, {LIMITS[name]} at most"
            )
        found[name] = float(value)
    return found


def _test_model(said: Any) -> str:
    if said is not None and not (isinstance(said, str) and len(said) <= 191 and said.isprintable()):
        raise InvalidParameters("test_model must be the name of a model")
    return said or ""


def _members(said: Any, place: str, known: tuple[str, ...] = ()) -> dict[str, Any]:
    if said is None:
        return {}
    if not isinstance(said, dict):
        raise InvalidParameters(f"{place} must be an object")
    if len(said) > MOST:
        raise InvalidParameters(f"{place} has more than {MOST} members")
    for name in said:
        if known and name not in known:
            raise InvalidParameters(f"{place} has no {name!r}, only {', '.join(known)}")
    found: dict[str, Any] = said
    return found


NOTHING: Final = Parameters(headers=MappingProxyType({}), fields=Fields(), timeouts=MappingProxyType({}), test_model="")
