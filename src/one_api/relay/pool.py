"""Which transport a channel's requests take: directly, or through the proxy that it or the operator names."""

import asyncio
import ssl
from typing import TYPE_CHECKING

from one_api.relay.by_environment import ByEnvironment, Proxies
from one_api.relay.direct import DirectTransport
from one_api.relay.transport import Transport

if TYPE_CHECKING:
    from one_api.relay.proxied import ProxiedTransport

MOST_PROXIES = 64


class Transports:
    """Owns all transports of a process. `default_proxy` is for channels that name none, `around` where it is none."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        default_proxy: str = "",
        *,
        around: Proxies | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.direct = DirectTransport(loop, tls=tls)
        self._unnamed: Transport = self.direct
        if around and not default_proxy:
            self._unnamed = ByEnvironment(around, direct=self.direct, proxied=self.for_proxy)
        self._loop = loop
        self._default = default_proxy
        self._proxied: dict[str, ProxiedTransport] = {}
        self._retired: list[ProxiedTransport] = []

    def for_proxy(self, proxy: str) -> Transport:
        """The transport for a channel's proxy, "" for none. Raises ValueError for what is no proxy's address."""
        wanted = proxy or self._default
        if not wanted:
            return self._unnamed
        found = self._proxied.get(wanted)
        if found is None:
            if len(self._proxied) >= MOST_PROXIES:
                # The oldest one ends its exchanges in peace and is closed with the process.
                self._retired.append(self._proxied.pop(next(iter(self._proxied))))
            from one_api.relay.proxied import ProxiedTransport  # noqa: PLC0415  # five megabytes for who has proxies

            found = self._proxied[wanted] = ProxiedTransport(self._loop, wanted)
        return found

    async def aclose(self) -> None:
        await self.direct.aclose()
        for transport in (*self._proxied.values(), *self._retired):
            await transport.aclose()
