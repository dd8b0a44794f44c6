"""The guides name settings, commands, files and headings that exist, and say the same in both languages."""

import re
from pathlib import Path

import pytest

from one_api.cli import COMMANDS
from one_api.config import Config

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "docs/guide"
PAGES = [ROOT / "README.md", ROOT / "README.zh.md", ROOT / "docs/reliability.md", *sorted(GUIDE.rglob("*.md"))]
SETTINGS = {name for name, _, _ in Config.variables()}
BLOCK = re.compile(r"^```(?:sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_what_a_page_names_exists(page: Path) -> None:
    text = page.read_text()
    assert set(re.findall(r"\b(?!MYSQL_|POSTGRES_)[A-Z]+(?:_[A-Z]+)+\b", text)) <= SETTINGS
    assert set(re.findall(r"^\s*one-api ([a-z][a-z-]*)", text, re.MULTILINE)) <= set(COMMANDS)
    for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", text):
        assert (page.parent / target).exists(), target
    for file in re.findall(r"\b(?:deploy/[\w./@-]*\w|requirements\.txt)", text):
        assert (ROOT / file).exists(), file


@pytest.mark.parametrize("page", sorted((GUIDE / "en").glob("*.md")), ids=name)
def test_both_languages_have_the_same_commands_and_headings(page: Path) -> None:
    english, chinese = page.read_text(), (GUIDE / "zh" / page.name).read_text()
    assert BLOCK.findall(english) == BLOCK.findall(chinese)
    assert re.findall(r"^#+ ", english, re.MULTILINE) == re.findall(r"^#+ ", chinese, re.MULTILINE)
    assert english.count("\n|") == chinese.count("\n|")


def test_the_readme_in_chinese_has_the_same_commands() -> None:
    english, chinese = ((ROOT / file).read_text() for file in ("README.md", "README.zh.md"))
    assert BLOCK.findall(english) == BLOCK.findall(chinese)
