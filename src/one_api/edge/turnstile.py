"""Cloudflare's Turnstile: asks whether what a browser brought shows that a person sits there."""

from collections.abc import Callable
from typing import Any, Final

import httpx2

from one_api.accounts.rules import Refused
from one_api.lib import json
from one_api.options import Options

# https://developers.cloudflare.com/turnstile/get-started/server-side-validation/
VERIFY: Final = "https://challenges.cloudflare.com/turnstile/v0/siteverify"
TIMEOUT_S: Final = 10.0
LONGEST_TOKEN: Final = 2048
LONGEST_ANSWER: Final = 64 * 1024


class Turnstile:
    """Checks tokens with the secret of the options of the moment."""

    def __init__(
        self, options: Callable[[], Options], *, http: httpx2.AsyncClient, verify_address: str = VERIFY
    ) -> None:
        self._options = options
        self._http = http
        self._verify_address = verify_address

    @property
    def wanted(self) -> bool:
        return self._options().turnstile_check_enabled

    async def check(self, token: str, *, ip: str) -> None:
        """Raises Refused unless Cloudflare says that the token is good; no answer is none."""
        if not token:
            raise Refused("Turnstile token 为空")
        if len(token) > LONGEST_TOKEN:
            raise Refused("Turnstile 校验失败，请刷新重试！")
        form = {"secret": self._options().turnstile_secret_key, "response": token, "remoteip": ip}
        try:
            answer = await self._post(form)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
            raise Refused(f"Turnstile: {type(error).__name__}") from error
        if not isinstance(answer, dict) or answer.get("success") is not True:
            raise Refused("Turnstile 校验失败，请刷新重试！")

    async def _post(self, form: dict[str, str]) -> Any:
        async with self._http.stream("POST", self._verify_address, data=form, timeout=TIMEOUT_S) as response:
            found = bytearray()
            async for piece in response.aiter_bytes():
                found += piece
                if len(found) > LONGEST_ANSWER:
                    raise ValueError("the answer is too long")
        return json.decode(bytes(found))
