"""Which models an account may use, as its provider lists them: a query out, names in. Pure.

OpenAI's form is everybody's who speaks its dialect: https://platform.openai.com/docs/api-reference/models/list. Others:
https://platform.claude.com/docs/en/api/models/list, https://ai.google.dev/api/models#method:-models.list,
https://docs.ollama.com/api/tags, https://docs.cohere.com/reference/list-models.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from one_api.errors import OneAPIError
from one_api.providers.auth import credentials, settings
from one_api.providers.catalog import provider
from one_api.providers.endpoint import Account
from one_api.providers.flows import Headers
from one_api.providers.modes import PATHS, Mode
from one_api.providers.paths import Place, Unsupported, azure

MOST: Final = 5000  # names
PAGES: Final = 20
_LONGEST: Final = 191  # what a column of the database holds


class NoList(OneAPIError):
    """The models cannot be known: HTTP 200 and a sentence for the administrator, without the key."""

    status = 200


@dataclass(frozen=True, slots=True)
class Query:
    """A GET. The headers hold the channel's key."""

    url: str
    headers: Headers

    def __repr__(self) -> str:
        return f"<Query of {self.url}>"


@dataclass(frozen=True, slots=True)
class Page:
    """Names, and what the query of the next page has to say; "" after the last."""

    names: list[Any]
    next: str = ""


_Form = tuple[str, Callable[[Any], Page]]


def query(account: Account, after: str = "") -> Query:
    """What to ask the account's provider. Raises NoList for one that has no list, or not for its key alone."""
    row = provider(account.type)
    path, _ = _form(account)
    try:
        config = settings(account.key, account.config, row.key_parts)
        headers, way = credentials(row.auth, account.key, config)
        base = (account.base_url or row.base_url or (row.home(config) if row.home else "")).rstrip("/")
    except Unsupported as error:
        raise NoList(error.message) from None
    if way is not None:
        raise NoList("该渠道类型不支持获取模型列表")
    if not base:
        raise NoList("渠道没有设置地址")
    return Query(base + (path or _below(account, base)) + after, (*headers, *row.headers))


def read(account: Account, answer: Any) -> Page:
    """The names of a decoded answer. Raises NoList for what is none."""
    _, parse = _form(account)
    try:
        page = parse(answer)
    except (KeyError, TypeError, AttributeError, IndexError):
        raise NoList("上游返回的模型列表无法识别") from None
    names = [name for name in page.names if isinstance(name, str) and 0 < len(name) <= _LONGEST and "," not in name]
    return Page(list(dict.fromkeys(names)), page.next)


def _form(account: Account) -> _Form:
    wire = provider(account.type).wires[0]
    found = _FORMS.get(wire)
    if found is None:
        raise NoList("该渠道类型不支持获取模型列表")
    return found


def _below(account: Account, base: str) -> str:
    """Where OpenAI's list is: beside its conversations. Raises NoList."""
    row = provider(account.type)
    if row.path is azure:
        return "/openai/v1/models"
    place = Place(mode=Mode.CHAT, model="m", base=base, config=account.config)
    try:
        path = row.path(place)
    except Unsupported as error:
        raise NoList(error.message) from None
    task = PATHS[Mode.CHAT].removeprefix("/v1")
    if not path.endswith(task):
        raise NoList("该渠道类型不支持获取模型列表")
    return f"{path.removesuffix(task)}/models"


def _openai(answer: Any) -> Page:
    listed = answer if isinstance(answer, list) else answer["data"]  # some answer with the bare list
    return Page([each["id"] for each in listed])


def _anthropic(answer: Any) -> Page:
    more = answer.get("has_more") is True and isinstance(answer.get("last_id"), str)
    after = f"&after_id={quote(answer['last_id'], safe='')}" if more else ""
    return Page([each["id"] for each in answer["data"]], after)


def _gemini(answer: Any) -> Page:
    token = answer.get("nextPageToken")
    return Page(
        [each["name"].removeprefix("models/") for each in answer["models"]],
        f"&pageToken={quote(token, safe='')}" if isinstance(token, str) and token else "",
    )


def _ollama(answer: Any) -> Page:
    return Page([each["name"] for each in answer["models"]])


def _cohere(answer: Any) -> Page:
    token = answer.get("next_page_token")
    return Page(
        [each["name"] for each in answer["models"]],
        f"&page_token={quote(token, safe='')}" if isinstance(token, str) and token else "",
    )


_FORMS: Final[dict[str, _Form]] = {
    "openai": ("", _openai),
    "anthropic": ("/v1/models?limit=1000", _anthropic),
    "gemini": ("/v1beta/models?pageSize=1000", _gemini),
    "ollama": ("/api/tags", _ollama),
    "cohere": ("/v1/models?page_size=1000", _cohere),
}
