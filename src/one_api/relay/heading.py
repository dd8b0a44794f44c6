"""The head of a request, read once: by most clients it is repeated on a connection from call to call."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from urllib.parse import unquote

from msgspec import Struct

from one_api.accounts import rules
from one_api.accounts.rules import Credentials
from one_api.providers import MESSAGES_COUNT_PATH, MESSAGES_PATH, PATHS, Mode
from one_api.relay.spoken import KEY_HEADERS, MEASURED_MODES

ENGINES = "/v1/engines/"
PROXY = "/v1/oneapi/proxy/"
TWO_KEYS = "two different keys are given"

_MODES: Mapping[str, Mode] = MappingProxyType(
    {
        **{path: mode for mode, path in PATHS.items()},
        MESSAGES_PATH: Mode.MESSAGES,
        MESSAGES_COUNT_PATH: Mode.MESSAGES_COUNT,
    }
)
_SINGLE = frozenset((b"authorization", b"content-type", b"content-encoding", b"host")) | KEY_HEADERS


class Heading(Struct, frozen=True, kw_only=True):
    """What the head of a relay request says. `headers` are lower-cased names with their last value.

    path: as it was sent, without the query. engine: the model that the path names.
    stream: whether the path asks for a stream, None where the body says. credentials: None without a key.
    is_json: by the beginning of content_type, as One API looks at it. fault: why no call comes of it, and the status
    that says so.
    """

    mode: Mode
    method: str
    path: str
    query: str = ""
    engine: str = ""
    stream: bool | None = None
    headers: Mapping[bytes, bytes] = {}
    credentials: Credentials | None = None
    content_type: str = ""
    is_json: bool = False
    zipped: bool = False
    origin: bytes | None = None
    fault: str = ""
    fault_status: int = 400


UNREAD = Heading(mode=Mode.CHAT, method="", path="")
"""Stands for a head that could not be read."""


def read_head(method: bytes, url: bytes, headers: Sequence[tuple[bytes, bytes]]) -> Heading | None:
    """None for what is not relayed."""
    if not url.startswith(b"/v1/"):
        return None
    target, _, query = url.decode("latin-1").partition("?")
    if not _relayed(method, target):
        return None
    path = unquote(target) if "%" in target else target
    found = _mode_of(path if path.startswith(PROXY) else path.rstrip("/"))
    known = {name.lower(): value for name, value in headers}
    fault, status = "", 400
    if found is None:
        fault, status = f"Invalid URL ({method.decode('latin-1')} {target})", 404
    elif len(known) < len(headers):
        fault = _twin(headers)
    credentials = rules.read_key(known.get(b"authorization", b"").strip().decode("latin-1"))
    dialect = None if found is None else MEASURED_MODES.get(found[0])
    if dialect is not None and dialect.KEY in known:
        named = rules.read_key(known[dialect.KEY].strip().decode("latin-1"))
        if credentials is not None and credentials != named:
            fault = TWO_KEYS
        credentials = named
    kind = known.get(b"content-type", b"").decode("latin-1")
    return Heading(
        mode=found[0] if found is not None else Mode.CHAT,
        method=method.decode("latin-1"),
        path=target,
        query=query,
        engine=found[1] if found is not None else "",
        headers=known,
        credentials=credentials,
        content_type=kind,
        is_json=kind.startswith("application/json"),
        zipped=known.get(b"content-encoding", b"").strip().lower() == b"gzip",
        origin=known.get(b"origin"),
        fault=fault,
        fault_status=status,
    )


def _relayed(method: bytes, target: str) -> bool:
    if target.startswith(PROXY):
        return method != b"OPTIONS"
    return method == b"POST" and _mode_of(target.rstrip("/")) is not None


def _mode_of(path: str) -> tuple[Mode, str] | None:
    """The relay mode of a path and the model it names (engines only); None for a path that is not relayed."""
    mode = _MODES.get(path)
    if mode is not None:
        return mode, ""
    if path.startswith(ENGINES) and path.endswith("/embeddings"):
        engine = path[len(ENGINES) : -len("/embeddings")]
        return (Mode.EMBEDDINGS, engine) if engine and "/" not in engine else None
    if path.startswith(PROXY):
        return Mode.PROXY, ""
    return None


def _twin(headers: Sequence[tuple[bytes, bytes]]) -> str:
    """Two of some headers have two readings: who looked at the request before may have taken the other."""
    seen = set()
    for name in (name.lower() for name, _ in headers):
        if name in _SINGLE and name in seen:
            return f"the header {name.decode('latin-1')!r} is given twice"
        seen.add(name)
    return ""
