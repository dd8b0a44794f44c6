"""Once a second: how late the loop is, and what was counted goes where other processes find it."""

import asyncio
from typing import Final

from one_api.metrics.meter import Meter
from one_api.metrics.share import Share

BEAT_S: Final = 1.0
PROBE_S: Final = 0.05


class Beat:
    """A job. The lag is that of a timer: how much later than asked it went off."""

    def __init__(self, meter: Meter, share: Share) -> None:
        self._meter = meter
        self._share = share

    async def __call__(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + PROBE_S
        await asyncio.sleep(PROBE_S)
        self._meter.lagged(max(0.0, loop.time() - due))
        self._share.publish()
