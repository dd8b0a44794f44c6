"""A recorded scenario: its lines, and the names that stand for values which differ from run to run."""

import base64
import gzip
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

PLACEHOLDER = re.compile(r"\{\{(\w+)((?:[+-]\d+)?)\}\}")
# What a recording leaves open inside a header or text, unless it has a value; the rest has to be the very characters.
OPEN = {"cookie": r"[^;]+", "date": r"[^;]+", "hex32": r"[0-9a-f]{32}", "rid": r"\d{14}\d{1,9}\d{8}"}

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One exchange. `response` is None where nothing is to be compared: the request is sent all the same.

    effects: None where the recording is silent about the database. mails: what is sent because of it.
    volatile, unordered: JSON paths in the body, `[*]` being any element. loose: why only the shape is fixed.
    """

    id: str
    request: Json
    response: Json | None
    upstream: tuple[Json, ...]
    unused: int
    effects: Json | None
    capture: Mapping[str, str]
    volatile: frozenset[str]
    unordered: frozenset[str]
    loose: str
    mails: tuple[Json, ...]
    server_env: Mapping[str, str]

    @property
    def relayed(self) -> bool:
        """Whether it is a call with a key, which changes balances by nothing but its charge."""
        path: str = self.request["path"]
        return path.startswith("/v1") and path != "/v1"


def parse(raw: Json) -> Line:
    withheld = bool(raw.get("withheld"))
    env = raw.get("server_env", {})
    return Line(
        id=raw["id"],
        request=raw["request"],
        response=None if withheld else raw["response"],
        upstream=tuple(raw.get("upstream", ())),
        unused=raw.get("upstream_unused", 0),
        effects=None if withheld else raw.get("effects"),
        capture=raw.get("capture", {}),
        volatile=frozenset(raw.get("volatile", ())),
        unordered=frozenset(raw.get("unordered", ())),
        loose=raw.get("loose", ""),
        mails=tuple(raw.get("mail", ())),
        server_env={} if env == "defaults" else env,
    )


def read(path: Path) -> list[Line]:
    with path.open(encoding="utf-8") as file:
        return [parse(json.loads(line)) for line in file]


def runs(lines: Iterable[Line]) -> Iterator[tuple[Mapping[str, str], list[Line]]]:
    """The runs of a file: each is for a server of its own, with this environment and an empty database."""
    for env, of_run in groupby(lines, lambda line: sorted(line.server_env.items())):
        yield dict(env), list(of_run)


@dataclass(slots=True)
class Names:
    """The values of this run by their names. A name without a value stays as it is written."""

    values: dict[str, str] = field(default_factory=dict)
    clock: Callable[[], float] = time.time

    def fill(self, text: str) -> str:
        def value(found: re.Match[str]) -> str:
            name, shift = found.groups()
            if name == "now":
                return str(int(self.clock()) + int(shift or 0))
            return self.values.get(name, found[0])

        return PLACEHOLDER.sub(value, text)

    def fill_json(self, value: Any) -> Any:
        match value:
            case str():
                return self.fill(value)
            case list():
                return [self.fill_json(item) for item in value]
            case {"$now": int(shift), **rest} if not rest:
                return int(self.clock()) + shift
            case {"$int": str(text), **rest} if not rest:
                return int(self.fill(text))
            case dict():
                return {self.fill(key): self.fill_json(item) for key, item in value.items()}
            case _:
                return value

    def pattern(self, text: str) -> re.Pattern[str]:
        """A filled text as a pattern, in which what the recording leaves open matches anything of its kind."""
        parts: list[str] = []
        end = 0
        for found in PLACEHOLDER.finditer(self.fill(text)):
            parts += [re.escape(found.string[end : found.start()]), OPEN.get(found[1], re.escape(found[0]))]
            end = found.end()
        return re.compile("".join(parts) + re.escape(self.fill(text)[end:]), re.DOTALL)


def encode_body(request: Json, names: Names) -> bytes:
    """The body of a recorded request."""
    if "body" in request:
        filled = names.fill_json(request["body"])
        body = json.dumps(filled, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    elif "body_raw" in request:
        body = names.fill(request["body_raw"]).encode()
    elif "multipart" in request:
        body = encode_form(request["multipart"], boundary_of(request["headers"]))
    else:
        return b""
    return gzip.compress(body) if request.get("gzip_body") else body


def boundary_of(headers: Mapping[str, str]) -> str:
    return next(value for name, value in headers.items() if name.lower() == "content-type").partition("boundary=")[2]


def encode_form(parts: Iterable[Json], boundary: str) -> bytes:
    out = bytearray()
    for part in parts:
        filename = f'; filename="{part["filename"]}"' if "filename" in part else ""
        out += f'--{boundary}\r\nContent-Disposition: form-data; name="{part["name"]}"{filename}\r\n'.encode()
        out += f"Content-Type: {part['type']}\r\n".encode() if "type" in part else b""
        out += b"\r\n" + (base64.b64decode(part["base64"]) if "base64" in part else part["value"].encode()) + b"\r\n"
    return bytes(out) + f"--{boundary}--\r\n".encode()


def at(value: Any, path: str) -> Any:
    """The value at a JSON path like `data[0].id`. Raises LookupError or TypeError where there is none."""
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        value = value[name] if name else value[int(index)]
    return value
