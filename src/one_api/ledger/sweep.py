"""Holds whose process is gone are settled at their checkpoint, once, whoever else tries.

The charge is what the call had cost when it was last written down, never more than its hold; the rest goes back.
"""

from typing import Final

from one_api.ledger.book import Book
from one_api.ledger.model import Facts, Hold, Settle

CHUNK: Final = 200
ORPHANS: Final = (
    "select h.request_id, h.user_id, h.token_id, h.unlimited, h.quota, h.checkpoint, coalesce(u.username, ''), coalesce(t.name, '')"
    " from holds h left join users u on u.id = h.user_id left join tokens t on t.id = h.token_id"
    " where h.instance {} order by h.request_id limit ?"
)
ALONE: Final = "<> ?"
AMONG_OTHERS: Final = "<> ? and h.instance not in (select holder from leases where name >= 'ledger:' and name < 'ledger;' and until >= {now})"


async def sweep(book: Book, *, alone: bool) -> int:
    """How many holds were recovered. alone: no other process can be using this database."""
    recovered = 0
    while settles := await orphans(book, alone=alone):
        decision = await book.post(settles, careful=True)
        recovered += sum(result is True for result in decision.results)
    return recovered


async def orphans(book: Book, *, alone: bool) -> list[Settle]:
    which = ALONE if alone else AMONG_OTHERS.replace("{now}", (await book.connected()).statements.now)
    rows = await book.rows(ORPHANS.replace("{}", which), book.instance, CHUNK)
    return [recovery(*row) for row in rows]


def recovery(
    request_id: str,
    user_id: int,
    token_id: int,
    unlimited: bool,
    quota: int,
    checkpoint: int,
    username: str,
    token_name: str,
) -> Settle:
    cost = max(0, min(checkpoint, quota))
    facts = Facts(source="recovered", logged=cost > 0, username=username, token_name=token_name)
    hold = Hold(request_id=request_id, user_id=user_id, token_id=token_id, unlimited=bool(unlimited), quota=quota)
    return Settle(hold, cost, facts)
