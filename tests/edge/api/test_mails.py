"""Codes by mail: registering, binding an address, a forgotten password."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import select

from one_api.accounts import codes
from one_api.store.schema import sessions, users, verification_codes
from tests.edge.api.world import PASSWORD, Person, World, world
from tests.harness import servers, smtp
from tests.harness.smtp import MailServer

pytestmark = pytest.mark.anyio

DONE = {"message": "", "success": True}
WRONG_CODE = {"message": "验证码错误或已过期", "success": False}
WRONG_LINK = {"message": "重置链接非法或已过期", "success": False}


async def option(here: World, **options: str) -> None:
    root = await here.with_session(1)
    for key, value in options.items():
        assert await root.put("/api/option/", {"key": key, "value": value}) == DONE


@asynccontextmanager
async def with_mails(here: World) -> AsyncIterator[MailServer]:
    async with smtp.serve() as server:
        await option(
            here,
            SMTPServer="localhost",
            SMTPPort=str(server.port),
            SMTPFrom="noreply@gw.example",
            SystemName="My Gateway",
            ServerAddress="https://gw.example/",
        )
        yield server


@pytest.fixture
async def mails(here: World) -> AsyncIterator[MailServer]:
    async with with_mails(here) as server:
        yield server


def code_of(server: MailServer) -> str:
    found = re.search(r">([0-9a-f]{6})</p>", server.mails.pop().body)
    assert found is not None
    return found[1]


def token_of(server: MailServer) -> str:
    found = re.search(r"token=([0-9a-f]{32})", server.mails.pop().body)
    assert found is not None
    return found[1]


async def ask_code(person: Person, email: str) -> Any:
    return await person.get(f"/api/verification?email={email}")


def form(name: str, email: str, code: str) -> dict[str, str]:
    return {"username": name, "password": PASSWORD, "email": email, "verification_code": code}


async def own_address(here: World, name: str, email: str) -> int:
    user_id = await here.user(name)
    await here.execute(users.update().where(users.c.id == user_id).values(email=email))
    return user_id


# --- registering ------------------------------------------------------------------------------------------------------


async def test_who_registers_proves_his_address(everywhere: World) -> None:
    async with with_mails(everywhere) as server:
        await option(everywhere, EmailVerificationEnabled="true")
        person = everywhere.somebody()
        assert await ask_code(person, "erin@gmail.com") == DONE
        code = code_of(server)
        assert await person.post("/api/user/register", form("erin", "erin@gmail.com", "0" * 7)) == WRONG_CODE
        assert await person.post("/api/user/register", form("erin", "x@gmail.com", code)) == WRONG_CODE
        assert (await person.post("/api/user/register", form("root", "erin@gmail.com", code)))["success"] is False
        # A name that was taken costs no code.
        assert await person.post("/api/user/register", form("erin", "erin@gmail.com", code)) == DONE
        rows = await everywhere.rows(select(users.c.email).where(users.c.username == "erin"))
        assert rows == [{"email": "erin@gmail.com"}]
        assert await person.post("/api/user/register", form("erin2", "erin@gmail.com", code)) == WRONG_CODE
        taken = {"message": "邮箱地址已被占用", "success": False}
        assert await ask_code(person, "erin@gmail.com") == taken
        assert await everywhere.rows(select(verification_codes)) == []


async def test_the_mail_says_what_one_apis_says(here: World, mails: MailServer) -> None:
    await ask_code(here.somebody(), "erin@gmail.com")
    text = mails.mails[0].text
    code = code_of(mails)
    assert text == (
        f"My Gateway 邮箱验证邮件 您好！ 您正在进行 My Gateway 邮箱验证。 您的验证码为： {code} "
        "验证码 10 分钟内有效，如果不是本人操作，请忽略。 此邮件由系统自动发送，请勿直接回复 My Gateway"
    )


@pytest.mark.parametrize("email", ["", "nonsense", "a@b", "a@b.c d", "@b.co", "a@b.co%0d%0aBcc:%20x@y.zz", "ä@b.co"])
async def test_what_is_no_address_gets_no_mail(here: World, mails: MailServer, email: str) -> None:
    for path in ("verification", "reset_password"):
        answer = await here.somebody().get(f"/api/{path}?email={email}")
        assert answer == {"message": "invalid parameter", "success": False}
        zh = await here.somebody().get(f"/api/{path}?email={email}", **{"Accept-Language": "zh-CN"})
        assert zh["message"] == "无效的参数"
    assert not mails.mails


async def test_only_domains_on_the_list_get_codes(here: World, mails: MailServer) -> None:
    await option(here, EmailDomainRestrictionEnabled="true")
    refused = "管理员启用了邮箱域名白名单，您的邮箱地址的域名不在白名单中"
    for email in ("a@evil.example", "a@x.gmail.com", "a@notgmail.com"):
        assert (await ask_code(here.somebody(), email))["message"] == refused
    assert await ask_code(here.somebody(), "a@qq.com") == DONE
    assert len(mails.mails) == 1


async def test_a_code_stays_good_though_the_answer_was_an_error(here: World, mails: MailServer) -> None:
    answer = await ask_code(here.somebody(), "refuse@gmail.com")
    assert (answer["success"], "no such user" in answer["message"]) == (False, True)
    assert len(await here.rows(select(verification_codes))) == 1


async def test_five_tries_then_the_right_code_is_wrong_too(everywhere: World) -> None:
    async with with_mails(everywhere) as server:
        await option(everywhere, EmailVerificationEnabled="true")
        await ask_code(everywhere.somebody(), "erin@gmail.com")
        code = code_of(server)
        people = [everywhere.somebody() for _ in range(20)]
        answers = await asyncio.gather(
            *(
                person.post("/api/user/register", form(f"e{n}", "erin@gmail.com", f"{n:06x}"))
                for n, person in enumerate(people)
            )
        )
        assert answers == [WRONG_CODE] * 20
        assert [row["tries"] for row in await everywhere.rows(select(verification_codes.c.tries))] == [5]
        assert await people[0].post("/api/user/register", form("erin", "erin@gmail.com", code)) == WRONG_CODE
        await ask_code(everywhere.somebody(), "erin@gmail.com")  # a new one may be tried again
        code = code_of(server)
        assert await people[0].post("/api/user/register", form("erin", "erin@gmail.com", code)) == DONE


async def test_a_code_makes_one_account_however_many_try_at_once(everywhere: World) -> None:
    async with with_mails(everywhere) as server:
        await option(everywhere, EmailVerificationEnabled="true")
        await ask_code(everywhere.somebody(), "erin@gmail.com")
        code = code_of(server)
        answers = await asyncio.gather(
            *(everywhere.somebody().post("/api/user/register", form(f"e{n}", "erin@gmail.com", code)) for n in range(4))
        )
        assert answers.count(DONE) == 1
        assert len(await everywhere.rows(select(users.c.id).where(users.c.email == "erin@gmail.com"))) == 1


async def test_a_code_ends_after_ten_minutes_or_when_a_new_one_is_sent(here: World, mails: MailServer) -> None:
    await option(here, EmailVerificationEnabled="true")
    person = here.somebody()
    await ask_code(person, "erin@gmail.com")
    first = code_of(mails)
    await ask_code(person, "erin@gmail.com")
    second = code_of(mails)
    if first != second:
        assert await person.post("/api/user/register", form("erin", "erin@gmail.com", first)) == WRONG_CODE
    here.clock.now += 600
    assert await person.post("/api/user/register", form("erin", "erin@gmail.com", second)) == WRONG_CODE
    async with here.database.write() as tx:
        assert await codes.purge(tx, now=int(here.clock())) == 1


async def test_a_dump_of_the_table_shows_no_code(here: World, mails: MailServer) -> None:
    user_id = await own_address(here, "erin", "erin@gmail.com")
    await ask_code(here.somebody(), "new@gmail.com")
    await here.somebody().get("/api/reset_password?email=erin@gmail.com")
    secrets = [token_of(mails), code_of(mails)]
    for row in await here.rows(select(verification_codes)):
        for value in map(str, row.values()):
            assert not any(secret in value for secret in secrets)
            assert "@" not in value
            answer = await here.somebody().post("/api/user/reset", {"email": "erin@gmail.com", "token": value})
            assert answer["success"] is False
    assert user_id


# --- binding ----------------------------------------------------------------------------------------------------------


async def test_an_account_binds_an_address_it_asked_a_code_for(everywhere: World) -> None:
    async with with_mails(everywhere) as server:
        bob = await everywhere.with_session(await everywhere.user("bob"))
        carol = await everywhere.with_session(await everywhere.user("carol"))
        await ask_code(bob, "frank@qq.com")
        code = code_of(server)
        path = f"/api/oauth/email/bind?email=frank@qq.com&code={code}"
        assert await carol.get(path) == WRONG_CODE
        assert await bob.get("/api/oauth/email/bind?email=frank@qq.com&code=bad") == WRONG_CODE
        assert await bob.get(path) == DONE
        assert (await bob.get("/api/user/self"))["data"]["email"] == "frank@qq.com"
        assert await bob.get(path) == WRONG_CODE


async def test_a_code_that_an_account_asked_for_makes_no_other_account(here: World, mails: MailServer) -> None:
    await option(here, EmailVerificationEnabled="true")
    bob = await here.with_session(await here.user("bob"))
    await ask_code(bob, "frank@qq.com")
    code = code_of(mails)
    assert await here.somebody().post("/api/user/register", form("frank", "frank@qq.com", code)) == WRONG_CODE
    assert await bob.post("/api/user/register", form("frank", "frank@qq.com", code)) == DONE


async def test_a_code_that_nobody_signed_in_asked_for_may_be_bound(here: World, mails: MailServer) -> None:
    """One API's consoles ask on pages that need no session."""
    await ask_code(here.somebody(), "frank@qq.com")
    bob = await here.with_session(await here.user("bob"))
    assert await bob.get(f"/api/oauth/email/bind?email=frank@qq.com&code={code_of(mails)}") == DONE


async def test_an_address_taken_meanwhile_is_not_bound(here: World, mails: MailServer) -> None:
    bob = await here.with_session(await here.user("bob"))
    await ask_code(bob, "frank@qq.com")
    await own_address(here, "frank", "frank@qq.com")
    answer = await bob.get(f"/api/oauth/email/bind?email=frank@qq.com&code={code_of(mails)}")
    assert answer == {"message": "邮箱地址已被占用", "success": False}


async def test_roots_notices_go_where_root_binds(here: World, mails: MailServer) -> None:
    root = await here.with_session(1)
    await ask_code(root, "root@qq.com")
    assert await root.get(f"/api/oauth/email/bind?email=root@qq.com&code={code_of(mails)}") == DONE
    await here.parts.notices.to_root("x", "y")
    assert mails.mails[0].receivers == ("root@qq.com",)


@pytest.mark.parametrize("path", ["verification", "reset_password"])
async def test_a_foreign_page_sends_no_mail(here: World, mails: MailServer, path: str) -> None:
    await own_address(here, "erin", "erin@gmail.com")
    answer = await here.somebody().ask("GET", f"/api/{path}?email=erin@gmail.com", **{"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert not mails.mails


# --- a forgotten password ---------------------------------------------------------------------------------------------


async def test_a_reset_gives_a_new_password_and_ends_what_was_open(everywhere: World) -> None:
    async with with_mails(everywhere) as server:
        user_id = await own_address(everywhere, "erin", "erin+1@gmail.com")
        other = await everywhere.user("other")
        await everywhere.execute(users.update().where(users.c.id == other).values(email="erin+2@gmail.com"))
        by_session = await everywhere.with_session(user_id)
        by_token = await everywhere.with_access_token(user_id)
        person = everywhere.somebody()
        assert await person.get("/api/reset_password?email=erin%2B1@gmail.com") == DONE
        assert 'href="https://gw.example/user/reset?email=erin%2B1@gmail.com&amp;token=' in server.mails[0].body
        token = token_of(server)
        body = {"email": "erin+1@gmail.com", "token": token}
        assert await person.post("/api/user/reset", {**body, "token": "nope"}) == WRONG_LINK
        assert await person.post("/api/user/reset", {**body, "email": "erin+2@gmail.com"}) == WRONG_LINK
        answer = await person.post("/api/user/reset", body)
        assert re.fullmatch(r"[0-9a-f]{12}", answer["data"])
        assert (answer["message"], answer["success"]) == ("", True)
        assert await person.post("/api/user/reset", body) == WRONG_LINK
        assert (await by_session.ask("GET", "/api/user/self")).status_code == 401
        assert (await by_token.get("/api/user/self"))["success"] is False
        assert await everywhere.rows(select(sessions.c.user_id).where(sessions.c.user_id == user_id)) == []
        assert (await person.login("erin", PASSWORD))["success"] is False
        assert (await person.login("erin", answer["data"]))["success"] is True
        assert (await everywhere.somebody().login("other", PASSWORD))["success"] is True


async def test_a_link_does_not_follow_the_address_to_another_account(here: World, mails: MailServer) -> None:
    first = await own_address(here, "first", "erin@gmail.com")
    await here.somebody().get("/api/reset_password?email=erin@gmail.com")
    token = token_of(mails)
    await here.execute(users.update().where(users.c.id == first).values(email=""))
    await own_address(here, "second", "erin@gmail.com")
    answer = await here.somebody().post("/api/user/reset", {"email": "erin@gmail.com", "token": token})
    assert answer == WRONG_LINK


async def test_an_address_that_looks_alike_is_another(everywhere: World) -> None:
    """MySQL's collations take é for e; the mail goes to the account's own address or nowhere."""
    async with with_mails(everywhere) as server:
        await own_address(everywhere, "erin", "érin@gmail.com")
        answer = await everywhere.somebody().get("/api/reset_password?email=erin@gmail.com")
        assert answer == {"message": "该邮箱地址未注册", "success": False}
        assert not server.mails


@pytest.mark.parametrize("status", [2, 3])
async def test_a_banned_account_stays_banned_and_a_deleted_one_is_none(
    here: World, mails: MailServer, status: int
) -> None:
    user_id = await own_address(here, "erin", "erin@gmail.com")
    await here.execute(users.update().where(users.c.id == user_id).values(status=status))
    answer = await here.somebody().get("/api/reset_password?email=erin@gmail.com")
    if status == 3:
        assert answer == {"message": "该邮箱地址未注册", "success": False}
        return
    form = {"email": "erin@gmail.com", "token": token_of(mails)}
    password = (await here.somebody().post("/api/user/reset", form))["data"]
    assert (await here.somebody().login("erin", password))["success"] is False


@pytest.mark.parametrize("body", ["x", {}, {"email": "a@b.co"}, {"token": "x"}, {"email": 1, "token": "x"}])
async def test_a_reset_needs_both_fields(here: World, body: Any) -> None:
    assert await here.somebody().post("/api/user/reset", body) == {"message": "invalid parameter", "success": False}


async def test_a_mail_that_does_not_go_out_is_said_in_the_visitors_language(here: World) -> None:
    await option(here, SMTPServer="127.0.0.1", SMTPPort="1")
    await own_address(here, "erin", "erin@gmail.com")
    answer = await here.somebody().get("/api/reset_password?email=erin@gmail.com")
    assert (answer["success"], answer["message"][:22]) == (False, "failed to send email: ")
    zh = await here.somebody().get("/api/reset_password?email=erin@gmail.com", **{"Accept-Language": "zh"})
    assert zh["message"].startswith("发送邮件失败：")


# --- uniform answers, limits ------------------------------------------------------------------------------------------


async def test_uniform_answers_tell_nobody_who_has_an_account(here: World, mails: MailServer) -> None:
    await option(here, UniformAnswersEnabled="true")
    await own_address(here, "erin", "erin@gmail.com")
    for path in ("verification", "reset_password"):
        for email in ("erin@gmail.com", "new@gmail.com", "refuse@gmail.com"):
            assert await here.somebody().get(f"/api/{path}?email={email}") == DONE
    await here.parts.outbox.sent()
    sent = sorted((mail.receivers[0], mail.head[2]) for mail in mails.mails)
    assert [receiver for receiver, _ in sent] == ["erin@gmail.com", "new@gmail.com"]  # one a link, one a code


async def test_mails_to_one_address_are_limited_wherever_they_are_asked_for(here: World, mails: MailServer) -> None:
    await own_address(here, "erin", "erin@gmail.com")
    for path, email in (("verification", "new@gmail.com"), ("reset_password", "erin@gmail.com")):
        asked = [await here.somebody().ask("GET", f"/api/{path}?email={email}") for _ in range(12)]
        assert [answer.status_code for answer in asked] == [200] * 10 + [429] * 2
        assert asked[-1].content == b""
    # An address without account is limited alike: a 429 says nothing about it.
    asked = [await here.somebody().ask("GET", "/api/reset_password?email=no@gmail.com") for _ in range(12)]
    assert [answer.status_code for answer in asked] == [200] * 10 + [429] * 2
    here.clock.now += 1200
    assert (await here.somebody().ask("GET", "/api/verification?email=new@gmail.com")).status_code == 200


async def test_a_thousand_guesses_are_five_tries(sqlite: servers.Database) -> None:
    async with world(sqlite) as here, with_mails(here) as server:
        await own_address(here, "erin", "erin@gmail.com")
        await here.somebody().get("/api/reset_password?email=erin@gmail.com")
        token = token_of(server)
        person = here.somebody()

        async def guess(number: int) -> int:
            form = {"email": "erin@gmail.com", "token": f"{number:032x}"}
            return (await person.ask("POST", "/api/user/reset", form)).status_code

        statuses = await asyncio.gather(*map(guess, range(1000)))
        assert statuses.count(200) == 30
        assert statuses.count(429) == 970
        assert [row["tries"] for row in await here.rows(select(verification_codes.c.tries))] == [5]
        here.clock.now += 1  # the link is dead, and so it stays
        assert (
            await here.somebody().ask("POST", "/api/user/reset", {"email": "erin@gmail.com", "token": token})
        ).status_code == 429
