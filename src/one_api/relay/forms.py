"""Multipart forms of audio calls: where each field lies, so that one value is replaced and every other byte kept."""

from dataclasses import dataclass

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

MAX_PARTS = 64
_SINGLE = frozenset(("model", "response_format", "file"))


class InvalidForm(ValueError):
    """The body is not the multipart form its content type says, or names a field twice that may be there once."""


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    filename: str | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Form:
    """A parsed form over its own bytes."""

    body: bytes
    fields: tuple[Field, ...]

    def value(self, name: str) -> str:
        """The text of a field, "" when it is not there."""
        for field in self.fields:
            if field.name == name and field.filename is None:
                return self.body[field.start : field.end].decode("utf-8", "replace")
        return ""

    def replace(self, name: str, value: str) -> bytes:
        """The body with one field's value exchanged."""
        for field in self.fields:
            if field.name == name and field.filename is None:
                return self.body[: field.start] + value.encode() + self.body[field.end :]
        return self.body


class _Collector:
    """Callbacks of the push parser; offsets are into the body, which is fed in one piece."""

    def __init__(self) -> None:
        self.fields: list[Field] = []
        self._name = b""
        self._value = b""
        self._disposition = b""
        self._start = -1
        self._end = -1
        self.ended = False

    def begin(self) -> None:
        self._disposition, self._name, self._value = b"", b"", b""
        self._start = self._end = -1

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        self._name, self._value = b"", b""

    def data(self, _data: bytes, start: int, end: int) -> None:
        if self._start < 0:
            self._start = start
        self._end = end

    def part_end(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name")
        if name is None:
            raise InvalidForm("a part has no name")
        if len(self.fields) >= MAX_PARTS:
            raise InvalidForm(f"more than {MAX_PARTS} parts")
        filename = options.get(b"filename")
        start = max(self._start, 0)
        end = max(self._end, start) if self._start >= 0 else start
        text = None if filename is None else filename.decode("utf-8", "replace")
        self.fields.append(Field(name.decode("utf-8", "replace"), text, start, end))

    def end(self) -> None:
        self.ended = True


def parse(body: bytes, content_type: str) -> Form:
    """Raises InvalidForm."""
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if not boundary:
        raise InvalidForm("the multipart form has no boundary")
    found = _Collector()
    parser = MultipartParser(
        boundary,
        callbacks={
            "on_part_begin": found.begin,
            "on_part_data": found.data,
            "on_part_end": found.part_end,
            "on_header_field": found.header_field,
            "on_header_value": found.header_value,
            "on_header_end": found.header_end,
            "on_end": found.end,
        },
    )
    try:
        parser.write(body)
        parser.finalize()
    except MultipartParseError as error:
        raise InvalidForm(str(error)) from None
    if not found.ended:
        raise InvalidForm("the multipart form has no end")
    names = [field.name for field in found.fields]
    twice = next((name for name in names if name in _SINGLE and names.count(name) > 1), None)
    if twice is not None:
        raise InvalidForm(f"the field {twice!r} is given twice")
    return Form(body, tuple(found.fields))
