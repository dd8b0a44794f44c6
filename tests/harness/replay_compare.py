"""What is different between two answers, field by field, as paths with the value expected and the value found."""

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tests.harness.client import Answer
from tests.harness.replay_lines import Json, Line, Names
from tests.harness.smtp import Mail
from tests.harness.upstream import Seen


class Missing(Enum):
    ABSENT = "absent"

    def __repr__(self) -> str:
        return "absent"


ABSENT = Missing.ABSENT
FRAMING = frozenset(("date", "content-length", "content-type"))  # the last is compared by itself
TRANSPORT = frozenset(("host", "content-length", "connection"))


@dataclass(frozen=True, slots=True)
class Difference:
    path: str
    expected: Any
    got: Any

    def __str__(self) -> str:
        return f"{self.path}: expected {show(self.expected)}, got {show(self.got)}"


def show(value: Any) -> str:
    text = repr(value) if isinstance(value, Missing | bytes) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 400 else text[:300] + f"… ({len(text)} characters)"


# --- JSON -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rules:
    """Where in a document values are free, and where the order of an array is; paths with `[*]` for any element."""

    volatile: frozenset[str] = frozenset()
    unordered: frozenset[str] = frozenset()


STRICT = Rules()


def compare_json(expected: Any, got: Any, path: str, rules: Rules = STRICT, *, root: str = "") -> Iterator[Difference]:
    """Differences below `path`. `root` is what of the path is not the document's own."""
    place = re.sub(r"\[\d+\]", "[*]", path[len(root) :].lstrip("."))
    if got is ABSENT:
        yield Difference(path, expected, got)
    elif place in rules.volatile:
        return
    elif isinstance(expected, dict) and isinstance(got, dict):
        for key in (*expected, *(key for key in got if key not in expected)):
            below = f"{path}.{key}"
            if key not in expected:
                yield Difference(below, ABSENT, got[key])
            else:
                yield from compare_json(expected[key], got.get(key, ABSENT), below, rules, root=root)
    elif isinstance(expected, list) and isinstance(got, list):
        pair = _aligned(expected, got, path, rules, root) if place in rules.unordered else got
        for number in range(max(len(expected), len(got))):
            below = f"{path}[{number}]"
            if number >= len(expected):
                yield Difference(below, ABSENT, pair[number])
            else:
                found = pair[number] if number < len(pair) else ABSENT
                yield from compare_json(expected[number], found, below, rules, root=root)
    elif type(expected) is not type(got) or expected != got:
        yield Difference(path, expected, got)


def _aligned(expected: list[Any], got: list[Any], path: str, rules: Rules, root: str) -> list[Any]:
    """The elements of `got`, those that equal an expected one at its place."""
    left, placed = list(got), list[Any]([ABSENT] * len(expected))
    for number, item in enumerate(expected):
        for candidate in left:
            if not any(compare_json(item, candidate, f"{path}[{number}]", rules, root=root)):
                placed[number] = candidate
                left.remove(candidate)
                break
    rest = iter(left)
    filled = [next(rest, ABSENT) if item is ABSENT else item for item in placed]
    return [*filled, *rest]


def compare_shape(expected: Any, got: Any, path: str) -> Iterator[Difference]:
    """Differences of keys and types only."""
    if isinstance(expected, dict) and isinstance(got, dict):
        for key in (*expected, *(key for key in got if key not in expected)):
            below = f"{path}.{key}"
            if key not in expected or key not in got:
                yield Difference(below, expected.get(key, ABSENT), got.get(key, ABSENT))
            else:
                yield from compare_shape(expected[key], got[key], below)
    elif type(expected) is not type(got):
        yield Difference(path, expected, got)


class Twice(ValueError):
    """A JSON object has a key twice, which One API never writes."""


def read_json(data: bytes) -> Any:
    """Raises ValueError."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) < len(pairs):
            raise Twice("a key is there twice")
        return dict(pairs)

    return json.loads(data, object_pairs_hook=once)


# --- answers ----------------------------------------------------------------------------------------------------------


def compare_answer(line: Line, expected: Json, answer: Answer, names: Names) -> Iterator[Difference]:
    """Everything a client sees. A loose line fixes the status and the shape of the body."""
    if answer.status != expected["status"]:
        yield Difference("status", expected["status"], answer.status)
    if not answer.complete and not expected.get("closed_before_end"):
        yield Difference("end", "complete", "cut")
    if line.loose:
        if "body" in expected:
            yield from _json_body(line, expected["body"], answer, names)
        return
    content_type = answer.header("content-type")
    if content_type != expected["content_type"]:
        yield Difference("content_type", expected["content_type"], content_type)
    yield from compare_headers(expected["headers"], answer.headers, names, "headers", ignored=FRAMING)
    yield from _body(line, expected, answer, names)


def compare_headers(
    expected: Mapping[str, str],
    got: tuple[tuple[str, str], ...],
    names: Names,
    path: str,
    *,
    ignored: frozenset[str],
) -> Iterator[Difference]:
    """Every header that was recorded, and none besides."""
    found: dict[str, list[str]] = {}
    for name, value in got:
        if name.lower() not in ignored:
            found.setdefault(canonical(name), []).append(value)
    for name, value in expected.items():
        if name.lower() in ignored:
            continue
        mine = ", ".join(found.pop(canonical(name))) if canonical(name) in found else ABSENT
        if mine is ABSENT or names.pattern(value).fullmatch(mine) is None:
            yield Difference(f"{path}.{canonical(name)}", names.fill(value), mine)
    for name, values in found.items():
        yield Difference(f"{path}.{name}", ABSENT, ", ".join(values))


def canonical(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))


def _body(line: Line, expected: Json, answer: Answer, names: Names) -> Iterator[Difference]:
    content = answer.content()
    if "body" in expected:
        yield from _json_body(line, expected["body"], answer, names)
    elif "body_text" in expected:
        yield from compare_text(names.fill(expected["body_text"]), content, line.volatile)
    elif "body_text_prefix" in expected:
        start = content[: len(expected["body_text_prefix"])].decode("utf-8", "replace")
        if start != expected["body_text_prefix"]:
            yield Difference("body_text", expected["body_text_prefix"], start)
    elif "body_base64" in expected:
        if content != base64.b64decode(expected["body_base64"]):
            yield Difference("body", base64.b64decode(expected["body_base64"]), content)
    elif content:
        yield Difference("body", "", content.decode("utf-8", "replace"))


def _json_body(line: Line, expected: Any, answer: Answer, names: Names) -> Iterator[Difference]:
    filled = names.fill_json(expected)
    try:
        got = read_json(answer.content())
    except ValueError:
        yield Difference("body", filled, answer.content().decode("utf-8", "replace"))
        return
    if line.loose:
        yield from compare_shape(filled, got, "body")
    else:
        yield from compare_json(filled, got, "body", Rules(line.volatile, line.unordered), root="body")


MADE_UP = {
    "body_text:id": (re.compile(r'("id": ?)"(?:chatcmpl-|call_)[^"]*"'), r'\1"*"'),
    "body_text:created": (re.compile(r'("created": ?)\d+'), r"\g<1>0"),
}


def compare_text(expected: str, content: bytes, volatile: frozenset[str]) -> Iterator[Difference]:
    """A text as a whole; a stream event by event, so that one made differently does not hide the others."""
    got = content.decode("utf-8", "replace")
    for name in volatile & MADE_UP.keys():
        pattern, blank = MADE_UP[name]
        expected, got = pattern.sub(blank, expected), pattern.sub(blank, got)
    if not expected.startswith("data:"):
        if expected != got:
            yield Difference("body_text", expected, got)
        return
    wanted, found = split_events(expected), split_events(got)
    for number in range(max(len(wanted), len(found))):
        one = wanted[number] if number < len(wanted) else ABSENT
        other = found[number] if number < len(found) else ABSENT
        if one != other:
            yield Difference(f"events[{number}]", one, other)


def split_events(text: str) -> list[str]:
    """Nothing is lost: what does not end an event is in the last one."""
    pieces = text.split("\n\n")
    return [*(piece + "\n\n" for piece in pieces[:-1]), *([pieces[-1]] if pieces[-1] else [])]


# --- what the upstream saw --------------------------------------------------------------------------------------------


def compare_upstream(line: Line, seen: list[Seen], names: Names) -> Iterator[Difference]:
    """The requests that were recorded, in their order. A loose line fixes their paths."""
    if len(seen) != len(line.upstream) and not line.unused:
        yield Difference("upstream.count", len(line.upstream), len(seen))
    for number, (each, request) in enumerate(zip(line.upstream, seen, strict=False)):
        path = f"upstream[{number}]"
        recorded = each["request"]
        for name, expected, got in (
            ("method", recorded["method"], request.method),
            ("path", names.fill(recorded["path"]), request.path),
            ("query", names.fill(recorded["query"]), request.query),
        ):
            if expected != got and not (name == "query" and "upstream.query" in line.volatile):
                yield Difference(f"{path}.{name}", expected, got)
        if not line.loose:
            headers = recorded.get("headers", {})
            yield from compare_headers(headers, request.headers, names, f"{path}.headers", ignored=TRANSPORT)
            yield from _sent_body(recorded, request.body, names, path)


def _sent_body(recorded: Json, got: bytes, names: Names, path: str) -> Iterator[Difference]:
    if "body" in recorded:
        filled = names.fill_json(recorded["body"])
        try:
            yield from compare_json(filled, read_json(got), f"{path}.body")
        except ValueError:
            yield Difference(f"{path}.body", filled, got)
        return
    if "body_base64" in recorded:
        expected = base64.b64decode(recorded["body_base64"])
    else:
        expected = names.fill(recorded.get("body_text", "")).encode()
    if expected != got:
        yield Difference(f"{path}.body", expected, got)


# --- mails ------------------------------------------------------------------------------------------------------------

SUBJECT = frozenset(("subject",))  # the coding of its words is free, and they are compared by themselves


def compare_mails(expected: Sequence[Json], got: Sequence[Mail], names: Names) -> Iterator[Difference]:
    """Every mail that was recorded, in their order, by what the server was told and what a reader sees."""
    if len(expected) != len(got):
        yield Difference("mails.count", len(expected), len(got))
    for number, (each, mail) in enumerate(zip(expected, got, strict=False)):
        path = f"mails[{number}]"
        headers = dict(line.split(": ", 1) for line in each["headers"])
        yield from compare_headers(headers, mail.headers, names, f"{path}.headers", ignored=SUBJECT)
        wanted = {"from": each["from"], "rcpt": each["rcpt"], "subject": each["subject_decoded"]}
        found = {
            "from": f"MAIL FROM:<{mail.sender}>",
            "rcpt": [f"RCPT TO:<{address}>" for address in mail.receivers],
            "subject": mail.subject,
            "text": mail.text,
            "links": list(mail.links),
        }
        filled = names.fill_json({**wanted, "text": each["text"], "links": each["links"]})
        yield from compare_json(filled, found, path)
