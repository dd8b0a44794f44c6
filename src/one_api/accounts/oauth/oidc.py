"""Any provider of OpenID Connect.

With a well-known address the provider describes itself, and its signed ID token says who somebody is; PKCE and a nonce
are used where a console lets us begin. With endpoints alone, as One API has it, the token endpoint and the userinfo
endpoint are believed, since we asked them ourselves.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from one_api.accounts.oauth import identity
from one_api.accounts.oauth.discovery import Discovery, Metadata, Way
from one_api.accounts.oauth.identity import Callback, Distrusted, Identity, UnknownKey, Untrusted, section
from one_api.accounts.rules import same
from one_api.options import Options
from one_api.web import Reply, Unreachable, Web

AWAY: Final = "无法连接至 OIDC 服务器，请稍后重试！"
NOBODY: Final = "oidc id 为空！"
UNTRUSTED: Final = "OIDC 返回的身份信息无法验证，登录已被拒绝"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """The provider as the options have it; `metadata` is what it says about itself, if it was asked."""

    authorization: str
    token: str
    userinfo: str
    metadata: Metadata | None


async def provider(discovery: Discovery, options: Options) -> Provider:
    """An endpoint among the options wins. Raises Distrusted, and Unreachable."""
    found = None
    if options.oidc_well_known:
        try:
            found = await discovery.metadata(options.oidc_well_known)
        except Untrusted as error:
            raise Distrusted(UNTRUSTED, str(error)) from None
    return Provider(
        authorization=options.oidc_authorization_endpoint or (found.authorization_endpoint if found else ""),
        token=options.oidc_token_endpoint or (found.token_endpoint if found else ""),
        userinfo=options.oidc_userinfo_endpoint or (found.userinfo_endpoint if found else ""),
        metadata=found,
    )


def authorize(options: Options, at: Provider, *, back: str, state: str, challenge: str, nonce: str) -> str:
    """Where a browser goes; an empty challenge is left out."""
    query = {
        "client_id": options.oidc_client_id,
        "redirect_uri": back,
        "response_type": "code",
        "scope": "openid profile email",
        "state": state,
        "nonce": nonce,
    }
    if challenge:
        query |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    return f"{at.authorization}{'&' if '?' in at.authorization else '?'}{urlencode(query)}"


async def identify(
    web: Web, discovery: Discovery, options: Options, callback: Callback, *, back: str, now: int
) -> Identity:
    """Raises Distrusted, and Unreachable."""
    at = await provider(discovery, options)
    if callback.issuer and at.metadata and not same(callback.issuer, at.metadata.issuer):
        raise Distrusted(UNTRUSTED, "the browser came back from another issuer")
    answer = await _exchange(web, at, options, callback, back)
    claims: Mapping[str, Any] = {}
    if at.metadata is not None:
        claims = await _claims(discovery, at.metadata, options, answer.get("id_token"), callback.nonce, now)
    profile = await _profile(web, at.userinfo, answer) if at.userinfo else claims
    subject = identity.subject(profile.get("sub"))
    if subject is None:
        raise Distrusted(NOBODY, "the user has no sub")
    if claims and claims["sub"] != subject:
        raise Distrusted(UNTRUSTED, "the userinfo endpoint speaks of somebody else")
    return Identity(
        kind="oidc",
        subject=subject,
        username=identity.username(profile.get("preferred_username")),
        display_name=identity.display_name(profile.get("name"), "OIDC User"),
        email=identity.email(profile.get("email"), verified=profile.get("email_verified")),
    )


async def _exchange(web: Web, at: Provider, options: Options, callback: Callback, back: str) -> Mapping[str, Any]:
    """The code for tokens, as a form (RFC 6749, 4.1.3).

    Where the secret has to go is registered at the provider and not known here: a refusal of the client is no refusal
    of the code, so the other place is tried.
    """
    form = {"grant_type": "authorization_code", "code": callback.code, "redirect_uri": back}
    if callback.verifier:
        form["code_verifier"] = callback.verifier
    client, secret = options.oidc_client_id, options.oidc_client_secret
    inside = {**form, "client_id": client, **({"client_secret": secret} if secret else {})}
    reply = Reply(0, None)
    for way in _ways(at) if secret else ("form",):
        header = way == "header"
        authorization = _basic(client, secret) if header else ""
        reply = await web.post_form(at.token, form if header else inside, authorization=authorization)
        if section(reply.value).get("error") != "invalid_client":
            break
    return _tokens(reply)


def _ways(at: Provider) -> tuple[Way, ...]:
    return (at.metadata.secret_in if at.metadata is not None else ()) or ("form", "header")


def _basic(client_id: str, secret: str) -> str:
    """Both halves are encoded as in a form first (RFC 6749, 2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _tokens(reply: Reply) -> Mapping[str, Any]:
    value = section(reply.value)
    if "error" in value:
        raise identity.denied("oidc", value["error"])
    if reply.status != 200 or identity.access_token(value) is None:
        raise Unreachable(f"status {reply.status} and no token")
    return value


async def _claims(
    discovery: Discovery, metadata: Metadata, options: Options, token: Any, nonce: str, now: int
) -> Mapping[str, Any]:
    """What the ID token says. A key that is not known yet is looked for once more: providers change theirs."""
    from one_api.accounts.oauth import id_token  # noqa: PLC0415  # as in `discovery`

    async def checked(*, anew: bool) -> Mapping[str, Any]:
        return id_token.check(
            token,
            await discovery.keys(metadata.jwks_uri, anew=anew),
            issuer=metadata.issuer,
            client_id=options.oidc_client_id,
            nonce=nonce,
            algorithms=metadata.algorithms,
            now=now,
        )

    try:
        try:
            return await checked(anew=False)
        except UnknownKey:
            return await checked(anew=True)
    except Untrusted as error:
        raise Distrusted(UNTRUSTED, f"the ID token: {error}") from None


async def _profile(web: Web, url: str, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    reply = await web.get(url, bearer=identity.access_token(answer) or "")
    if reply.status != 200:
        raise Unreachable(f"status {reply.status} for the user")
    return section(reply.value)
