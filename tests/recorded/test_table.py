"""The table of differences made on purpose: what a row allows, and that it has to be needed."""

import re
from pathlib import Path

import pytest

from tests.harness import replay_table
from tests.harness.replay import Finding
from tests.harness.replay_compare import ABSENT, Difference
from tests.harness.replay_lines import parse, read
from tests.harness.replay_table import BadTable, judge
from tests.recorded.replaying import RECORDED, TABLE

HEAD = "| what | why | where | lines |\n|---|---|---|---|\n"
RID = "202611240431151149639057525699"


def rows(tmp_path: Path, *written: str) -> list[replay_table.Row]:
    path = tmp_path / "table.md"
    path.write_text("# Title\n\n" + HEAD + "\n".join(written) + "\n\nText | with a bar.\n")
    return replay_table.read(path)


def finding(path: str, got: object = 1, *, expected: object = 0, line: str = "a.b") -> Finding:
    return Finding(line, Difference(path, expected, got))


@pytest.mark.parametrize(
    "where, difference",
    [
        ("`status`", finding("status")),
        ("`status=502`", finding("status", 502)),
        ("`body`", finding("body.error.message")),
        ("`body.*=absent`", finding("body.id", ABSENT)),
        ("`effects.**=absent`", finding("effects.user.2.quota", ABSENT)),
        ("`upstream[*].headers.Accept=absent`", finding("upstream[12].headers.Accept", ABSENT)),
        ("`headers.Etag+`", finding("headers.Etag", "x", expected=ABSENT)),
        ('`body.error.message="no (request id: {{rid}})"`', finding("body.error.message", f"no (request id: {RID})")),
        ('`body.error={"message":"a=b {{rid}}"}`', finding("body.error", {"message": f"a=b {RID}"})),
    ],
)  # fmt: skip
def test_a_row_allows_what_it_says(tmp_path: Path, where: str, difference: Finding) -> None:
    assert judge([difference], rows(tmp_path, f"| it | because | {where} | `s:a.*` |"), "s") == []


@pytest.mark.parametrize(
    "where, difference",
    [
        ("`status`", finding("content_type")),
        ("`status=502`", finding("status", 500)),
        ("`status=1`", finding("status", True)),
        ("`body.id`", finding("body.idea")),
        ("`body.*=absent`", finding("body.id", 0)),
        ("`body.*=absent`", finding("body.error.id", ABSENT)),
        ("`headers.Etag+`", finding("headers.Etag", "x", expected="y")),
        ('`body.error.message="no (request id: {{rid}})"`', finding("body.error.message", "no (request id: )")),
        ("`status`", finding("status", line="b.a")),
    ],
)
def test_a_row_allows_nothing_else(tmp_path: Path, where: str, difference: Finding) -> None:
    assert str(difference) in judge([difference], rows(tmp_path, f"| it | because | {where} | `s:a.*` |"), "s")


def test_a_row_belongs_to_its_recording(tmp_path: Path) -> None:
    found = rows(tmp_path, "| it | because | `status` | `other:a.*` |")
    assert judge([finding("status")], found, "s") == ["a.b: status: expected 0, got 1"]
    assert judge([], found, "s") == []


def test_a_row_may_belong_to_one_database(tmp_path: Path) -> None:
    found = rows(tmp_path, "| it | because | `status` | `s.postgres:a.*` |")
    assert judge([finding("status")], found, "s", "s.postgres") == []
    assert judge([finding("status")], found, "s", "s.sqlite") == ["a.b: status: expected 0, got 1"]
    assert judge([], found, "s", "s.sqlite") == []


def test_lines_are_counted(tmp_path: Path) -> None:
    """One that only differs as all do is matched; one with a difference that nothing explains is not on purpose."""
    row = rows(tmp_path, "| it | because | `headers` | `s:*` |", "| it | because | `status` | `s:a.*` `s:w.*` |")
    lines = [parse({"id": name, "request": {}, "response": {}}) for name in ("a.a", "a.b", "w.w", "wrong", "same")]
    silent = parse({"id": "silent", "request": {}, "withheld": True})
    found = [
        finding("headers.X", line="a.a"),
        finding("headers.X"),
        finding("status"),
        finding("status", line="w.w"),
        finding("body", line="w.w"),
        finding("status", line="wrong"),
    ]
    counted = replay_table.tally([*lines, silent], row, ("s",), found)
    assert counted == "matched 2 of 5, differing on purpose 1, differing 2"
    assert replay_table.tally([silent], row, ("s",), []) == "matched 0 of 0, differing on purpose 0, differing 0"


def test_a_row_without_a_difference_is_wrong(tmp_path: Path) -> None:
    found = rows(tmp_path, "| it | because | `status` `body` | `s:a.*` `s:c` |")
    assert judge([finding("status")], found, "s") == [
        "compatibility table, 'it': s:c explains nothing",
        "compatibility table, 'it': body explains nothing",
    ]


@pytest.mark.parametrize(
    "row", ["| it | because | status | `s:a` |", "| a | b | `c` | `d` |", "| a | b | `c=x` | `s:d` |"]
)
def test_a_row_that_cannot_be_read_is_an_error(tmp_path: Path, row: str) -> None:
    with pytest.raises(BadTable):
        rows(tmp_path, row)


def test_every_row_names_recorded_lines() -> None:
    """A misspelt id would otherwise only be noticed by the replay of its file, or by none."""
    files = [path for path in RECORDED.glob("*.jsonl") if not path.stem.endswith("_dialects")]
    lines = [(path.stem, line.id) for path in files for line in read(path)]
    names = {
        f"{scenario}{engine}:{name}" for scenario, name in lines for engine in ("", ".sqlite", ".postgres", ".mariadb")
    }
    globs = {glob for row in replay_table.read(TABLE) for glob in row.ids}
    assert [glob for glob in globs if not any(replay_table.covers(glob, name) for name in names)] == []


def test_every_row_says_why() -> None:
    lines = [line for line in TABLE.read_text("utf-8").splitlines() if re.match(r"\| (?!what|---|the same)", line)]
    assert len(lines) > 20
    assert all(line.split("|")[1].strip() for line in lines)
