"""Takes a channel whose account is finished out of service, once, where the operator allows it."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from one_api.errors import UpstreamError
from one_api.options import Options
from one_api.routing import Channel
from one_api.routing.health import is_account_dead

log = structlog.get_logger(__name__)


class ChannelHealth:
    """Told of every attempt.

    `disable` is one conditional write: of several processes one wins and returns True. `refresh` makes this process
    see the change at once.
    """

    def __init__(
        self,
        *,
        options: Callable[[], Options],
        disable: Callable[[int, str], Awaitable[bool]],
        refresh: Callable[[], Awaitable[None]],
    ) -> None:
        self._options = options
        self._disable = disable
        self._refresh = refresh
        self._writes: set[asyncio.Task[None]] = set()

    def succeeded(self, channel: Channel) -> None:
        """Nothing to do while success rates are not kept."""

    def failed(self, channel: Channel, error: UpstreamError) -> None:
        if not self._options().automatic_disable_channel_enabled:
            return
        if not is_account_dead(error.status, error.type, error.code, error.message):
            return
        task = asyncio.get_running_loop().create_task(self._take_out(channel, error.message))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)

    async def drain(self) -> None:
        """Wait for writes under way."""
        if self._writes:
            await asyncio.wait(self._writes)

    async def _take_out(self, channel: Channel, reason: str) -> None:
        try:
            if await self._disable(channel.id, reason):
                await self._refresh()
        except Exception:
            log.exception("channel could not be disabled", channel=channel.id)
