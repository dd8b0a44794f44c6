"""What looks after channels and users' balances in a process."""

import logging

from one_api.jobs.channel_balances import ChannelBalances
from one_api.jobs.channel_tests import ChannelTests
from one_api.jobs.means import Means
from one_api.jobs.reminders import Reminders
from one_api.store.engine import FAILURES

log = logging.getLogger(__name__)


class Upkeep:
    """To be closed before what it works with."""

    def __init__(self, means: Means) -> None:
        self.tests = ChannelTests(means)
        self.balances = ChannelBalances(means)
        self.reminders = Reminders(means.database, options=means.options, outbox=means.outbox)

    async def aclose(self) -> None:
        """Cut tests and updates off; whoever spent something until now is reminded."""
        await self.tests.aclose()
        await self.balances.aclose()
        try:
            await self.reminders.look()
        except FAILURES as error:
            log.warning("Who spent something last is not reminded: %s", error)
