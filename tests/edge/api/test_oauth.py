"""Signing in at providers: who comes in, as whom, and what is bound to whom."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest
from sqlalchemy import select, update

from one_api.accounts.oauth import states
from one_api.relay.fetch import Fetcher
from one_api.relay.pool import Transports
from one_api.store.schema import github_accounts, logs, oauth_states, tokens, users
from tests.edge.api.signing import Signing, signing
from tests.harness import servers
from tests.harness.provider import SECRETS, WELL_KNOWN, Raw

pytestmark = pytest.mark.anyio

WRONG_STATE = {"message": "state is empty or not same", "success": False}
REDIRECTED = ["github", "lark", "oidc"]
ALL = [*REDIRECTED, "wechat"]
SUBJECTS = {"github": "583231", "lark": "ou_1", "oidc": "sub-1", "wechat": "wx-1"}


@pytest.fixture(scope="module")
async def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Signing]:
    async with signing(servers.sqlite(tmp_path_factory.mktemp("oauth"))) as made:
        yield made


@pytest.fixture(scope="module", params=["sqlite", "postgres", "mariadb"])
async def on_each(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Signing]:
    if request.param == "sqlite":
        where = servers.sqlite(tmp_path_factory.mktemp("oauth"))
    else:
        where = request.getfixturevalue(f"{request.param}_server").fresh()
    async with signing(where) as made:
        yield made


@pytest.fixture
async def there(on_sqlite: Signing) -> Signing:
    await on_sqlite.reset()
    return on_sqlite


@pytest.fixture
async def everywhere(on_each: Signing) -> Signing:
    await on_each.reset()
    return on_each


# --- signing in -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ALL)
async def test_who_comes_first_gets_an_account_and_finds_it_again(everywhere: Signing, kind: str) -> None:
    await everywhere.set(QuotaForNewUser="1000")
    person = everywhere.here.somebody()
    answer = await everywhere.enter(person, kind)
    assert (answer["success"], answer["message"]) == (True, "")
    user = await everywhere.user(answer["data"]["id"])
    assert (user[f"{kind}_id"], user["quota"], user["role"], user["password"]) == (SUBJECTS[kind], 1000, 1, "")
    assert {name for name in ("github_id", "lark_id", "oidc_id", "wechat_id") if user[name]} == {f"{kind}_id"}
    mine = tokens.c.user_id == user["id"]
    assert [row["name"] for row in await everywhere.here.rows(select(tokens.c.name).where(mine))] == ["default"]
    gifts = await everywhere.here.rows(select(logs.c.content).where(logs.c.user_id == user["id"]))
    assert [row["content"] for row in gifts] == ["新用户注册赠送 ＄0.002000 额度"]
    assert (await person.get("/api/user/self"))["data"]["id"] == user["id"]
    assert (await everywhere.enter(everywhere.here.somebody(), kind))["data"]["id"] == user["id"]


@pytest.mark.parametrize(
    "kind, username, display_name, email",
    [
        ("github", "github_2", "The Octocat", "octocat@example.com"),
        ("lark", "lark_2", "飞 书", ""),
        ("oidc", "alice", "Alice", "alice@corp.example"),
        ("wechat", "wechat_2", "WeChat User", ""),
    ],
)
async def test_a_new_account_has_its_names(
    there: Signing, kind: str, username: str, display_name: str, email: str
) -> None:
    user = await there.user((await there.enter(there.here.somebody(), kind))["data"]["id"])
    assert (user["username"], user["display_name"], user["email"]) == (username, display_name, email)


async def test_the_answer_is_that_of_a_login(there: Signing) -> None:
    data = (await there.enter(there.here.somebody(), "oidc"))["data"]
    told = {"username": "alice", "display_name": "Alice", "role": 1, "status": 1}
    assert {name: value for name, value in data.items() if value} == {**told, "id": data["id"]}


@pytest.mark.parametrize("kind", ALL)
async def test_every_sign_in_has_a_new_session(there: Signing, kind: str) -> None:
    person = there.here.somebody()
    await there.enter(person, kind)
    first = person.http.cookies["session"]
    if kind != "wechat":
        await person.get("/api/user/logout")
        asked = await there.begin(person, kind)
        before = person.http.cookies["session"]
        await there.finish(person, kind, code="good", state=asked["state"])
        assert person.http.cookies["session"] != before
    else:
        await there.enter(person, kind)
    assert person.http.cookies["session"] != first
    assert (await there.here.somebody(Cookie=f"session={first}").ask("GET", "/api/user/self")).status_code == 401


async def test_a_cookie_that_somebody_else_planted_opens_nothing_afterwards(there: Signing) -> None:
    person = there.here.somebody()
    planted = "A" * 43
    person.http.cookies.set("session", planted, domain="gateway.test")
    await there.enter(person, "oidc")
    assert (await there.here.somebody(Cookie=f"session={planted}").ask("GET", "/api/user/self")).status_code == 401
    assert (await person.ask("GET", "/api/user/self")).status_code == 200


async def test_the_session_cookie_is_as_after_a_login(there: Signing) -> None:
    person = there.here.somebody()
    asked = await there.begin(person, "github")
    header = (await there.finish(person, "github", code="good", state=asked["state"])).headers["set-cookie"]
    assert "HttpOnly" in header
    assert "SameSite=lax" in header


async def test_many_first_sign_ins_at_once_make_one_account(everywhere: Signing) -> None:
    people = [everywhere.here.somebody() for _ in range(8)]
    states_ = [(await everywhere.begin(person, "github"))["state"] for person in people]
    tries = zip(people, states_, strict=True)
    answers = await asyncio.gather(
        *(everywhere.finish(person, "github", code="good", state=state) for person, state in tries)
    )
    assert len({answer.json()["data"]["id"] for answer in answers}) == 1
    assert (await everywhere.counts())["users"] == 2


async def test_an_id_that_differs_in_case_is_another(everywhere: Signing) -> None:
    first = await everywhere.enter(everywhere.here.somebody(), "wechat")
    everywhere.vendors.answers["/wechat/api/wechat/user"] = {"success": True, "message": "", "data": "WX-1"}
    second = await everywhere.enter(everywhere.here.somebody(), "wechat")
    assert first["data"]["id"] != second["data"]["id"]


async def test_a_name_that_is_taken_is_replaced(there: Signing) -> None:
    await there.here.user("alice")
    await there.here.user("oidc_4")
    name = (await there.enter(there.here.somebody(), "oidc"))["data"]["username"]
    assert name.startswith("oidc_")
    assert name != "oidc_4"


async def test_an_address_of_somebody_else_stays_with_him(there: Signing) -> None:
    user_id = await there.here.user("bob")
    await there.here.execute(update(users).where(users.c.id == user_id).values(email="alice@corp.example"))
    assert (await there.user((await there.enter(there.here.somebody(), "oidc"))["data"]["id"]))["email"] == ""


async def test_registration_can_be_closed(there: Signing) -> None:
    await there.enter(there.here.somebody(), "oidc")
    await there.set(RegisterEnabled="false")
    assert (await there.enter(there.here.somebody(), "oidc"))["success"]
    before = await there.counts()
    assert await there.enter(there.here.somebody(), "github") == {"message": "管理员关闭了新用户注册", "success": False}
    assert await there.counts() == before


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("status", [2, 3])
async def test_who_is_banned_or_deleted_stays_out(there: Signing, kind: str, status: int) -> None:
    user_id = (await there.enter(there.here.somebody(), kind))["data"]["id"]
    await there.here.execute(update(users).where(users.c.id == user_id).values(status=status))
    before = await there.counts()
    assert await there.enter(there.here.somebody(), kind) == {"message": "用户已被封禁", "success": False}
    assert await there.counts() == before


@pytest.mark.parametrize(
    "kind, option, message",
    [
        ("github", "GitHubOAuthEnabled", "管理员未开启通过 GitHub 登录以及注册"),
        ("oidc", "OidcEnabled", "管理员未开启通过 OIDC 登录以及注册"),
        ("wechat", "WeChatAuthEnabled", "管理员未开启通过微信登录以及注册"),
        ("lark", "LarkClientId", "管理员未开启通过飞书登录以及注册"),
    ],
)
async def test_a_provider_that_is_off_is_not_asked(there: Signing, kind: str, option: str, message: str) -> None:
    person = there.here.somebody()
    plain = (await person.get("/api/oauth/state"))["data"]
    await there.set(**{option: "" if kind == "lark" else "false"})
    refused = {"message": message, "success": False}
    assert (await there.finish(person, kind, code="good", state=plain)).json() == refused
    assert await person.get(f"/api/oauth/state?provider={kind}") == refused
    assert there.vendors.asked == []


# --- states -----------------------------------------------------------------------------------------------------------


async def test_a_plain_console_sends_its_state_back(everywhere: Signing) -> None:
    """One API's consoles build the provider's address themselves: there is no PKCE and no nonce to check."""
    person = everywhere.here.somebody()
    answer = await person.ask("GET", "/api/oauth/state")
    assert set(answer.json()) == {"data", "message", "success"}
    assert "session=" in answer.headers["set-cookie"]
    done = await everywhere.finish(person, "oidc", code="good", state=answer.json()["data"])
    assert done.json()["success"]
    assert "code_verifier" not in everywhere.vendors.sent("/oidc/token")


@pytest.mark.parametrize("kind", REDIRECTED)
async def test_pkce_goes_along(there: Signing, kind: str) -> None:
    person = there.here.somebody()
    asked = await there.begin(person, kind)
    await there.finish(person, kind, code="good", state=asked["state"])
    paths = {
        "github": "/github/login/oauth/access_token",
        "lark": "/lark/open-apis/authen/v2/oauth/token",
        "oidc": "/oidc/token",
    }
    verifier = there.vendors.sent(paths[kind])["code_verifier"]
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    assert (asked["code_challenge"], asked["code_challenge_method"]) == (digest, "S256")
    assert len(verifier) == 43


async def test_no_pkce_where_it_is_not_offered(there: Signing) -> None:
    there.vendors.answers[WELL_KNOWN].pop("code_challenge_methods_supported")
    person = there.here.somebody()
    asked = await there.begin(person, "oidc")
    assert "code_challenge" not in asked
    assert (await there.finish(person, "oidc", code="good", state=asked["state"])).json()["success"]
    assert "code_verifier" not in there.vendors.sent("/oidc/token")


async def test_a_console_learns_where_to_go(there: Signing) -> None:
    person = there.here.somebody()
    asked = {kind: await there.begin(person, kind) for kind in REDIRECTED}
    assert asked["github"]["client_id"] == "gh-client"
    assert asked["github"]["scope"] == "user:email"
    assert asked["lark"]["redirect_uri"] == "http://gateway.test/oauth/lark"
    assert asked["oidc"]["redirect_uri"] == "http://gateway.test/oauth/oidc"
    assert asked["oidc"]["scope"] == "openid profile email"
    assert (await person.get("/api/oauth/state?provider=myspace"))["success"] is False


@pytest.mark.parametrize("kind", REDIRECTED)
@pytest.mark.parametrize("state", ["", "zzz", "x" * 10_000, "%00", "' OR 1=1"])
async def test_a_state_that_is_none_is_refused(there: Signing, kind: str, state: str) -> None:
    person = there.here.somebody()
    await there.begin(person, kind)
    answer = await there.finish(person, kind, code="good", state=state)
    assert (answer.status_code, answer.json()) == (403, WRONG_STATE)
    assert "set-cookie" not in answer.headers


async def test_a_state_is_good_once(everywhere: Signing) -> None:
    person = everywhere.here.somebody()
    await everywhere.here.user("alice")
    asked = await everywhere.begin(person, "github")
    query: dict[str, Any] = {"code": "good", "state": asked["state"]}
    tries = await asyncio.gather(*(everywhere.finish(person, "github", **query) for _ in range(6)))
    assert sorted(answer.status_code for answer in tries) == [200, 403, 403, 403, 403, 403]
    assert everywhere.vendors.asked.count("/github/login/oauth/access_token") == 1


async def test_a_state_is_one_browsers(there: Signing) -> None:
    mine, other = there.here.somebody(), there.here.somebody()
    await there.begin(other, "github")
    asked = await there.begin(mine, "github")
    assert (await there.finish(other, "github", code="good", state=asked["state"])).status_code == 403
    nobody = there.here.somebody()
    assert (await there.finish(nobody, "github", code="good", state=asked["state"])).status_code == 403
    assert (await there.finish(mine, "github", code="good", state=asked["state"])).status_code == 200


async def test_a_state_is_one_providers(there: Signing) -> None:
    person = there.here.somebody()
    asked = await there.begin(person, "github")
    assert (await there.finish(person, "oidc", code="good", state=asked["state"])).status_code == 403


async def test_a_state_ends_with_the_session_that_began_it(there: Signing) -> None:
    person = await there.here.with_session(await there.here.user("alice"))
    asked = await there.begin(person, "github")
    await person.login("alice")
    assert (await there.finish(person, "github", code="good", state=asked["state"])).status_code == 403


async def test_a_state_is_good_for_ten_minutes(there: Signing) -> None:
    person = there.here.somebody()
    asked = await there.begin(person, "oidc")
    there.here.clock.now += states.LIFE_S - 1
    assert (await there.finish(person, "oidc", code="good", state=asked["state"])).status_code == 200
    asked = await there.begin(person, "github")
    there.here.clock.now += states.LIFE_S
    assert (await there.finish(person, "github", code="good", state=asked["state"])).status_code == 403
    async with there.here.database.write() as tx:
        assert await states.purge(tx, now=int(there.here.clock())) == 1
    assert await there.here.rows(select(oauth_states)) == []


async def test_the_table_holds_nothing_that_opens_anything(there: Signing) -> None:
    person = there.here.somebody()
    asked = await there.begin(person, "oidc")
    row = (await there.here.rows(select(oauth_states)))[0]
    secrets = (asked["state"], asked["nonce"], asked["code_challenge"], person.http.cookies["session"])
    assert not any(secret in str(value) for secret in secrets for value in row.values())


@pytest.mark.parametrize("kind", ALL)
async def test_a_foreign_page_makes_nobody_sign_in(there: Signing, kind: str) -> None:
    person = there.here.somebody()
    state = (await person.get("/api/oauth/state"))["data"]
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await person.ask("GET", f"/api/oauth/{kind}?code=good&state={state}", **headers)
        assert answer.status_code == 403
        assert (await person.ask("GET", "/api/oauth/state", **headers)).status_code == 403
    assert there.vendors.asked == []


# --- binding ----------------------------------------------------------------------------------------------------------


async def bind(there: Signing, person: Any, kind: str) -> Any:
    return await person.get("/api/oauth/wechat/bind?code=good") if kind == "wechat" else await there.enter(person, kind)


@pytest.mark.parametrize("kind", ALL)
async def test_who_is_signed_in_binds_and_unbinds(everywhere: Signing, kind: str) -> None:
    user_id = await everywhere.here.user("alice")
    before = await everywhere.user(user_id)
    person = await everywhere.here.with_session(user_id)
    cookie = person.http.cookies["session"]
    assert await bind(everywhere, person, kind) == {"message": "" if kind == "wechat" else "bind", "success": True}
    assert person.http.cookies["session"] == cookie
    assert await everywhere.user(user_id) == {**before, f"{kind}_id": SUBJECTS[kind]}
    assert (await everywhere.enter(everywhere.here.somebody(), kind))["data"]["id"] == user_id
    assert await person.delete(f"/api/oauth/{kind}") == {"message": "", "success": True}
    assert await everywhere.user(user_id) == before
    assert (await person.delete(f"/api/oauth/{kind}"))["success"] is False
    assert (await everywhere.enter(everywhere.here.somebody(), kind))["data"]["id"] != user_id


@pytest.mark.parametrize(
    "kind, message",
    [
        ("github", "该 GitHub 账户已被绑定"),
        ("lark", "该飞书账户已被绑定"),
        ("oidc", "该 OIDC 账户已被绑定"),
        ("wechat", "该微信账号已被绑定"),
    ],
)
async def test_an_identity_is_one_accounts(everywhere: Signing, kind: str, message: str) -> None:
    await everywhere.enter(everywhere.here.somebody(), kind)
    user_id = await everywhere.here.user("bob")
    person = await everywhere.here.with_session(user_id)
    assert await bind(everywhere, person, kind) == {"message": message, "success": False}
    assert (await everywhere.user(user_id))[f"{kind}_id"] == ""
    assert (await person.ask("GET", "/api/user/self")).status_code == 200


async def test_many_who_bind_one_identity_at_once_do_not_share_it(everywhere: Signing) -> None:
    people = [await everywhere.here.with_session(await everywhere.here.user(f"u{n}")) for n in range(6)]
    answers = await asyncio.gather(*(person.get("/api/oauth/wechat/bind?code=good") for person in people))
    assert sum(answer["success"] for answer in answers) == 1
    bound = await everywhere.here.rows(select(users.c.id).where(users.c.wechat_id == "wx-1"))
    assert len(bound) == 1


async def test_an_access_token_binds_wechat_too(there: Signing) -> None:
    user_id = await there.here.user("alice")
    person = await there.here.with_access_token(user_id)
    assert (await person.get("/api/oauth/wechat/bind?code=good"))["success"]
    assert (await there.user(user_id))["wechat_id"] == "wx-1"


async def test_who_is_banned_binds_nothing(there: Signing) -> None:
    user_id = await there.here.user("alice")
    person = await there.here.with_session(user_id)
    asked = await there.begin(person, "github")
    await there.here.execute(update(users).where(users.c.id == user_id).values(status=2))
    answer = await there.finish(person, "github", code="good", state=asked["state"])
    assert answer.json() == {"message": "用户已被封禁", "success": False}
    assert there.vendors.asked == []


async def test_a_foreign_page_binds_nothing_with_a_made_up_header_either(there: Signing) -> None:
    person = await there.here.with_session(await there.here.user("alice"))
    asked = await there.begin(person, "github")
    path = f"/api/oauth/github?code=good&state={asked['state']}"
    answer = await person.ask("GET", path, Origin="http://evil.example", Authorization="x")
    assert answer.status_code == 403
    assert there.vendors.asked == []


async def test_the_last_way_in_is_not_taken_away(there: Signing) -> None:
    person = there.here.somebody()
    user_id = (await there.enter(person, "oidc"))["data"]["id"]
    assert (await person.delete("/api/oauth/oidc"))["message"] == "请先设置密码，否则解除绑定后将无法登录"
    await there.enter(person, "lark")
    assert (await person.delete("/api/oauth/oidc"))["success"]
    assert (await person.delete("/api/oauth/lark"))["success"] is False
    await person.put("/api/user/self", {"password": "password12"})
    assert (await person.delete("/api/oauth/lark"))["success"]
    assert (await there.user(user_id))["lark_id"] == ""


# --- GitHub's names and numbers ---------------------------------------------------------------------------------------


async def imported(there: Signing, github_id: str) -> int:
    user_id = await there.here.user("old")
    await there.here.execute(update(users).where(users.c.id == user_id).values(github_id=github_id))
    return user_id


async def test_an_imported_login_name_opens_nothing(everywhere: Signing) -> None:
    user_id = await imported(everywhere, "octocat")
    before = await everywhere.counts()
    answer = await everywhere.enter(everywhere.here.somebody(), "github")
    assert answer["success"] is False
    assert "octocat" in answer["message"]
    assert await everywhere.counts() == before
    assert (await everywhere.user(user_id))["github_id"] == "octocat"


async def test_its_owner_binds_the_number_while_he_is_signed_in(everywhere: Signing) -> None:
    user_id = await imported(everywhere, "octocat")
    assert (await everywhere.enter(await everywhere.here.with_session(user_id), "github"))["message"] == "bind"
    assert (await everywhere.user(user_id))["github_id"] == "583231"
    assert (await everywhere.enter(everywhere.here.somebody(), "github"))["data"]["id"] == user_id


async def test_a_login_name_of_digits_is_no_number(everywhere: Signing) -> None:
    """Somebody may have called himself 583231 at GitHub; whoever has that number is somebody else."""
    user_id = await imported(everywhere, "583231")
    answer = await everywhere.enter(everywhere.here.somebody(), "github")
    assert answer["data"]["id"] != user_id
    assert (await everywhere.enter(everywhere.here.somebody(), "github"))["data"]["id"] == answer["data"]["id"]


async def test_a_renamed_github_account_stays_the_same_user(there: Signing) -> None:
    first = await there.enter(there.here.somebody(), "github")
    there.vendors.answers["/api/user"] = {"id": 583231, "login": "renamed", "name": None}
    assert (await there.enter(there.here.somebody(), "github"))["data"]["id"] == first["data"]["id"]


async def test_a_login_name_that_changed_hands_opens_another_account(there: Signing) -> None:
    first = await there.enter(there.here.somebody(), "github")
    there.vendors.answers["/api/user"] = {"id": 7, "login": "octocat", "name": None}
    assert (await there.enter(there.here.somebody(), "github"))["data"]["id"] != first["data"]["id"]


async def test_another_github_account_takes_the_place_of_the_old_one(there: Signing) -> None:
    user_id = await there.here.user("alice")
    person = await there.here.with_session(user_id)
    await there.enter(person, "github")
    there.vendors.answers["/api/user"] = {"id": 7, "login": "second", "name": None}
    await there.enter(person, "github")
    assert await there.here.rows(select(github_accounts)) == [{"github_id": 7, "user_id": user_id}]
    assert (await there.user(user_id))["github_id"] == "7"


# --- OpenID Connect ---------------------------------------------------------------------------------------------------


async def test_endpoints_alone_are_enough(there: Signing) -> None:
    """As One API has it: no discovery, and nothing but the userinfo endpoint says who somebody is."""
    at = there.vendors.issuer
    there.vendors.answers["/oidc/token"] = {"access_token": "t", "token_type": "bearer"}
    there.vendors.answers["/oidc/userinfo"] = {"sub": "sub-1", "email": "o@x.co", "name": "", "preferred_username": ""}
    await there.set(OidcWellKnown="", OidcTokenEndpoint=f"{at}/token", OidcUserinfoEndpoint=f"{at}/userinfo")
    person = there.here.somebody()
    state = (await person.get("/api/oauth/state"))["data"]
    data = (await there.finish(person, "oidc", code="abc", state=state)).json()["data"]
    assert (data["username"], data["display_name"]) == ("oidc_2", "OIDC User")
    assert there.vendors.sent("/oidc/token") == {
        "client_id": "oidc-client",
        "client_secret": SECRETS[2],
        "code": "abc",
        "grant_type": "authorization_code",
        "redirect_uri": "http://gateway.test/oauth/oidc",
    }
    assert (await there.user(data["id"]))["email"] == ""


async def test_the_secret_goes_where_the_provider_has_it(there: Signing) -> None:
    def tokens() -> Any:
        inside = "client_secret" in there.vendors.sent("/oidc/token")
        return Raw(401, b'{"error": "invalid_client"}') if inside else there.vendors.tokens()

    there.vendors.answers["/oidc/token"] = tokens
    both = ["client_secret_basic", "client_secret_post"]
    there.vendors.answers[WELL_KNOWN]["token_endpoint_auth_methods_supported"] = both
    assert (await there.enter(there.here.somebody(), "oidc"))["success"]
    there.vendors.answers["/oidc/token"] = Raw(401, b'{"error": "invalid_client"}')
    answer = await there.enter(there.here.somebody(), "oidc")
    assert answer["message"] == "OIDC 拒绝了此次登录：invalid_client"
    assert there.vendors.asked.count("/oidc/token") == 4


async def test_the_secret_goes_into_a_header_where_that_is_wanted(there: Signing) -> None:
    there.vendors.answers[WELL_KNOWN].pop("token_endpoint_auth_methods_supported")
    assert (await there.enter(there.here.somebody(), "oidc"))["success"]
    asked = next(r for r in there.vendors.upstream.received if r.target == "/oidc/token")
    assert asked.header("authorization") == f"Basic {base64.b64encode(b'oidc-client:oidc-client-secret').decode()}"
    assert {"client_id", "client_secret"}.isdisjoint(there.vendors.sent("/oidc/token"))


async def test_a_provider_without_userinfo_says_all_in_its_token(there: Signing) -> None:
    there.vendors.answers[WELL_KNOWN].pop("userinfo_endpoint")
    there.vendors.claims = {"name": "From the token", "preferred_username": "carol"}
    data = (await there.enter(there.here.somebody(), "oidc"))["data"]
    assert (data["username"], data["display_name"]) == ("carol", "From the token")


async def test_a_key_that_changed_is_looked_for(there: Signing) -> None:
    assert (await there.enter(there.here.somebody(), "oidc"))["success"]
    assert (await there.enter(there.here.somebody(), "oidc"))["success"]
    assert there.vendors.asked.count("/oidc/jwks") == 1
    assert there.vendors.asked.count(WELL_KNOWN) == 1
    there.vendors.key = type(there.vendors.key).generate_key(2048, auto_kid=True)
    there.vendors.answers["/oidc/jwks"] = {"keys": [there.vendors.key.as_dict(private=False)]}
    assert (await there.enter(there.here.somebody(), "oidc"))["success"]
    assert there.vendors.asked.count("/oidc/jwks") == 2


async def test_the_issuer_a_browser_came_back_from_is_compared(there: Signing) -> None:
    person = there.here.somebody()
    asked = await there.begin(person, "oidc")
    answer = await there.finish(person, "oidc", code="good", state=asked["state"], iss="https://other.example")
    assert answer.json()["success"] is False
    asked = await there.begin(person, "oidc")
    answer = await there.finish(person, "oidc", code="good", state=asked["state"], iss=there.vendors.issuer)
    assert answer.json()["success"] is True


# --- WeChat -----------------------------------------------------------------------------------------------------------


async def test_wechats_token_stays_with_the_host_it_was_saved_for(there: Signing) -> None:
    root = await there.here.with_session(1)
    await root.put("/api/option/", {"key": "WeChatServerAddress", "value": f"{there.vendors.upstream.at('wechat')}/"})
    assert there.here.parts.options.now.wechat_server_token == SECRETS[3]
    await root.put("/api/option/", {"key": "WeChatServerAddress", "value": "http://elsewhere.example"})
    assert there.here.parts.options.now.wechat_server_token == ""


# --- what root reads of a provider ------------------------------------------------------------------------------------


@pytest.fixture
async def reading(there: Signing) -> AsyncIterator[Signing]:
    """The operator lets the gateway read what stands on its own machine."""
    loop = asyncio.get_running_loop()
    transports = Transports(loop)
    inside = Fetcher(transports.direct, timeout=20, allowed=(ip_network("127.0.0.0/8"),))
    there.here.parts = replace(there.here.parts, documents=inside)
    there.here.app.state.parts = there.here.parts
    yield there
    await transports.aclose()


async def test_root_reads_the_endpoints_of_a_provider(reading: Signing) -> None:
    root = await reading.here.root()
    issuer = reading.vendors.issuer
    answer = await root.post("/api/option/oidc", {"address": f" {issuer}/.well-known/openid-configuration "})
    assert answer["data"] == {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
    }
    assert reading.vendors.asked == [WELL_KNOWN]


@pytest.mark.parametrize(
    "said, why",
    [
        (Raw(404, b"{}"), "the answer is not 200"),
        (Raw(302, b"", (("location", "/oidc/elsewhere"),)), "the answer is not 200"),
        (Raw(200, b"<html>"), "it is no JSON"),
        (Raw(200, b" " * (256 * 1024 + 1)), "it is too large"),
        ({"issuer": "https://elsewhere.example"}, "the issuer is not the one whose address was asked"),
    ],
)
async def test_what_is_no_configuration_is_refused(reading: Signing, said: Any, why: str) -> None:
    reading.vendors.answers[WELL_KNOWN] = said
    root = await reading.here.root()
    answer = await root.post(
        "/api/option/oidc", {"address": f"{reading.vendors.issuer}/.well-known/openid-configuration"}
    )
    assert answer == {"message": f"The provider's configuration cannot be used: {why}", "success": False}


@pytest.mark.parametrize("host", ["10.0.0.1", "[::1]", "169.254.169.254", "[64:ff9b::a00:1]"])
async def test_a_configuration_inside_the_network_is_not_asked_for(there: Signing, host: str) -> None:
    root = await there.here.root()
    answer = await root.post("/api/option/oidc", {"address": f"http://{host}/.well-known/openid-configuration"})
    assert answer["message"] == "The provider's configuration cannot be used: its address is not a public one"


async def test_only_root_reads_configurations(there: Signing) -> None:
    admin = await there.here.with_session(await there.here.user("admin", role=10))
    answer = await admin.post(
        "/api/option/oidc", {"address": f"{there.vendors.issuer}/.well-known/openid-configuration"}
    )
    assert not answer["success"]
    assert there.vendors.asked == []
