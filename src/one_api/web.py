"""Calls to web services that are no upstreams: identity providers, the message pusher, Turnstile.

They are bounded in time and size, without redirects, with nothing kept from one to the next. Environment variables may
name a proxy, as for One API. What a service sent is never part of an error's text.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from one_api.lib import json

TIMEOUT_S: Final = 5.0
MOST: Final = 256 * 1024
_HEADERS: Final = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "one-api"}


class Unreachable(Exception):
    """There is no answer that could be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is JSON."""

    status: int
    value: Any

    def __repr__(self) -> str:
        return f"<Reply {self.status}>"


class Web:
    """Certificates are verified, with `tls` if it is given. Each call has a connection and cookies of its own."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S, tls: ssl.SSLContext | None = None) -> None:
        self._timeout_s = timeout_s
        self._tls = tls

    async def get(self, url: str, *, bearer: str = "", authorization: str = "", **query: str) -> Reply:
        """Raises Unreachable."""
        headers = {"Authorization": authorization or f"Bearer {bearer}"} if authorization or bearer else {}
        return await self._call("GET", url, headers=headers, params=query or None)

    async def post_json(
        self, url: str, body: Mapping[str, str], *, kind: str = "application/json; charset=utf-8"
    ) -> Reply:
        """Raises Unreachable."""
        headers = {"Content-Type": kind}
        return await self._call("POST", url, headers=headers, content=json.encode(body))

    async def post_form(self, url: str, form: Mapping[str, str], *, authorization: str = "") -> Reply:
        """Raises Unreachable."""
        headers = {"Authorization": authorization} if authorization else {}
        return await self._call("POST", url, headers=headers, data=form)

    async def _call(self, method: str, url: str, *, headers: Mapping[str, str], **parts: Any) -> Reply:
        import httpx2  # noqa: PLC0415  # five megabytes, and most processes never ask anybody

        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._exchange(method, url, headers={**_HEADERS, **headers}, **parts)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, TimeoutError, ValueError) as error:
            raise Unreachable(type(error).__name__) from None

    async def _exchange(self, method: str, url: str, **parts: Any) -> Reply:
        import httpx2  # noqa: PLC0415  # as above

        if self._tls is None:
            self._tls = await asyncio.to_thread(httpx2.create_ssl_context)
        client = httpx2.AsyncClient(verify=self._tls, follow_redirects=False, timeout=self._timeout_s)
        async with client, client.stream(method, url, **parts) as response:
            if 300 <= response.status_code < 400:
                raise Unreachable("a redirect")
            if response.headers.get("content-encoding", "identity") != "identity":
                raise Unreachable("an encoded answer")
            body = bytearray()
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > MOST:
                    raise Unreachable("an answer that is too large")
        try:
            return Reply(response.status_code, json.decode_strict(bytes(body)).value)
        except json.InvalidJSON:
            raise Unreachable(f"status {response.status_code} and no JSON") from None
