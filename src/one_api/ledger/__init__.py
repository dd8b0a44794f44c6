"""Hold before the call, settle after it, once. The only code that moves quota.

Read `decide` first: what a batch does to the balances. `book` makes it one transaction, `writer` makes batches of what
the calls ask for, `front` is what the rest of the program sees. `credit` is for what has a transaction already.
"""

from one_api.ledger.credit import credit
from one_api.ledger.front import MOVE_S, Ledger
from one_api.ledger.model import Facts, Hold, HoldRequest

__all__ = ["MOVE_S", "Facts", "Hold", "HoldRequest", "Ledger", "credit"]
