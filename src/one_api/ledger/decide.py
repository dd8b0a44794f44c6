"""What a batch of operations does to the balances: pure arithmetic, the heart of the ledger.

Rules
- No balance falls below zero. A hold is granted in full, in part or not at all; a cost above its hold takes what is
  left and the rest is `short`, the operator's loss, like the excess of an upstream's claim.
- user balance + finals + open holds = grants, before and after, for every user; the same for every limited token.
- A hold that is not open any more was settled by somebody else: that settle is False and moves nothing.
- A release (cost 0, not logged) deletes the hold and leaves no row: nothing was charged, so nothing needs to be
  remembered.
- Operations count in the order in which they came; the whole batch is one transaction.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from one_api.errors import AccessDenied, OneAPIError, QuotaExceeded, TokenQuotaExceeded, TokenRefused, Unavailable
from one_api.ledger.model import Checkpoint, Facts, Grant, Hold, HoldRequest, Operation, Settle, TokenQuota, UserQuota

ENABLED: Final = 1
EXPIRED: Final = 3
EXHAUSTED: Final = 4

Result: TypeAlias = Hold | bool | int | Exception | None
LedgerRow: TypeAlias = tuple[str | int | bool, ...]


# id, quota, status
UserRow: TypeAlias = tuple[int, int, int]
# id, user_id, status, expired_time, remain_quota, unlimited, name (read only for tokens stored as exhausted)
TokenRow: TypeAlias = tuple[int, int, int, int, int, bool, str]


@dataclass(slots=True)
class State:
    """What the database says, rows locked.

    closed: request ids among the settles whose hold is gone. booked: (key, kind) already there.
    """

    users: Iterable[UserRow]
    tokens: Iterable[TokenRow]
    closed: Collection[str] = ()
    booked: Collection[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who writes, and when (Unix seconds)."""

    instance: str
    slot: int
    now: int


@dataclass(slots=True)
class Decision:
    """The rows to write, and one result for each operation.

    users: (id, quota change, used, requests). tokens: (id, remain change, used). An exception as a result means
    refused.
    """

    results: list[Result] = field(default_factory=list)
    users: list[tuple[int, int, int, int]] = field(default_factory=list)
    tokens: list[tuple[int, int, int]] = field(default_factory=list)
    opened: dict[str, tuple[str, int, int, bool, int, str, int]] = field(default_factory=dict)
    closed: dict[str, None] = field(default_factory=dict)
    ledger: list[LedgerRow] = field(default_factory=list)
    checkpoints: dict[str, int] = field(default_factory=dict)
    unlimited: dict[int, bool] = field(default_factory=dict)


class Purse:
    """A user's balance while a batch is decided."""

    __slots__ = ("count", "id", "left", "status", "used", "was")

    def __init__(self, row: UserRow) -> None:
        self.id, self.left, self.status = row
        self.was = self.left
        self.used = self.count = 0


class Card:
    """A token's limit while a batch is decided."""

    __slots__ = ("expired_time", "id", "left", "name", "status", "touched", "unlimited", "used", "user_id", "was")

    def __init__(self, row: TokenRow) -> None:
        self.id, self.user_id, self.status, self.expired_time, self.left, self.unlimited, self.name = row
        self.was = self.left
        self.used = 0
        self.touched = False


def decide(state: State, operations: Sequence[Operation], stamp: Stamp) -> Decision:
    """Decide a batch. Rows the operations name and the state lacks do not exist."""
    batch = Batch(state, stamp)
    results = batch.decision.results
    for operation in operations:
        kind = type(operation)
        if kind is HoldRequest:
            results.append(batch.hold(operation))  # type: ignore[arg-type]  # narrowed by type(), which is cheaper than match here
        elif kind is Settle:
            results.append(batch.settle(operation))  # type: ignore[arg-type]  # as above
        else:
            results.append(batch.rare(operation))
    return batch.finish()


class Batch:
    """The state between two operations of a batch."""

    __slots__ = ("booked", "cards", "closed", "decision", "purses", "stamp")

    def __init__(self, state: State, stamp: Stamp) -> None:
        self.purses = {row[0]: Purse(row) for row in state.users}
        self.cards = {row[0]: Card(row) for row in state.tokens}
        self.closed = set(state.closed)
        self.booked = set(state.booked)
        self.stamp = stamp
        self.decision = Decision()

    def hold(self, request: HoldRequest) -> Hold | OneAPIError:
        card = self.cards.get(request.token_id)
        if card is None or card.user_id != request.user_id:
            return TokenRefused("无效的令牌")
        if card.status != ENABLED or -1 != card.expired_time < self.stamp.now:
            return refusal(card)
        purse = self.purses.get(request.user_id)
        limited = not card.unlimited
        if limited and card.left <= 0:
            return TokenRefused("该令牌额度已用尽")
        if purse is None or purse.status != ENABLED:
            return AccessDenied("用户已被封禁")
        if request.request_id in self.decision.opened:
            return Unavailable(f"request id {request.request_id!r} is in use")
        quota = min(request.most, purse.left, card.left) if limited else min(request.most, purse.left)
        if quota < request.least:
            return QuotaExceeded() if purse.left < request.least else TokenQuotaExceeded()
        purse.left -= quota
        if limited:
            card.left -= quota
        card.touched = True
        request_id = request.request_id
        self.decision.opened[request_id] = (
            request_id,
            purse.id,
            card.id,
            not limited,
            quota,
            self.stamp.instance,
            self.stamp.now,
        )
        return Hold(request_id=request_id, user_id=purse.id, token_id=card.id, unlimited=not limited, quota=quota)

    def settle(self, settle: Settle) -> bool:
        hold = settle.hold
        request_id, decision = hold.request_id, self.decision
        if request_id in self.closed:
            return False
        self.closed.add(request_id)
        if decision.opened.pop(request_id, None) is None:
            decision.closed[request_id] = None
        paid = self.pay(hold, settle.cost, counted=settle.cost > 0 or settle.facts.logged)
        if settle.cost or settle.facts.logged:
            short = settle.cost - paid + settle.facts.excess
            decision.ledger.append(self.row(request_id, "final", hold, paid, short, settle.facts))
        return True

    def pay(self, hold: Hold, cost: int, *, counted: bool) -> int:
        """Give back what the cost leaves of the hold, or take what it lacks from what is left.

        Returns what was paid.
        """
        purse = self.purses.get(hold.user_id)
        card = self.cards.get(hold.token_id)
        back = hold.quota - cost
        if back < 0:
            more = max(0, purse.left) if purse is not None else 0
            if card is not None and not hold.unlimited:
                more = min(more, max(0, card.left))
            back = -min(more, -back)
        paid = hold.quota - back
        if purse is not None:
            purse.left += back
            purse.used += paid
            purse.count += counted
        if card is not None:
            card.touched = True
            card.used += paid
            if not hold.unlimited:
                card.left += back
        return paid

    def rare(self, operation: Operation) -> Result:
        match operation:
            case Checkpoint(request_id, cost):
                self.decision.checkpoints[request_id] = cost
                return None
            case Grant(user_id=user_id, amount=amount, kind=kind, key=key, facts=facts):
                return self.credit(user_id, amount, key, kind, facts)
            case UserQuota(user_id=user_id, quota=quota, key=key, facts=facts):
                left = self.purses[user_id].left if user_id in self.purses else 0
                return self.credit(user_id, quota - left, key, "adjust", facts)
            case TokenQuota(token_id=token_id, remain_quota=remain_quota, unlimited=unlimited):
                return self.limit(token_id, remain_quota, unlimited=unlimited)
            case HoldRequest() | Settle():
                raise AssertionError("decided before")

    def credit(self, user_id: int, amount: int, key: str, kind: str, facts: Facts) -> bool:
        """False: booked before, or no such user."""
        purse = self.purses.get(user_id)
        if purse is None or (key, kind) in self.booked:
            return False
        self.booked.add((key, kind))
        moved = max(amount, -max(0, purse.left))
        purse.left += moved
        nobody = Hold(request_id=key, user_id=user_id, token_id=0, unlimited=True, quota=0)
        self.decision.ledger.append(self.row(key, kind, nobody, moved, moved - amount, facts))
        return True

    def limit(self, token_id: int, remain_quota: int, *, unlimited: bool) -> bool:
        card = self.cards.get(token_id)
        if card is None:
            return False
        card.left = remain_quota
        card.unlimited = self.decision.unlimited[token_id] = unlimited
        return True

    def row(self, request_id: str, kind: str, hold: Hold, quota: int, short: int, facts: Facts) -> LedgerRow:
        """In the order of statements.LEDGER."""
        stamp = self.stamp
        return (
            request_id,
            kind,
            stamp.instance,
            stamp.slot,
            hold.user_id,
            hold.token_id,
            facts.channel_id,
            quota,
            hold.quota,
            short,
            facts.source,
            stamp.now,
            facts.username,
            facts.token_name,
            facts.model_name,
            facts.prompt_tokens,
            facts.completion_tokens,
            facts.content,
            facts.elapsed_ms,
            facts.is_stream,
            facts.system_prompt_reset,
            facts.logged,
            facts.details,
            facts.first_ms,
        )

    def finish(self) -> Decision:
        decision = self.decision
        for user in self.purses.values():
            if user.left != user.was or user.used or user.count:
                decision.users.append((user.id, user.left - user.was, user.used, user.count))
        for card in self.cards.values():
            if card.touched or card.left != card.was:
                decision.tokens.append((card.id, card.left - card.was, card.used))
        return decision


def refusal(card: Card) -> TokenRefused:
    """One API's words for a token that is not enabled."""
    if card.status == EXHAUSTED:
        return TokenRefused(f"令牌 {card.name}（#{card.id}）额度已用尽")
    if card.status in {EXPIRED, ENABLED}:
        return TokenRefused("该令牌已过期")
    return TokenRefused("该令牌状态不可用")
