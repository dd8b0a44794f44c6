"""A good request for every relayed route, for tests to spoil."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.e2e import wire

BOUNDARY = "a-boundary"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
MODELS = (
    "gpt-3.5-turbo,gpt-3.5-turbo-instruct,text-embedding-3-small,text-moderation-latest,dall-e-2,dall-e-3,"
    "text-davinci-edit-001,tts-1,whisper-1"
)


@dataclass(frozen=True, slots=True)
class Route:
    """A path and a document it accepts; `spoken` are the priced fields it reads."""

    path: str
    document: Mapping[str, Any]
    priced: tuple[str, ...] = field(default=("model",))

    def body(self, **changes: object) -> bytes:
        """The document as JSON with some fields laid over it; ... takes one away."""
        merged = {key: value for key, value in {**self.document, **changes}.items() if value is not ...}
        return json.dumps(merged).encode()

    def with_raw(self, key: str, raw: str) -> bytes:
        """The document as JSON with a field in a notation of its own."""
        kept = {name: value for name, value in self.document.items() if name != key}
        inner = json.dumps(kept)[1:-1]
        return ("{" + (inner + "," if inner else "") + json.dumps(key) + ":" + raw + "}").encode(
            "utf-8", "surrogatepass"
        )

    def request(self, key: str, body: bytes | None = None, *, kind: str = "application/json", extra: str = "") -> bytes:
        return wire.request(self.path, self.body() if body is None else body, key=key, kind=kind, extra=extra)


_MESSAGES = [{"role": "user", "content": "hello"}]

JSON_ROUTES: Mapping[str, Route] = {
    "chat": Route(
        "/v1/chat/completions",
        {"model": "gpt-3.5-turbo", "messages": _MESSAGES, "max_tokens": 9},
        ("model", "messages", "max_tokens", "max_completion_tokens", "n", "stream", "stream_options", "tools"),
    ),
    "completions": Route(
        "/v1/completions",
        {"model": "gpt-3.5-turbo-instruct", "prompt": "hello", "max_tokens": 9},
        ("model", "prompt", "max_tokens", "n", "stream"),
    ),
    "embeddings": Route("/v1/embeddings", {"model": "text-embedding-3-small", "input": "hello"}, ("model", "input")),
    "engines": Route("/v1/engines/text-embedding-3-small/embeddings", {"input": "hello"}, ("model", "input")),
    "moderations": Route("/v1/moderations", {"model": "text-moderation-latest", "input": "hello"}, ("model", "input")),
    "images": Route(
        "/v1/images/generations", {"model": "dall-e-2", "prompt": "a cat"}, ("model", "prompt", "n", "size", "quality")
    ),
    "edits": Route(
        "/v1/edits",
        {"model": "text-davinci-edit-001", "input": "helo", "instruction": "spell"},
        ("model", "input", "instruction", "n"),
    ),
    "responses": Route(
        "/v1/responses",
        {"model": "gpt-3.5-turbo", "input": "hello"},
        ("model", "input", "max_output_tokens", "stream", "tools", "instructions"),
    ),
    "speech": Route("/v1/audio/speech", {"model": "tts-1", "input": "hello", "voice": "alloy"}, ("model", "input")),
}

FORM_PATHS: Mapping[str, str] = {
    "transcriptions": "/v1/audio/transcriptions",
    "translations": "/v1/audio/translations",
}


def part(name: str, value: str | bytes, *, filename: str = "", extra: str = "") -> bytes:
    """One field of a form; `extra` are more header lines, each with its end."""
    data = value.encode() if isinstance(value, str) else value
    file = f'; filename="{filename}"' if filename else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n{extra}\r\n'
    return head.encode() + data + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()
SOUND = part("file", b"ID3" + bytes(60), filename="a.mp3", extra="Content-Type: audio/mpeg\r\n")


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + END


GOOD_FORM = form(part("model", "whisper-1"), SOUND)
