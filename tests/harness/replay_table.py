"""The table of differences made on purpose, as it stands in the documentation, against what a replay found.

A row of the table has four cells: what differs, why, where (paths of differences in backquotes, each optionally with
`=` and the value found), and the recorded lines (`scenario:id` in backquotes, `*` stands for any text; with
`scenario.postgres:id` only as that database answers them). A path allows itself and all below it; `*` in it stands for
one name, `**` for any number of them, `[*]` for one number. With a value it allows that value only, with a `+` at its
end only what is there in addition to One API's answer.
A row that explains nothing any more is as wrong as a difference without a row; a path that begins with `?` need not.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.harness.replay import Finding
from tests.harness.replay_compare import ABSENT
from tests.harness.replay_lines import Line, Names

OPEN = Names()
QUOTED = re.compile(r"``(.+?)``|`([^`]+)`")


class BadTable(Exception):
    """A row that cannot be read."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """One path of a row. `added`: only where One API has nothing. `pinned`: only `value`."""

    text: str
    path: re.Pattern[str]
    added: bool
    pinned: bool
    value: Any
    chance: bool

    @classmethod
    def parse(cls, text: str) -> "Allowed":
        path, equals, value = text.removeprefix("?").partition("=")
        added = path.endswith("+")
        pattern = re.escape(path.removesuffix("+")).replace(r"\[\*\]", r"\[\d+\]")
        pattern = pattern.replace(r"\*\*", ".+").replace(r"\*", r"[^.\[\]]+")
        below = "" if equals else r"(?:[.\[].*)?"
        try:
            wanted = None if not equals else ABSENT if value == "absent" else json.loads(value)
        except ValueError:
            raise BadTable(f"{text!r}: the value is not JSON") from None
        return cls(text, re.compile(pattern + below, re.DOTALL), added, bool(equals), wanted, text.startswith("?"))

    def allows(self, finding: Finding) -> bool:
        difference = finding.difference
        if self.path.fullmatch(difference.path) is None or (self.added and difference.expected is not ABSENT):
            return False
        return not self.pinned or same(self.value, difference.got)


def same(value: Any, got: Any) -> bool:
    """Equal, where `{{rid}}`, `{{cookie}}` and `{{date}}` in a text stand for any request id, cookie and date."""
    match value, got:
        case str(), str():
            return OPEN.pattern(value).fullmatch(got) is not None
        case dict(), dict():
            return value.keys() == got.keys() and all(same(item, got[key]) for key, item in value.items())
        case list(), list():
            return len(value) == len(got) and all(map(same, value, got))
        case _:
            return type(value) is type(got) and bool(value == got)


@dataclass(frozen=True, slots=True)
class Row:
    what: str
    paths: tuple[Allowed, ...]
    ids: tuple[str, ...]


def read(path: Path) -> list[Row]:
    """All rows of all tables of the document that have four cells and name recorded lines."""
    rows = []
    for line in path.read_text("utf-8").splitlines():
        cells = [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) != 4 or set(cells[0]) <= set("-: ") or cells[3] == "lines":
            continue
        paths, ids = quoted(cells[2]), quoted(cells[3])
        if not paths or not ids or not all(":" in each for each in ids):
            raise BadTable(f"{cells[0]!r} names no path or no recorded line")
        rows.append(Row(cells[0], tuple(Allowed.parse(each) for each in paths), tuple(ids)))
    return rows


def quoted(cell: str) -> list[str]:
    return [(double or single).strip() for double, single in QUOTED.findall(cell)]


def covers(glob: str, name: str) -> bool:
    return pattern_of(glob).fullmatch(name) is not None


@cache
def pattern_of(glob: str) -> re.Pattern[str]:
    return re.compile(re.escape(glob).replace(r"\*", ".*"))


def judge(findings: Iterable[Finding], rows: Sequence[Row], *scenarios: str) -> list[str]:
    """What is wrong: differences that no row explains, and rows that explain none. Empty if all is as documented.

    scenarios: the names by which rows may call the recording.
    """
    used: set[tuple[int, str]] = set()
    wrong = []
    for finding in findings:
        reasons = explanations(finding, rows, scenarios)
        used |= reasons
        if not reasons:
            wrong.append(str(finding))
    for number, row in enumerate(rows):
        mine = [each for each in row.ids if each.partition(":")[0] in scenarios]
        idle = [each for each in mine if (number, each) not in used]
        idle += [each.text for each in row.paths if mine and not each.chance and (number, each.text) not in used]
        wrong += [f"compatibility table, {row.what!r}: {each} explains nothing" for each in idle]
    return wrong


def explanations(finding: Finding, rows: Sequence[Row], scenarios: Iterable[str]) -> set[tuple[int, str]]:
    """The ids and paths of rows that allow this difference."""
    names = [f"{scenario}:{finding.line}" for scenario in scenarios]
    found: set[tuple[int, str]] = set()
    for number, row in enumerate(rows):
        ids = [each for each in row.ids if any(covers(each, name) for name in names)]
        if ids and (paths := [each.text for each in row.paths if each.allows(finding)]):
            found |= {(number, each) for each in (*ids, *paths)}
    return found


# --- the sum ----------------------------------------------------------------------------------------------------------


def tally(lines: Iterable[Line], rows: Sequence[Row], scenarios: Sequence[str], findings: Iterable[Finding]) -> str:
    """How many of the lines that are compared are how.

    A row for all lines of a recording (`scenario:*`) is about the gateway and not about a line: one that differs in
    nothing else is matched.
    """
    compared = [line.id for line in lines if line.response is not None]
    whole = {f"{scenario}:*" for scenario in scenarios}
    unexplained, special = set[str](), set[str]()
    for finding in findings:
        reasons = explanations(finding, rows, scenarios)
        if not reasons:
            unexplained.add(finding.line)
        elif not any(each in whole for _, each in reasons):
            special.add(finding.line)
    purposeful = len(special - unexplained)
    matched = len([name for name in compared if name not in unexplained | special])
    return f"matched {matched} of {len(compared)}, differing on purpose {purposeful}, differing {len(unexplained)}"
