"""A recording becomes what another database answers: its bodies, its numbers, and no order where there is none."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.harness.replay_dialects import for_engine, renumbered
from tests.harness.replay_lines import Line, parse


def line(body: Any, **more: Any) -> Line:
    return parse({"id": "a", "request": {}, "response": {"status": 200, "body": body}, **more})


def translated(body: Any, there: Any, *, engine: str = "mysql", refused: Sequence[int] = (), **more: Any) -> Line:
    dialect = {"id": "a", "differs_from_sqlite": [engine], "sqlite": body, engine: there}
    (found,) = for_engine([line(body, **more)], [dialect], engine, refused)
    return found


def test_another_body_replaces_the_recorded_one() -> None:
    found = translated({"message": "one"}, {"message": "other"})
    assert (found.response, found.unordered) == ({"status": 200, "body": {"message": "other"}}, frozenset())


def test_a_body_of_another_database_is_none_of_ours() -> None:
    found = for_engine([line(1)], [{"id": "a", "differs_from_sqlite": ["postgres"], "postgres": 2}], "mysql", ())
    assert found[0].response == {"status": 200, "body": 1}


def test_the_same_rows_in_another_order_have_none() -> None:
    rows = [{"id": 1, "at": 10}, {"id": 2, "at": 20}]
    there = [{"id": 2, "at": 21}, {"id": 1, "at": 11}]
    found = translated({"data": rows}, {"data": there}, volatile=["data[*].at"])
    assert (found.response, found.unordered) == ({"status": 200, "body": {"data": rows}}, frozenset(("data",)))


def test_other_rows_are_no_other_order() -> None:
    found = translated({"data": [{"id": 1}]}, {"data": [{"id": 2}]})
    assert (found.response, found.unordered) == ({"status": 200, "body": {"data": [{"id": 2}]}}, frozenset())


@pytest.mark.parametrize(
    "here, there",
    [
        ({"id": 2, "display_name": "a"}, {"id": 2, "display_name": "a"}),
        ({"id": 3, "display_name": "a"}, {"id": 4, "display_name": "a"}),
        ({"data": [{"id": 6, "user_id": 6, "name": "token"}]}, {"data": [{"id": 6, "user_id": 8, "name": "token"}]}),
    ],
)
def test_users_have_the_numbers_they_get_there(here: Any, there: Any) -> None:
    assert renumbered(here, (3, 6)) == there


def test_users_have_the_recorded_numbers_on_sqlite() -> None:
    user = {"id": 9, "display_name": "a"}
    assert for_engine([line(user)], [], "sqlite", (3, 6))[0].response == {"status": 200, "body": user}
