"""Fetching what users point at: public addresses only, the checked address is the connected one, bounded in everything.

A name is resolved once, every address it has must be public, and the connection goes to one of those. No redirect is
followed. Nothing of the caller's goes along.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

from one_api.relay.addresses import Network, is_public
from one_api.relay.transport import Head, HttpRequest, Origin, Timeouts, Transport, TransportError

MAX_IMAGE: Final = 20 * 1024 * 1024
HEAD_OF_IMAGE: Final = 256 * 1024

Resolve = Callable[[str, int], Awaitable[list[str]]]


class FetchError(Exception):
    """Why something was not fetched; the text holds no address."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A good answer: its media type in lower case without parameters, and its body up to the limit asked for."""

    content_type: str
    body: bytes


class _Collector:
    """A sink that keeps the first `limit` bytes of a good answer."""

    def __init__(self, loop: asyncio.AbstractEventLoop, limit: int, *, truncate: bool) -> None:
        self.done: asyncio.Future[None] = loop.create_future()
        self.head: Head | None = None
        self.body = bytearray()
        self._limit = limit
        self._truncate = truncate

    def on_head(self, head: Head) -> None:
        self.head = head

    def on_data(self, data: bytes) -> None:
        self.body += data
        if len(self.body) > self._limit and not self.done.done():
            if self._truncate:
                self.done.set_result(None)
            else:
                self.done.set_exception(FetchError("it is too large"))

    def on_end(self) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def on_fail(self, error: TransportError) -> None:
        if not self.done.done():
            self.done.set_exception(FetchError(f"it cannot be reached ({error.kind})"))


class Fetcher:
    """`proxied` is the operator's egress proxy for user content; it then resolves names, and its rules hold.

    allowed: networks that count as public, for operators whose images live inside.
    """

    def __init__(
        self,
        direct: Transport,
        *,
        timeout: float,
        proxied: Transport | None = None,
        allowed: Iterable[Network] = (),
        resolve: Resolve | None = None,
    ) -> None:
        self._transport = proxied or direct
        self._through_proxy = proxied is not None
        self._timeouts = Timeouts(connect=min(timeout, 10), first_byte=timeout, idle=timeout, total=timeout)
        self._allowed = tuple(allowed)
        self._resolve = resolve or resolve_all

    async def get(self, url: str, *, most: int = MAX_IMAGE) -> Fetched:
        """The whole of what is there. Raises FetchError."""
        return await self._fetch(url, most, truncate=False)

    async def head_of_image(self, url: str) -> bytes | None:
        """The beginning of the image at `url`; b"" if what is there is no image; None if it cannot be fetched."""
        try:
            found = await self._fetch(url, HEAD_OF_IMAGE, truncate=True)
        except FetchError:
            return None
        return found.body if found.content_type.startswith("image/") else b""

    async def _fetch(self, url: str, most: int, *, truncate: bool) -> Fetched:
        try:
            origin, path = Origin.parse(url)
        except ValueError as error:
            raise FetchError(str(error)) from None
        address = "" if self._through_proxy else await self._public_address(origin)
        request = HttpRequest(
            origin=origin,
            method="GET",
            target=(path if path.startswith("/") else f"/{path}").encode("ascii"),
            headers=((b"accept", b"*/*"), (b"user-agent", b"one-api")),
            address=address,
        )
        collector = _Collector(asyncio.get_running_loop(), most, truncate=truncate)
        exchange = self._transport.send(request, collector, self._timeouts)
        try:
            await collector.done
        finally:
            exchange.abort()
        head = collector.head
        if head is None or head.status != 200:
            raise FetchError("the answer is not 200")
        kind = (head.get(b"content-type") or b"").decode("latin-1").partition(";")[0].strip().lower()
        return Fetched(kind, bytes(collector.body[:most]))

    async def _public_address(self, origin: Origin) -> str:
        try:
            found = await self._resolve(origin.host, origin.port)
        except OSError:
            raise FetchError("its name cannot be resolved") from None
        if not found or not all(is_public(address, self._allowed) for address in found):
            raise FetchError("its address is not a public one")
        return found[0]


async def resolve_all(host: str, port: int) -> list[str]:
    """Every address of a name. Raises OSError."""
    loop = asyncio.get_running_loop()
    rows = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(row[4][0]) for row in rows]
