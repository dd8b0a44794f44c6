"""WeChat, by a server of the operator's: it gave somebody a code in a chat, and says who that was."""

from typing import Final

from one_api.accounts.oauth import identity
from one_api.accounts.oauth.identity import Callback, Distrusted, Identity, section
from one_api.options import Options
from one_api.web import Unreachable, Web

AWAY: Final = "无法连接至微信服务器，请稍后重试！"
WRONG_CODE: Final = "验证码错误或已过期"
_LONGEST_MESSAGE: Final = 200


async def identify(web: Web, options: Options, callback: Callback) -> Identity:
    """Raises Distrusted, and Unreachable."""
    url = f"{options.wechat_server_address.rstrip('/')}/api/wechat/user"
    reply = await web.get(url, authorization=options.wechat_server_token, code=callback.code)
    if reply.status != 200:
        raise Unreachable(f"status {reply.status}")
    value = section(reply.value)
    if value.get("success") is not True:
        raise Distrusted(_message(value.get("message"), options.wechat_server_token), "the server says no")
    subject = identity.subject(value.get("data"))
    if subject is None:
        raise Distrusted(WRONG_CODE, "the server names nobody")
    return Identity(kind="wechat", subject=subject, display_name="WeChat User")


def _message(value: object, secret: str) -> str:
    """The operator's own server may say why, but never its secret."""
    if not isinstance(value, str) or not value.isprintable() or (secret and secret in value):
        return WRONG_CODE
    return value[:_LONGEST_MESSAGE] or WRONG_CODE
