"""Mail by SMTP, with One API's headers, envelope and choice of encryption.

- Port 465 speaks TLS from the start. Elsewhere STARTTLS is used where the server offers it and an account is set;
  without account and token the mail goes in the clear and unauthenticated, as to a relay on the same host.
- Certificates are verified unless the option SMTPVerifyCertificate is off. A password never crosses a network in the
  clear.
"""

import asyncio
import base64
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from one_api.notify.card import card
from one_api.notify.errors import NotSent
from one_api.options import Options

if TYPE_CHECKING:
    from aiosmtplib import SMTP

IMPLICIT_TLS: Final = 465
TIMEOUT_S: Final = 20.0
LONGEST_REASON: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """How mails leave, as the options have it."""

    host: str
    port: int
    account: str
    token: str
    sender: str
    verify: bool

    def __repr__(self) -> str:
        return f"<Server {self.host}:{self.port}>"

    @classmethod
    def of(cls, options: Options) -> "Server":
        return cls(
            host=options.smtp_server,
            port=options.smtp_port,
            account=options.smtp_account,
            token=options.smtp_token,
            sender=options.smtp_from or options.smtp_account,
            verify=options.smtp_verify_certificate,
        )

    @property
    def authenticates(self) -> bool:
        return bool(self.account or self.token)

    @property
    def envelope_sender(self) -> str:
        """One API gives the account where it lets the library choose the encryption, else the sender."""
        return self.account if self.authenticates and self.port != IMPLICIT_TLS else self.sender


def tls_context(verify: bool) -> ssl.SSLContext:  # noqa: FBT001 - the one thing there is to say
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class Mailer:
    """Sends mails by the options of the moment."""

    def __init__(self, options: Callable[[], Options], *, tls: Callable[[bool], ssl.SSLContext] = tls_context) -> None:
        self._options = options
        self._tls = tls

    async def send(self, receivers: str, subject: str, content: str) -> None:
        """Send one mail to addresses separated by `;`. `content` is text, or Html. Raises NotSent."""
        if not receivers:
            raise NotSent("receiver is empty")
        options = self._options()
        server = Server.of(options)
        addresses = [checked(address.strip()) for address in receivers.split(";") if address.strip()]
        page = card(title=subject, body=content, system_name=options.system_name)
        message = written(server.sender, receivers, subject, page, name=options.system_name)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await self._deliver(server, addresses, message)
        except TimeoutError:
            raise NotSent(f"the mail server {server.host}:{server.port} does not answer in time") from None
        except (OSError, ValueError) as error:
            raise NotSent(reason(error, server)) from error

    async def _deliver(self, server: Server, addresses: list[str], message: bytes) -> None:
        from aiosmtplib import SMTP, SMTPException  # noqa: PLC0415  # a megabyte that few processes need

        tls = await asyncio.to_thread(self._tls, server.verify)  # reads all certificates: a tenth of a second
        client = SMTP(
            hostname=server.host or "localhost",
            port=server.port,
            local_hostname="localhost",
            use_tls=server.port == IMPLICIT_TLS,
            start_tls=False,
            tls_context=tls,
            timeout=TIMEOUT_S,
        )
        try:
            await client.connect()
            if server.authenticates:
                await _sign_in(client, server)
            await client.ehlo()
            options = ["BODY=8BITMIME"] if client.supports_extension("8bitmime") else []
            await client.mail(server.envelope_sender, options=options)
            for address in addresses:
                await client.rcpt(address)
            await client.data(message)
        except SMTPException as error:
            raise NotSent(reason(error, server)) from error
        finally:
            client.close()  # the mail is accepted or it is not; how the server says goodbye changes nothing


async def _sign_in(client: "SMTP", server: Server) -> None:
    await client.ehlo()
    encrypted = server.port == IMPLICIT_TLS
    if not encrypted and client.supports_extension("starttls"):
        await client.starttls()
        await client.ehlo()
        encrypted = True
    if not encrypted and not local(server.host):
        raise ValueError("unencrypted connection: the server offers no STARTTLS")
    await client.login(server.account, server.token)


def local(host: str) -> bool:
    if host in ("", "localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def written(sender: str, receivers: str, subject: str, page: str, *, name: str) -> bytes:
    """The mail as One API writes it, line by line. Raises NotSent for what would break a header."""
    domain = sender.rpartition("@")[2]
    headers = (
        f"To: {in_header(receivers)}",
        f"From: {encoded(name)}<{in_header(sender)}>",
        f"Subject: {encoded(subject, always=True)}",
        f"Message-ID: <{uuid4().hex}@{in_header(domain)}>",
        f"Date: {format_datetime(datetime.now(UTC))}",
        "Content-Type: text/html; charset=UTF-8",
    )
    return "\r\n".join((*headers, "", *page.splitlines(), "")).encode()


def checked(address: str) -> str:
    """An address that can stand in a command. Raises NotSent."""
    if not address.isascii() or not address.isprintable() or any(sign in address for sign in "<> ,"):
        raise NotSent(f"not a mail address: {address!r}")
    return address


def in_header(text: str) -> str:
    """Raises NotSent for text that would end the header or is not ASCII."""
    if not text.isascii() or not text.isprintable():
        raise NotSent("a header of the mail holds a character that cannot stand there")
    return text


def encoded(text: str, *, always: bool = False) -> str:
    """Text for a header, as encoded words where it has to be: https://www.rfc-editor.org/rfc/rfc2047."""
    plain = text.isascii() and text.isprintable() and not any(sign in text for sign in '<>"(),:;@[\\]')
    if plain and not always:
        return text
    # An encoded word has at most 75 characters; three bytes become four.
    words, word = [], b""
    for sign in text:
        piece = sign.encode(errors="replace")
        if len(word) + len(piece) > 45:
            words.append(word)
            word = b""
        word += piece
    return "\r\n ".join(f"=?UTF-8?B?{base64.b64encode(each).decode()}?=" for each in (*words, word))


def reason(error: Exception, server: Server) -> str:
    """What went wrong, in one line, without what was used to sign in."""
    text = " ".join((str(error) or type(error).__name__).split())
    return (text.replace(server.token, "***") if server.token else text)[:LONGEST_REASON]
