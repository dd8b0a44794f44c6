"""Takes a channel out of service, once: its account is finished, or too many of its calls fail. Tells root of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from typing import Any, Protocol

import structlog

from one_api.errors import OneAPIError, UpstreamError
from one_api.options import Options
from one_api.relay import notices
from one_api.relay.notices import Notice
from one_api.routing import Channel, Routes
from one_api.routing.health import OF_THE_ACCOUNT, Cause, Rate, Rests, SuccessRates, cause_of, is_the_channels

log = structlog.get_logger(__name__)


class Outbox(Protocol):
    """Where notices go; it does not wait for them to arrive."""

    def to_root(self, subject: str, content: str) -> None: ...


class Switches(Protocol):
    """The channels in the database. Each is one conditional write: of several processes one wins and gets True."""

    async def disable(self, channel_id: int, reason: str) -> bool:
        """Out of use because of what an error says, whatever else serves its models."""

    async def eject(self, channel_id: int, reason: str) -> bool:
        """Out of use because of its success rate, if enough other channels serve its models."""

    async def enable(self, channel_id: int) -> bool:
        """Back into use, if it was not somebody who disabled it."""

    async def disable_key(self, channel: Channel, cause: str) -> int | None:
        """The channel's key out of use; how many of its keys are left, None if it was out already."""

    async def enable_key(self, channel: Channel) -> bool:
        """The same key back into use, and its channel with it."""


Told = Callable[[Channel, UpstreamError, str], None]


class ChannelHealth:
    """Told of every attempt. `rates` is None where success rates are not kept.

    `refresh` makes this process see a change at once; `told` is somebody else who is to hear of failures.
    """

    def __init__(
        self,
        *,
        options: Callable[[], Options],
        switches: Switches,
        outbox: Outbox,
        rates: SuccessRates | None,
        refresh: Callable[[], Awaitable[None]],
        told: Told | None = None,
    ) -> None:
        self._options = options
        self._switches = switches
        self._outbox = outbox
        self._rates = rates
        self._refresh = refresh
        self._told = told
        self._rests = Rests()
        self._writes: dict[Hashable, asyncio.Task[None]] = {}

    def succeeded(self, channel: Channel) -> None:
        if self._rates is not None:
            self._rates.succeeded(channel.id)

    def resting(self, channel: Channel, model: str) -> bool:
        """Whether the channel asked to be left alone with this model of its upstream."""
        return self._rests.resting(_place(channel), model, time.monotonic())

    def failed(self, channel: Channel, error: UpstreamError, model: str = "") -> None:
        if self._told is not None:
            self._told(channel, error, model)
        if error.retry_after and cause(error) in (Cause.OVERLOADED, Cause.DOWN):
            self._rests.begin(_place(channel), model, error.retry_after, time.monotonic())
        if self.is_finished(error):
            self._begin(channel, self.give_up(channel, error.message, summary(error), cause(error)))
        elif self._rates is not None and error.blame == "channel" and is_the_channels(error.status):
            rate = self._rates.failed(channel.id)
            if rate is not None:
                self._begin(channel, self._eject(channel, rate, self._rates.threshold))

    def is_finished(self, error: UpstreamError) -> bool:
        """Whether the error says so of the channel's account, and the operator wants channels to be disabled for it."""
        return self._options().automatic_disable_channel_enabled and cause(error) in OF_THE_ACCOUNT

    async def give_up(self, channel: Channel, reason: str, logged: str, why: Cause) -> None:
        """Take out what is finished: the channel, or of several keys the one that it was asked with."""
        if not channel.number:
            await self.disable(channel, reason, f"{why.value}: {logged}")
            return
        left = await self._switches.disable_key(channel, f"{why.value}: {logged}")
        if left is not None:
            await self._spread(notices.key_disabled(channel, left, reason))

    async def restore(self, channel: Channel) -> bool:
        """Put the key back into use that the channel was asked with."""
        won = await self._switches.enable_key(channel)
        if won:
            await self._spread(notices.key_enabled(channel))
        return won

    async def disable(self, channel: Channel, reason: str, logged: str) -> bool:
        """Take it out and tell root. `reason` may hold what an upstream said, which does not belong in a log."""
        won = await self._switches.disable(channel.id, logged)
        if won:
            await self._spread(notices.disabled(channel, reason))
        return won

    async def enable(self, channel: Channel) -> bool:
        won = await self._switches.enable(channel.id)
        if won:
            await self._spread(notices.enabled(channel))
        return won

    def follow(self, routes: Routes) -> None:
        """Forget the results of channels that are not in use any more."""
        if self._rates is not None:
            self._rates.keep(routes.enabled())

    async def drain(self) -> None:
        """Wait for writes under way."""
        if self._writes:
            await asyncio.wait(self._writes.values())

    async def _eject(self, channel: Channel, rate: Rate, threshold: float) -> None:
        reason = f"{rate.successes} of its last {rate.calls} calls succeeded"
        if await self._switches.eject(channel.id, reason):
            await self._spread(notices.ejected(channel, rate, threshold))
        else:
            log.warning("a channel fails often, and too few others serve its models", channel=channel.id, reason=reason)

    async def _spread(self, notice: Notice) -> None:
        """Calls of this process come first, then root."""
        try:
            await self._refresh()
        finally:
            self._outbox.to_root(*notice)

    def _begin(self, channel: Channel, work: Coroutine[Any, Any, object]) -> None:
        """One write at a time for a channel or key: in a storm every call would begin one."""
        place = _place(channel)
        if place in self._writes:
            work.close()
            return
        task = asyncio.get_running_loop().create_task(_logged(channel, work), name=f"disable channel {channel.id}")
        self._writes[place] = task
        task.add_done_callback(lambda _: self._writes.pop(place, None))


async def _logged(channel: Channel, work: Coroutine[Any, Any, object]) -> None:
    try:
        await work
    except Exception:
        log.exception("channel could not be disabled", channel=channel.id)


def _place(channel: Channel) -> Hashable:
    """What limits are kept for: a key."""
    return (channel.id, channel.number) if channel.number else channel.id


def cause(error: UpstreamError) -> Cause:
    return cause_of(error.status, error.type, error.code, error.message, quoted=error.quoted)


def in_a_word(error: OneAPIError) -> str:
    """Why a call failed, in a word that is ours: what upstreams say of an error may hold anything."""
    return cause(error).name.lower() if isinstance(error, UpstreamError) else type(error).__name__


def summary(error: UpstreamError) -> str:
    """What kind of error it was, without what the upstream wrote: that may quote a prompt."""
    return f"status {error.status}, type {error.type[:64]!r}, code {str(error.code)[:64]!r}"
