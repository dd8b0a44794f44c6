"""How much a model of Google's shall think: https://ai.google.dev/gemini-api/docs/thinking."""

from typing import Any, Final

from one_api import ir
from one_api.dialects.gemini.models import Abilities

BUDGETS: Final = {"minimal": 1024, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 24576, "max": 24576}
LEVELS: Final = {"minimal": "MINIMAL", "low": "LOW", "medium": "MEDIUM", "high": "HIGH", "xhigh": "HIGH", "max": "HIGH"}
"""As Google's own layer for OpenAI's clients has them: https://ai.google.dev/gemini-api/docs/openai#thinking."""
BY_ITSELF: Final = -1
LEAST: Final = 128  # of a model that always thinks


def thinking(asked: ir.Reasoning | None, able: Abilities, losses: list[str]) -> dict[str, Any]:
    """Who asks for thinking is shown it. Without a word about it the model does as it likes, and shows nothing."""
    if asked is None:
        return {}
    if able.thinking == "no":
        losses.append("reasoning: the model cannot think")
        return {}
    native = asked.native or {}
    if asked.off:
        if able.thinking == "budget":
            return {"thinkingBudget": LEAST if able.always else 0}
        return {"thinkingLevel": "LOW" if able.always else "MINIMAL"}
    budget = asked.budget or native.get("budget_tokens")
    if able.thinking == "level":
        level = LEVELS.get(asked.effort) or (_level(budget) if type(budget) is int else "")
        if level == "MINIMAL" and able.always:
            level = "LOW"
        return {"includeThoughts": True, **({"thinkingLevel": level} if level else {})}
    if type(budget) is not int or budget <= 0:
        budget = BUDGETS.get(asked.effort, BY_ITSELF)
    return {"includeThoughts": True, "thinkingBudget": budget}


def _level(budget: int) -> str:
    return "LOW" if budget <= BUDGETS["low"] else "MEDIUM" if budget <= BUDGETS["medium"] else "HIGH"


def effort_of(level: str) -> str:
    """The word of other dialects for a level."""
    return level.lower() if level.upper() in ("MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH") else ""
