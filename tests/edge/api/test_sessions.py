from http.cookies import SimpleCookie

import bcrypt
import pytest
from sqlalchemy import select

from one_api.accounts import passwords
from one_api.store.schema import sessions, users
from tests.edge.api.world import PASSWORD, Person, World

pytestmark = pytest.mark.anyio

BANNED = {"message": "用户已被封禁", "success": False}
WRONG = {"message": "用户名或密码错误，或用户已被封禁", "success": False}


async def open_sessions(here: World) -> int:
    return len(await here.rows(select(sessions)))


async def signed_in(person: Person) -> bool:
    return (await person.ask("GET", "/api/user/self")).status_code == 200


async def test_login_answers_with_five_members_and_a_cookie(everywhere: World) -> None:
    person = everywhere.somebody()
    answer = await person.ask("POST", "/api/user/login", {"username": "root", "password": "123456"})
    found = {key: value for key, value in answer.json()["data"].items() if value}
    assert found == {"id": 1, "username": "root", "display_name": "Root User", "role": 100, "status": 1}
    assert len(answer.json()["data"]) == 19
    cookie = SimpleCookie(answer.headers["set-cookie"])["session"]
    assert (cookie["path"], cookie["max-age"], cookie["httponly"], cookie["samesite"], cookie["secure"]) == (
        "/",
        "2592000",
        True,
        "lax",
        "",
    )
    assert (await person.get("/api/user/self"))["data"]["username"] == "root"


@pytest.mark.parametrize(
    "address, secure", [("https://gateway.test", True), ("https://other.test", False), ("", False)]
)
async def test_the_cookie_is_secure_where_the_address_is(here: World, address: str, *, secure: bool) -> None:
    root = await here.with_session(1)
    await root.put("/api/option/", {"key": "ServerAddress", "value": address})
    answer = await here.somebody().ask("POST", "/api/user/login", {"username": "root", "password": "123456"})
    assert ("secure" in answer.headers["set-cookie"].lower()) is secure


async def test_a_dump_of_the_table_opens_no_session(here: World) -> None:
    await here.with_session(1)
    for row in await here.rows(select(sessions)):
        for value in row.values():
            answer = await here.somebody(Cookie=f"session={value}").ask("GET", "/api/user/self")
            assert answer.status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {"username": "root", "password": "wrong"},
        {"username": "nobody", "password": "123456"},
        {"username": "banned", "password": PASSWORD},
        {"username": "root", "password": "123456" + "\t"},
        {"username": "root", "password": "1" * 100},
        {"username": "oauth", "password": "anything"},
    ],
)
async def test_whatever_is_wrong_has_one_answer(here: World, body: dict[str, str]) -> None:
    await here.user("banned", status=2)
    await here.user("oauth")
    await here.execute(users.update().where(users.c.username == "oauth").values(password=""))
    answer = await here.somebody().ask("POST", "/api/user/login", body)
    assert (answer.status_code, answer.json()) == (200, WRONG)
    assert "set-cookie" not in answer.headers


async def test_the_e_mail_address_is_a_name_too(everywhere: World) -> None:
    await everywhere.user("alice")
    await everywhere.user("bob")
    change = users.update().where(users.c.username == "alice")
    await everywhere.execute(change.values(email="a@example.com"))
    assert (await everywhere.somebody().login("a@example.com"))["data"]["username"] == "alice"


async def test_a_name_wins_over_an_address(everywhere: World) -> None:
    await everywhere.user("mallory")
    await everywhere.user("alice")
    await everywhere.execute(users.update().where(users.c.username == "mallory").values(email="alice"))
    assert (await everywhere.somebody().login("alice"))["data"]["username"] == "alice"


async def test_a_long_password_of_an_old_hash_still_opens(here: World) -> None:
    await here.user("alice")
    long = bcrypt.hashpw(b"a" * 72, bcrypt.gensalt(4, prefix=b"2a")).decode()
    await here.execute(users.update().where(users.c.username == "alice").values(password=long))
    assert (await here.somebody().login("alice", "a" * 80))["success"]
    assert not (await here.somebody().login("alice", "a" * 71))["success"]


async def test_every_login_has_a_new_session_in_place_of_the_browsers_old_one(here: World) -> None:
    person = await here.root()
    first = person.http.cookies["session"]
    await person.login("root", "123456")
    assert person.http.cookies["session"] != first
    assert await open_sessions(here) == 1
    assert (await here.somebody(Cookie=f"session={first}").ask("GET", "/api/user/self")).status_code == 401


async def test_logout_ends_the_session(everywhere: World) -> None:
    person = await everywhere.root()
    cookie = person.http.cookies["session"]
    assert await person.get("/api/user/logout") == {"message": "", "success": True}
    assert (await everywhere.somebody(Cookie=f"session={cookie}").ask("GET", "/api/user/self")).status_code == 401
    assert await open_sessions(everywhere) == 0


async def test_nobody_can_log_out_too(here: World) -> None:
    answer = await here.somebody().ask("GET", "/api/user/logout")
    assert answer.json() == {"message": "", "success": True}
    assert "set-cookie" not in answer.headers


async def test_a_new_password_ends_the_other_sessions(everywhere: World) -> None:
    user_id = await everywhere.user("alice")
    mine, other = await everywhere.with_session(user_id), await everywhere.with_session(user_id)
    assert (await mine.put("/api/user/self", {"password": "newpass123"}))["success"]
    assert await signed_in(mine)
    assert not await signed_in(other)
    assert (await everywhere.somebody().login("alice"))["message"] == WRONG["message"]
    assert (await everywhere.somebody().login("alice", "newpass123"))["success"]


@pytest.mark.parametrize(
    "body", [{"password": "newpass123"}, {"role": 10}, {"password": "newpass123", "display_name": "x"}]
)
async def test_what_an_administrator_changes_ends_sessions(here: World, body: dict[str, object]) -> None:
    user_id = await here.user("alice")
    root, alice = await here.with_session(1), await here.with_session(user_id)
    assert (await root.put("/api/user/", {"id": user_id, **body}))["success"]
    assert not await signed_in(alice)


async def test_a_new_shown_name_ends_no_session(here: World) -> None:
    user_id = await here.user("alice")
    root, alice = await here.with_session(1), await here.with_session(user_id)
    assert (await root.put("/api/user/", {"id": user_id, "display_name": "Alice A", "status": 1, "role": 1}))["success"]
    assert await signed_in(alice)


async def test_who_is_banned_is_told_so_until_he_is_enabled_and_has_to_sign_in(everywhere: World) -> None:
    user_id = await everywhere.user("alice")
    root, alice = await everywhere.with_session(1), await everywhere.with_session(user_id)
    await root.post("/api/user/manage", {"username": "alice", "action": "disable"})
    assert await alice.get("/api/user/self") == BANNED
    assert await alice.get("/api/user/self") == BANNED
    await root.post("/api/user/manage", {"username": "alice", "action": "enable"})
    assert not await signed_in(alice)


async def test_the_default_password_is_announced_until_it_is_changed(
    here: World, caplog: pytest.LogCaptureFixture
) -> None:
    root = await here.root()
    assert "THE PASSWORD OF 'root'" in caplog.text
    assert await passwords.warn_of_default(here.database)
    caplog.clear()
    await root.put("/api/user/self", {"password": "better-one"})
    assert not await passwords.warn_of_default(here.database)
    assert (await here.somebody().login("root", "better-one"))["success"]
    assert caplog.text == ""


async def test_a_body_beyond_a_name_and_a_password_is_not_read(here: World) -> None:
    answer = await here.somebody().ask("POST", "/api/user/login", {"username": "root", "password": "x" * 5000})
    assert answer.status_code == 413
