"""What root and users are told of: a subject and a piece of HTML, in which every word of others is only text. Pure."""

from typing import Final

from one_api.notify import Html, paragraphs
from one_api.notify.card import escaped, link
from one_api.routing import Channel
from one_api.routing.health import Rate

CHANNEL: Final = "渠道状态变更提醒"
QUOTA: Final = "额度提醒"
TESTED: Final = ("渠道测试完成", paragraphs("渠道测试完成，如果没有收到禁用通知，说明所有渠道都正常"))
MOST: Final = 500  # characters of somebody else's text

Notice = tuple[str, Html]


def disabled(channel: Channel, reason: str) -> Notice:
    return CHANNEL, paragraphs(f"{_named(channel)}已被禁用。", f"原因：{_line(reason)}")


def key_disabled(channel: Channel, left: int, reason: str) -> Notice:
    """Of several keys one; without any the channel is out of use too."""
    rest = f"剩余可用密钥 {left} 个。" if left else "已没有可用密钥，渠道已被禁用。"
    return CHANNEL, paragraphs(f"{_named(channel)}的密钥 {channel.number} 已被禁用。", f"原因：{_line(reason)}", rest)


def key_enabled(channel: Channel) -> Notice:
    return CHANNEL, paragraphs(f"{_named(channel)}的密钥 {channel.number} 已被重新启用。")


def ejected(channel: Channel, rate: Rate, threshold: float) -> Notice:
    share = f"<strong>{rate.share:.2%}</strong>，低于系统阈值 <strong>{threshold:.2%}</strong>"
    reason = Html(f"原因：该渠道最近 {rate.calls} 次调用成功率为 {share}。")
    return CHANNEL, paragraphs(f"{_named(channel)}已被系统自动禁用。", reason)


def enabled(channel: Channel) -> Notice:
    return CHANNEL, paragraphs(f"{_named(channel)}已被重新启用。")


def slow(channel: Channel, reason: str) -> Notice:
    return f"渠道 {_line(channel.name)} （{channel.id}）测试超时", paragraphs(_line(reason))


def quota(left: int, *, server_address: str) -> Notice:
    """For a user whose balance is low, or used up."""
    state = "您的额度即将用尽" if left > 0 else "您的额度已用尽"
    address = _line(server_address).rstrip("/") + "/topup"
    where = Html(f"充值链接：{link(address)}")
    said = Html(f"{escaped(state)}，当前剩余额度为 <strong>{left}</strong>。为了不影响您的使用，请及时充值。")
    return QUOTA, paragraphs(said, where)


def too_slow(elapsed_ms: int, threshold_s: float) -> str:
    """Why a channel is disabled whose test took too long."""
    return f"响应时间 {elapsed_ms / 1000:.2f}s 超过阈值 {threshold_s:.2f}s"


def _named(channel: Channel) -> str:
    return f"渠道「{_line(channel.name)}」（#{channel.id}）"


def _line(text: str) -> str:
    """One line of it, as long as anybody reads."""
    kept = "".join(character if character.isprintable() else " " for character in text[:MOST])
    return kept if len(text) <= MOST else f"{kept}…"
