"""The options, for root."""

from dataclasses import dataclass

from starlette.responses import Response

from one_api import options as meaning
from one_api.accounts import settings
from one_api.accounts.rules import InvalidParameter, Refused
from one_api.edge.api.answers import done
from one_api.edge.api.endpoint import Access, Call, get, put


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    key: str = ""
    value: str = ""


@get("/api/option/", Access.ROOT, answers=list[Option])
async def list_options(call: Call) -> Response:
    """All but the secrets, every value as text."""
    rows = await settings.rows(call.parts.database)
    return done(meaning.listing(call.options, rows, call.parts.options_at_start))


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
