"""The message pusher: a web hook of the operator's that passes a notice on."""

from collections.abc import Callable
from typing import Final

from one_api.notify.errors import NotSent
from one_api.options import Options
from one_api.web import Unreachable, Web

LONGEST_REASON: Final = 300


class Pusher:
    """Posts to the address of the options of the moment."""

    def __init__(self, options: Callable[[], Options], *, web: Web) -> None:
        self._options = options
        self._web = web

    @property
    def configured(self) -> bool:
        return bool(self._options().message_pusher_address)

    async def push(self, subject: str, content: str) -> None:
        """Raises NotSent unless the pusher says that it took the message."""
        options = self._options()
        text = str(content)  # Html is one, and the codec takes nothing but str itself
        body = {
            "title": subject,
            "description": text,
            "content": text,
            "url": "",
            "channel": "",
            "token": options.message_pusher_token,
        }
        try:
            reply = await self._web.post_json(options.message_pusher_address, body, kind="application/json")
        except Unreachable as error:
            raise NotSent(f"the message pusher cannot be reached: {error}") from None
        answer = reply.value
        if not isinstance(answer, dict) or answer.get("success") is not True:
            said = answer.get("message") if isinstance(answer, dict) else None
            reason = str(said or "the message pusher refused the message")
            token = options.message_pusher_token
            raise NotSent((reason.replace(token, "***") if token else reason)[:LONGEST_REASON])
