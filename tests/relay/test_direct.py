"""The upstream client over real sockets: bodies of every framing, reuse, limits, deadlines, cancelling, TLS."""

import asyncio
import gzip
import ssl
import time
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import trustme

from one_api.relay.direct import DirectTransport
from one_api.relay.transport import HttpRequest, Origin, Timeouts
from one_api.relay.transport_sips import SIP
from tests.relay.peer import Peer, Told, answering, peer, read_request

pytestmark = pytest.mark.anyio
PATIENCE_S = 30  # a loaded machine, not an expectation
TURNS = 5  # of the loop: fewer than any wait could be hidden in
QUICK = Timeouts(connect=PATIENCE_S, first_byte=PATIENCE_S, idle=PATIENCE_S, total=PATIENCE_S)
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@asynccontextmanager
async def transport(tls: ssl.SSLContext | None = None, **limits: int) -> AsyncIterator[DirectTransport]:
    made = DirectTransport(asyncio.get_running_loop(), tls=tls, **limits)
    try:
        yield made
    finally:
        await made.aclose()


async def ask(over: DirectTransport, request: HttpRequest, timeouts: Timeouts = QUICK) -> Told:
    told = Told()
    over.send(request, told, timeouts)
    await told.end()
    return told


async def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    "answer, body",
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", b"hello"),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nt: 1\r\n\r\n",
            b"hello",
        ),
        (b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", b""),
    ],
)
async def test_every_framing_is_read_and_the_connection_kept(answer: bytes, body: bytes) -> None:
    async with peer(answering(answer, answer)) as there, transport() as over:
        for _ in range(2):
            told = await ask(over, there.request())
            assert (told.error, told.body) == (None, body)
            assert told.calls[0] == "head"
            assert told.calls[-1] == "end"
        assert there.connections == 1


@pytest.mark.parametrize(
    "answer, body",
    [
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", b"ok"),
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok", b"ok"),
        (OK + b"and more", b"ok"),
    ],
)
async def test_a_connection_that_cannot_be_used_again_is_not(answer: bytes, body: bytes) -> None:
    async with peer(answering(answer, close=True)) as there, transport() as over:
        for n in (1, 2):
            told = await ask(over, there.request())
            assert (told.error, told.body) == (None, body)
            assert there.connections == n


async def test_what_follows_an_answer_spoils_no_other() -> None:
    async with peer(answering(OK + b"and more")) as there, transport() as over:
        for n in (1, 2):
            assert (await ask(over, there.request())).body == b"ok"
            assert there.connections == n


async def test_head_requests_have_no_body_to_wait_for() -> None:
    async with peer(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n")) as there, transport() as over:
        told = await ask(over, there.request(method="HEAD", body=b""))
        assert (told.error, told.status, told.body) == (None, 200, b"")


@pytest.mark.parametrize(
    "answer, kind",
    [
        (b"", "closed"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel", "closed"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel", "closed"),
        (b"HTTP/1.1 200 OK\r\ncontent-le", "closed"),
        (b"nonsense\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "protocol"),
        (b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 1000 + b"\r\n", "too_large"),
        (b"HTTP/1.1 200 OK\r\na: " + b"x" * 100_000 + b"\r\n\r\n", "too_large"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n2\r\nhe\r\n0\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 1\r\n\r\nx", "protocol"),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nnope", "protocol"),
    ],
)
async def test_a_broken_answer_is_a_failure_of_its_kind(answer: bytes, kind: str) -> None:
    async with peer(answering(answer, close=True)) as there, transport() as over:
        told = await ask(over, there.request())
        assert told.error is not None
        assert told.error.kind == kind
        assert told.error.sent
        assert there.connections == 1


async def test_gzip_and_deflate_are_undone() -> None:
    plain = b"some text, " * 1000
    for coding, packed in ((b"gzip", gzip.compress(plain)), (b"deflate", zlib.compress(plain))):
        answer = b"HTTP/1.1 200 OK\r\ncontent-encoding: %b\r\ncontent-length: %d\r\n\r\n%b" % (
            coding,
            len(packed),
            packed,
        )
        async with peer(answering(answer)) as there, transport() as over:
            told = await ask(over, there.request())
            assert told.body == plain
            assert told.head is not None
            assert told.head.get(b"content-encoding") is None


async def test_a_bomb_is_stopped_early() -> None:
    packed = gzip.compress(b"\0" * 200_000_000)
    answer = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n%b" % (len(packed), packed)
    async with peer(answering(answer)) as there, transport() as over:
        told = await ask(over, there.request())
        assert told.error is not None
        assert told.error.kind == "too_large"
        assert len(told.body) < 50_000_000


async def test_a_stale_connection_is_replaced_once_and_the_request_sent_again() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK)
        await read_request(reader)  # accepts a second one and closes without a word

    async with peer(script) as there, transport() as over:
        assert (await ask(over, there.request())).body == b"ok"
        told = await ask(over, there.request())
        assert (told.error, told.body) == (None, b"ok")
        assert there.connections == 2


async def test_nothing_is_sent_again_after_a_byte_of_an_answer() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK)
        await read_request(reader)
        writer.write(b"H")
        await writer.drain()

    async with peer(script) as there, transport() as over:
        await ask(over, there.request())
        told = await ask(over, there.request())
        assert told.error is not None
        assert told.error.kind == "closed"
        assert there.connections == 1


async def test_what_is_sent_is_what_was_asked() -> None:
    seen: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_request(reader))
        writer.write(OK)
        await reader.read()

    async with peer(script) as there, transport() as over:
        body = b"x" * 200_000
        await ask(over, there.request(target=b"/a?b=%20", headers=((b"authorization", b"Bearer k"),), body=body))
        head = b"POST /a?b=%%20 HTTP/1.1\r\nhost: 127.0.0.1:%d\r\nauthorization: Bearer k\r\n"
        head += b"content-length: 200000\r\n\r\n"
        assert seen == [head % there.port + body]


async def test_a_head_that_was_checked_is_not_taken_for_another() -> None:
    seen: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(5):
            seen.append(await read_request(reader))
            writer.write(OK)

    async with peer(script) as there, transport() as over:
        asked: list[tuple[bytes, tuple[tuple[bytes, bytes], ...]]] = [
            (target, ((b"authorization", key),)) for target, key in ((b"/a", b"k"), (b"/a", b"l"), (b"/b", b"l"))
        ]
        for target, headers in (*asked, asked[0], (b"/a", ())):
            await ask(over, there.request(target=target, headers=headers))
    said = [(each.split()[1], each.partition(b"authorization: ")[2].split(b"\r\n")[0]) for each in seen]
    assert said == [(b"/a", b"k"), (b"/a", b"l"), (b"/b", b"l"), (b"/a", b"k"), (b"/a", b"")]


@pytest.mark.parametrize(
    "change",
    [
        {"target": b"/a b"},
        {"target": b"/a\r\nx: y"},
        {"headers": ((b"a", b"b\r\nc: d"),)},
        {"headers": ((b"a\n", b"b"),)},
        {"headers": ((b"a", b"\0"),)},
        {"headers": ((b"host", b"evil.example"),)},
        {"headers": ((b"content-length", b"1"),)},
    ],
)
async def test_what_could_begin_a_line_of_its_own_is_never_sent(change: dict[str, object]) -> None:
    async with peer(answering(OK)) as there, transport() as over:
        told = await ask(over, there.request(**change))  # type: ignore[arg-type]  # a table of keyword arguments
        assert told.error is not None
        assert (told.error.kind, told.error.sent) == ("protocol", False)
        assert there.connections == 0


async def test_a_refused_connection_and_an_unknown_name_are_failures_to_connect() -> None:
    async with peer(answering(OK)) as there:
        port = there.port
    async with transport() as over:
        for host in ("127.0.0.1", "no-such-host.invalid"):
            told = await ask(over, Peer(port, host=host).request())
            assert told.error is not None
            assert (told.error.kind, told.error.sent) == ("connect", False)
        assert over.open_connections == 0


@pytest.mark.parametrize(
    "pieces, limits",
    [
        ([], replace(QUICK, first_byte=0.3)),
        ([b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"], replace(QUICK, idle=0.3)),
        (
            [b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n", *[b"x"] * 50],
            replace(QUICK, total=0.7),
        ),
    ],
)
async def test_silence_has_an_end(pieces: list[bytes], limits: Timeouts) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.1)
        await reader.read()

    async with peer(script) as there, transport() as over:
        told = await ask(over, there.request(), limits)
        assert told.error is not None
        assert told.error.kind == "timeout"
        await eventually(lambda: over.open_connections == 0)


async def test_a_pause_stops_the_reading_and_does_not_count_as_silence() -> None:
    size, piece, sent = 50_000_000, 1_000_000, [0]

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        for _ in range(size // piece):
            writer.write(b"x" * piece)
            await writer.drain()
            sent.append(sent[-1] + piece)
        await reader.read()

    async with peer(script) as there, transport() as over:
        told = Told()
        exchange = over.send(there.request(), told, Timeouts(connect=60, first_byte=60, idle=60))
        exchange.pause()
        await eventually(lambda: exchange.connection is not None)
        looked = -1
        while looked != len(sent):
            looked = len(sent)
            await asyncio.sleep(0.2)
        assert sent[-1] < 20_000_000
        assert len(told.body) < piece
        assert not exchange.overdue(over.now() + 600)
        exchange.resume()
        assert exchange.overdue(over.now() + 600)
        assert await told.end() == "ok"
        assert len(told.body) == size


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("anyio_backend", [("asyncio", {"use_uvloop": loop}) for loop in (False, True)])
async def test_a_fast_upstream_is_read_a_little_at_a_time_on_a_connection_that_is_kept(*, secure: bool) -> None:
    size, ca = 1_000_000, trustme.CA()
    trusting, server = ssl.create_default_context(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.configure_trust(trusting)
    ca.issue_cert("127.0.0.1").configure_cert(server)
    large = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (size, bytes(range(250)) * (size // 250))

    class Slow(Told):
        def on_data(self, data: bytes) -> None:
            super().on_data(data)
            exchange.pause()
            asyncio.get_running_loop().call_soon(exchange.resume)

    async with peer(answering(large, OK, large, OK), server if secure else None) as there, transport(trusting) as over:
        for _ in range(2):
            told = Slow()
            exchange = over.send(there.request(), told, QUICK)
            assert await told.end() == "ok"
            assert told.body == large[-size:]
            assert sum(len(each) > SIP for each in told.pieces) <= 1
            assert (await ask(over, there.request())).body == b"ok"
        assert there.connections == 1


async def test_abort_closes_the_connection_at_once_and_silences_the_sink() -> None:
    gone = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx")
        try:
            await reader.read()
        finally:
            gone.set()

    async with peer(script) as there, transport() as over:
        told = Told()
        exchange = over.send(there.request(), told, Timeouts(connect=600, first_byte=600, idle=600, total=600))
        await eventually(lambda: told.body == b"x")
        calls = list(told.calls)
        exchange.abort()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        assert over.open_connections == 0
        await asyncio.wait_for(gone.wait(), PATIENCE_S)
        assert told.calls == calls


async def test_abort_while_connecting_leaves_nothing_behind() -> None:
    async with peer(answering(OK)) as there, transport() as over:
        told = Told()
        over.send(there.request(), told, QUICK).abort()
        await asyncio.sleep(0.1)
        assert told.calls == []
        assert (await ask(over, there.request())).body == b"ok"


async def test_a_sink_that_raises_ends_its_exchange_only() -> None:
    class Broken(Told):
        def on_data(self, _data: bytes) -> None:
            raise RuntimeError("the sink is broken")

    async with peer(answering(OK, OK)) as there, transport() as over:
        broken = Broken()
        over.send(there.request(), broken, QUICK)
        assert await broken.end() == "protocol"
        assert (await ask(over, there.request())).body == b"ok"


async def test_more_requests_than_connections_wait_for_their_turn() -> None:
    async with peer(answering(*[OK] * 50)) as there, transport(most_connections=3) as over:
        answers = await asyncio.gather(*(ask(over, there.request()) for _ in range(40)))
        assert [told.body for told in answers] == [b"ok"] * 40
        assert there.connections <= 3


async def test_no_connection_is_lost_over_a_mix_of_failures() -> None:
    bad = [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel", OK]
    async with transport() as over:
        for answer in bad * 5:
            async with peer(answering(answer, close=True)) as there:
                await ask(over, there.request())
        await eventually(lambda: over.open_connections == 0)


async def test_closing_fails_what_is_under_way() -> None:
    async with peer(answering()) as there, transport() as over:
        told = Told()
        over.send(there.request(), told, QUICK)
        await eventually(lambda: there.connections == 1)
        await over.aclose()
        assert await told.end() == "closed"
        assert await (await ask(over, there.request())).end() == "closed"


async def test_certificates_are_checked() -> None:
    ca, stranger = trustme.CA(), trustme.CA()
    trusting = ssl.create_default_context()
    ca.configure_trust(trusting)
    for issuer, name, good in ((ca, "localhost", True), (ca, "other.example", False), (stranger, "localhost", False)):
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issuer.issue_cert(name).configure_cert(server)
        async with peer(answering(OK), server) as there, transport(tls=trusting) as over:
            told = await ask(
                over, HttpRequest(origin=Origin(True, "localhost", there.port), method="GET", target=b"/", headers=())
            )
            assert (told.error is None) == good
            if told.error is not None:
                assert (told.error.kind, told.error.sent) == ("tls", False)
