"""What is left on channels' accounts: one when somebody asks, or all that can be known, by one process of all."""

from typing import Final

import structlog

from one_api.channels import upkeep
from one_api.channels.rules import Refused
from one_api.errors import UpstreamError
from one_api.jobs.means import Means
from one_api.jobs.sweeps import Sweep
from one_api.providers import balances
from one_api.providers.balances import NoBalance
from one_api.relay.balances import balance
from one_api.routing import Channel
from one_api.routing.health import Cause

NAME: Final = "update balances"
SOON_S: Final = 5.0
USED_UP: Final = "余额不足"

log = structlog.get_logger(__name__)


class ChannelBalances:
    """`update` is one, `update_all` starts with all and waits a little, `run` returns when all are done."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._sweep = Sweep(means.database, NAME)

    async def update(self, channel_id: int) -> float:
        """The balance, saved. Raises Refused, NoBalance and UpstreamError."""
        return await self._update(await upkeep.find(self._means.database, channel_id))

    async def begin(self) -> bool:
        """Start with all. False if any node is at it."""
        return await self._sweep.begin(self._update_all)

    async def settled(self, within_s: float | None = None) -> None:
        """Wait for what was begun here."""
        await self._sweep.settled(within_s)

    async def update_all(self) -> None:
        """Start, if nobody is at it. Returns when it is done or takes long, so that most who ask see the new values."""
        if await self.begin():
            await self.settled(SOON_S)

    async def run(self) -> None:
        await self._sweep.run(self._update_all)

    async def aclose(self) -> None:
        await self._sweep.aclose()

    async def _update_all(self) -> None:
        """Those in use, one after another; one that cannot be asked keeps the others from nothing."""
        asked = False
        for number in await upkeep.in_use(self._means.database):
            try:
                channel = await upkeep.find(self._means.database, number)
                if not balances.supported(channel.type):
                    continue
                if asked:
                    await self._means.sleep(self._means.pause_s)
                asked = True
                await self._judge(channel, await self._update(channel))
            except (Refused, NoBalance, UpstreamError) as error:  # deleted meanwhile, or the provider would not say
                log.info("a balance is not known", channel=number, reason=type(error).__name__)

    async def _update(self, channel: Channel) -> float:
        now = self._means.clock()
        found = await balance(self._means.upstreams, channel, now=now)
        await upkeep.record_balance(self._means.database, channel.id, balance=found, now=int(now))
        return found

    async def _judge(self, channel: Channel, left: float) -> None:
        """An account that is used up serves nobody, where the balance says that for sure."""
        wanted = self._means.options().automatic_disable_channel_enabled
        if wanted and left <= 0 and channel.type in balances.USD_BY_INVOICE:
            await self._means.health.give_up(channel, USED_UP, "its balance is used up", Cause.BALANCE)
