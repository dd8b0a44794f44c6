"""Cloudflare's Turnstile: asks whether what a browser brought shows that a person sits there."""

from collections.abc import Callable
from typing import Final

from one_api.accounts.rules import Refused
from one_api.options import Options
from one_api.web import Unreachable, Web

# https://developers.cloudflare.com/turnstile/get-started/server-side-validation/
VERIFY: Final = "https://challenges.cloudflare.com/turnstile/v0/siteverify"
LONGEST_TOKEN: Final = 2048


class Turnstile:
    """Checks tokens with the secret of the options of the moment."""

    def __init__(self, options: Callable[[], Options], *, web: Web, verify_address: str = VERIFY) -> None:
        self._options = options
        self._web = web
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
            answer = (await self._web.post_form(self._verify_address, form)).value
        except Unreachable as error:
            raise Refused(f"Turnstile: {error}") from None
        if not isinstance(answer, dict) or answer.get("success") is not True:
            raise Refused("Turnstile 校验失败，请刷新重试！")
