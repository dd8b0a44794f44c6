"""Which models an account has, by provider: where it is asked, and what is read of the answer."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from one_api.providers import listing
from one_api.providers.listing import NoList


@dataclass(frozen=True)
class Account:
    type: int
    base_url: str = ""
    key: str = "k"
    config: dict[str, str] = field(default_factory=dict)


BEARER = (b"authorization", b"Bearer k")


@pytest.mark.parametrize(
    "account, url, header",
    [
        (Account(1), "https://api.openai.com/v1/models", BEARER),
        (Account(8, "https://x.example/"), "https://x.example/v1/models", BEARER),
        (Account(14), "https://api.anthropic.com/v1/models?limit=1000", (b"x-api-key", b"k")),
        (
            Account(24),
            "https://generativelanguage.googleapis.com/v1beta/models?pageSize=1000",
            (b"x-goog-api-key", b"k"),
        ),
        (Account(30, "http://127.0.0.1:11434"), "http://127.0.0.1:11434/api/tags", BEARER),
        (Account(3, "https://a.example"), "https://a.example/openai/v1/models", (b"api-key", b"k")),
        (Account(35), "https://api.cohere.ai/v1/models?page_size=1000", BEARER),
    ],
)
def test_each_is_asked_where_it_lists(account: Account, url: str, header: tuple[bytes, bytes]) -> None:
    query = listing.query(account)
    assert query.url == url
    assert header in query.headers


@pytest.mark.parametrize(
    "account, answer, names, after",
    [
        (Account(1), {"data": [{"id": "b"}, {"id": "a"}, {"id": "b"}, {"id": "x,y"}, {"id": ""}]}, ["b", "a"], ""),
        (Account(1), [{"id": "a"}], ["a"], ""),
        (Account(14), {"data": [{"id": "c"}], "has_more": True, "last_id": "c&d"}, ["c"], "&after_id=c%26d"),
        (Account(14), {"data": [{"id": "c"}], "has_more": False, "last_id": "c"}, ["c"], ""),
        (Account(24), {"models": [{"name": "models/g"}], "nextPageToken": "t"}, ["g"], "&pageToken=t"),
        (Account(30), {"models": [{"name": "llama3:8b"}]}, ["llama3:8b"], ""),
        (Account(35), {"models": [{"name": "command"}]}, ["command"], ""),
    ],
)
def test_names_are_read(account: Account, answer: Any, names: list[str], after: str) -> None:
    page = listing.read(account, answer)
    assert (page.names, page.next) == (names, after)


@pytest.mark.parametrize("answer", [None, 1, "x", {}, {"data": None}, {"data": [{"name": "x"}]}, {"data": [1]}])
def test_what_is_no_list_is_said(answer: Any) -> None:
    with pytest.raises(NoList, match="无法识别"):
        listing.read(Account(1), answer)


@pytest.mark.parametrize("account", [Account(8), Account(15, key="a|b"), Account(18), Account(34), Account(43)])
def test_those_without_a_list_say_so(account: Account) -> None:
    with pytest.raises(NoList):
        listing.query(account)
