"""The message pusher: a web hook of the operator's that passes a notice on."""

from collections.abc import Callable
from typing import Any, Final

import httpx2

from one_api.lib import json
from one_api.notify.errors import NotSent
from one_api.options import Options

TIMEOUT_S: Final = 10.0
LONGEST_ANSWER: Final = 64 * 1024
LONGEST_REASON: Final = 300


class Pusher:
    """Posts to the address of the options of the moment."""

    def __init__(self, options: Callable[[], Options], *, http: httpx2.AsyncClient) -> None:
        self._options = options
        self._http = http

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
            answer = await self._post(options.message_pusher_address, json.encode(body))
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
            raise NotSent(f"the message pusher cannot be reached: {type(error).__name__}") from error
        if not isinstance(answer, dict) or answer.get("success") is not True:
            said = answer.get("message") if isinstance(answer, dict) else None
            reason = str(said or "the message pusher refused the message")
            token = options.message_pusher_token
            raise NotSent((reason.replace(token, "***") if token else reason)[:LONGEST_REASON])

    async def _post(self, address: str, body: bytes) -> Any:
        headers = {"Content-Type": "application/json"}
        posting = self._http.stream("POST", address, content=body, headers=headers, timeout=TIMEOUT_S)
        async with posting as response:
            found = bytearray()
            async for piece in response.aiter_bytes():
                found += piece
                if len(found) > LONGEST_ANSWER:
                    raise ValueError("the answer is too long")
        return json.decode(bytes(found))
