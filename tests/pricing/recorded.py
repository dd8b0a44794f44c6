"""The recorded calls of One API as test tables: one JSON object a line; `withheld` lines have no answer to compare."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent.parent / "data"


def lines(name: str) -> Iterator[dict[str, Any]]:
    """All lines of a recorded file, in order."""
    with (DATA / "recorded" / name).open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def cases(name: str) -> list[dict[str, Any]]:
    """The lines of a recorded file that have an answer."""
    return [line for line in lines(name) if "case" in line and "withheld" not in line]


def vectors(name: str) -> list[dict[str, Any]]:
    """The cases of a table of vectors."""
    found: list[dict[str, Any]] = json.loads((DATA / "vectors" / name).read_text("utf-8"))["cases"]
    return found
