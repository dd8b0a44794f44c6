"""The ledger's values: what is asked of it, and what it answers.

Quota is counted in One API's units, whole numbers. An operation is one wish put into the writer's queue; several
share a transaction. Sizes are checked here, before queueing: a cost no price can produce is a mistake in the program.
"""

from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

MOST = 10**15
"""The largest amount the ledger moves at once; far from the end of a 64-bit column, however many are summed."""

SHORT = 191
"""Characters in a short text column, on MySQL."""

GrantKind: TypeAlias = Literal["topup", "redeem", "adjust"]


class HoldRequest(Struct, frozen=True, kw_only=True, gc=False):
    """Grants min(most, what is left); refuses if that is below `least`."""

    request_id: str
    user_id: int
    token_id: int
    unlimited: bool
    least: int
    most: int


class Hold(Struct, frozen=True, kw_only=True, gc=False):
    """Quota taken from the user, and from his token unless it was unlimited then."""

    request_id: str
    user_id: int
    token_id: int
    unlimited: bool
    quota: int


class Facts(Struct, frozen=True, kw_only=True, gc=False):
    """What the log row of a call says beside its cost.

    logged: False leaves no row in `logs`. source: how the cost is known (reported, counted, nothing, estimated,
    recovered). excess: what the upstream claimed beyond the cost; nobody is asked for it, so it is booked as `short`.
    details: JSON text, or empty. first_s: until the first content, below 0 if not known.
    """

    channel_id: int = 0
    model_name: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    content: str = ""
    username: str = ""
    token_name: str = ""
    elapsed_ms: int = 0
    first_s: float = -1.0
    is_stream: bool = False
    system_prompt_reset: bool = False
    source: str = "nothing"
    excess: int = 0
    logged: bool = True
    details: str = ""

    @property
    def first_ms(self) -> int:
        """As it is written down: 0 if not known, and never for what is."""
        return min(max(1, int(self.first_s * 1000)), MOST) if self.first_s >= 0 else 0


RELEASED = Facts(logged=False)


class Settle(Struct, frozen=True):
    hold: Hold
    cost: int
    facts: Facts


class Checkpoint(Struct, frozen=True, gc=False):
    """What a call has cost so far: a crash settles it at that, and never above its hold."""

    request_id: str
    cost: int


class Grant(Struct, frozen=True, kw_only=True, gc=False):
    """Credits a user once per (key, kind); a negative amount takes, but never more than he has."""

    user_id: int
    amount: int
    kind: GrantKind
    key: str
    facts: Facts


class UserQuota(Struct, frozen=True, kw_only=True, gc=False):
    """Sets a user's balance; the ledger books the difference as an adjustment, once per key."""

    user_id: int
    quota: int
    key: str
    facts: Facts


class TokenQuota(Struct, frozen=True, kw_only=True, gc=False):
    """Sets what a token may still spend. What its open holds give back later comes on top, as in One API."""

    token_id: int
    remain_quota: int
    unlimited: bool


Operation: TypeAlias = HoldRequest | Settle | Checkpoint | Grant | UserQuota | TokenQuota


def checked(amount: int, name: str, *, lowest: int = 0) -> int:
    """Refuse an amount that can only come from a mistake."""
    if type(amount) is not int or not lowest <= amount <= MOST:
        raise ValueError(f"{name} must be a whole number from {lowest} to {MOST}, not {amount!r}")
    return amount


def storable(facts: Facts) -> Facts:
    """The facts as any database takes them: the charge counts, whatever its description holds."""
    return replace(
        facts,
        channel_id=within(facts.channel_id),
        model_name=plain(facts.model_name)[:SHORT],
        prompt_tokens=within(facts.prompt_tokens),
        completion_tokens=within(facts.completion_tokens),
        content=plain(facts.content),
        username=plain(facts.username)[:SHORT],
        token_name=plain(facts.token_name)[:SHORT],
        elapsed_ms=within(facts.elapsed_ms),
        excess=within(facts.excess),
        source=plain(facts.source)[:16],
        details=plain(facts.details),
    )


def plain(text: str) -> str:
    """Without what PostgreSQL (NUL) or UTF-8 (half a surrogate pair) cannot hold."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def within(number: int) -> int:
    return max(-MOST, min(number, MOST))


def storable_operation(operation: Operation) -> Operation:
    if isinstance(operation, Settle | Grant | UserQuota):
        return replace(operation, facts=storable(operation.facts))
    return operation
