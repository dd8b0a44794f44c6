"""GitHub: its OAuth web flow, with PKCE. Who somebody is says the number, for login names change hands.

https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
"""

from typing import Any, Final
from urllib.parse import urlencode

from one_api.accounts.oauth import identity
from one_api.accounts.oauth.identity import Callback, Distrusted, Identity, section
from one_api.options import Options
from one_api.web import Reply, Unreachable, Web

AWAY: Final = "无法连接至 GitHub 服务器，请稍后重试！"
NOBODY: Final = "返回值非法，用户字段为空，请稍后重试！"


def authorize(options: Options, at: str, *, state: str, challenge: str) -> str:
    """Where a browser goes; the address it comes back to is the one GitHub has for this client."""
    query = {
        "client_id": options.github_client_id,
        "state": state,
        "scope": "user:email",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return f"{at}/login/oauth/authorize?{urlencode(query)}"


async def identify(web: Web, options: Options, callback: Callback, *, at: str, api: str) -> Identity:
    """Raises Distrusted, and Unreachable."""
    request = {
        "client_id": options.github_client_id,
        "client_secret": options.github_client_secret,
        "code": callback.code,
    }
    if callback.verifier:
        request["code_verifier"] = callback.verifier
    token = _token(await web.post_json(f"{at}/login/oauth/access_token", request))
    reply = await web.get(f"{api}/user", bearer=token)
    if reply.status != 200:
        raise Unreachable(f"status {reply.status} for the user")
    found = _read(section(reply.value))
    return Identity(
        kind="github",
        subject=found[0],
        login=found[1],
        display_name=identity.display_name(section(reply.value).get("name"), "GitHub User"),
        email=await _email(web, f"{api}/user/emails", token),
    )


def _token(reply: Reply) -> str:
    """An error has status 200 here."""
    value = section(reply.value)
    if "error" in value:
        raise identity.denied("github", value["error"])
    token = identity.access_token(value)
    if reply.status != 200 or token is None:
        raise Unreachable(f"status {reply.status} and no token")
    return token


def _read(user: Any) -> tuple[str, str]:
    number, login = identity.github_number(user.get("id")), identity.subject(user.get("login"))
    if number is None or login is None:
        raise Distrusted(NOBODY, "the user has no id or no login")
    return number, login


async def _email(web: Web, url: str, token: str) -> str:
    """The primary address, if it is verified; the one in the profile may be anything. Nobody is refused for it."""
    try:
        reply = await web.get(url, bearer=token)
    except Unreachable:
        return ""
    rows = reply.value if reply.status == 200 and isinstance(reply.value, list) else []
    for row in map(section, rows):
        if row.get("primary") is True:
            return identity.email(row.get("email"), verified=row.get("verified"))
    return ""
