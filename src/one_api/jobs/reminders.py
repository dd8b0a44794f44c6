"""Tells users that their quota runs low, by the balances of those who spent something since the last look."""

from collections.abc import Callable
from typing import Final, Protocol

from one_api.accounts import reminders
from one_api.accounts.reminders import Standing
from one_api.options import Options
from one_api.relay import notices
from one_api.store.engine import Database

EVERY_S: Final = 5.0
AT_ONCE: Final = 500  # users a query asks about


class Outbox(Protocol):
    def to_user(self, address: str, subject: str, content: str) -> None: ...


class Reminders:
    """`spent` costs a call nothing; `look` is a job of every process, done once more at its end."""

    def __init__(self, database: Database, *, options: Callable[[], Options], outbox: Outbox) -> None:
        self._database = database
        self._options = options
        self._outbox = outbox
        self._spenders: set[int] = set()

    def spent(self, user_id: int) -> None:
        self._spenders.add(user_id)

    async def look(self) -> None:
        """Remind who has to be. Those of a look that failed are looked at again."""
        spenders, self._spenders = sorted(self._spenders), set()
        try:
            while spenders:
                await self._remind(spenders[:AT_ONCE])
                del spenders[:AT_ONCE]
        finally:
            self._spenders.update(spenders)

    async def _remind(self, user_ids: list[int]) -> None:
        threshold = self._options().quota_remind_threshold
        found = await reminders.standings(self._database, user_ids)
        better = [each for each in found if each.level(threshold) < each.told]
        if better:
            await reminders.relieve(self._database, better, threshold)
        for each in found:
            level = each.level(threshold)
            if level > each.told and await reminders.note(self._database, each.user_id, level):
                self._tell(each)

    def _tell(self, standing: Standing) -> None:
        notice = notices.quota(standing.left, server_address=self._options().server_address)
        self._outbox.to_user(standing.email, *notice)
