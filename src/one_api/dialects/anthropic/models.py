"""What a model of Anthropic's can be told, by its name. Their API refuses what a model does not know.

Names: https://platform.claude.com/docs/en/about-claude/models/overview.
"""

import re
from typing import Final, Literal

import msgspec

_VERSION: Final = re.compile(r"claude-(?:[a-z]+-)?(\d)(?:[-.](\d{1,2})(?!\d))?")
_RENAMED: Final = {"claude-instant-1": "claude-instant-1.1", "claude-2": "claude-2.1"}


class Abilities(msgspec.Struct, frozen=True):
    """thinking: by a budget of tokens, by the model's own measure, or not at all. sampling: all of temperature, top_p
    and top_k; only one of the first two; or none. structured: schemas for answers and strict ones for tools.
    """

    thinking: Literal["no", "budget", "adaptive"]
    sampling: Literal["all", "one", "none"]
    structured: bool
    efforts: frozenset[str] = frozenset()


_EFFORTS: Final = frozenset(("low", "medium", "high"))


def abilities(model: str) -> Abilities:
    """A model of another vendor behind the same API is taken for one that thinks by a budget.

    Thinking: 3.7 was the first, 4.6 the first with `adaptive`, and from 4.7 on a budget is refused:
    https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking. Sampling: 4.1 refuses temperature together
    with top_p, 4.7 refuses all: https://platform.claude.com/docs/en/about-claude/models/migration-guide. Schemas came
    with 4.5: https://platform.claude.com/docs/en/build-with-claude/structured-outputs.
    """
    version = version_of(model)
    if version is None:
        claude = model.rpartition("/")[2].startswith("claude")
        return abilities("claude-5") if claude else Abilities("budget", "all", structured=False)
    if version >= (4, 7):
        return Abilities("adaptive", "none", structured=True, efforts=_EFFORTS | {"xhigh"})
    if version >= (4, 6):
        return Abilities("adaptive", "one", structured=True, efforts=_EFFORTS)
    thinking: Literal["no", "budget"] = "budget" if version >= (3, 7) else "no"
    return Abilities(thinking, "one" if version >= (4, 1) else "all", structured=version >= (4, 5))


def longest(model: str, otherwise: int) -> int:
    """The most output tokens to ask for, where a long prompt shall still fit beside them.

    Models from 4.5 on end an answer that fills their window, older ones refuse a request that might:
    https://platform.claude.com/docs/en/build-with-claude/context-windows.
    """
    version = version_of(model)
    if version is None:
        return 64_000 if model.rpartition("/")[2].startswith("claude") else otherwise
    if version >= (4, 5):
        return 64_000
    return 32_000 if version >= (3, 7) else 8192 if version >= (3, 5) else otherwise


def version_of(model: str) -> tuple[int, int] | None:
    """(4, 5) of `claude-sonnet-4-5-20250929`; a date is no version."""
    found = _VERSION.search(model)
    return None if found is None else (int(found[1]), int(found[2] or 0))


def full_name(model: str) -> str:
    """One API's users may still ask for names that Anthropic no longer takes."""
    return _RENAMED.get(model, model)
