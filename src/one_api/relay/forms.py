"""Multipart forms of calls with sound or images: where each field lies, so that one value is replaced, all else kept.

What is priced is what is sent: a form that two readers could read differently is refused, as a JSON body is.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from one_api.lib import json
from one_api.routing.parameters import Fields

MAX_PARTS = 64
_TEXTS = frozenset(  # read here, so they have to be plain text
    ("model", "response_format", "prompt", "n", "size", "quality", "stream", "partial_images")
)
_SINGLE = _TEXTS | {"file", "mask"}
_PLAIN = frozenset((b"", b"7bit", b"8bit", b"binary"))

_PARAMETER = rb';[ \t]*([^\s=;"]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^\s;"]*)[ \t]*'
_PARAMETERS = re.compile(_PARAMETER)
_HEADER = re.compile(rb'[^\s=;"]+[ \t]*(?:' + _PARAMETER + rb")*;?[ \t]*")


class InvalidForm(ValueError):
    """The body is not the multipart form its content type says, or has two readings."""


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
    boundary: bytes
    fields: tuple[Field, ...]

    def value(self, name: str) -> str:
        """The text of a field, "" when it is not there."""
        for field in self.fields:
            if field.name == name:
                return self.body[field.start : field.end].decode("utf-8", "replace")
        return ""

    def files(self) -> list[str]:
        """The names of the fields that are files."""
        return [field.name for field in self.fields if field.filename is not None]

    def replace(self, name: str, value: str) -> bytes:
        """The body with one field's value exchanged, or with that field in front if it was not there."""
        for field in self.fields:
            if field.name == name:
                return self.body[: field.start] + value.encode() + self.body[field.end :]
        return self._part(name, value) + self.body

    def overridden(self, wanted: Fields) -> bytes:
        """The body with its fields as the operator of a channel wants them, as the members of a JSON body are.

        What is read here stays as it was read, and so do files; a form has no fields inside of fields.
        """
        fixed = _SINGLE | set(self.files())
        deleted = {path[0] for path in wanted.delete if len(path) == 1} - fixed
        there = {field.name.removesuffix("[]") for field in self.fields} - deleted
        default = [(path[0], value) for path, value in wanted.default if len(path) == 1 and path[0] not in there]
        added = dict([*default, *((path[0], value) for path, value in wanted.set if len(path) == 1)])
        added = {name: value for name, value in added.items() if name not in fixed}
        gone = deleted | added.keys()
        kept = b"".join(
            self._whole(field) for field in self.fields if not {field.name, field.name.removesuffix("[]")} & gone
        )
        ours = b"".join(self._part(each, text) for name, value in added.items() for each, text in _written(name, value))
        return ours + kept + b"--" + self.boundary + b"--\r\n"

    def _part(self, name: str, value: str) -> bytes:
        head = b'--%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n' % (self.boundary, _quoted(name))
        return head + value.encode() + b"\r\n"

    def _whole(self, field: Field) -> bytes:
        """A part as it came, from its delimiter to the next; in between there is none."""
        mark = b"--" + self.boundary
        return self.body[self.body.rfind(mark, 0, field.start) : self.body.find(mark, field.end)]


def _written(name: str, value: Any) -> Iterable[tuple[str, str]]:
    """A value as fields of a form: of a list there are several, as OpenAI's SDKs write it; nothing for null."""
    if isinstance(value, list):
        yield from ((name.removesuffix("[]") + "[]", _text(each)) for each in value)
    elif value is not None:
        yield name, _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.encode(value).decode()


def _quoted(name: str) -> bytes:
    """https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A").encode()


class _Collector:
    """Callbacks of the push parser; offsets are into the body, which is fed in one piece."""

    def __init__(self) -> None:
        self.fields: list[Field] = []
        self._headers: dict[bytes, bytes] = {}
        self._name = b""
        self._value = b""
        self._start = -1
        self._end = -1
        self.ended = False

    def begin(self) -> None:
        self._headers, self._name, self._value = {}, b"", b""
        self._start = self._end = -1

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        name = self._name.lower()
        if name in self._headers:
            raise InvalidForm(f"a part has the header {name.decode('latin-1')!r} twice")
        self._headers[name] = self._value
        self._name, self._value = b"", b""

    def data(self, _data: bytes, start: int, end: int) -> None:
        if self._start < 0:
            self._start = start
        self._end = end

    def part_end(self) -> None:
        if self._headers.get(b"content-transfer-encoding", b"").strip().lower() not in _PLAIN:
            raise InvalidForm("a part is encoded")
        options = _options(self._headers.get(b"content-disposition", b""))
        name, filename = options.get(b"name"), options.get(b"filename", options.get(b"filename*"))
        if name is None:
            raise InvalidForm("a part has no name")
        if len(self.fields) >= MAX_PARTS:
            raise InvalidForm(f"more than {MAX_PARTS} parts")
        start = max(self._start, 0)
        end = max(self._end, start) if self._start >= 0 else start
        text = None if filename is None else filename.decode("utf-8", "replace")
        self.fields.append(Field(name.decode("utf-8", "replace"), text, start, end))

    def end(self) -> None:
        self.ended = True


def parse(body: bytes, content_type: str) -> Form:
    """Raises InvalidForm."""
    boundary = _options(content_type.encode("latin-1")).get(b"boundary")
    if not boundary:
        raise InvalidForm("the multipart form has no boundary")
    found = _Collector()
    try:
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
        parser.write(body)
        parser.finalize()
    except MultipartParseError as error:
        raise InvalidForm(str(error)) from None
    if not found.ended:
        raise InvalidForm("the multipart form has no end")
    if body.count(b"\n--" + boundary) + body.startswith(b"--" + boundary) != len(found.fields) + 1:
        raise InvalidForm("the boundary stands inside of a part or after the end")
    _refuse_doubtful(body, found.fields)
    return Form(body, boundary, tuple(found.fields))


def _refuse_doubtful(body: bytes, fields: list[Field]) -> None:
    names = [field.name for field in fields]
    for field in fields:
        if field.name in _SINGLE and names.count(field.name) > 1:
            raise InvalidForm(f"the field {field.name!r} is given twice")
        if field.name not in _TEXTS:
            continue
        if field.filename is not None:
            raise InvalidForm(f"the field {field.name!r} is a file")
        try:
            body[field.start : field.end].decode()
        except UnicodeDecodeError:
            raise InvalidForm(f"the field {field.name!r} is not UTF-8") from None


def _options(header: bytes) -> Mapping[bytes, bytes]:
    """The parameters of a header, names in lower case. Raises InvalidForm where one is given twice."""
    if not _HEADER.fullmatch(header.strip()):
        raise InvalidForm("a header's parameters cannot be read")
    names = [name.lower() for name, _ in _PARAMETERS.findall(header)]
    if len(set(names)) < len(names) or b"name*" in names:
        raise InvalidForm("a header's parameter is given twice")
    _, options = parse_options_header(header)
    return options | {b"filename*": b""} if b"filename*" in names else options
