"""What is priced is what is sent: all readers of a body agree with its price, or it is refused."""

import email
import email.policy
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.e2e import wire
from tests.e2e.requests import BOUNDARY, FORM, SOUND, form
from tests.e2e.world import World, open_world
from tests.harness import servers
from tests.harness.scripted import DONE, Received, Turn, chunk, completion

pytestmark = pytest.mark.anyio

# Output so dear that the hold says for how much of it there was room, and of which model.
DEARNESS = {"cheap": 1_000, "dear": 2_000, "dearest": 4_000}
DEFAULT_OUTPUT = 4096


@dataclass(frozen=True, slots=True)
class Site:
    """A world, a key that can pay, and how often bodies got which status."""

    world: World
    key: str
    seen: Counter[int] = field(default_factory=Counter)
    forms: Counter[int] = field(default_factory=Counter)


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    directory = tmp_path_factory.mktemp("priced")
    async with open_world(directory, servers.sqlite(directory)) as world:
        world.root.option("ModelRatio", json.dumps({**dict.fromkeys(DEARNESS, 1), "whisper-1": 15}))
        world.root.option("CompletionRatio", json.dumps(DEARNESS))
        world.channel("up", ",".join([*DEARNESS, "whisper-1", "whisper-dear"]))
        yield Site(world, world.root.user("alice", 10**15).token())


@pytest.fixture(autouse=True)
def playing(fresh: None, site: Site) -> None:
    site.world.upstream.scripts["up"] = play


async def play(turn: Turn) -> None:
    """Answer as the last of two equal keys asks for."""
    if turn.request.target.endswith("transcriptions"):
        await turn.reply(200, b'{"text":"hello"}')
    elif turn.request.json().get("stream"):
        await turn.events(chunk("hi") + chunk(finish="stop") + DONE)
        await turn.end()
    else:
        await turn.reply(200, completion())


# --- readers ----------------------------------------------------------------------------------------------------------


class Typed(msgspec.Struct):
    """The fields as a typed reader declares them."""

    model: str | None = None
    n: int | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stream: bool | None = None


FIELDS = ("model", "n", "max_tokens", "max_completion_tokens", "stream")


def last_wins(body: bytes) -> dict[str, Any]:
    value = json.loads(body)
    return {name: value.get(name) for name in FIELDS}


def first_wins(body: bytes) -> dict[str, Any]:
    value = json.loads(body, object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    return {name: value.get(name) for name in FIELDS}


def typed(body: bytes) -> dict[str, Any]:
    return msgspec.structs.asdict(msgspec.json.decode(body, type=Typed))


def any_case(body: bytes) -> dict[str, Any]:
    """As Go reads: the last key that is equal when its case is folded."""
    value = json.loads(body, object_pairs_hook=lambda pairs: {key.casefold(): item for key, item in pairs})
    return {name: value.get(name) for name in FIELDS}


# --- bodies -----------------------------------------------------------------------------------------------------------


def spellings(key: str) -> st.SearchStrategy[str]:
    """A key as JSON text: mostly as it is, else escaped, in another case, or with letters that fold into it."""
    escaped = st.integers(0, len(key) - 1).map(lambda at: f'"{key[:at]}\\u{ord(key[at]):04x}{key[at + 1 :]}"')
    odd = st.sampled_from(
        [key.upper(), key.title(), key.replace("s", "ſ"), key.replace("k", "\u212a"), f"{key} ", f"\ufeff{key}"]
    )
    plain = st.just(json.dumps(key))
    return st.one_of(plain, plain, plain, plain, escaped, odd.map(lambda name: json.dumps(name, ensure_ascii=False)))


counts = st.one_of(
    st.integers(1, 9).map(str),
    st.integers(-2, 200).map(str),
    st.sampled_from(
        ["1.0", "2e0", "1E1", '"3"', "true", "null", "[]", "-0", "0", "1e400", "NaN", str(2**63), str(10**30), "007"]
    ),
)
flags = st.sampled_from(["true", "false", "true", "false", "null", "1", '"true"', "True"])
models = st.sampled_from([*map(json.dumps, DEARNESS), r'"che\u0061p"', '"unknown"', "1", "null", '"cheap "'])
texts = st.text(max_size=8).map(json.dumps)
junk = st.recursive(
    st.one_of(st.sampled_from(["1", "true", "null", "1.5e3", '"\\":"', '":1,\\"n\\":9"', '"\\ud83d"', "[]"]), texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]"),
        st.lists(st.tuples(st.sampled_from(['"n"', '"a"', '"b" ', '"model"']), inner), max_size=3).map(
            lambda items: "{" + ",".join(f"{key}:{item}" for key, item in items) + "}"
        ),
    ),
    max_leaves=5,
)
VALUES = {"model": models, "n": counts, "max_tokens": counts, "max_completion_tokens": counts, "stream": flags}


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """A chat request in every notation; some fields twice."""
    names = draw(st.lists(st.sampled_from([*FIELDS, "user", "metadata"]), max_size=4))
    members = [(draw(spellings(name)), draw(VALUES.get(name, junk))) for name in names]
    if "model" not in names:
        members.append(('"model"', json.dumps(draw(st.sampled_from(list(DEARNESS))))))
    members.append(('"messages"', '[{"role":"user","content":' + draw(texts) + "}]"))
    blank = draw(st.sampled_from(["", " ", "\n\t", "\r\n", "\u00a0"]))
    text = f",{blank}".join(f"{key}{blank}:{blank}{value}" for key, value in draw(st.permutations(members)))
    tail = draw(st.sampled_from(["", "", "", "", "\n", ",", "{}", "\0"]))
    return (draw(st.sampled_from(["", "", "", "", "\ufeff"])) + "{" + text + "}" + tail).encode(
        "utf-8", "surrogatepass"
    )


# --- the tests --------------------------------------------------------------------------------------------------------


async def outcome(site: Site, data: bytes) -> tuple[wire.Reply, Received | None]:
    """The answer, and what arrived; who is refused pays nothing and reaches nobody."""
    world = site.world
    before = await world.books.fingerprint()
    world.upstream.received.clear()
    reply = await world.ask(data)
    if reply.status == 200:
        (received,) = world.upstream.received
        return reply, received
    assert reply.status in {400, 503}, reply
    assert not world.upstream.received
    assert await world.books.fingerprint() == before
    return reply, None


@settings(max_examples=300, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=bodies())
async def test_all_readers_of_a_body_read_what_was_priced(site: Site, body: bytes) -> None:
    reply, received = await outcome(site, wire.request("/v1/chat/completions", body, key=site.key))
    site.seen[reply.status] += 1
    if received is None:
        return
    read = last_wins(received.body)
    assert typed(received.body) == read
    assert first_wins(received.body) == read
    assert any_case(received.body) == read
    row = await site.world.books.last_final()
    assert row.model_name == read["model"]
    assert row.is_stream == bool(read["stream"])
    limit = max(read["max_tokens"] or 0, read["max_completion_tokens"] or 0) or DEFAULT_OUTPUT
    assert row.held // DEARNESS[read["model"]] == limit * (read["n"] or 1)


# --- forms ------------------------------------------------------------------------------------------------------------

SPOKEN = ("whisper-1", "whisper-dear")


def by_mail(body: bytes, kind: str) -> list[bytes]:
    """The models in a form as the standard library's reader of messages finds them, encodings undone."""
    whole = email.message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body, policy=email.policy.HTTP)
    parts = [part for part in whole.iter_parts() if part.get_param("name", header="content-disposition") == "model"]
    return [bytes(part.get_payload(decode=True)) for part in parts]


def by_eye(body: bytes) -> list[bytes]:
    """The same as a reader finds them who looks for the boundary anywhere."""
    parts = [part.partition(b"\r\n\r\n") for part in body.split(b"--" + BOUNDARY.encode())]
    return [value.removesuffix(b"\r\n") for head, _, value in parts if re.search(rb'name="?model"?(;|\s|$)', head)]


@st.composite
def forms(draw: st.DrawFn) -> tuple[bytes, str]:
    """A form in every notation, and its content type."""

    def field(name: str) -> bytes:
        named = draw(
            st.sampled_from([f'name="{name}"'] * 4 + [f"name={name}", f'name="x"; name="{name}"', f"name*={name}"])
        )
        more = draw(st.sampled_from([""] * 6 + ['; filename="m"', "; filename*=utf-8''m"]))
        head = draw(st.sampled_from(["Content-Disposition"] * 4 + ["content-disposition", "CONTENT-DISPOSITION"]))
        extra = draw(
            st.sampled_from(
                [""] * 6
                + ["Content-Transfer-Encoding: quoted-printable\r\n", "Content-Type: text/plain\r\n"]
                + ['Content-Disposition: form-data; name="model"\r\n']
            )
        )
        value = draw(
            st.sampled_from(
                [*SPOKEN] * 3 + ["whisper-1\r\n--a-bound", f"whisper-1\r\n--{BOUNDARY}x", "whisper=2D1", ""]
            )
        )
        line = draw(st.sampled_from(["\r\n"] * 6 + ["\n"]))
        return f"--{BOUNDARY}{line}{head}: form-data; {named}{more}{line}{extra}{line}{value}{line}".encode()

    names = draw(st.lists(st.sampled_from(["model", "model", "prompt", "temperature"]), min_size=1, max_size=3))
    parts = [*map(field, names), SOUND]
    tail = draw(st.sampled_from([b""] * 5 + [form(field("model")), b"x"]))
    kind = draw(
        st.sampled_from([FORM] * 5 + [f"{FORM}; boundary=x", f"multipart/form-data; boundary=x; boundary={BOUNDARY}"])
    )
    return form(*draw(st.permutations(parts))) + tail, kind


@settings(max_examples=400, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=forms())
async def test_all_readers_of_a_form_read_what_was_priced(site: Site, drawn: tuple[bytes, str]) -> None:
    body, kind = drawn
    reply, received = await outcome(site, wire.request("/v1/audio/transcriptions", body, key=site.key, kind=kind))
    site.forms[reply.status] += 1
    if received is None:
        return
    assert received.header("content-type") == kind
    found = by_mail(received.body, kind)
    assert found == by_eye(received.body)
    assert len(found) <= 1
    row = await site.world.books.last_final()
    assert row.model_name.encode() == (found[0] if found and found[0] else b"whisper-1")


async def test_enough_bodies_were_accepted_and_refused(site: Site) -> None:
    for seen in (site.seen, site.forms):
        assert seen[200] > 20, site
        assert seen[400] > 20, site
