"""The arithmetic alone, without a database: never negative, nothing made, nothing lost. And that these tests notice."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from msgspec import structs

from one_api.errors import OneAPIError
from one_api.ledger.decide import Decision, Stamp, State, TokenRow, UserRow, decide
from one_api.ledger.model import Facts, Grant, Hold, HoldRequest, Operation, Settle, TokenQuota, UserQuota

STAMP = Stamp(instance="test", slot=1, now=1_700_000_000)
Decide = Callable[[State, Sequence[Operation], Stamp], Decision]

amounts = st.integers(0, 300)
balances = st.integers(-50, 500)


@dataclass
class Story:
    """Users 1 and 2 with tokens 11, 12 (limited) and 13 (user 1, unlimited), open holds, and a batch."""

    users: dict[int, int]
    tokens: dict[int, int]
    open: dict[str, Hold]
    gone: set[str]
    batch: list[Operation] = field(default_factory=list)

    def state(self) -> State:
        users: list[UserRow] = [(key, quota, 1) for key, quota in self.users.items()]
        owner = {11: 1, 12: 2, 13: 1}
        tokens: list[TokenRow] = [(key, owner[key], 1, -1, left, key == 13, "") for key, left in self.tokens.items()]
        return State(users=users, tokens=tokens, closed=self.gone)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    users = {1: draw(balances), 2: draw(balances)}
    tokens = {11: draw(balances), 12: draw(balances), 13: draw(balances)}
    holds = {}
    for number in range(draw(st.integers(0, 5))):
        token = draw(st.sampled_from([11, 12, 13]))
        user = 2 if token == 12 else 1
        name = f"open{number}"
        holds[name] = Hold(request_id=name, user_id=user, token_id=token, unlimited=token == 13, quota=draw(amounts))
    gone = draw(st.sets(st.sampled_from(sorted(holds)))) if holds else set()
    story = Story(users, tokens, holds, gone)
    for number in range(draw(st.integers(1, 12))):
        story.batch.append(draw(operation(story, number)))
    return story


def operation(story: Story, number: int) -> st.SearchStrategy[Operation]:
    pairs = st.sampled_from([(1, 11), (2, 12), (1, 13)])
    facts = st.builds(Facts, logged=st.booleans())
    requests = st.builds(
        lambda pair, low, more: HoldRequest(
            request_id=f"new{number}", user_id=pair[0], token_id=pair[1], unlimited=False, least=low, most=low + more
        ),
        pairs,
        amounts,
        amounts,
    )
    grants = st.builds(
        lambda user, amount, key: Grant(user_id=user, amount=amount, kind="adjust", key=key, facts=Facts()),
        st.sampled_from([1, 2]),
        st.integers(-400, 400),
        st.sampled_from(["a", "b", "c"]),
    )
    edits = st.builds(
        lambda user, quota: UserQuota(user_id=user, quota=quota, key=f"edit{number}", facts=Facts()),
        st.sampled_from([1, 2]),
        amounts,
    )
    kinds: list[st.SearchStrategy[Operation]] = [requests, grants, edits]
    if story.open:
        kinds.append(st.builds(Settle, st.sampled_from(sorted(story.open.values(), key=str)), amounts, facts))
    return st.one_of(kinds)


def check(story: Story, decide: Decide) -> None:
    """What must hold for any batch."""
    decision = decide(story.state(), story.batch, STAMP)
    users, tokens = dict(story.users), dict(story.tokens)
    for key, change, _, _ in decision.users:
        users[key] += change
    for key, change, _ in decision.tokens:
        tokens[key] += change
    for before, after in ((story.users, users), (story.tokens, tokens)):
        for key, left in after.items():
            assert left >= min(0, before[key]), "a balance fell below zero"
    check_sums(story, decision, users, tokens)
    check_results(story, decision)


def check_sums(story: Story, decision: Decision, users: dict[int, int], tokens: dict[int, int]) -> None:
    """Balance + open holds + finals - grants is the same before and after."""
    moved: dict[int, int] = defaultdict(int)
    used: dict[int, int] = defaultdict(int)
    for row in decision.ledger:
        kind, user, token, quota, held, short = row[1], int(row[4]), int(row[5]), int(row[7]), int(row[8]), int(row[9])
        assert short >= 0
        if kind == "final":
            assert quota >= 0
            assert quota >= held or not short, "short, though the hold was not used up"
            moved[user] += quota
            used[user] += quota
            used[token] += quota
            moved[token] += 0 if token == 13 else quota
        else:
            moved[user] -= quota
    for opened in decision.opened.values():
        moved[opened[1]] += opened[4]
        moved[opened[2]] += 0 if opened[3] else opened[4]
    for name in decision.closed:
        hold = story.open[name]
        moved[hold.user_id] -= hold.quota
        moved[hold.token_id] -= 0 if hold.unlimited else hold.quota
    for key, left in (users | tokens).items():
        assert left + moved[key] == (story.users | story.tokens)[key], "quota was made or lost"
    assert {key: total for key, _, total, _ in decision.users if total} == {
        key: used[key] for key in (1, 2) if used[key]
    }
    assert {key: total for key, _, total in decision.tokens if total} == {
        key: used[key] for key in (11, 12, 13) if used[key]
    }


def check_results(story: Story, decision: Decision) -> None:
    settled: set[str] = set(story.gone)
    for operation, result in zip(story.batch, decision.results, strict=True):
        match operation, result:
            case HoldRequest(), Hold():
                assert operation.least <= result.quota <= operation.most
            case HoldRequest(), _:
                assert isinstance(result, Exception)
                assert operation.request_id not in decision.opened
            case Settle(hold=hold), _:
                assert result is (hold.request_id not in settled), "a hold was settled twice"
                settled.add(hold.request_id)


@given(stories())
@settings(max_examples=500, deadline=None)
def test_no_batch_makes_or_loses_quota_or_goes_below_zero(story: Story) -> None:
    check(story, decide)


@given(stories())
@settings(max_examples=200, deadline=None)
def test_a_batch_is_what_its_operations_are_one_by_one(story: Story) -> None:
    """A batch is only faster: each operation sees what those before it left."""
    together = decide(story.state(), story.batch, STAMP)
    users, tokens, gone = dict(story.users), dict(story.tokens), set(story.gone)
    booked: set[tuple[str, str]] = set()
    results = []
    for operation in story.batch:
        state = Story(users, tokens, story.open, gone).state()
        alone = decide(replace(state, booked=booked), [operation], STAMP)
        for key, change, _, _ in alone.users:
            users[key] += change
        for key, change, _ in alone.tokens:
            tokens[key] += change
        gone |= set(alone.closed)
        booked |= {(str(row[0]), str(row[1])) for row in alone.ledger}
        results += alone.results
    assert [comparable(result) for result in together.results] == [comparable(result) for result in results]
    assert {key: story.users[key] + sum(c for k, c, _, _ in together.users if k == key) for key in users} == users
    assert {key: story.tokens[key] + sum(c for k, c, _ in together.tokens if k == key) for key in tokens} == tokens


def comparable(result: object) -> object:
    return (type(result), str(result)) if isinstance(result, Exception) else result


@given(stories(), st.randoms())
@settings(max_examples=200, deadline=None)
def test_sums_of_settles_do_not_depend_on_their_order(story: Story, random: Random) -> None:
    """As long as every cost stays within its hold."""
    once = {
        op.hold.request_id: structs.replace(op, cost=min(op.cost, op.hold.quota))
        for op in story.batch
        if isinstance(op, Settle)
    }
    settles = list(once.values())
    shuffled = random.sample(settles, len(settles))
    first, second = (decide(story.state(), batch, STAMP) for batch in (settles, shuffled))
    assert sorted(first.users) == sorted(second.users)
    assert sorted(first.tokens) == sorted(second.tokens)


def test_a_hold_may_be_opened_and_settled_in_one_batch() -> None:
    ask = HoldRequest(request_id="new", user_id=1, token_id=11, unlimited=False, least=1, most=10)
    hold = Hold(request_id="new", user_id=1, token_id=11, unlimited=False, quota=10)
    story = Story({1: 100}, {11: 50}, {}, set(), [ask, Settle(hold, 4, Facts()), Settle(hold, 4, Facts())])
    decision = decide(story.state(), story.batch, STAMP)
    assert decision.results == [hold, True, False]
    assert (decision.opened, decision.closed) == ({}, {})
    assert (decision.users, decision.tokens) == ([(1, -4, 4, 1)], [(11, -4, 4)])


NOW = STAMP.now


@pytest.mark.parametrize(
    "owner, status, expires, left, user_status, refused",
    [
        (1, 1, -1, 5, 1, ""),
        (1, 1, NOW, 5, 1, ""),
        (1, 1, NOW - 1, 5, 1, "该令牌已过期"),
        (1, 3, -1, 5, 1, "该令牌已过期"),
        (1, 4, -1, 5, 1, "令牌 t（#11）额度已用尽"),
        (1, 2, -1, 5, 1, "该令牌状态不可用"),
        (1, 1, -1, 0, 1, "该令牌额度已用尽"),
        (2, 1, -1, 5, 1, "无效的令牌"),
        (1, 1, -1, 5, 2, "用户已被封禁"),
    ],
)
def test_who_may_hold(owner: int, status: int, expires: int, left: int, user_status: int, refused: str) -> None:
    state = State(users=[(1, 500, user_status)], tokens=[(11, owner, status, expires, left, False, "t")])
    wanted = HoldRequest(request_id="a", user_id=1, token_id=11, unlimited=False, least=0, most=10)
    (result,) = decide(state, [wanted], STAMP).results
    if refused:
        assert isinstance(result, OneAPIError)
        assert result.message == refused
    else:
        assert isinstance(result, Hold)
        assert result.quota == 5


def test_a_token_edit_is_absolute_and_later_operations_see_it() -> None:
    ask = HoldRequest(request_id="new", user_id=1, token_id=11, unlimited=False, least=80, most=80)
    edit = TokenQuota(token_id=11, remain_quota=90, unlimited=False)
    decision = decide(Story({1: 100}, {11: 5}, {}, set()).state(), [ask, edit, ask], STAMP)
    assert isinstance(decision.results[0], Exception)
    assert decision.results[1] is True
    assert isinstance(decision.results[2], Hold)
    assert decision.tokens == [(11, 5, 0)]


# Mutants: each is the ledger with one mistake, and the properties above must notice it.


def settles_again(state: State, operations: Sequence[Operation], stamp: Stamp) -> Decision:
    """Forgets that a hold was settled by somebody else."""
    return decide(replace(state, closed=()), operations, stamp)


def grants_without_looking(state: State, operations: Sequence[Operation], stamp: Stamp) -> Decision:
    """Holds without a condition."""
    users = [(key, 10**9, status) for key, _, status in state.users]
    return decide(replace(state, users=users), operations, stamp)


def ignores_the_token(state: State, operations: Sequence[Operation], stamp: Stamp) -> Decision:
    tokens = [
        (key, user, status, expires, 10**9, unlimited, name)
        for key, user, status, expires, _, unlimited, name in state.tokens
    ]
    return decide(replace(state, tokens=tokens), operations, stamp)


def decides_each_from_the_start(state: State, operations: Sequence[Operation], stamp: Stamp) -> Decision:
    """Reads, then writes: no operation of a batch sees the others."""
    whole = Decision()
    for operation in operations:
        one = decide(state, [operation], stamp)
        whole.results += one.results
        whole.users += one.users
        whole.tokens += one.tokens
        whole.ledger += one.ledger
        whole.opened |= one.opened
        whole.closed |= one.closed
    return whole


def keeps_the_rest(state: State, operations: Sequence[Operation], stamp: Stamp) -> Decision:
    """Charges the whole hold."""
    whole = [structs.replace(op, cost=op.hold.quota) if isinstance(op, Settle) else op for op in operations]
    honest = decide(state, operations, stamp)
    return replace(honest, users=decide(state, whole, stamp).users)


def forgets_the_final(state: State, operations: Sequence[Operation], stamp: Stamp) -> Decision:
    decision = decide(state, operations, stamp)
    return replace(decision, ledger=decision.ledger[:-1])


def releases_nothing(state: State, operations: Sequence[Operation], stamp: Stamp) -> Decision:
    """Leaves holds open that were settled."""
    return replace(decide(state, operations, stamp), closed={})


@pytest.mark.parametrize(
    "mutant",
    [
        settles_again,
        grants_without_looking,
        ignores_the_token,
        decides_each_from_the_start,
        keeps_the_rest,
        forgets_the_final,
        releases_nothing,
    ],
)
def test_a_broken_ledger_is_noticed(mutant: Decide) -> None:
    @given(stories())
    @settings(max_examples=1000, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
    def properties(story: Story) -> None:
        check(story, mutant)

    with pytest.raises(AssertionError):
        properties()


def test_the_excess_of_a_claim_is_booked_and_paid_by_nobody() -> None:
    hold = Hold(request_id="a", user_id=1, token_id=13, unlimited=True, quota=10)
    state = State(users=[(1, 90, 1)], tokens=[(13, 1, 1, -1, 0, True, "")])
    decision = decide(state, [Settle(hold, 15, Facts(excess=7))], STAMP)
    (row,) = decision.ledger
    assert (row[7], row[8], row[9]) == (15, 10, 7)
    assert decision.users == [(1, -5, 15, 1)]
