"""The four providers as one: where a browser goes, and who came back."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from one_api.accounts.oauth import github, lark, oidc, states, wechat
from one_api.accounts.oauth.discovery import Discovery
from one_api.accounts.oauth.identity import Callback, Distrusted, Identity, Kind
from one_api.accounts.rules import Refused
from one_api.options import Options
from one_api.web import Unreachable, Web

AWAY: Final[Mapping[Kind, str]] = MappingProxyType(
    {"github": github.AWAY, "lark": lark.AWAY, "oidc": oidc.AWAY, "wechat": wechat.AWAY}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the vendors are."""

    github: str = "https://github.com"
    github_api: str = "https://api.github.com"
    lark_accounts: str = "https://accounts.feishu.cn"
    lark: str = "https://open.feishu.cn"
    lark_passport: str = "https://passport.feishu.cn"


@dataclass(frozen=True, slots=True)
class Start:
    """Where a browser goes, and whether PKCE goes with it."""

    url: str
    pkce: bool


def check_enabled(kind: Kind, options: Options) -> None:
    """Raises Refused. Lark has no switch: it is on where it has a client."""
    if kind == "github" and not options.github_oauth_enabled:
        raise Refused("管理员未开启通过 GitHub 登录以及注册")
    if kind == "oidc" and not options.oidc_enabled:
        raise Refused("管理员未开启通过 OIDC 登录以及注册")
    if kind == "wechat" and not options.wechat_auth_enabled:
        raise Refused("管理员未开启通过微信登录以及注册")
    if kind == "lark" and not options.lark_client_id:
        raise Refused("管理员未开启通过飞书登录以及注册")


class Providers:
    def __init__(self, places: Places | None = None, web: Web | None = None) -> None:
        self._places = places or Places()
        self._web = web or Web()
        self._discovery = Discovery(self._web)

    async def start(self, kind: Kind, options: Options, *, state: str, browser: str) -> Start:
        """Raises Distrusted."""
        challenge, back = states.challenge(state, browser), _back(kind, options)
        if kind == "github":
            return Start(github.authorize(options, self._places.github, state=state, challenge=challenge), pkce=True)
        if kind == "lark":
            at = self._places.lark_accounts
            return Start(lark.authorize(options, at, back=back, state=state, challenge=challenge), pkce=True)
        if kind == "wechat":
            raise Refused("无效的参数")
        try:
            provider = await oidc.provider(self._discovery, options)
        except Unreachable as error:
            raise Distrusted(oidc.AWAY, str(error)) from None
        pkce = provider.metadata is not None and provider.metadata.pkce
        nonce = states.nonce(state, browser)
        challenge = challenge if pkce else ""
        url = oidc.authorize(options, provider, back=back, state=state, challenge=challenge, nonce=nonce)
        return Start(url, pkce)

    async def identify(self, kind: Kind, options: Options, callback: Callback, *, now: int) -> Identity:
        """Who came back. Raises Distrusted."""
        try:
            return await self._identify(kind, options, callback, now)
        except Unreachable as error:
            raise Distrusted(AWAY[kind], str(error)) from None

    async def _identify(self, kind: Kind, options: Options, callback: Callback, now: int) -> Identity:
        web, places, back = self._web, self._places, _back(kind, options)
        match kind:
            case "github":
                return await github.identify(web, options, callback, at=places.github, api=places.github_api)
            case "lark":
                at, passport = places.lark, places.lark_passport
                return await lark.identify(web, options, callback, at=at, passport=passport, back=back)
            case "oidc":
                return await oidc.identify(web, self._discovery, options, callback, back=back, now=now)
            case "wechat":
                return await wechat.identify(web, options, callback)


def _back(kind: Kind, options: Options) -> str:
    """The address of the console's page that a provider sends browsers back to."""
    return f"{options.server_address.rstrip('/')}/oauth/{kind}"
