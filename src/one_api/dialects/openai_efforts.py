"""How much a model of OpenAI's shall think: https://developers.openai.com/api/docs/guides/reasoning."""

import re
from typing import Final

from one_api import ir

_VERSION: Final = re.compile(r"gpt-(\d+)(?:\.(\d+))?")
_WORD_FOR_NONE: Final = (5, 1)
_WORD_FOR_MORE: Final = (5, 2)


def effort(asked: ir.Reasoning, model: str, losses: list[str]) -> str:
    """The word for it, "" where there is none. Thinking cannot be turned off before GPT-5.1, only made short."""
    found = _VERSION.match(model.rpartition("/")[2])
    version = (0, 0) if found is None else (int(found[1]), int(found[2] or 0))
    if asked.off:
        if version < _WORD_FOR_NONE:
            losses.append("reasoning: it cannot be turned off")
        return "none" if version >= _WORD_FOR_NONE else "minimal" if version[0] == 5 and "codex" not in model else ""
    if asked.effort:
        most = "xhigh" if version >= _WORD_FOR_MORE else "high"
        return {"max": most, "xhigh": most}.get(asked.effort, asked.effort)
    if not asked.budget:
        return "medium"
    return "low" if asked.budget <= 4096 else "medium" if asked.budget <= 16384 else "high"
