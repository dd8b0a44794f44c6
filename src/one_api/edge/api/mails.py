"""What goes by mail: codes that prove an address, and links to a new password."""

from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import quote

from starlette.responses import Response

from one_api.accounts import addresses, codes, profile, recovery
from one_api.accounts.codes import Purpose, Ticket
from one_api.accounts.rules import InvalidParameter, Refused
from one_api.edge import auth
from one_api.edge.api.answers import Language, done, refused, text
from one_api.edge.api.endpoint import SMALL, Access, Call, TooMany, get, post
from one_api.edge.api.letters import code_letter, reset_letter
from one_api.edge.api.parts import Parts
from one_api.edge.limits import Rule
from one_api.notify import NotSent
from one_api.options import Options

WRONG_CODE: Final = "验证码错误或已过期"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordResetRequest:
    email: str = ""
    token: str = ""

    def __repr__(self) -> str:
        return f"<PasswordResetRequest {self.email!r}>"


@get("/api/verification", Access.ANYONE, changes=True, critical=True, human=True)
async def send_code(call: Call) -> Response:
    """A code to an address that no account has. If an account asked, it is good for that one alone."""
    email, options = call.text("email"), call.options
    if not addresses.valid(email):
        raise InvalidParameter
    if options.email_domain_restriction_enabled and not addresses.listed(email, options.email_domain_whitelist):
        raise Refused("管理员启用了邮箱域名白名单，您的邮箱地址的域名不在白名单中")
    await within(call, call.parts.limits.mails, "email", email)
    user_id = await asker(call)
    send = partial(_send_code, call.parts, email, user_id=user_id, now=call.now)
    if options.uniform_answers_enabled:
        call.parts.outbox.post("code by mail", send)
        return done()
    await send()
    return done()


async def _send_code(parts: Parts, email: str, *, user_id: int, now: int) -> None:
    """Raises Refused for an address in use, and NotSent."""
    if await profile.address_taken(parts.database, email):
        raise Refused("邮箱地址已被占用")
    code = await codes.issue(parts.database, "email", email, user_id=user_id, now=now)
    name = parts.options.now.system_name
    await parts.notices.to_user(email, f"{name} 邮箱验证邮件", code_letter(name, code))


@get("/api/reset_password", Access.ANYONE, changes=True, critical=True, human=True)
async def send_reset_link(call: Call) -> Response:
    email = call.text("email")
    if not addresses.valid(email):
        raise InvalidParameter
    await within(call, call.parts.limits.mails, "reset", email)
    send = partial(_send_reset_link, call.parts, email, now=call.now)
    if call.options.uniform_answers_enabled:
        call.parts.outbox.post("reset link by mail", send)
        return done()
    try:
        await send()
    except NotSent as error:
        return refused(_not_sent(error, call.language))
    return done()


async def _send_reset_link(parts: Parts, email: str, *, now: int) -> None:
    """To the address the account has, however it was typed. Raises Refused for one without account, and NotSent."""
    user = await recovery.account_of(parts.database, email)
    if user is None:
        raise Refused("该邮箱地址未注册")
    token = await codes.issue(parts.database, "reset", user.email, user_id=user.id, now=now)
    options = parts.options.now
    subject = f"{options.system_name} 密码重置"
    letter = reset_letter(options.system_name, reset_link(options, user.email, token))
    await parts.notices.to_user(user.email, subject, letter)


@post("/api/user/reset", Access.ANYONE, critical=True, most=SMALL)
async def reset_password(call: Call) -> Response:
    """A new password for the account the link was made for; the console shows it."""
    form = call.form(PasswordResetRequest)
    if not form.email or not form.token:
        raise InvalidParameter
    ticket = await checked(call, "reset", form.email, form.token)
    if ticket is None:
        raise Refused(recovery.EXPIRED)
    password = await recovery.renew_password(call.parts.database, ticket)
    await call.refresh()
    return done(password)


@get("/api/oauth/email/bind", Access.USER, changes=True, critical=True)
async def bind_address(call: Call) -> Response:
    ticket = await checked(call, "email", call.text("email"), call.text("code"))
    if ticket is None or not ticket.serves(call.user.id):
        raise Refused(WRONG_CODE)
    await profile.bind_address(call.parts.database, call.user, ticket)
    await call.refresh()
    return done()


async def proven(call: Call, email: str, code: str) -> Ticket:
    """That whoever registers can read the mail of this address. Raises Refused, TooMany."""
    ticket = await checked(call, "email", email, code)
    if ticket is None or not ticket.serves(await asker(call)):
        raise Refused(WRONG_CODE)
    return ticket


async def checked(call: Call, purpose: Purpose, email: str, code: str) -> Ticket | None:
    """Raises TooMany."""
    await within(call, call.parts.limits.tries, purpose, email)
    return await codes.check(call.parts.database, purpose, email, code, now=call.now)


async def within(call: Call, rule: Rule, purpose: Purpose, email: str) -> None:
    """Raises TooMany, whether the address has an account or not."""
    if not await call.parts.limits.allow_for(rule, f"{purpose} {email.lower()}"):
        raise TooMany


async def asker(call: Call) -> int:
    """The account that asks, 0 for none."""
    user = await auth.visitor(call.parts.database, call.request, now=call.now)
    return 0 if user is None else user.id


def reset_link(options: Options, email: str, token: str) -> str:
    return f"{options.server_address.rstrip('/')}/user/reset?email={quote(email, safe='@')}&token={token}"


def _not_sent(error: NotSent, language: Language) -> str:
    return text("send_email_failed", language) + error.message
