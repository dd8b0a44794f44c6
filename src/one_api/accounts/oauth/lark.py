"""Lark, which is Feishu in China: OAuth with PKCE. `open_id` is who somebody is to this application.

https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/authentication-management/access-token/get-user-access-token
"""

from typing import Final
from urllib.parse import urlencode

from one_api.accounts.oauth import identity
from one_api.accounts.oauth.identity import Callback, Distrusted, Identity, section
from one_api.options import Options
from one_api.web import Reply, Unreachable, Web

AWAY: Final = "无法连接至飞书服务器，请稍后重试！"
NOBODY: Final = "lark id 为空！"


def authorize(options: Options, at: str, *, back: str, state: str, challenge: str) -> str:
    query = {
        "client_id": options.lark_client_id,
        "redirect_uri": back,
        "response_type": "code",
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return f"{at}/open-apis/authen/v1/authorize?{urlencode(query)}"


async def identify(web: Web, options: Options, callback: Callback, *, at: str, passport: str, back: str) -> Identity:
    """Raises Distrusted, and Unreachable."""
    request = {
        "grant_type": "authorization_code",
        "client_id": options.lark_client_id,
        "client_secret": options.lark_client_secret,
        "code": callback.code,
        "redirect_uri": back,
    }
    if callback.verifier:
        request["code_verifier"] = callback.verifier
    token = _token(await web.post_json(f"{at}/open-apis/authen/v2/oauth/token", request))
    reply = await web.get(f"{passport}/suite/passport/oauth/userinfo", bearer=token)
    if reply.status != 200:
        raise Unreachable(f"status {reply.status} for the user")
    user = section(reply.value)
    subject = identity.subject(user.get("open_id"))
    if subject is None:
        raise Distrusted(NOBODY, "the user has no open_id")
    return Identity(kind="lark", subject=subject, display_name=identity.display_name(user.get("name"), "Lark User"))


def _token(reply: Reply) -> str:
    """`code` is 0, as a number or as text, where all is well."""
    value = section(reply.value)
    if "error" in value or value.get("code", 0) not in (0, "0"):
        raise identity.denied("lark", value.get("error", str(value.get("code"))))
    token = identity.access_token(value)
    if reply.status != 200 or token is None:
        raise Unreachable(f"status {reply.status} and no token")
    return token
