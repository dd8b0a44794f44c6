"""A recorded scenario as another database than SQLite answers it.

Only the bodies that are different there were recorded. User ids are different in all of them, and were left out of that
comparison: a name that is refused because it is taken uses up a number on PostgreSQL and MySQL.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tests.harness.replay_compare import Rules, compare_json
from tests.harness.replay_lines import Json, Line


def for_engine(lines: Iterable[Line], dialects: Iterable[Json], engine: str, refused: Sequence[int]) -> list[Line]:
    """The lines as `engine` answers them.

    dialects: the bodies by line and database. refused: the user ids that SQLite gave after a refused name.
    """
    bodies = {each["id"]: each[engine] for each in dialects if engine in each.get("differs_from_sqlite", ())}
    skipped = () if engine == "sqlite" else refused
    return [_translated(line, bodies, skipped) for line in lines]


def _translated(line: Line, bodies: Mapping[str, Any], refused: Sequence[int]) -> Line:
    if line.response is None or "body" not in line.response:
        return line
    body = renumbered(line.response["body"], refused)
    there = bodies.get(line.id, body)
    everywhere = replace(line, response={**line.response, "body": body}, unordered=line.unordered | {"data"})
    if line.id in bodies and not any(compare_json(there, body, "", Rules(line.volatile, everywhere.unordered))):
        return everywhere  # the same rows in another order: then there is none
    return replace(line, response={**line.response, "body": there})


def renumbered(value: Any, refused: Sequence[int]) -> Any:
    """A body in which every user has the id that he gets where refused names use up numbers."""
    match value:
        case list():
            return [renumbered(item, refused) for item in value]
        case dict():
            found = {key: renumbered(item, refused) for key, item in value.items()}
            names = ("id",) if "display_name" in value else ("user_id",)
            for name in names:
                if isinstance(found.get(name), int):
                    found[name] += sum(found[name] >= first for first in refused)
            return found
        case _:
            return value
