"""A line of the log for each relayed call, with the same fields in every form of LOG_FORMAT.

A line by itself costs as much as all else that is booked of a call, so they are written together, a moment later.
"""

import logging
import re
import time
from collections.abc import Callable
from typing import Final

import msgspec

from one_api import logs
from one_api.relay.record import Record

WRITE_S: Final = 0.5

Line = Callable[[str, Record], str]

_plain = re.compile(r'[^\s"=\\\x00-\x1f\x7f]+').fullmatch
_encode = msgspec.json.Encoder().encode


class Journal:
    """Holds what is to be written. `write` is to be called twice a second, and at the end."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._waiting: list[tuple[float, Record]] = []

    def note(self, record: Record) -> None:
        """A call that is over."""
        self._waiting.append((time.time(), record))

    async def write(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            logging.getLogger(logs.LINES).info("\n".join(self._lines(waiting)))

    def _lines(self, waiting: list[tuple[float, Record]]) -> list[str]:
        made, second, stamp = [], -1, ""
        for moment, record in waiting:
            if int(moment) != second:
                second = int(moment)
                stamp = time.strftime(logs.STAMP, time.localtime(second))
            made.append(self._line(stamp, record))
        return made


def in_json(stamp: str, record: Record) -> str:
    return f'{{"timestamp":"{stamp}","level":"info","event":"call",{_encode(record)[1:].decode()}'


def in_pairs(stamp: str, record: Record) -> str:
    return f'timestamp="{stamp}" level=info event=call request_id={record.request_id} {_pairs(record)}'


def as_one_api(stamp: str, record: Record) -> str:
    """As its lines begin, with the pairs as the message."""
    return f"[INFO] {stamp} | {record.request_id} | call {_pairs(record)}"


def line(form: str) -> Line:
    """How lines are written with this LOG_FORMAT."""
    return {"json": in_json, "one-api": as_one_api}.get(form, in_pairs)


def _pairs(record: Record) -> str:
    named = f"caller_request_id={_quoted(record.caller_request_id)} " if record.caller_request_id else ""
    why = f"cause={record.cause} " if record.cause else ""
    return (
        f"{named}status={record.status} {why}mode={record.mode} model={_quoted(record.model)} user={record.user}"
        f" token={record.token} ip={_quoted(record.ip)} channel={record.channel} tries={record.tries}"
        f" stream={'true' if record.stream else 'false'} ms={record.ms} first_ms={record.first_ms}"
        f" prompt_tokens={record.prompt_tokens} completion_tokens={record.completion_tokens} quota={record.quota}"
    )


def _quoted(text: str) -> str:
    """As it is, or as JSON if it has blanks or worse: callers name models, and a line is a line."""
    return text if _plain(text) else _encode(text).decode()
