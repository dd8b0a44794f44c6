"""Log rows as CSV that spreadsheets open by a double click. Pure."""

import csv
from collections.abc import Sequence
from dataclasses import astuple, fields
from datetime import UTC, datetime
from io import StringIO
from typing import Final

from one_api.accounts.logs import Log

BOM: Final = "\ufeff"  # without it Excel takes UTF-8 for something else
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_NAMES: Final = tuple(field.name for field in fields(Log))
_TIME: Final = _NAMES.index("created_at")


def table(logs: Sequence[Log]) -> str:
    """A line with the names, one for each row; times are in UTC."""
    text = StringIO()
    lines = csv.writer(text)
    lines.writerow(_NAMES)
    lines.writerows([_cell(place, value) for place, value in enumerate(astuple(log))] for log in logs)
    return BOM + text.getvalue()


def _cell(place: int, value: object) -> object:
    """A text that a spreadsheet would compute stays a text: users choose names of tokens and models."""
    if place == _TIME and isinstance(value, int):
        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value
