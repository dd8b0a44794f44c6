"""The head of a request, read once: by most clients it is repeated on a connection from call to call."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qs, unquote

from msgspec import Struct
from msgspec.structs import replace

from one_api.accounts import rules
from one_api.accounts.rules import Credentials
from one_api.lib.ids import callers_id
from one_api.providers import ACTIONS, MESSAGES_COUNT_PATH, MESSAGES_PATH, PATHS, Mode
from one_api.relay.spoken import KEY_HEADERS, KEYS

ENGINES = "/v1/engines/"
PROXY = "/v1/oneapi/proxy/"
TWO_KEYS = "two different keys are given"

_MODES: Mapping[str, Mode] = MappingProxyType(
    {
        **{path: mode for mode, path in PATHS.items()},
        MESSAGES_PATH: Mode.MESSAGES,
        MESSAGES_COUNT_PATH: Mode.MESSAGES_COUNT,
        "/v2/rerank": Mode.RERANK,  # where Cohere's newer client asks, for the same
    }
)
_SINGLE = frozenset((b"authorization", b"content-type", b"content-encoding", b"host")) | KEY_HEADERS
_GOOGLE: Final = re.compile(rf"/v1(?:beta)?/models/(.+):({'|'.join(ACTIONS)})")


class Heading(Struct, frozen=True, kw_only=True):
    """What the head of a relay request says. `headers` are lower-cased names with their last value.

    path: as it was sent, without the query. query: empty where it may hold a key. engine: the model that the path
    names. stream: whether the path asks for a stream, None where the body says. array: whether a stream is to be one
    JSON array instead of events. credentials: None without a key.
    caller_id: what the caller names his request, if he does.
    is_json: by the beginning of content_type, as One API looks at it. fault: why no call comes of it, and the status
    that says so.
    """

    mode: Mode
    method: str
    path: str
    query: str = ""
    engine: str = ""
    stream: bool | None = None
    array: bool = False
    headers: Mapping[bytes, bytes] = {}
    credentials: Credentials | None = None
    content_type: str = ""
    is_json: bool = False
    zipped: bool = False
    origin: bytes | None = None
    caller_id: str = ""
    fault: str = ""
    fault_status: int = 400


UNREAD = Heading(mode=Mode.CHAT, method="", path="", origin=b"*")
"""Stands for a head that could not be read; a page may have sent it."""


CHANGEABLE: Final = frozenset((b"authorization", b"traceparent", b"x-forwarded-for", b"x-real-ip", b"x-request-id"))
"""Headers whose values may be others while everything else of a head repeats; see `renewed`."""


class _Route(Struct, frozen=True):
    """What a path asks for. `engine` and `stream` are as in Heading."""

    mode: Mode
    engine: str = ""
    stream: bool | None = None


_NOWHERE: Final = _Route(Mode.CHAT)


def read_head(method: bytes, url: bytes, headers: Sequence[tuple[bytes, bytes]]) -> Heading | None:
    """None for what is not relayed."""
    if not url.startswith((b"/v1/", b"/v1beta/", b"/v2/")):
        return None
    target, _, query = url.decode("latin-1").partition("?")
    if not _relayed(method, target):
        return None
    path = unquote(target) if "%" in target else target
    found = _route_of(path if path.startswith(PROXY) else path.rstrip("/"))
    route = found or _NOWHERE
    known = {name.lower(): value for name, value in headers}
    asked = parse_qs(query, keep_blank_values=True, encoding="latin-1") if route.mode in _GOOGLES else {}
    credentials, fault, status = *_credentials(route.mode, known, asked.get("key", ())), 400
    if found is None:
        fault, status = f"Invalid URL ({method.decode('latin-1')} {target})", 404
    elif len(known) < len(headers):
        fault = _twin(headers) or fault
    kind = known.get(b"content-type", b"").decode("latin-1")
    return Heading(
        mode=route.mode,
        method=method.decode("latin-1"),
        path=target,
        query="" if route.mode in _GOOGLES else query,
        engine=route.engine,
        stream=route.stream,
        array=route.stream is True and asked.get("alt") != ["sse"],
        headers=known,
        credentials=credentials,
        content_type=kind,
        is_json=kind.startswith("application/json"),
        zipped=known.get(b"content-encoding", b"").strip().lower() == b"gzip",
        origin=known.get(b"origin"),
        caller_id=callers_id(known.get(b"x-request-id")),
        fault=fault,
        fault_status=status,
    )


_GOOGLES: Final = frozenset(ACTIONS.values())


def renewable(heading: Heading) -> bool:
    """Whether other values make another head of it. Whose key is in the query has none to change."""
    return not heading.fault and heading.mode not in _GOOGLES


def renewed(heading: Heading, values: Mapping[bytes, bytes]) -> Heading:
    """The same head with these values of CHANGEABLE headers that it has."""
    known = {**heading.headers, **values}
    credentials, fault = _credentials(heading.mode, known, ())
    named = values.get(b"x-request-id")
    caller_id = heading.caller_id if named is None else callers_id(named)
    return replace(heading, headers=known, credentials=credentials, caller_id=caller_id, fault=fault)


def _credentials(
    mode: Mode, headers: Mapping[bytes, bytes], asked: Sequence[str]
) -> tuple[rules.Credentials | None, str]:
    """The key, in whichever place clients of a dialect have it, and what is wrong with it if there is more than one."""
    given = [headers.get(b"authorization", b"").decode("latin-1")]
    name = KEYS.get(mode)
    if name is not None and name in headers:
        given.append(headers[name].decode("latin-1"))
    given.extend(asked)
    found = [each for text in given if (each := rules.read_key(text.strip())) is not None]
    return (found[0] if found else None), "" if len(set(found)) < 2 else TWO_KEYS


def _relayed(method: bytes, target: str) -> bool:
    if target.startswith(PROXY):
        return method != b"OPTIONS"
    return method == b"POST" and _route_of(target.rstrip("/")) is not None


def _route_of(path: str) -> _Route | None:
    """The relay mode of a path and the model it names (engines and Google's only); None for one that is not relayed."""
    mode = _MODES.get(path)
    if mode is not None:
        return _Route(mode)
    if path.startswith(ENGINES) and path.endswith("/embeddings"):
        engine = path[len(ENGINES) : -len("/embeddings")]
        return _Route(Mode.EMBEDDINGS, engine) if engine and "/" not in engine else None
    if path.startswith(PROXY):
        return _Route(Mode.PROXY)
    google = _GOOGLE.fullmatch(path)
    if google is None:
        return None
    action = google[2]
    mode = ACTIONS[action]
    return _Route(mode, google[1], action == "streamGenerateContent" if mode is Mode.GENERATE else False)


def _twin(headers: Sequence[tuple[bytes, bytes]]) -> str:
    """Two of some headers have two readings: who looked at the request before may have taken the other."""
    seen = set()
    for name in (name.lower() for name, _ in headers):
        if name in _SINGLE and name in seen:
            return f"the header {name.decode('latin-1')!r} is given twice"
        seen.add(name)
    return ""
