"""A mail server as providers run them: TLS from the start or on demand, and sign-in. It keeps what it gets."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

ACCOUNT = "sender@gw.example"
PASSWORD = "mail-token-9f3a"

UNSEEN = re.compile(r"<(style|title)\b.*?</\1>|<[^>]+>", re.DOTALL | re.IGNORECASE)
LINK = re.compile(r'href="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Mail:
    """What was sent: its envelope, its bytes, and how it came. `head` and `body` are as written, the rest as read."""

    sender: str
    receivers: tuple[str, ...]
    content: bytes
    encrypted: bool
    account: str

    @property
    def head(self) -> list[str]:
        return self.content.partition(b"\r\n\r\n")[0].decode("ascii").split("\r\n")

    @property
    def body(self) -> str:
        return self.content.partition(b"\r\n\r\n")[2].decode()

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Unfolded."""
        raw = message_from_bytes(self.content, policy=policy.compat32)
        return tuple((name, " ".join(str(value).split())) for name, value in raw.items())

    @property
    def subject(self) -> str:
        return str(self._read()["subject"])

    @property
    def html(self) -> str:
        part = self._read().get_body(("html", "plain"))
        return str(part.get_content()) if part is not None else ""

    @property
    def text(self) -> str:
        """What a reader sees, in one line."""
        return " ".join(unescape(UNSEEN.sub(" ", self.html)).split())

    @property
    def links(self) -> tuple[str, ...]:
        return tuple(unescape(link) for link in LINK.findall(self.html))

    def _read(self) -> EmailMessage:
        return message_from_bytes(self.content, _class=EmailMessage, policy=policy.default)


@dataclass  # without slots: aiosmtpd reads all attributes, which Python 3.11.2 cannot of such an object
class MailServer:
    """Refuses receivers called `refuse`. Sign-in is offered where `sign_in` is set, in the clear too."""

    sign_in: bool = False
    start_tls: ssl.SSLContext | None = None
    port: int = 0
    signed_in: str = ""
    mails: list[Mail] = field(default_factory=list)
    connections: list[SMTP] = field(default_factory=list)

    def taken(self) -> list[Mail]:
        """The mails since the last time."""
        found, self.mails = self.mails, []
        return found

    def connection(self) -> SMTP:
        made = SMTP(
            self,
            hostname="mail.test",
            tls_context=self.start_tls,
            authenticator=self.authenticate if self.sign_in else None,
            auth_require_tls=False,
            loop=asyncio.get_running_loop(),
        )
        self.connections.append(made)
        return made

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: LoginPassword
    ) -> AuthResult:
        good = (data.login, data.password) == (ACCOUNT.encode(), PASSWORD.encode())
        self.signed_in = data.login.decode() if good else ""
        return AuthResult(success=good, handled=False)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd looks for this name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("refuse@"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        mail = Mail(
            sender=envelope.mail_from or "",
            receivers=tuple(envelope.rcpt_tos),
            content=envelope.content,
            encrypted=server.transport is not None and server.transport.get_extra_info("sslcontext") is not None,
            account=self.signed_in,
        )
        self.mails.append(mail)
        return "250 OK"


@asynccontextmanager
async def serve(
    *,
    sign_in: bool = False,
    start_tls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[MailServer]:
    """One that listens, in the running loop."""
    mails = MailServer(sign_in, start_tls)
    server = await asyncio.get_running_loop().create_server(mails.connection, host, port, ssl=tls)
    mails.port = server.sockets[0].getsockname()[1]
    try:
        yield mails
    finally:
        server.close()
        for each in mails.connections:
            if each.transport is not None:
                each.transport.close()
        await server.wait_closed()
