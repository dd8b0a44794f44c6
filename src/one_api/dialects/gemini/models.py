"""What a model of Google's can be told, by its name. Their API refuses what a model does not know.

Names: https://ai.google.dev/gemini-api/docs/models.
"""

import re
from typing import Final, Literal

import msgspec

_VERSION: Final = re.compile(r"gemini-(\d+)(?:\.(\d+))?")
_SILENT: Final = ("tts", "image", "embedding", "live")  # kinds of models that answer without thinking


class Abilities(msgspec.Struct, frozen=True):
    """system: whether there is a place for instructions. schema: whether JSON Schema is taken as it is, and not only a
    part of it. thinking: by a number of tokens, by a word, or not at all. always: it cannot be told not to think.
    penalties: of frequency and presence. ids: whether calls of functions bear any, and are signed.
    """

    system: bool
    schema: bool
    thinking: Literal["no", "budget", "level"]
    always: bool
    penalties: bool
    ids: bool


def abilities(model: str) -> Abilities:
    """A name without a version (`gemini-flash-latest`) stands for a recent model.

    Instructions came with 1.5: https://ai.google.dev/gemini-api/docs/text-generation#system-instructions; Gemma has no
    place for them. Thinking came with 2.5 and is told by a word from 3 on, when ids and signatures of calls came too:
    https://ai.google.dev/gemini-api/docs/thinking and .../thought-signatures. Models that think refuse penalties.
    """
    name = model.rpartition("/")[2]
    version = version_of(name)
    if version is None:
        recent = name.startswith("gemini-") and "latest" in name
        return Abilities(
            system=name.startswith("gemini-") and name != "gemini-pro" and not name.startswith("gemini-pro-vision"),
            schema=recent,
            thinking="budget" if recent else "no",
            always="pro" in name,
            penalties=not recent,
            ids=False,
        )
    thinks = version >= (2, 5) and not any(kind in name for kind in _SILENT)
    return Abilities(
        system=version >= (1, 5) and not (version < (2, 5) and "image" in name),
        schema=version >= (2, 0),
        thinking="no" if not thinks else "level" if version >= (3, 0) else "budget",
        always="pro" in name,
        penalties=version < (2, 5),
        ids=version >= (3, 0),
    )


def version_of(model: str) -> tuple[int, int] | None:
    """(2, 5) of `gemini-2.5-flash`."""
    found = _VERSION.search(model)
    return None if found is None else (int(found[1]), int(found[2] or 0))
