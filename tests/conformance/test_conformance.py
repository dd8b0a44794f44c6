"""Every feature of every dialect through every pair: nothing is dropped without a word, and the page says what is."""

import itertools
from pathlib import Path

import pytest

from one_api.dialects.inbound import INBOUND
from one_api.dialects.outbound import OUTBOUND
from tests.conformance import answers, requests
from tests.conformance.matrix import CLIENTS, WIRES, Verdict, asked, told
from tests.conformance.page import page
from tests.e2e import test_any_to_any

PAGE = Path(__file__).parent.parent.parent / "docs" / "fidelity.md"
PAIRS = list(itertools.product(CLIENTS, WIRES))


def test_all_dialects_are_in_the_matrix() -> None:
    assert (set(CLIENTS), set(WIRES)) == (set(INBOUND), set(OUTBOUND))


@pytest.mark.parametrize("client", CLIENTS)
def test_every_feature_of_a_request_has_a_case_or_is_said_to_have_none(client: str) -> None:
    for wire in WIRES:
        assert set(requests.wishes(client, wire)) == set(requests.FEATURES)


@pytest.mark.parametrize("wire", WIRES)
def test_every_feature_of_an_answer_has_a_case_or_is_said_to_have_none(wire: str) -> None:
    found = answers.answers(wire)
    assert set(found) == set(answers.FEATURES)
    assert found["text"] is not None, f"no answer of {wire} is recorded in tests/dialects/providers/{wire}"


@pytest.mark.parametrize("client, wire", PAIRS)
def test_nothing_is_dropped_without_a_word(client: str, wire: str) -> None:
    silent = [name for name in requests.FEATURES if asked(client, wire, name).verdict is Verdict.SILENT]
    assert not silent


@pytest.mark.parametrize("client, wire", PAIRS)
def test_an_answer_says_all_that_both_ends_have_words_for(client: str, wire: str) -> None:
    for name in ("text", "tool calls", "end: stop", "end: length", "end: tool calls", "usage: cached", "error"):
        assert all(cell.verdict is not Verdict.LOST for cell in told(client, wire, name)), name


def test_whatever_tells_tools_talks_to_every_vendors_sdk() -> None:
    """With thoughts, by all four of them: tests/e2e/test_any_to_any.py has each pair."""
    told = {Verdict.FORWARDED, Verdict.CARRIED}
    knows = {wire for wire in WIRES if all(asked(each, wire, "tool results").verdict in told for each in CLIENTS)}
    assert (knows, len(test_any_to_any.CLIENTS)) == (set(test_any_to_any.UPSTREAMS), len(CLIENTS))


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `make conformance`"
