"""What others wrote is only text in a notice."""

import re

import pytest

from one_api.notify import Html
from one_api.relay import notices
from one_api.relay.notices import Notice
from one_api.routing import Channel
from one_api.routing.health import Rate

PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "&lt;b&gt;",
    "</p></body></html><h1>",
    "javascript:alert(1)",
    "a\r\nBcc: everybody@example.com",
]


def channel(name: str) -> Channel:
    return Channel(
        id=7, type=1, name=name, key="k", base_url="", models=(), groups=(), priority=0, weight=0, mapping={},
        system_prompt="", config={}, status=1,
    )  # fmt: skip


def tags(content: str) -> set[str]:
    return set(re.findall(r"</?(\w+)", content))


def every(payload: str) -> list[Notice]:
    return [
        notices.disabled(channel(payload), payload),
        notices.enabled(channel(payload)),
        notices.ejected(channel(payload), Rate(10, 3), 0.8),
        notices.slow(channel(payload), payload),
        notices.quota(5, server_address=payload),
    ]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_of_others_is_markup_or_a_header(payload: str) -> None:
    for subject, content in every(payload):
        assert isinstance(content, Html)
        assert tags(content) <= {"p", "strong", "a"}
        assert content.count('"') in {0, 2}  # of the one link
        assert "\n" not in subject
        assert "\r" not in subject


def test_what_they_say() -> None:
    assert notices.disabled(channel("main"), "no credit") == (
        "渠道状态变更提醒",
        "<p>渠道「main」（#7）已被禁用。</p>\n<p>原因：no credit</p>",
    )
    _, content = notices.ejected(channel("main"), Rate(10, 3), 0.8)
    assert all(fact in content for fact in ("#7", "已被系统自动禁用", "10", "30.00%", "80.00%"))
    assert "已被重新启用" in notices.enabled(channel("main"))[1]
    assert notices.slow(channel("main"), notices.too_slow(6200, 5)) == (
        "渠道 main （7）测试超时",
        "<p>响应时间 6.20s 超过阈值 5.00s</p>",
    )
    low, empty = (notices.quota(left, server_address="https://gw.example/") for left in (999, 0))
    assert low[0] == "额度提醒"
    assert "您的额度即将用尽" in low[1]
    assert 'href="https://gw.example/topup"' in low[1]
    assert "您的额度已用尽" in empty[1]


def test_a_long_reason_is_cut() -> None:
    assert len(notices.disabled(channel("main"), "x" * 100_000)[1]) < 1000
