"""Bodies that are refused: no JSON, two readings, fields nobody can price, broken encodings, doubtful forms."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from tests.e2e import wire
from tests.e2e.requests import BOUNDARY, FORM, FORM_PATHS, GOOD_FORM, JSON_ROUTES, SOUND, Route, form, part

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Case:
    """A request as bytes, and the status it has to be refused with. KEY stands for a good key.

    `more` follows the request, so many `times`.
    """

    name: str
    raw: bytes
    status: int = 400
    empty: bool = False
    more: bytes = b""
    times: int = 0


KEY = "sk-" + "K" * 48


# --- JSON: what two readers could read differently, or nobody can read ------------------------------------------------


def unreadable(route: Route) -> Iterator[tuple[str, bytes]]:
    good = route.body()
    nest = "[" * 100 + "]" * 100
    yield "not JSON", b"hello"
    yield "empty", b""
    yield "half", good[:-1]
    yield "trailing comma", good[:-1] + b",}"
    yield "data after the end", good + b"{}"
    yield "a comment", good[:-1] + b"/**/}"
    yield "single quotes", good.replace(b'"', b"'")
    yield "an array", b"[" + good + b"]"
    yield "a number", b"1"
    yield "a text", b'"model"'
    yield "a byte order mark", b"\xef\xbb\xbf" + good
    yield "UTF-16", good.decode().encode("utf-16")
    yield "bytes that are no UTF-8", route.with_raw("user", '"@"').replace(b"@", b"\xff")
    yield "a control character", route.with_raw("user", '"a\nb"')
    yield "half a surrogate pair", route.with_raw("user", r'"\ud83d"')
    yield "the wrong half", route.with_raw("user", r'"\udc00 x"')
    yield "a bad escape", route.with_raw("user", r'"\x41"')
    yield "100 levels", route.with_raw("user", nest)
    yield "100 levels of objects", route.with_raw("user", '{"a":' * 100 + "1" + "}" * 100)
    yield "100,000 levels", route.with_raw("user", "[" * 100_000)
    yield "a key twice", route.with_raw("user", '1,"user":1')
    yield "a key twice within", route.with_raw("metadata", '{"a":1,"b":{"c":1,"c":2}}')
    yield "a key twice, once escaped", route.with_raw("user", r'1,"us\u0065r":2')
    yield "a key twice, with a blank", route.with_raw("user", '1,"user" :2')
    yield "the model twice", route.with_raw("model", '"dall-e-2","model":"dall-e-3"')
    for number in ("NaN", "Infinity", "-Infinity", "1e400", "-1e999", "0x10", "01", "+1", ".5", "1.", "nan"):
        yield f"the number {number}", route.with_raw("user", number)


def look_alikes(route: Route) -> Iterator[tuple[str, bytes]]:
    for key in route.priced:
        yield f"{key} capitalised", route.with_raw(key.capitalize(), "1")
        yield f"{key} in capitals", route.with_raw(key.upper(), "1")
        if "s" in key:
            yield f"{key} with a long s", route.with_raw(key.replace("s", "\u017f", 1), "1")
        if "k" in key:
            yield f"{key} with a Kelvin sign", route.with_raw(key.replace("k", "\u212a", 1), "1")


# --- fields of the wrong type or size ---------------------------------------------------------------------------------

NOT_TEXT = ("1", "1.5", "true", "[]", "{}", '["a"]')
NOT_FLAG = ('"true"', "1", "0", "[]", "{}")
NOT_COUNT = (
    *('"1"', "true", "[]", "{}", "1.5", "1.0", "1e1", "-1"),
    *("9223372036854775808", "-9223372036854775809", "1" + "0" * 30, "1" + "0" * 5000),
)
MISTYPED: dict[str, dict[str, tuple[str, ...]]] = {
    "chat": {
        "model": NOT_TEXT,
        "stream": NOT_FLAG,
        "n": (*NOT_COUNT, "129"),
        "max_tokens": (*NOT_COUNT, "1073741824"),
        "max_completion_tokens": NOT_COUNT,
        "stream_options": ("1", '"x"', "[]", "true"),
        "temperature": ('"1"', "true", "[]", "{}"),
        "response_format": ('"json"', "[]"),
        "messages": (
            *("null", '""', "[]", "1", '"hello"', "{}", "true"),
            *("[1]", "[null]", '["hello"]', "[[]]"),
            *('[{"role":"user","content":1}]', '[{"role":"user","content":true}]', '[{"role":"user","content":{}}]'),
            *('[{"role":"user","content":[1]}]', '[{"role":"user","content":["x"]}]'),
            *('[{"role":"user","content":[null]}]', '[{"role":"user","content":[[]]}]'),
            *(
                f'[{{"role":"user","content":[{{"type":"image_url"{rest}}}]}}]'
                for rest in ("", ',"image_url":1', ',"image_url":{}', ',"image_url":{"url":1}', ',"image_url":null')
            ),
        ),
    },
    "completions": {
        "model": NOT_TEXT,
        "stream": NOT_FLAG,
        "n": NOT_COUNT,
        "max_tokens": NOT_COUNT,
        "prompt": ("null", '""', "[]"),
    },
    "embeddings": {"model": NOT_TEXT, "input": ("null", '""', "[]")},
    "engines": {"model": NOT_TEXT, "input": ("null", '""', "[]")},
    "moderations": {"model": NOT_TEXT, "input": ("null", '""', "[]")},
    "images": {
        "model": NOT_TEXT,
        "prompt": (*NOT_TEXT, "null", '""'),
        "n": (*NOT_COUNT, "11"),
        "size": (*NOT_TEXT, '"1x1"', '"1024X1024"', '"1024x1024 "'),
        "quality": ("1", "true", "[]"),
    },
    "edits": {"model": NOT_TEXT, "instruction": ("null", '""', "1", "[]"), "n": NOT_COUNT},
    "responses": {
        "model": NOT_TEXT,
        "stream": NOT_FLAG,
        "max_output_tokens": (*NOT_COUNT, "1073741824"),
        "background": ("true",),
        "input": (
            *("null", '""', "[]", "1", "{}", "true", "[1]", "[null]", '["hello"]', "[[]]", "[{}]"),
            *('[{"role":"user","content":1}]', '[{"role":"user","content":[1]}]', '[{"role":"user","content":[null]}]'),
            '[{"role":"user","content":[{"type":"input_image"}]}]',
        ),
        "tools": ("1", '"x"', "{}", "[1]", '[{"type":"web_search"}]'),
        "tool_choice": ("1", '"x"', "[]", "{}"),
    },
    "speech": {"model": NOT_TEXT, "input": ("1", "true", "[]", "{}", '"' + "x" * 4097 + '"')},
}


def json_cases() -> Iterator[Case]:
    for name, route in JSON_ROUTES.items():
        for defect, body in (*unreadable(route), *look_alikes(route)):
            yield Case(f"{name}: {defect}", route.request(KEY, body))
        for key, values in MISTYPED[name].items():
            for value in values:
                shown = value if len(value) < 80 else f"{value[:20]}.. ({len(value)})"
                yield Case(f"{name}: {key} is {shown}", route.request(KEY, route.with_raw(key, value)))
        for key in route.document:
            # Nothing of what a route needs may be missing, but for a model that has a default.
            if key == "model":
                status = {"moderations": 0, "images": 0, "speech": 503}.get(name, 503)
            else:
                status = (
                    0
                    if key in {"max_tokens", "voice", "input"} and name not in {"embeddings", "engines", "moderations"}
                    else 400
                )
            if status:
                yield Case(f"{name}: no {key}", route.request(KEY, route.body(**{key: ...})), status)
        yield from encodings(name, route.path, route.body(), "application/json")
        for kind in ("text/plain", "", "application/x-www-form-urlencoded", FORM, "APPLICATION/JSON", "text/json"):
            # One API reads no field of a body that is not declared as JSON: the model is then empty.
            status = 400 if name in {"images", "moderations", "engines"} else 503
            yield Case(f"{name}: declared as {kind or 'nothing'}", route.request(KEY, kind=kind), status)


def encodings(name: str, path: str, body: bytes, kind: str) -> Iterator[Case]:
    packed = gzip.compress(body, mtime=0)
    bomb = gzip.compress(body + b" " * (8 * MIB), mtime=0)
    double = gzip.compress(gzip.compress(b" " * (64 * MIB), mtime=0), mtime=0)
    spoiled = bytearray(packed)
    spoiled[-6] ^= 255
    damaged = {
        "is no gzip": body,
        "is empty": b"",
        "is half of it": packed[: len(packed) // 2],
        "has a wrong checksum": bytes(spoiled),
        "goes on after its end": packed + b"x",
        "is two of them": packed + packed,
        "is zlib": zlib.compress(body),
    }
    for defect, data in damaged.items():
        raw = wire.request(path, data, key=KEY, kind=kind, extra="content-encoding: gzip\r\n")
        yield Case(f"{name}: gzip that {defect}", raw, empty=True)
    for defect, data in {"a bomb": bomb, "a bomb in a bomb": double}.items():
        status = 413 if data is bomb else 400
        yield Case(
            f"{name}: gzip, {defect}",
            wire.request(path, data, key=KEY, kind=kind, extra="content-encoding: gzip\r\n"),
            status,
        )
    for coding in ("br", "zstd", "deflate", "gzip, gzip", "x"):
        raw = wire.request(path, packed, key=KEY, kind=kind, extra=f"content-encoding: {coding}\r\n")
        yield Case(f"{name}: encoded as {coding}", raw)


# --- forms ------------------------------------------------------------------------------------------------------------


def form_cases() -> Iterator[Case]:
    model = part("model", "whisper-1")
    other = part("model", "tts-1")
    bodies = {
        "empty": b"",
        "not a form": b"hello",
        "no end": model + SOUND,
        "cut in the file": GOOD_FORM[:-90],
        "cut in a header": GOOD_FORM[:40],
        "another boundary": GOOD_FORM.replace(BOUNDARY.encode(), b"b-boundary"),
        "two models": form(model, other, SOUND),
        "the same model twice": form(model, model, SOUND),
        "two files": form(model, SOUND, SOUND),
        "two formats": form(model, part("response_format", "text"), part("response_format", "json"), SOUND),
        "a model that is a file": form(part("model", "whisper-1", filename="m"), SOUND),
        "a nameless part": form(
            model, SOUND, b"--" + BOUNDARY.encode() + b"\r\nContent-Disposition: form-data\r\n\r\nx\r\n"
        ),
        "a part without headers": form(model, SOUND, b"--" + BOUNDARY.encode() + b"\r\n\r\nx\r\n"),
        "65 parts": form(*[part(f"a{n}", "b") for n in range(64)], model, SOUND),
        "two dispositions in a part": form(
            part("model", "whisper-1", extra='Content-Disposition: form-data; name="x"\r\n'), SOUND
        ),
        "two names in a part": form(model.replace(b'name="model"', b'name="model"; name="x"'), SOUND),
        "an encoded part": form(part("model", "whisper-1", extra="Content-Transfer-Encoding: base64\r\n"), SOUND),
        "a model of bytes": form(part("model", b"whisper-1\xff"), SOUND),
        "a part header with a bad byte": form(model.replace(b"Content-D", b"Content\x00D"), SOUND),
        "two ends": form(model, SOUND) + form(other),
    }
    for name, path in FORM_PATHS.items():
        for defect, body in bodies.items():
            yield Case(f"{name}: {defect}", wire.request(path, body, key=KEY, kind=FORM))
        for kind in ("multipart/form-data", "multipart/form-data; boundary=", f"{FORM}; boundary=b", f"{FORM}x"):
            yield Case(f"{name}: declared as {kind}", wire.request(path, GOOD_FORM, key=KEY, kind=kind))
        for kind in (
            "text/plain",
            "audio/mpeg",
            "",
            "application/x-www-form-urlencoded",
            "multipart/mixed; boundary=a",
        ):
            yield Case(f"{name}: declared as {kind or 'nothing'}", wire.request(path, GOOD_FORM, key=KEY, kind=kind))
        for defect, body in (("not JSON", b"hello"), ("the model twice", b'{"model":"whisper-1","model":"tts-1"}')):
            yield Case(f"{name}: as JSON, {defect}", wire.request(path, body, key=KEY))
        unread = form(part("model", "nowhere"), SOUND)
        yield Case(f"{name}: an unknown model", wire.request(path, unread, key=KEY, kind=FORM), 503)
        yield from encodings(name, path, GOOD_FORM, FORM)
