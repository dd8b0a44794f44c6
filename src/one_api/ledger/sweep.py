"""Holds whose process is gone are settled at their checkpoint, once, whoever else tries.

The charge is what the call had cost when it was last written down, never more than its hold; the rest goes back.
"""

import logging
from collections.abc import Sequence
from typing import Final

from one_api.ledger.book import Book, MismatchError
from one_api.ledger.connection import ClashError
from one_api.ledger.model import RELEASED, Facts, Hold, Settle

log = logging.getLogger(__name__)

CHUNK: Final = 200
ORPHANS: Final = (
    "select h.request_id, h.user_id, h.token_id, h.unlimited, h.quota, h.checkpoint,"
    " coalesce(u.username, ''), coalesce(t.name, '')"
    " from holds h left join users u on u.id = h.user_id left join tokens t on t.id = h.token_id"
    " where h.request_id > ? and h.instance <> ?{others} order by h.request_id limit ?"
)
NOT_LIVING: Final = (
    " and h.instance not in (select holder from leases where name >= 'ledger:' and name < 'ledger;' and until >= {now})"
)


async def sweep(book: Book, *, alone: bool) -> int:
    """How many holds were recovered. alone: no other process can be using this database."""
    recovered, last = 0, ""
    while settles := await orphans(book, last, alone=alone):
        last = settles[-1].hold.request_id
        try:
            recovered += await post(book, settles)
        except (ClashError, MismatchError):
            for settle in settles:
                recovered += await post_alone(book, settle)
    return recovered


async def post(book: Book, settles: Sequence[Settle]) -> int:
    decision = await book.post(settles, careful=True)
    return sum(result is True for result in decision.results)


async def post_alone(book: Book, settle: Settle) -> int:
    """A hold whose charge is there already can only be given back."""
    try:
        return await post(book, [settle])
    except (ClashError, MismatchError) as error:
        log.critical("the hold of %r is given back, it cannot be settled: %s", settle.hold.request_id, error)
        return await post(book, [Settle(settle.hold, 0, RELEASED)])


async def orphans(book: Book, after: str, *, alone: bool) -> list[Settle]:
    """The next ones in the order of their ids."""
    others = "" if alone else NOT_LIVING.replace("{now}", (await book.connected()).statements.now)
    rows = await book.rows(ORPHANS.replace("{others}", others), after, book.instance, CHUNK)
    return [recovery(*row) for row in rows]


def recovery(
    request_id: str, user_id: int, token_id: int, unlimited: object, quota: int, checkpoint: int, *names: str
) -> Settle:
    cost = max(0, min(checkpoint, quota))
    facts = Facts(source="recovered", logged=cost > 0, username=names[0], token_name=names[1])
    hold = Hold(request_id=request_id, user_id=user_id, token_id=token_id, unlimited=bool(unlimited), quota=quota)
    return Settle(hold, cost, facts)
