"""Around every request that is not relayed: its id, its client's address, compression, preflights and one log line.

Answers are whole when they leave (nothing here streams), so each layer may look at all of them.
"""

import gzip
import time
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from typing import Any, Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from one_api.config import Network
from one_api.edge.readiness import PROBES
from one_api.lib.ids import RequestIds, callers_id

log = structlog.get_logger(__name__)

REQUEST_ID: Final = "X-Oneapi-Request-Id"
CALLER_ID: Final = "X-Request-Id"
_PREFLIGHT: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Allow-Methods": "GET,POST,PUT,DELETE,OPTIONS",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "43200",
}


class ClientIP:
    """The address of a client; headers name it only where a proxy we know wrote them.

    From the right, the first address that is no such proxy: the client may have written what stands left of it.
    """

    def __init__(self, proxies: tuple[Network, ...]) -> None:
        self._proxies = proxies

    def __call__(self, peer: str, headers: Mapping[bytes, bytes]) -> str:
        """`headers` have lower-case names."""
        if not self.trusts(peer):
            return peer
        forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1")
        hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
        for hop in reversed(hops):
            if not self.trusts(hop):
                return hop if _address(hop) is not None else peer
        return hops[0] if hops else headers.get(b"x-real-ip", b"").decode("latin-1").strip() or peer

    def trusts(self, peer: str) -> bool:
        if not self._proxies:
            return False
        address = _address(peer)
        return address is not None and any(address in network for network in self._proxies)


def _address(text: str) -> Any:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


class Arrival:
    """Outermost: gives a request its id, address and scheme, and logs how it was answered.

    `state` of the scope gets `request_id` and `ip`.
    """

    def __init__(self, app: ASGIApp, *, ids: RequestIds, client_ip: ClientIP) -> None:
        self._app = app
        self._ids = ids
        self._client_ip = client_ip

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id, ip, status = self._ids.next(), self._enter(scope), 0
        named = callers_id(dict(scope["headers"]).get(b"x-request-id"))
        scope.setdefault("state", {}).update(request_id=request_id, ip=ip)
        path: str = scope["path"]

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request_id
                if named:
                    headers[CALLER_ID] = named
                if path.startswith(("/api", "/v1")):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        finally:
            ms = round((time.perf_counter() - began) * 1000, 1)
            tell = log.debug if path in PROBES else log.info
            facts = {"status": status, "ms": ms, "ip": ip, "method": scope["method"], "path": path}
            if named:
                facts["caller_request_id"] = named
            tell("request", request_id=request_id, **facts)

    def _enter(self, scope: Scope) -> str:
        client = scope.get("client")
        peer = client[0] if client else ""
        headers = dict(scope["headers"])
        if headers.get(b"x-forwarded-proto", b"").lower() == b"https" and self._client_ip.trusts(peer):
            scope["scheme"] = "https"
        return self._client_ip(peer, headers)


class CrossOrigin:
    """Answers preflights for every path; other answers may be read by any page, unless they are the console's."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or b"origin" not in dict(scope["headers"]):
            await self._app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS":
            headers = [(name.lower().encode(), value.encode()) for name, value in _PREFLIGHT.items()]
            await send({"type": "http.response.start", "status": 204, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return

        async def send_open(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Access-Control-Allow-Origin"] = "*"
                headers["Access-Control-Allow-Credentials"] = "true"
            await send(message)

        closed = scope["path"].startswith("/api")
        await self._app(scope, receive, send if closed else send_open)


class Compression:
    """gzip for who asks for it, whatever the size; not for the models and calls under `/v1`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._wanted(scope):
            await self._app(scope, receive, send)
            return
        start: Message = {}
        body = bytearray()

        async def send_compressed(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            content = bytes(body)
            headers = MutableHeaders(scope=start)
            if content and "content-encoding" not in headers:
                content = gzip.compress(content, 6, mtime=0)
                headers["Content-Encoding"] = "gzip"
                headers["Content-Length"] = str(len(content))
                headers.add_vary_header("Accept-Encoding")
            await send(start)
            await send({"type": "http.response.body", "body": content})

        await self._app(scope, receive, send_compressed)

    @staticmethod
    def _wanted(scope: Scope) -> bool:
        if scope["type"] != "http" or scope["method"] == "HEAD":
            return False
        path = scope["path"]
        if path.startswith("/v1") and not path.startswith("/v1/dashboard/"):
            return False
        return "gzip" in Headers(scope=scope).get("accept-encoding", "")
