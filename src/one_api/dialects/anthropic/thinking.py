"""How much a model of Anthropic's shall think, and what that leaves for the answer.

https://platform.claude.com/docs/en/build-with-claude/extended-thinking: a budget is at least 1,024 tokens and less than
`max_tokens`, goes with no tool that is forced, and with no last turn of the assistant that calls a tool without the
thinking that led to it.
"""

from typing import Any, Final

from one_api import ir
from one_api.dialects.anthropic.blocks import NAME
from one_api.dialects.anthropic.models import Abilities

LEAST_BUDGET: Final = 1024
BUDGETS: Final = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 24576, "max": 32768}


def thinking(request: ir.Request, able: Abilities, default: int, losses: list[str]) -> tuple[int, dict[str, Any]]:
    """`max_tokens`, and the fields that say how to think.

    A caller's limit is what he may pay for, so it is never raised: the budget fits below it, or there is no thinking.
    """
    limit = request.limit or default
    asked = request.reasoning
    if asked is None or asked.off:
        return limit, {}
    if asked.native is not None:
        return _native(request, asked.native, default)
    reason = _obstacle(request, able)
    if reason:
        losses.append(f"reasoning: {reason}")
        return limit, {}
    if able.thinking == "adaptive":
        return limit, _adaptive(asked, able)
    budget = max(asked.budget or BUDGETS.get(asked.effort, BUDGETS["medium"]), LEAST_BUDGET)
    if request.limit is None and not request.open_ended:
        limit = default + budget
    budget = min(budget, limit - LEAST_BUDGET)
    if budget < LEAST_BUDGET:
        losses.append("reasoning: max_tokens is too small")
        return limit, {}
    return limit, {"thinking": {"type": "enabled", "budget_tokens": budget}}


def _native(request: ir.Request, native: Any, default: int) -> tuple[int, dict[str, Any]]:
    """Their own words go to them as they are; without a limit of the caller's, one that the budget fits below."""
    budget = native.get("budget_tokens")
    room = budget if type(budget) is int and budget > 0 else 0
    return request.limit or default + room, {"thinking": dict(native)}


def _adaptive(asked: ir.Reasoning, able: Abilities) -> dict[str, Any]:
    """https://platform.claude.com/docs/en/build-with-claude/effort."""
    effort = {"minimal": "low"}.get(asked.effort, asked.effort)
    if effort not in able.efforts:
        effort = "high" if effort in ("xhigh", "max") else ""
    return {"thinking": {"type": "adaptive"}, **({"output_config": {"effort": effort}} if effort else {})}


def _obstacle(request: ir.Request, able: Abilities) -> str:
    if able.thinking == "no":
        return "the model cannot think"
    if request.tools and request.choice is not None and request.choice.mode in ("any", "one"):
        return "a tool is forced"
    if able.thinking == "budget" and _calls_without_thought(request.turns):
        return "the last turn of the assistant came without its thinking"
    return ""


def _calls_without_thought(turns: tuple[ir.Turn, ...]) -> bool:
    """Whether the conversation waits for an answer to results of tools that were called without signed thinking."""
    last = next((turn for turn in reversed(turns) if turn.role == "assistant"), None)
    if last is None or not any(isinstance(block, ir.ToolCall) for block in last.blocks):
        return False
    first = last.blocks[0]
    if isinstance(first, ir.Redacted):
        return first.origin not in ("", NAME)
    return not (isinstance(first, ir.Thinking) and first.signature and first.origin in ("", NAME))
