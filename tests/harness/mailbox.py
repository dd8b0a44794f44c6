"""A mail server that keeps what it is sent, and refuses whoever is called `refuse`, as the recorded one did."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape

from aiosmtpd.smtp import SMTP, Envelope, Session

UNSEEN = re.compile(r"<(style|title)\b.*?</\1>|<[^>]+>", re.DOTALL | re.IGNORECASE)
LINK = re.compile(r'href="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it came: header lines unfolded, and the text of its HTML."""

    sender: str
    recipients: tuple[str, ...]
    headers: tuple[tuple[str, str], ...]
    subject: str
    html: str

    @classmethod
    def parse(cls, envelope: Envelope) -> "Mail":
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        raw = message_from_bytes(content, policy=policy.compat32)
        message = message_from_bytes(content, _class=EmailMessage, policy=policy.default)
        part = message.get_body(("html", "plain"))
        return cls(
            sender=envelope.mail_from or "",
            recipients=tuple(envelope.rcpt_tos),
            headers=tuple((name, " ".join(str(value).split())) for name, value in raw.items()),
            subject=str(message["subject"]),
            html=str(part.get_content()) if part is not None else "",
        )

    @property
    def text(self) -> str:
        """What a reader sees, in one line."""
        return " ".join(unescape(UNSEEN.sub(" ", self.html)).split())

    @property
    def links(self) -> tuple[str, ...]:
        return tuple(unescape(link) for link in LINK.findall(self.html))


class Mailbox:
    def __init__(self) -> None:
        self.port = 0
        self.mails: list[Mail] = []
        self._connections: set[SMTP] = set()

    def taken(self) -> list[Mail]:
        """The mails since the last time."""
        found, self.mails = self.mails, []
        return found

    def connection(self) -> SMTP:
        made = SMTP(self, enable_SMTPUTF8=True, hostname="localhost", loop=asyncio.get_running_loop())
        self._connections.add(made)
        return made

    async def handle_RCPT(  # noqa: N802  aiosmtpd looks for this name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("refuse@"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.mails.append(Mail.parse(envelope))
        return "250 OK"

    def close(self) -> None:
        for each in self._connections:
            if each.transport is not None:
                each.transport.close()


@asynccontextmanager
async def serve() -> AsyncIterator[Mailbox]:
    """A server on a free port of 127.0.0.1, in the running loop."""
    mailbox = Mailbox()
    server = await asyncio.get_running_loop().create_server(mailbox.connection, "127.0.0.1", 0)
    mailbox.port = server.sockets[0].getsockname()[1]
    try:
        yield mailbox
    finally:
        server.close()
        mailbox.close()
        await server.wait_closed()
