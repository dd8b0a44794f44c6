"""Providers that misbehave: whatever they do, nobody comes in, nothing is made, and no secret comes out."""

import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import structlog
from joserfc import jwk

from tests.edge.api.signing import Signing, signing
from tests.edge.api.world import NOW
from tests.harness import servers
from tests.harness.provider import JSON, SECRETS, WELL_KNOWN, Played, Raw, Vendors
from tests.harness.scripted import Turn

pytestmark = pytest.mark.anyio

AWAY = {
    "github": "无法连接至 GitHub 服务器，请稍后重试！",
    "lark": "无法连接至飞书服务器，请稍后重试！",
    "oidc": "无法连接至 OIDC 服务器，请稍后重试！",
    "wechat": "无法连接至微信服务器，请稍后重试！",
}
NOBODY = {
    "github": "返回值非法，用户字段为空，请稍后重试！",
    "lark": "lark id 为空！",
    "oidc": "oidc id 为空！",
    "wechat": "验证码错误或已过期",
}
UNTRUSTED = "OIDC 返回的身份信息无法验证，登录已被拒绝"
TOKEN = {
    "github": "/github/login/oauth/access_token",
    "lark": "/lark/open-apis/authen/v2/oauth/token",
    "oidc": "/oidc/token",
    "wechat": "/wechat/api/wechat/user",
}
USER = {"github": "/api/user", "lark": "/lark/suite/passport/oauth/userinfo", "oidc": "/oidc/userinfo"}
SLOW = ("silence", "a drip")
TIMEOUT_S = 0.4  # for those

Misbehave = Callable[[Vendors], None]


@pytest.fixture(scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Signing]:
    async with signing(servers.sqlite(tmp_path_factory.mktemp("oauth"))) as made:
        yield made


@pytest.fixture
async def there(shared: Signing) -> Signing:
    await shared.reset()
    return shared


async def refused(there: Signing, kind: str, caplog: pytest.LogCaptureFixture) -> str:
    """Why neither a stranger nor somebody signed in gets anything; all else is as it was."""
    caplog.set_level(logging.INFO)
    alice = await there.here.with_session(await there.here.user("alice"))
    before, stranger = await there.counts(), there.here.somebody()
    messages: set[str] = set()
    with structlog.testing.capture_logs() as lines:
        for person in (stranger, alice):
            if kind == "wechat":
                path = "/api/oauth/wechat" if person is stranger else "/api/oauth/wechat/bind"
                answer = await person.ask("GET", f"{path}?code=good")
            else:
                asked = await there.begin(person, kind)
                cookie = person.http.cookies["session"]
                answer = await there.finish(person, kind, code="good", state=asked["state"])
                assert person.http.cookies["session"] == cookie
            assert (answer.status_code, answer.json()["success"], "data" in answer.json()) == (200, False, False)
            assert "set-cookie" not in answer.headers
            messages.add(str(answer.json()["message"]))
            written = f"{answer.text} {lines} {caplog.text}"
            assert not any(secret in written for secret in SECRETS)
    assert await there.counts() == before
    assert (await alice.get("/api/user/self"))["data"][f"{kind}_id"] == ""
    assert (await stranger.ask("GET", "/api/user/self")).status_code == 401
    assert len(messages) == 1
    return messages.pop()


# --- whatever is asked ------------------------------------------------------------------------------------------------


async def never(turn: Turn) -> None:
    """Say nothing until the other side gives up."""
    await turn.left()


async def drip(turn: Turn) -> None:
    """A byte at a time, for ever: every read succeeds, and the whole never ends."""
    await turn.start()
    while True:
        await turn.piece(b" ")
        try:
            await turn.left(within=0.05)
            return
        except TimeoutError:
            continue


async def flood(turn: Turn) -> None:
    """More than anybody needs, without an announced length."""
    await turn.start()
    for _ in range(64):
        await turn.piece(b" " * 65_536)
    await turn.end()


async def reset(turn: Turn) -> None:
    turn.reset()


async def half(turn: Turn) -> None:
    await turn.send(b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"access_token":')
    turn.close()


BROKEN = {
    "status 500": Raw(500, b'{"message": "oops"}'),
    "HTML": Raw(200, b"<html>Sign in</html>", (("content-type", "text/html"),)),
    "empty": Raw(200, b""),
    "a list": Raw(200, b"[]"),
    "null": Raw(200, b"null"),
    "two tokens": Raw(200, b'{"access_token": "a", "access_token": "b"}'),
    "broken JSON": Raw(200, b'{"access_token": "access-token-of-alice"'),
    "deep": Raw(200, b"[" * 100_000),
    "not UTF-8": Raw(200, b'{"access_token": "\xff"}'),
    "a redirect": Raw(302, b"{}", (("location", "/elsewhere"), *JSON)),
    "a bomb": Raw(200, b"\x1f\x8b\x08\x00", (("content-encoding", "gzip"), *JSON)),
    "a huge length": Raw(200, b'{"access_token": "' + b"a" * 300_000 + b'"}'),
    "silence": Played(never),
    "a drip": Played(drip),
    "a flood": Played(flood),
    "a reset": Played(reset),
    "half an answer": Played(half),
}


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("kind", ["github", "lark", "oidc"])
async def test_a_broken_token_endpoint(there: Signing, kind: str, how: str, caplog: pytest.LogCaptureFixture) -> None:
    if how in SLOW:
        await there.reset(timeout_s=TIMEOUT_S)
    there.vendors.answers[TOKEN[kind]] = BROKEN[how]
    assert await refused(there, kind, caplog) == AWAY[kind]
    assert "/elsewhere" not in there.vendors.asked


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("kind", ["github", "lark", "oidc", "wechat"])
async def test_a_broken_user_endpoint(there: Signing, kind: str, how: str, caplog: pytest.LogCaptureFixture) -> None:
    if how in SLOW:
        await there.reset(timeout_s=TIMEOUT_S)
    there.vendors.answers[USER.get(kind, TOKEN[kind])] = BROKEN[how]
    nobody = how in ("a list", "null")  # an answer, and nobody in it
    assert await refused(there, kind, caplog) == (NOBODY if nobody else AWAY)[kind]


@pytest.mark.parametrize("kind", ["github", "lark", "oidc", "wechat"])
async def test_nobody_is_there(there: Signing, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """The address refuses connections, so what was found out before is not enough."""
    there.vendors.answers[TOKEN[kind]] = Played(reset)
    assert await refused(there, kind, caplog) == AWAY[kind]


@pytest.mark.parametrize("token", ["", 5, None, "a\r\nx: y", "ü", "a" * 20_000, ["t"], {"t": 1}])
@pytest.mark.parametrize("kind", ["github", "lark", "oidc"])
async def test_a_token_that_is_none(there: Signing, kind: str, token: object, caplog: pytest.LogCaptureFixture) -> None:
    good = there.vendors.tokens()
    there.vendors.answers[TOKEN[kind]] = {**good, "access_token": token}
    assert await refused(there, kind, caplog) == AWAY[kind]


@pytest.mark.parametrize("kind", ["github", "lark", "oidc"])
async def test_a_token_of_another_type(there: Signing, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    there.vendors.answers[TOKEN[kind]] = {"access_token": "t", "token_type": "mac"}
    assert await refused(there, kind, caplog) == AWAY[kind]


@pytest.mark.parametrize("status", [200, 400, 401])
@pytest.mark.parametrize("kind, says", [("github", "GitHub "), ("lark", "飞书"), ("oidc", "OIDC ")])
async def test_a_refused_code(
    there: Signing, kind: str, says: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    echo = f'{{"error": "bad_verification_code", "error_description": "{" ".join(SECRETS)}"}}'.encode()
    there.vendors.answers[TOKEN[kind]] = Raw(status, echo)
    assert await refused(there, kind, caplog) == f"{says}拒绝了此次登录：bad_verification_code"


@pytest.mark.parametrize("error", [f"oops {SECRETS[0]}", 7, None, {}, "<script>", "x" * 65, ""])
@pytest.mark.parametrize("kind, says", [("github", "GitHub "), ("lark", "飞书"), ("oidc", "OIDC ")])
async def test_an_error_that_is_no_code_is_not_repeated(
    there: Signing, kind: str, says: str, error: object, caplog: pytest.LogCaptureFixture
) -> None:
    there.vendors.answers[TOKEN[kind]] = {"error": error, "access_token": "t"}
    assert await refused(there, kind, caplog) == f"{says}拒绝了此次登录：unknown_error"


async def test_lark_has_errors_that_are_numbers(there: Signing, caplog: pytest.LogCaptureFixture) -> None:
    there.vendors.answers[TOKEN["lark"]] = {"code": 20003, "access_token": "t"}
    assert await refused(there, "lark", caplog) == "飞书拒绝了此次登录：20003"


@pytest.mark.parametrize("kind", ["github", "lark", "oidc"])
async def test_the_provider_says_no_to_the_browser(there: Signing, kind: str) -> None:
    person = there.here.somebody()
    asked = await there.begin(person, kind)
    query = {"state": asked["state"], "error": "access_denied", "code": "good"}
    answer = (await there.finish(person, kind, **query)).json()
    assert (answer["success"], answer["message"].rpartition("：")[2]) == (False, "access_denied")
    assert TOKEN[kind] not in there.vendors.asked
    assert (await there.finish(person, kind, **query)).status_code == 403


@pytest.mark.parametrize("code", ["", "x" * 5_000, "é", "a\nb"])
@pytest.mark.parametrize("kind", ["github", "lark", "oidc", "wechat"])
async def test_a_code_that_is_none_is_not_asked_about(there: Signing, kind: str, code: str) -> None:
    person = there.here.somebody()
    state = "" if kind == "wechat" else (await there.begin(person, kind))["state"]
    answer = (await there.finish(person, kind, code=code, state=state)).json()
    assert answer == {"message": "无效的参数", "success": False}
    assert TOKEN[kind] not in there.vendors.asked


# --- who it is --------------------------------------------------------------------------------------------------------

NO_TEXT: list[Any] = ["", " ", 7, 0, True, None, [], {}, "a\nb", "a\0b", " a", "a ", "x" * 192, "\u202ea"]
NO_NUMBER: list[Any] = ["583231", "", 0, -1, 1.5, 583231.0, True, None, [], 2**63, 10**30]
ABSENT = object()


@pytest.mark.parametrize("value", [*NO_NUMBER, ABSENT])
async def test_githubs_id_is_a_positive_whole_number(
    there: Signing, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    user = {"login": "octocat"} if value is ABSENT else {"login": "octocat", "id": value}
    there.vendors.answers["/api/user"] = user
    assert await refused(there, "github", caplog) in (NOBODY["github"], AWAY["github"])


@pytest.mark.parametrize("value", [*NO_TEXT, ABSENT])
@pytest.mark.parametrize("kind, name", [("lark", "open_id"), ("oidc", "sub")])
async def test_an_id_is_text(
    there: Signing, kind: str, name: str, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    there.vendors.answers[USER[kind]] = {"name": "x"} if value is ABSENT else {"name": "x", name: value}
    assert await refused(there, kind, caplog) == NOBODY[kind]


@pytest.mark.parametrize("value", [*NO_TEXT, ABSENT])
async def test_wechats_id_is_text(there: Signing, value: Any, caplog: pytest.LogCaptureFixture) -> None:
    answer = {"success": True, "message": ""} if value is ABSENT else {"success": True, "message": "", "data": value}
    there.vendors.answers[TOKEN["wechat"]] = answer
    assert await refused(there, "wechat", caplog) == NOBODY["wechat"]


@pytest.mark.parametrize("success", ["true", 1, None, [], False])
async def test_wechat_has_to_say_yes(there: Signing, success: Any, caplog: pytest.LogCaptureFixture) -> None:
    there.vendors.answers[TOKEN["wechat"]] = {"success": success, "message": "", "data": "wx-1"}
    assert await refused(there, "wechat", caplog) == NOBODY["wechat"]


@pytest.mark.parametrize(
    "said, shown",
    [("验证码错误", "验证码错误"), (f"bad token {SECRETS[3]}", NOBODY["wechat"]), ("a\nb", NOBODY["wechat"])],
)
async def test_the_wechat_server_may_say_why(
    there: Signing, said: str, shown: str, caplog: pytest.LogCaptureFixture
) -> None:
    there.vendors.answers[TOKEN["wechat"]] = {"success": False, "message": said, "data": ""}
    assert await refused(there, "wechat", caplog) == shown


@pytest.mark.parametrize("verified", [False, None, "false", "yes", 1, "True", [], ABSENT])
async def test_an_address_that_is_not_verified_is_not_believed(there: Signing, verified: Any) -> None:
    profile = {"sub": "sub-1", "email": "victim@corp.example", "email_verified": verified}
    there.vendors.answers["/oidc/userinfo"] = {k: v for k, v in profile.items() if v is not ABSENT}
    data = (await there.enter(there.here.somebody(), "oidc"))["data"]
    assert (await there.user(data["id"]))["email"] == ""


@pytest.mark.parametrize(
    "emails",
    [
        [{"email": "victim@x.example", "primary": True, "verified": False}],
        [{"email": "victim@x.example", "primary": False, "verified": True}],
        [{"email": "not an address", "primary": True, "verified": True}],
        [{"email": f"{'a' * 50}@x.example", "primary": True, "verified": True}],
        {"email": "victim@x.example", "primary": True, "verified": True},
        [7],
        Raw(403, b"{}"),
        Played(reset),
    ],
)
async def test_nor_is_one_of_githubs_profile(there: Signing, emails: Any) -> None:
    """Who has no good address signs in without one."""
    there.vendors.answers["/api/user/emails"] = emails
    data = (await there.enter(there.here.somebody(), "github"))["data"]
    assert (await there.user(data["id"]))["email"] == ""


@pytest.mark.parametrize(
    "name, username",
    [
        ("carol", "carol"),
        ("carol@corp.example", "carol"),
        ("a-very-long-name-indeed", "a-very-long-"),
        ("李雷", "李雷"),
        ("", "oidc_2"),
        ("<b>x</b>", "oidc_2"),
        ("a\0b", "oidc_2"),
        ("root", "oidc_2"),
        (7, "oidc_2"),
    ],
)
async def test_names_are_made_fit(there: Signing, name: Any, username: str) -> None:
    shown = "\u202e evil \n\t name that is far too long to be shown"
    there.vendors.answers["/oidc/userinfo"] = {"sub": "sub-1", "name": shown, "preferred_username": name}
    data = (await there.enter(there.here.somebody(), "oidc"))["data"]
    assert (data["username"], data["display_name"]) == (username, "evil name that is fa")


# --- the ID token -----------------------------------------------------------------------------------------------------

OTHER = jwk.RSAKey.generate_key(2048, auto_kid=True)
CURVE = jwk.ECKey.generate_key("P-256", auto_kid=True)


def unsigned(vendors: Vendors) -> str:
    _, body, _ = vendors.id_token().split(".")
    return f"eyJhbGciOiJub25lIn0.{body}."


def by_our_secret(vendors: Vendors, **header: Any) -> str:
    key = jwk.OctKey.import_key("oidc-client-secret".ljust(32, "-"))
    return vendors.id_token(header={"alg": "HS256", **header}, key=key)


def by_the_public_key(vendors: Vendors) -> str:
    """The oldest trick: the public key taken for a shared secret."""
    pem = vendors.key.as_pem(private=False)
    return vendors.id_token(header={"alg": "HS256"}, key=jwk.OctKey.import_key(pem.replace(b"-----", b"")))


TOKENS: dict[str, Callable[[Vendors], Any]] = {
    "none": lambda v: None,
    "a number": lambda v: 7,
    "no token": lambda v: "a.b.c",
    "no signature": unsigned,
    "our secret": by_our_secret,
    "the public key": by_the_public_key,
    "another key, its id": lambda v: v.id_token(key=OTHER),
    "another key, a new id": lambda v: v.id_token(header={"kid": OTHER.kid}, key=OTHER),
    "a key in the header": lambda v: v.id_token(header={"jwk": OTHER.as_dict(private=False)}, key=OTHER),
    "a curve nobody offered": lambda v: v.id_token(header={"alg": "ES256", "kid": CURVE.kid}, key=CURVE),
    "changed": lambda v: v.id_token()[:-4] + "AAAA",
    "cut": lambda v: v.id_token().rpartition(".")[0],
    "another audience": lambda v: v.id_token(aud="other"),
    "no audience": lambda v: v.id_token(aud=None),
    "an empty audience": lambda v: v.id_token(aud=[]),
    "audiences that are numbers": lambda v: v.id_token(aud=[7]),
    "more audiences": lambda v: v.id_token(aud=["oidc-client", "other"]),
    "another party": lambda v: v.id_token(azp="other"),
    "another issuer": lambda v: v.id_token(iss="https://evil.example"),
    "no issuer": lambda v: v.id_token(iss=None),
    "a slash more": lambda v: v.id_token(iss=f"{v.issuer}/"),
    "another nonce": lambda v: v.id_token(nonce="x"),
    "no nonce": lambda v: v.id_token(nonce=None),
    "a nonce that is a number": lambda v: v.id_token(nonce=7),
    "expired": lambda v: v.id_token(exp=NOW - 61),
    "no end": lambda v: v.id_token(exp=None),
    "an end that is text": lambda v: v.id_token(exp="tomorrow"),
    "an end that is no number": lambda v: v.id_token(exp=float("nan")),
    "of the future": lambda v: v.id_token(iat=NOW + 120),
    "not yet": lambda v: v.id_token(nbf=NOW + 120),
    "somebody else": lambda v: v.id_token(sub="sub-2"),
    "no subject": lambda v: v.id_token(sub=None),
    "a subject that is a number": lambda v: v.id_token(sub=7),
    "a token to leave with": lambda v: v.id_token(header={"typ": "logout+jwt"}),
    "a body that is not encoded": lambda v: v.id_token(header={"crit": ["b64"], "b64": False}),
}


@pytest.mark.parametrize("how", TOKENS)
async def test_a_bad_id_token(there: Signing, how: str, caplog: pytest.LogCaptureFixture) -> None:
    def tokens() -> dict[str, Any]:
        return {"access_token": SECRETS[-1], "token_type": "Bearer", "id_token": TOKENS[how](there.vendors)}

    there.vendors.answers["/oidc/token"] = tokens
    assert await refused(there, "oidc", caplog) == UNTRUSTED


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ["oidc-client"]},
        {"aud": ["other", "oidc-client"], "azp": "oidc-client"},
        {"exp": NOW - 59},
        {"iat": NOW + 59},
        {"extra": {"a": [1]}},
    ],
)
async def test_a_good_id_token(there: Signing, claims: dict[str, Any]) -> None:
    there.vendors.claims = claims
    assert (await there.enter(there.here.somebody(), "oidc"))["success"]


@pytest.mark.parametrize(
    "keys",
    [
        {"keys": []},
        {"keys": "x"},
        {},
        [],
        {
            "keys": [
                {"kty": "oct", "k": "c2VjcmV0"},
                7,
                {"kty": "RSA"},
                {"kty": "EC", "crv": "P-256", "x": "AA", "y": "A"},
            ]
        },
        {"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]},
        {"keys": [OTHER.as_dict(private=False)]},
        Raw(500, b"{}"),
        Raw(200, b"<html>"),
    ],
)
async def test_bad_keys(there: Signing, keys: Any, caplog: pytest.LogCaptureFixture) -> None:
    there.vendors.answers["/oidc/jwks"] = keys
    assert await refused(there, "oidc", caplog) in (UNTRUSTED, AWAY["oidc"])


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"issuer": 7},
        {"jwks_uri": None},
        {"jwks_uri": "ftp://x"},
        {"jwks_uri": "http://["},
        {"token_endpoint": None},
        {"token_endpoint": ["x"]},
        {"id_token_signing_alg_values_supported": ["none", "HS256"]},
    ],
)
async def test_a_provider_that_describes_itself_badly(there: Signing, change: dict[str, Any]) -> None:
    """Some of it shows when a browser begins, some when it comes back."""
    there.vendors.answers[WELL_KNOWN] |= change
    before, person = await there.counts(), there.here.somebody()
    answer = await person.get("/api/oauth/state?provider=oidc")
    if answer["success"]:
        answer = (await there.finish(person, "oidc", code="good", state=answer["data"])).json()
    assert (answer["success"], answer["message"] in (UNTRUSTED, AWAY["oidc"])) == (False, True)
    assert await there.counts() == before
