"""What the commands have in common: settings, exit statuses, answers for people or as JSON, and progress.

Exit statuses: 0 done, 1 it could not be done, 2 a setting or argument is wrong, 3 the server could not listen, 4 done,
and something is wrong with what was looked at.
"""

import argparse
import os
import sys
import time
from collections.abc import Mapping
from typing import Any, Final

import structlog

from one_api.config import Config
from one_api.lib import json

FAILED: Final = 1
WRONG: Final = 2
FOUND: Final = 4
EVERY_S: Final = 0.5


def configured() -> Config:
    """The settings; what libraries read from the environment is there afterwards. Raises ConfigError.

    What is logged goes to standard error until a log is set up: standard output is for answers.
    """
    structlog.configure(logger_factory=lambda *_names: structlog.PrintLogger(sys.stderr))
    config = Config.load(os.environ)
    os.environ.update(config.exported())
    if config.tz:
        time.tzset()
    return config


def parser(name: str, about: str) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog=f"one-api {name}", description=about, allow_abbrev=False)
    made.add_argument("--json", action="store_true", help="answer with one JSON object")
    return made


def say(text: str) -> None:
    print(text)  # noqa: T201  # the answer to the question


def answer(facts: Mapping[str, Any], text: str, *, as_json: bool) -> None:
    """What a command has to tell, in the form that was asked for."""
    say(json.encode(facts).decode() if as_json else text)


def complain(error: Exception | str, status: int) -> int:
    print(f"one-api: {error}", file=sys.stderr)  # noqa: T201  # whoever started it has to see it
    return status


class Progress:
    """A bar on a terminal, and nothing elsewhere: what goes to a file is the answer."""

    def __init__(self, name: str, total: int) -> None:
        self._name = name
        self._total = total
        self._done = 0
        self._shown = 0.0
        self._shows = sys.stderr.isatty()

    def advance(self, count: int) -> None:
        self._done += count
        now = time.monotonic()
        if self._shows and (now - self._shown > EVERY_S or self._done >= self._total):
            self._shown = now
            part = min(1.0, self._done / self._total) if self._total else 1.0
            bar = f"{'#' * int(part * 30):<30}"
            print(f"\r{self._name:<20} [{bar}] {self._done}/{self._total}", end="", file=sys.stderr)  # noqa: T201

    def end(self) -> None:
        if self._shows:
            print(file=sys.stderr)  # noqa: T201
