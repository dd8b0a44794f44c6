"""The options, for root."""

from dataclasses import asdict, dataclass
from typing import Annotated, TypedDict

from starlette.responses import Response

from one_api import options as meaning
from one_api.accounts import addresses, settings
from one_api.accounts.oauth import discovery
from one_api.accounts.oauth.identity import Untrusted
from one_api.accounts.rules import InvalidParameter, Refused
from one_api.edge.api.answers import done, number, refused, text
from one_api.edge.api.declared import OneOf
from one_api.edge.api.endpoint import SMALL, Access, Call, get, post, put
from one_api.lib import json
from one_api.notify import NotSent
from one_api.option_text import Kind
from one_api.relay.fetch import FetchError
from one_api.web import MOST


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    key: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestMail:
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcAddress:
    address: str = ""


class OidcEndpoints(TypedDict):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str


class OptionType(TypedDict):
    """What a form needs to know of an option; `default` is text, `stored` says that a value was saved.

    least: the smallest number it may be; a `positive` one must be more than 0. doc: what it is for.
    """

    doc: str
    key: Annotated[str, OneOf(meaning.KEYS)]
    kind: Kind
    default: str
    secret: bool
    stored: bool
    least: float | None
    positive: bool
    choices: list[str]


@get("/api/option/", Access.ROOT, answers=list[Option])
async def list_options(call: Call) -> Response:
    """All but the secrets, every value as text."""
    rows = await settings.rows(call.parts.database)
    return done(meaning.listing(call.options, rows, call.parts.options_at_start))


@get("/api/option/types", Access.ROOT, answers=list[OptionType])
async def describe_options(call: Call) -> Response:
    """What each option can be, for forms; no value of any but its default."""
    rows = await settings.rows(call.parts.database)
    return done([{**asdict(each), "least": _plain(each.least)} for each in meaning.described(rows)])


def _plain(least: float | None) -> float | None:
    return None if least is None else number(least)


@post("/api/option/test_mail", Access.ROOT, most=SMALL, form=TestMail, answers=None)
async def send_test_mail(call: Call) -> Response:
    """To any address, with what the options say now."""
    address = call.form(TestMail).email
    if not addresses.valid(address):
        raise InvalidParameter
    name = call.options.system_name
    try:
        await call.parts.notices.to_user(address, f"{name} 测试邮件", "邮件设置正确。\nThe settings for mail work.")
    except NotSent as error:
        return refused(text("send_email_failed", call.language) + error.message)
    return done()


@post("/api/option/oidc", Access.ROOT, most=SMALL, form=OidcAddress, answers=OidcEndpoints)
async def discover_oidc(call: Call) -> Response:
    """What a provider says at its well-known address, to be looked at and saved. Logging in reads it by itself."""
    address = call.form(OidcAddress).address.strip()
    try:
        document = await call.parts.documents.get(address, most=MOST)
        found = discovery.read(json.decode_strict(document.body).value, address)
    except json.InvalidJSON:
        return refused(text("oidc_unusable", call.language) + "it is no JSON")
    except (FetchError, Untrusted) as error:
        return refused(text("oidc_unusable", call.language) + str(error))
    return done(
        OidcEndpoints(
            issuer=found.issuer,
            authorization_endpoint=found.authorization_endpoint,
            token_endpoint=found.token_endpoint,
            userinfo_endpoint=found.userinfo_endpoint,
        )
    )


@put("/api/option/", Access.ROOT, form=Option, answers=None, statuses=(400,))
async def save_option(call: Call) -> Response:
    """The one body whose faults are an HTTP 400. A secret that is sent to an address goes when its host changes."""
    try:
        option = call.form(Option)
    except InvalidParameter:
        raise InvalidParameter(400) from None
    complaint = meaning.check(option.key, option.value, call.options)
    if complaint is not None:
        raise Refused(complaint)
    forget = meaning.orphan(option.key, option.value, call.options)
    await settings.save(call.parts.database, key=option.key, value=option.value, forget=forget)
    await call.refresh()
    return done()
