"""Many channels at once, for administrators."""

from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from one_api.accounts.rules import InvalidParameter
from one_api.channels import queries
from one_api.channels.rules import DISABLED, ENABLED
from one_api.edge.api.answers import done
from one_api.edge.api.endpoint import Access, Call, post

MOST: Final = 10_000
_STATUSES: Final = {"enable": ENABLED, "disable": DISABLED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """action: enable, disable or delete. ids: the channels' numbers, separated by commas."""

    action: str = ""
    ids: str = ""


@post("/api/channel/batch", Access.ADMIN, form=Batch, answers=None)
async def change_channels(call: Call) -> Response:
    """All of them or none."""
    form = call.form(Batch)
    ids = _numbers(form.ids)
    if form.action == "delete":
        await queries.remove_all(call.parts.database, ids)
    elif form.action in _STATUSES:
        await queries.set_status(call.parts.database, ids, _STATUSES[form.action])
    else:
        raise InvalidParameter
    await call.refresh()
    return done()


def _numbers(text: str) -> frozenset[int]:
    """Raises InvalidParameter."""
    words = text.split(",")
    if len(words) > MOST or not all(word.isascii() and word.isdecimal() and len(word) < 19 for word in words):
        raise InvalidParameter
    return frozenset(map(int, words))
