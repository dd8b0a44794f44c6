"""Tests of channels: one for who waits for it, or many one after another, by one process of all.

A test of many may take a channel out of use or bring one back, where the options say so; a single one only tells.
"""

from typing import Final

import structlog

from one_api.accounts import logs
from one_api.channels import upkeep
from one_api.channels.rules import AUTO_DISABLED, ENABLED, Refused
from one_api.channels.upkeep import Progress
from one_api.jobs.means import Means
from one_api.jobs.sweeps import Sweep
from one_api.relay import listing, notices
from one_api.relay.health import cause, summary
from one_api.relay.probe import Probe, probe
from one_api.routing import Channel

NAME: Final = "test channels"
EVERYTHING: Final = "all"

log = structlog.get_logger(__name__)


class ChannelTests:
    """`test` is one test, `begin` starts many and returns, `run` does all and returns when it has."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._sweep = Sweep(means.database, NAME)

    async def test(self, channel_id: int, model: str, *, request_id: str, key: int = 0) -> Probe:
        """With one of several keys if `key` is its number. Raises Refused for what does not exist."""
        channel = await upkeep.find(self._means.database, channel_id)
        if key:
            channel = await upkeep.with_key(self._means.database, channel, key)
        found = await self._probe(channel, model, request_id)
        await self._record(channel, found, found.elapsed_ms if found.passed else 0)
        return found

    async def models(self, channel: Channel) -> list[str]:
        """What its provider lists. Raises NoList and UpstreamError."""
        return await listing.models(self._means.upstreams, channel)

    async def begin(self, scope: str, *, request_id: str) -> bool:
        """Start testing `all` channels, or the `disabled` ones. False if a test is running on any node."""
        return await self._sweep.begin(lambda: self._test_all(scope, request_id, tell=True))

    async def run(self) -> None:
        """All channels, as a job does it: nobody waits to hear that it is done."""
        await self._sweep.run(lambda: self._test_all(EVERYTHING, self._means.request_id(), tell=False))

    async def settled(self) -> None:
        """Wait for what was begun here."""
        await self._sweep.settled(None)

    async def progress(self) -> Progress:
        return await upkeep.progress(self._means.database, running=await self._sweep.running())

    async def aclose(self) -> None:
        await self._sweep.aclose()

    async def _test_all(self, scope: str, request_id: str, *, tell: bool) -> None:
        means = self._means
        numbers = await upkeep.numbers(means.database, scope)
        await upkeep.begin_progress(means.database, total=len(numbers), now=int(means.clock()))
        for position, number in enumerate(numbers):
            if position:
                await means.sleep(means.pause_s)
            await upkeep.advance_progress(means.database, passed=await self._test_one(number, request_id))
        if tell:
            means.outbox.to_root_by_all(*notices.TESTED)

    async def _test_one(self, number: int, request_id: str) -> bool:
        try:
            channel = await upkeep.find(self._means.database, number)
        except Refused:  # deleted since the test began
            return True
        broken = await upkeep.out_of_use(self._means.database, channel)
        if broken and not channel.keys:  # none is in use, so one of them stands for the channel
            channel, *broken = broken
        found = await self._probe(channel, "", request_id)
        await self._judge(channel, found)
        await self._record(channel, found, found.elapsed_ms)
        for key in broken:
            await self._test_key(key, request_id)
        return found.passed

    async def _test_key(self, channel: Channel, request_id: str) -> None:
        """Whether a key that is out of use works again."""
        await self._means.sleep(self._means.pause_s)
        found = await self._probe(channel, "", request_id)
        if found.passed and self._means.options().automatic_enable_channel_enabled:
            await self._means.health.restore(channel)

    async def _probe(self, channel: Channel, model: str, request_id: str) -> Probe:
        means = self._means
        found = await probe(means.upstreams, channel, model=model, prompt=means.prompt, request_id=request_id)
        said = f"测试成功，响应：{found.text}" if found.passed else f"测试失败，错误：{found.text}"
        entry = logs.Entry(
            user_id=0,
            type=logs.TEST,
            content=f"渠道 {channel.name} {said}",
            request_id=request_id,
            model_name=found.model[:191],
            channel_id=channel.id,
            elapsed_time=found.elapsed_ms,
        )
        await logs.write(means.logs, [entry], now=int(means.clock()))
        return found

    async def _record(self, channel: Channel, found: Probe, response_ms: int) -> None:
        log.info("channel tested", channel=channel.id, passed=found.passed, elapsed_ms=found.elapsed_ms)
        now = int(self._means.clock())
        await upkeep.record_test(self._means.database, channel.id, response_ms=response_ms, now=now)

    async def _judge(self, channel: Channel, found: Probe) -> None:
        """Take a slow or finished channel out of use, bring a healthy one back that the gateway took out."""
        health, options = self._means.health, self._means.options()
        back = channel.status == AUTO_DISABLED and found.passed and options.automatic_enable_channel_enabled
        if back and not (channel.number and await health.restore(channel)):
            await health.enable(channel)
        if channel.status != ENABLED:
            return
        threshold = options.channel_disable_threshold
        if threshold > 0 and found.elapsed_ms > threshold * 1000:
            reason = notices.too_slow(found.elapsed_ms, threshold)
            if options.automatic_disable_channel_enabled:
                await health.disable(channel, reason, f"a test took {found.elapsed_ms} ms")
            else:
                self._means.outbox.to_root_by_all(*notices.slow(channel, reason))
        if found.error is not None and health.is_finished(found.error):
            await health.give_up(channel, found.text, summary(found.error), cause(found.error))
