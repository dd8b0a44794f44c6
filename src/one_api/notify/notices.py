"""Whom a notice goes to, and which way."""

import logging
from collections.abc import Awaitable, Callable

from one_api.notify.errors import NotSent
from one_api.notify.mail import Mailer
from one_api.notify.pusher import Pusher

log = logging.getLogger(__name__)


class Notices:
    """Sends notices. `content` is text, a paragraph a line, or `Html` with everything inserted in it escaped."""

    def __init__(self, *, mailer: Mailer, pusher: Pusher, root_address: Callable[[], Awaitable[str]]) -> None:
        self._mailer = mailer
        self._pusher = pusher
        self._root_address = root_address

    async def to_root(self, subject: str, content: str) -> None:
        """Through the message pusher if there is one, and by mail if there is none or it fails. Raises NotSent."""
        if self._pusher.configured:
            try:
                await self._pusher.push(subject, content)
                return
            except NotSent as error:
                log.warning("The message pusher failed, root gets a mail: %s", error.message)
        await self._mail_root(subject, content)

    async def to_root_by_all(self, subject: str, content: str) -> None:
        """Through the message pusher and by mail. Raises NotSent if neither went."""
        failures = []
        for way in (self._pusher.push, self._mail_root) if self._pusher.configured else (self._mail_root,):
            try:
                await way(subject, content)
            except NotSent as error:
                failures.append(error)
        if len(failures) == (2 if self._pusher.configured else 1):
            raise failures[-1]

    async def to_user(self, address: str, subject: str, content: str) -> None:
        """By mail; several addresses are separated by `;`. Raises NotSent."""
        await self._mailer.send(address, subject, content)

    async def _mail_root(self, subject: str, content: str) -> None:
        await self._mailer.send(await self._root_address(), subject, content)
