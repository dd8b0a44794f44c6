"""How often and how much may be called: the rules of the option CallLimits, and which of them hold for a call. Pure.

A rule is an object. `per` says whose calls it counts together: those of each `user`, of each `token`, of a `group`, of
a `model`, or `all`. `user`, `token` (numbers), `group` and `model` narrow it down to their calls. `requests` and
`tokens` are allowed in a minute of the clock, `parallel` at a time:

    [{"per": "user", "group": "default", "requests": 60, "tokens": 100000, "parallel": 5},
     {"per": "user", "model": "gpt-4", "requests": 3}]
"""

import hashlib
import json
from dataclasses import dataclass, fields
from typing import Any, Final

WHOSE: Final = ("user", "token", "group", "model", "all")
MOST_RULES: Final = 100
_NUMBERS: Final = ("user", "token", "requests", "tokens", "parallel")
_LIMITS: Final = ("requests", "tokens", "parallel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """0 and "" are without a limit, or without a condition."""

    per: str
    user: int = 0
    token: int = 0
    group: str = ""
    model: str = ""
    requests: int = 0
    tokens: int = 0
    parallel: int = 0


@dataclass(frozen=True, slots=True)
class Want:
    """What a call asks of one rule: to be counted under `key`, with so many tokens of the most that are allowed."""

    key: str
    rule: Rule
    cost: int


@dataclass(frozen=True, slots=True)
class CallLimits:
    rules: tuple[Rule, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.rules)

    def wants(self, *, user: int, token: int, group: str, model: str, tokens: int) -> tuple[Want, ...]:
        """The rules that hold for a call, in the order in which every process takes them."""
        whose = {"user": user, "token": token, "group": group, "model": model, "all": ""}
        found = [
            Want(_key(rule, whose[rule.per]), rule, min(tokens, rule.tokens) if rule.tokens else 0)
            for rule in self.rules
            if rule.user in (0, user)
            and rule.token in (0, token)
            and rule.group in ("", group)
            and rule.model in ("", model)
        ]
        return tuple(sorted(found, key=lambda want: want.key))


NONE: Final = CallLimits()


def parse(text: str) -> CallLimits:
    """Raises ValueError with a sentence for the administrator."""
    if not text.strip():
        return NONE
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("CallLimits 必须是 JSON 数组") from None
    if not isinstance(rows, list) or len(rows) > MOST_RULES:
        raise ValueError(f"CallLimits 必须是 JSON 数组，最多 {MOST_RULES} 条")
    rules = tuple(_rule(row, number) for number, row in enumerate(rows, 1))
    keys = [_key(rule, "") for rule in rules]
    if len(set(keys)) < len(keys):
        raise ValueError("CallLimits 有重复的规则")
    return CallLimits(rules)


def write(limits: CallLimits) -> str:
    rows = [{each.name: value for each in fields(rule) if (value := getattr(rule, each.name))} for rule in limits.rules]
    return json.dumps(rows, ensure_ascii=False) if rows else ""


def _rule(row: Any, number: int) -> Rule:
    known = {each.name for each in fields(Rule)}
    if not isinstance(row, dict) or row.get("per") not in WHOSE:
        raise ValueError(f"CallLimits 第 {number} 条：per 必须是 {', '.join(WHOSE)} 之一")
    unknown = sorted(set(row) - known)
    if unknown:
        raise ValueError(f"CallLimits 第 {number} 条：未知的字段 {', '.join(unknown)[:100]}")
    for name, value in row.items():
        right = type(value) is int and 0 <= value < 2**53 if name in _NUMBERS else type(value) is str
        if not right:
            raise ValueError(f"CallLimits 第 {number} 条：{name} 的值无效")
    if not any(row.get(name) for name in _LIMITS):
        raise ValueError(f"CallLimits 第 {number} 条：requests、tokens、parallel 至少填写一项")
    return Rule(**row)


def _key(rule: Rule, whose: object) -> str:
    """Short, of one form, and the same in every process, as long as the rule counts the same calls."""
    text = "\0".join(map(str, (rule.per, whose, rule.user, rule.token, rule.group, rule.model)))
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:40]
