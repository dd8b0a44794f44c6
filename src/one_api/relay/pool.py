"""TEMPORARY stand-in until the real pool lands."""

import asyncio

from one_api.relay.transport import DirectTransport, Transport


class Transports:
    def __init__(self, loop: asyncio.AbstractEventLoop, default_proxy: str = "") -> None:
        self.direct = DirectTransport()

    def for_proxy(self, proxy: str) -> Transport:
        return self.direct

    async def aclose(self) -> None:
        await self.direct.aclose()
