"""The command `one-api`: the name of a command and what it takes, or One API's flags alone, which serve.

A command is the module of its name in `commands`, loaded when it is asked for: serving knows nothing of the others.
"""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import Final

COMMANDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "serve": "answer requests, as without a command",
        "migrate": "bring the database up to date and exit",
        "doctor": "look through a database, also one of One API, and change nothing",
        "adopt": "take a database of One API over; with --dry-run only say what would be done",
        "copy-db": "copy a database to an empty one, of any engine to any engine",
        "backup": "write a copy of the database to a SQLite file while it is in use",
        "user": "reset-password: give a user a new password",
        "channel": "test: try a channel as the console does",
    }
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    name = words.pop(0) if words and words[0] in COMMANDS else "serve"
    run = import_module(f"one_api.commands.{name.replace('-', '_')}").run
    return int(run(words))
