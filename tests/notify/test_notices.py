import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from one_api.notify import Mailer, Notices, NotSent, Pusher
from one_api.options import DEFAULTS, Options
from one_api.web import Web
from tests.harness import smtp, webhook
from tests.harness.smtp import MailServer
from tests.harness.webhook import Webhook

pytestmark = pytest.mark.anyio

TOKEN = "pusher-token-77"


@dataclass(slots=True)
class Desk:
    """Notices with a pusher and a mail server of their own."""

    options: Options
    hook: Webhook
    mails: MailServer
    notices: Notices
    root: str = "root@gw.example"

    async def root_address(self) -> str:
        return self.root


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with webhook.serve() as hook, smtp.serve() as mails:
        options = replace(
            DEFAULTS,
            smtp_server="localhost",
            smtp_port=mails.port,
            smtp_from="noreply@gw.example",
            message_pusher_address=hook.url,
            message_pusher_token=TOKEN,
        )
        made: Desk
        notices = Notices(
            mailer=Mailer(lambda: made.options),
            pusher=Pusher(lambda: made.options, web=Web()),
            root_address=lambda: made.root_address(),  # noqa: PLW0108 - there is no desk yet
        )
        made = Desk(options, hook, mails, notices)
        yield made


async def test_the_pusher_gets_what_one_api_sends(desk: Desk) -> None:
    await desk.notices.to_root("渠道状态变更提醒", "渠道 a 已被禁用")
    (post,) = desk.hook.posts
    assert post.line == "POST /hook HTTP/1.1"
    assert post.headers["content-type"] == "application/json"
    assert json.loads(post.body) == {
        "title": "渠道状态变更提醒",
        "description": "渠道 a 已被禁用",
        "content": "渠道 a 已被禁用",
        "url": "",
        "channel": "",
        "token": TOKEN,
    }
    assert not desk.mails.mails


@pytest.mark.parametrize("answer", [{"success": False, "message": f"no {TOKEN}"}, b"<html>", [], {"success": 1}, b""])
async def test_root_gets_a_mail_if_the_pusher_fails(
    desk: Desk, answer: object, caplog: pytest.LogCaptureFixture
) -> None:
    desk.hook.answer = answer
    await desk.notices.to_root("x", "y")
    assert desk.mails.mails[0].receivers == ("root@gw.example",)
    assert "pusher" in caplog.text
    assert TOKEN not in caplog.text


async def test_a_redirect_takes_the_token_nowhere(desk: Desk) -> None:
    desk.hook.status = "307 Temporary Redirect\r\nLocation: /elsewhere"
    desk.hook.answer = b""
    await desk.notices.to_root("x", "y")
    assert [post.line for post in desk.hook.posts] == ["POST /hook HTTP/1.1"]
    assert desk.mails.mails


async def test_an_endless_answer_is_cut(desk: Desk) -> None:
    desk.hook.answer = b" " * 10_000_000
    await desk.notices.to_root("x", "y")
    assert desk.mails.mails


async def test_without_pusher_root_gets_a_mail(desk: Desk) -> None:
    desk.options = replace(desk.options, message_pusher_address="")
    await desk.notices.to_root("x", "y")
    assert (len(desk.hook.posts), len(desk.mails.mails)) == (0, 1)
    desk.root = ""
    with pytest.raises(NotSent, match="receiver is empty"):
        await desk.notices.to_root("x", "y")


async def test_both_ways_are_used_where_both_are_wanted(desk: Desk) -> None:
    await desk.notices.to_root_by_all("x", "y")
    assert (len(desk.hook.posts), len(desk.mails.mails)) == (1, 1)
    desk.hook.answer = {"success": False}
    await desk.notices.to_root_by_all("x", "y")
    desk.root = ""
    with pytest.raises(NotSent):
        await desk.notices.to_root_by_all("x", "y")


async def test_users_get_mails(desk: Desk) -> None:
    await desk.notices.to_user("erin@gmail.com", "额度提醒", "您的额度即将用尽")
    assert desk.mails.mails[0].receivers == ("erin@gmail.com",)
    assert not desk.hook.posts
