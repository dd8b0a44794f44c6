import re
import ssl
import threading
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import trustme

from one_api.notify import Html, Mailer, NotSent, paragraphs, tls_context
from one_api.notify.mail import encoded, local, written
from one_api.options import DEFAULTS
from tests.harness import smtp
from tests.harness.smtp import ACCOUNT, PASSWORD

pytestmark = pytest.mark.anyio

SIGNED_IN: dict[str, Any] = {"smtp_account": ACCOUNT, "smtp_token": PASSWORD}


class Authority:
    """A certificate authority, a server it vouches for, and a client that trusts it."""

    def __init__(self) -> None:
        authority = trustme.CA()
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost", "127.0.0.5").configure_cert(self.server)
        self._authority = authority

    def trusting(self, verify: bool) -> ssl.SSLContext:  # noqa: FBT001 - the mailer's signature
        context = tls_context(verify)
        self._authority.configure_trust(context)
        return context


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def mailer(port: int, authority: Authority | None = None, **options: Any) -> Mailer:
    made = replace(
        DEFAULTS,
        **{
            "smtp_server": "localhost",
            "smtp_port": port,
            "smtp_from": "noreply@gw.example",
            "system_name": "My Gateway",
            **options,
        },
    )
    return Mailer(lambda: made, tls=tls_context if authority is None else authority.trusting)


async def test_headers_and_envelope_are_one_apis() -> None:
    async with smtp.serve() as server:
        await mailer(server.port).send("erin@gmail.com", "My Gateway 邮箱验证邮件", "您好！")
        (mail,) = server.mails
    assert (mail.sender, mail.receivers, mail.encrypted) == ("noreply@gw.example", ("erin@gmail.com",), False)
    to, sender, subject, message_id, date, kind = mail.head
    assert [to, sender, subject, kind] == [
        "To: erin@gmail.com",
        "From: My Gateway<noreply@gw.example>",
        "Subject: =?UTF-8?B?TXkgR2F0ZXdheSDpgq7nrrHpqozor4Hpgq7ku7Y=?=",
        "Content-Type: text/html; charset=UTF-8",
    ]
    assert re.fullmatch(r"Message-ID: <[0-9a-f]{32}@gw\.example>", message_id)
    assert parsedate_to_datetime(date.removeprefix("Date: ")).tzinfo is not None


async def test_starttls_comes_before_the_password(authority: Authority) -> None:
    async with smtp.serve(sign_in=True, start_tls=authority.server) as server:
        await mailer(server.port, authority, **SIGNED_IN).send("erin@gmail.com", "x", "y")
        (mail,) = server.mails
    assert (mail.encrypted, mail.account, mail.sender) == (True, ACCOUNT, ACCOUNT)


async def test_port_465_speaks_tls_from_the_start(authority: Authority) -> None:
    try:
        async with smtp.serve(sign_in=True, tls=authority.server, host="127.0.0.5", port=465) as server:
            await mailer(465, authority, smtp_server="127.0.0.5", **SIGNED_IN).send("erin@gmail.com", "x", "y")
            (mail,) = server.mails
    except PermissionError:
        pytest.skip("may not listen on port 465")
    assert (mail.encrypted, mail.account, mail.sender) == (True, ACCOUNT, "noreply@gw.example")


async def test_a_certificate_nobody_vouches_for_is_refused(authority: Authority) -> None:
    async with smtp.serve(sign_in=True, start_tls=authority.server) as server:
        with pytest.raises(NotSent, match="certificate") as refused:
            await mailer(server.port, **SIGNED_IN).send("erin@gmail.com", "x", "y")
        assert not server.mails
        assert PASSWORD not in refused.value.message
        await mailer(server.port, smtp_verify_certificate=False, **SIGNED_IN).send("erin@gmail.com", "x", "y")
        assert server.mails[0].encrypted


@pytest.mark.parametrize(
    "host, near",
    [("", True), ("localhost", True), ("127.0.0.9", True), ("::1", True), ("10.0.0.1", False), ("a.b", False)],
)
def test_a_password_goes_in_the_clear_to_this_machine_only(host: str, *, near: bool) -> None:
    assert local(host) is near


async def test_a_server_here_may_take_the_password_in_the_clear() -> None:
    async with smtp.serve(sign_in=True) as server:
        await mailer(server.port, **SIGNED_IN).send("erin@gmail.com", "x", "y")
        assert server.mails[0].account == ACCOUNT
        with pytest.raises(NotSent):
            await mailer(server.port, **{**SIGNED_IN, "smtp_token": "wrong"}).send("erin@gmail.com", "x", "y")


async def test_reading_certificates_holds_up_nothing_else() -> None:
    read_by: list[threading.Thread] = []

    def context(verify: bool) -> ssl.SSLContext:  # noqa: FBT001 - the mailer's signature
        read_by.append(threading.current_thread())
        return tls_context(verify)

    async with smtp.serve() as server:
        options = replace(DEFAULTS, smtp_server="localhost", smtp_port=server.port, smtp_from="noreply@gw.example")
        await Mailer(lambda: options, tls=context).send("a@gmail.com", "x", "y")
    assert [thread is threading.current_thread() for thread in read_by] == [False]


async def test_several_receivers_get_one_mail() -> None:
    async with smtp.serve() as server:
        await mailer(server.port).send("a@gmail.com;b@gmail.com", "x", "y")
        (mail,) = server.mails
    assert mail.receivers == ("a@gmail.com", "b@gmail.com")
    assert mail.head[0] == "To: a@gmail.com;b@gmail.com"


async def test_a_refused_receiver_is_an_error() -> None:
    async with smtp.serve() as server:
        with pytest.raises(NotSent, match="no such user"):
            await mailer(server.port).send("refuse@gmail.com", "x", "y")
        assert not server.mails


async def test_without_a_server_the_error_says_so() -> None:
    with pytest.raises(NotSent, match=r"(?i)connect"):
        await mailer(1).send("a@gmail.com", "x", "y")
    with pytest.raises(NotSent, match="receiver is empty"):
        await mailer(1).send("", "x", "y")


@pytest.mark.parametrize("receiver", ["a@b.co\r\nBcc: x@y.zz", "a@b.co>", "a b@c.de", "ä@b.co"])
async def test_an_address_cannot_add_a_header_or_command(receiver: str) -> None:
    with pytest.raises(NotSent):
        await mailer(1).send(receiver, "x", "y")


@pytest.mark.parametrize("name", ["A\r\nBcc: x@y.zz", "A <x@y.zz>", "网关", 'A "B"', "x" * 300 + "é"])
def test_a_name_cannot_add_a_header(name: str) -> None:
    head = written("a@b.co", "c@d.ee", name, "", name=name).partition(b"\r\n\r\n")[0].decode("ascii")
    lines = re.sub(r"\r\n[ \t]", " ", head).split("\r\n")
    assert [line.partition(":")[0] for line in lines] == ["To", "From", "Subject", "Message-ID", "Date", "Content-Type"]
    assert max(map(len, head.split("\r\n"))) < 100
    assert lines[1].endswith("<a@b.co>")
    assert lines[1].count("<") == 1


def test_a_plain_name_stays_readable() -> None:
    assert encoded("My Gateway") == "My Gateway"


async def test_text_is_never_html_and_lines_are_short() -> None:
    text = "<script>alert(1)</script> & more\n" + "很长" * 2000
    async with smtp.serve() as server:
        await mailer(server.port, system_name="<b>G</b>").send("a@gmail.com", "<i>T</i>", text)
        await mailer(server.port).send("a@gmail.com", "T", Html(f"<p>{paragraphs('<u>')}</p>"))
        first, second = server.mails
    assert not re.search(r"<(script|i|b)>", first.body)
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in first.body
    assert max(len(line) for line in first.content.split(b"\r\n")) < 998
    assert first.body.replace("\r\n", "").count("很长") == 2000
    assert "<p>&lt;u&gt;</p>" in second.body
