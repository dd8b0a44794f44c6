"""The console's files, and what a path gets that no route has: an error under `/api` and `/v1`, the console elsewhere.

The files are read once and served from memory; a path that names none of them is the console's own business. Its page
knows the theme before its first script runs, and may load nothing from elsewhere but what an operator asked for.
"""

import gzip
import hashlib
import html
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from one_api.lib import json
from one_api.options import THEMES

FOLDER: Final = Path(__file__).parents[1] / "console"
INDEX: Final = "/index.html"
WEEK: Final = "max-age=604800"
TURNSTILE: Final = "https://challenges.cloudflare.com"
NOT_BUILT: Final = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>One API</title>
<p>One API is running. Its console has not been built: run <code>make run</code> in a checkout of the sources, which
builds it, and reload this page.</p></html>
"""
_TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is sent; `packed` is its gzip form where that is smaller."""

    content: bytes
    packed: bytes | None
    type: str
    etag: str


@dataclass(frozen=True, slots=True)
class Look:
    """What options of the moment make of the page."""

    theme: str = ""
    turnstile: bool = False


@dataclass(frozen=True, slots=True)
class Console:
    """The files by path, and the page by theme. `elsewhere` is where a slave sends visitors, or empty."""

    files: Mapping[str, File]
    pages: Mapping[str, File]
    elsewhere: str = ""

    @classmethod
    def load(cls, folder: Path = FOLDER, *, elsewhere: str = "") -> "Console":
        """Read a folder of built files; without one there is a page that says so."""
        found = {INDEX: _file(INDEX, NOT_BUILT)}
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.is_file() and not path.name.startswith("."):
                name = "/" + path.relative_to(folder).as_posix()
                found[name] = _file(name, path.read_bytes())
        pages = {theme: _themed(found[INDEX], theme) for theme in THEMES}
        return cls(found, pages, elsewhere.rstrip("/"))

    def has(self, request: Request) -> bool:
        """Whether the path names a file."""
        return request.url.path in self.files

    def answer(self, request: Request, look: Look = Look()) -> Response:
        """What a path gets that no route has."""
        target = _target(request)
        if self.elsewhere:
            return _moved(request, self.elsewhere + target)
        if target.startswith(("/v1", "/api")):
            return no_such_url(request)
        if request.url.path == INDEX:
            return Response(status_code=301, headers={"Location": "./", "Cache-Control": WEEK})
        file = self.files.get(request.url.path)
        if file is not None:
            return _send(request, file, WEEK)
        answer = _send(request, self.pages.get(look.theme, self.files[INDEX]), "no-cache")
        answer.headers["Content-Security-Policy"] = _policy(turnstile=look.turnstile)
        answer.headers["Referrer-Policy"] = "same-origin"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer


def no_such_url(request: Request) -> Response:
    """One API's answer to a path or method it does not know."""
    message = f"Invalid URL ({request.method} {request.url.path})"
    error = {"message": message, "type": "invalid_request_error", "param": "", "code": ""}
    return Response(json.encode({"error": error}), 404, media_type="application/json; charset=utf-8")


def _policy(*, turnstile: bool) -> str:
    """Scripts are the console's alone. Styles are not: its components measure and place by them.

    Logos, QR codes, and the home page and chat in a frame are an operator's addresses, wherever they are.
    """
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self'{f' {TURNSTILE}' if turnstile else ''}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob: http: https:",
            "frame-src 'self' http: https:",
            "frame-ancestors 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "object-src 'none'",
        )
    )


def _moved(request: Request, address: str) -> Response:
    """A redirect as Go's server writes it: a visitor gets a page with the link, other methods get none."""
    headers = {"Location": address}
    if request.method != "GET":
        return Response(status_code=301, headers=headers)
    page = f'<a href="{html.escape(address)}">Moved Permanently</a>.\n\n'
    return Response(page.encode("latin-1"), 301, headers=headers, media_type="text/html; charset=utf-8")


def _target(request: Request) -> str:
    """Path and query as they came."""
    raw = request.scope.get("raw_path") or request.url.path.encode()
    query = request.scope.get("query_string", b"")
    return (bytes(raw) + (b"?" + query if query else b"")).decode("latin-1")


def _themed(index: File, theme: str) -> File:
    return _file(INDEX, index.content.replace(b"<html ", f'<html data-theme="{theme}" '.encode(), 1))


def _file(name: str, content: bytes) -> File:
    packed = gzip.compress(content, 9, mtime=0)
    suffix = Path(name).suffix
    kind = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    etag = hashlib.sha256(content).hexdigest()[:32]
    return File(content, packed if len(packed) < len(content) else None, kind, f'"{etag}"')


def _send(request: Request, file: File, caching: str) -> Response:
    headers = {"Cache-Control": caching, "ETag": file.etag}
    if file.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    content = file.content
    if file.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        content = file.packed
        headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return Response(content, headers=headers, media_type=file.type)
