"""What is left on an operator's account, by the APIs that providers have for it: queries out, decoded answers in.

A provider's flow yields each query, is sent the JSON that came back, and returns the balance, in whatever unit the
provider counts. Pure. A channel with an address of its own is asked there and nowhere else: there its key belongs.
"""

import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, Final, Protocol
from urllib.parse import quote

from one_api.errors import OneAPIError
from one_api.providers.flows import Headers

UNREADABLE: Final = "上游返回的余额无法识别"
UNPAID_DAYS: Final = 100  # what an account without a payment method is asked about
USD_BY_INVOICE: Final = frozenset((1, 8))
"""Types whose balance is what they may still spend in dollars, so that nothing left means no more calls."""


class NoBalance(OneAPIError):
    """The balance cannot be known: HTTP 200 and a sentence for the administrator, without the key."""

    status = 200


class Account(Protocol):
    """What a channel knows about its provider."""

    @property
    def type(self) -> int: ...
    @property
    def base_url(self) -> str: ...
    @property
    def key(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Query:
    """A GET. The headers hold the channel's key, and so may the address."""

    url: str
    headers: Headers

    def __repr__(self) -> str:
        return "<Query of a balance>"


Flow = Generator[Query, Any, float]
_Ask = Callable[[str, "Account", date], Flow]


def flow(account: Account, today: date) -> Flow:
    """The conversation that ends with the balance of `account`. Raises NoBalance for types that have none."""
    found = _SOURCES.get(account.type)
    if found is None:
        raise NoBalance("尚未实现")
    if not account.key.isprintable():  # a line break would begin a header of its own
        raise NoBalance("渠道密钥包含无法发送的字符")
    base, ask = found
    base = (account.base_url or base).rstrip("/")
    if not base:
        raise NoBalance("渠道没有设置地址")
    return ask(base, account, today)


def supported(channel_type: int) -> bool:
    return channel_type in _SOURCES


def _bearer(account: Account) -> Headers:
    return ((b"authorization", b"Bearer " + account.key.encode()),)


def _openai(base: str, account: Account, today: date) -> Flow:
    """The limit less what was used this month; without a payment method, less all that was ever used."""
    billing, headers = f"{base}/v1/dashboard/billing", _bearer(account)
    subscription = yield Query(f"{billing}/subscription", headers)
    limit = _number(subscription, "hard_limit_usd")
    paying = bool(subscription.get("has_payment_method"))
    start = today.replace(day=1) if paying else today - timedelta(days=UNPAID_DAYS)
    usage = yield Query(f"{billing}/usage?start_date={start:%Y-%m-%d}&end_date={today:%Y-%m-%d}", headers)
    return limit - _number(usage, "total_usage") / 100


def _grants(field: str) -> _Ask:
    """OpenAI's older page of credits, as resellers copied it."""

    def ask(base: str, account: Account, _today: date) -> Flow:
        answer = yield Query(f"{base}/dashboard/billing/credit_grants", _bearer(account))
        return _number(answer, field)

    return ask


def _openai_sb(base: str, account: Account, _today: date) -> Flow:
    key = quote(account.key, safe="")
    answer = yield Query(f"{base}/sb-api/user/status?api_key={key}", _bearer(account))
    if not isinstance(answer, dict) or not answer.get("data"):
        raise NoBalance(_text(answer, "msg") or UNREADABLE)
    return _number(answer, "data", "credit")


def _aiproxy(base: str, account: Account, _today: date) -> Flow:
    answer = yield Query(f"{base}/api/report/getUserOverview", ((b"api-key", account.key.encode()),))
    if not isinstance(answer, dict) or not answer.get("success"):
        raise _told(answer, "error_code")
    return _number(answer, "data", "totalPoints")


def _openrouter(base: str, account: Account, _today: date) -> Flow:
    """What was bought less what was used. https://openrouter.ai/docs/api/api-reference/credits/get-credits."""
    answer = yield Query(f"{base}/v1/credits", _bearer(account))
    return _number(answer, "data", "total_credits") - _number(answer, "data", "total_usage")


def _deepseek(base: str, account: Account, _today: date) -> Flow:
    """The account in yuan. https://api-docs.deepseek.com/api/get-user-balance."""
    answer = yield Query(f"{base}/user/balance", _bearer(account))
    infos = answer.get("balance_infos") if isinstance(answer, dict) else None
    for info in infos if isinstance(infos, list) else ():
        if isinstance(info, dict) and info.get("currency") == "CNY":
            return _number(info, "total_balance")
    raise NoBalance("currency CNY not found")


def _siliconflow(base: str, account: Account, _today: date) -> Flow:
    """What was given and what was paid in. https://docs.siliconflow.cn/en/api-reference/userinfo/get-user-info."""
    answer = yield Query(f"{base}/v1/user/info", _bearer(account))
    if not isinstance(answer, dict) or answer.get("code") != 20000:
        raise _told(answer, "code")
    return _number(answer, "data", "totalBalance")


def _told(answer: Any, code: str) -> NoBalance:
    """What a provider says went wrong, as One API words it."""
    number = answer.get(code) if isinstance(answer, dict) else None
    return NoBalance(f"code: {number if isinstance(number, int) else 0}, message: {_text(answer, 'message')}")


def _text(answer: Any, name: str) -> str:
    found = answer.get(name) if isinstance(answer, dict) else None
    return found[:500] if isinstance(found, str) else ""


def _number(answer: Any, *path: str) -> float:
    """A finite number, or a text that is one. Raises NoBalance: what is not there is no balance of 0."""
    for name in path:
        answer = answer.get(name) if isinstance(answer, dict) else None
    if isinstance(answer, bool) or not isinstance(answer, (int, float, str)):
        raise NoBalance(UNREADABLE)
    try:
        found = float(answer)
    except (ValueError, OverflowError):
        raise NoBalance(UNREADABLE) from None
    if not math.isfinite(found):
        raise NoBalance(UNREADABLE)
    return found


_SOURCES: Final[Mapping[int, tuple[str, _Ask]]] = MappingProxyType(
    {
        1: ("https://api.openai.com", _openai),
        4: ("https://api.closeai-proxy.xyz", _grants("total_available")),
        5: ("https://api.openai-sb.com", _openai_sb),
        8: ("", _openai),
        10: ("https://aiproxy.io", _aiproxy),
        12: ("https://api.api2gpt.com", _grants("total_remaining")),
        13: ("https://api.aigc2d.com", _grants("total_available")),
        20: ("https://openrouter.ai/api", _openrouter),
        36: ("https://api.deepseek.com", _deepseek),
        44: ("https://api.siliconflow.cn", _siliconflow),
    }
)
