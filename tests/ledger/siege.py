"""The whole gateway under kill -9: real sockets, an upstream that streams, answers whole, fails and hangs up.

Two truths are kept outside of the gateway: what the upstream claimed for each call, and which answers a client saw to
their end. After each kill the database alone is asked: does it add up, and is each answer that was seen paid for?
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.harness.admin import Admin
from tests.harness.servers import Gateway
from tests.ledger.world import World, audit

MODEL = "siege"
PROMPT = 5  # tokens the upstream claims for each prompt
CLIENTS = 50
USERS = 10
LIFE_S = 0.4
QUOTA = 10**8


class Upstream:
    """An OpenAI-like server. The request says how many tokens the answer takes and how it goes."""

    def __init__(self) -> None:
        self.claimed: dict[str, int] = {}
        self.times: Counter[str] = Counter()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self.answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass  # the gateway was killed, or the siege is over
        finally:
            writer.close()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        ask = json.loads(await reader.readexactly(length))
        wish = json.loads(ask["messages"][0]["content"])
        usage = {"prompt_tokens": PROMPT, "completion_tokens": wish["tokens"], "total_tokens": PROMPT + wish["tokens"]}
        await asyncio.sleep(wish["pause"])
        if wish["way"] == "fail":
            writer.write(b"HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\n{}")
            return True
        self.claimed[wish["name"]] = PROMPT + wish["tokens"]
        self.times[wish["name"]] += 1
        if not ask.get("stream"):
            message = {"role": "assistant", "content": "x" * 50}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            whole = {"id": "1", "object": "chat.completion", "model": MODEL, "usage": usage, "choices": [choice]}
            body = json.dumps(whole).encode()
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            writer.write(head % len(body) + body)
            return True
        await self.stream(writer, wish, usage)
        return bool(wish["way"] != "cut")

    async def stream(self, writer: asyncio.StreamWriter, wish: dict[str, Any], usage: dict[str, int]) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(4):
            delta = {"index": 0, "delta": {"content": "word "}, "finish_reason": "stop" if number == 3 else None}
            event(writer, {"id": "1", "object": "chat.completion.chunk", "model": MODEL, "choices": [delta]})
            await asyncio.sleep(wish["pause"])
            if wish["way"] == "cut" and number == 2:
                return
        event(writer, {"id": "1", "object": "chat.completion.chunk", "model": MODEL, "choices": [], "usage": usage})
        writer.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")


def event(writer: asyncio.StreamWriter, value: object) -> None:
    data = b"data: " + json.dumps(value).encode() + b"\n\n"
    writer.write(b"%x\r\n%s\r\n" % (len(data), data))


def set_up(url: str, address: str, users: int = USERS) -> list[str]:
    """A price of one for each token, some users, and a channel; the users' keys."""
    with Admin(url) as root:
        for option in ("ModelRatio", "CompletionRatio"):
            root.option(option, json.dumps({MODEL: 1}))
        root.option("RetryTimes", "2")
        root.channel(address, MODEL)
        return [root.user(f"user{number}", QUOTA).token() for number in range(users)]


@dataclass
class Seen:
    """Answers seen to their end: request id -> what the upstream claimed."""

    paid: dict[str, int] = field(default_factory=dict)


async def client(port: int, key: str, name: str, upstream: Upstream, dice: random.Random, seen: Seen) -> None:
    """Calls, one after the other, until the gateway is gone."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for number in range(10**6):
            wish = {
                "name": f"{name}-{number}",
                "tokens": dice.randint(1, 400),
                "pause": dice.random() * 0.01,
                "way": dice.choice(["well", "well", "well", "well", "cut", "fail"]),
            }
            stream = dice.random() < 0.5
            body = {
                "model": MODEL,
                "stream": stream,
                "max_tokens": 500,
                "messages": [{"role": "user", "content": json.dumps(wish)}],
            }
            end = await call(reader, writer, key, json.dumps(body).encode())
            if end.whole:
                seen.paid[end.request_id] = upstream.claimed[f"{name}-{number}"]
            if end.closed:
                return
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


@dataclass
class End:
    """What the client saw of an answer."""

    request_id: str
    whole: bool
    closed: bool


async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: str, body: bytes) -> End:
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    answer = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in answer[1:])}
    end = End(headers.get("x-oneapi-request-id", ""), whole=False, closed=headers.get("connection") == "close")
    ok = answer[0].split()[1] == "200"
    if "content-length" in headers:
        await reader.readexactly(int(headers["content-length"]))
        end.whole = ok
        return end
    try:
        async for part in chunks(reader):
            end.whole = end.whole or b"data: [DONE]" in part
    except (ConnectionError, asyncio.IncompleteReadError):
        end.closed = True
    return end


async def chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int(await reader.readuntil(b"\r\n"), 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)


@dataclass
class Verdict:
    seed: int
    kills: int = 0
    with_open_hold: int = 0
    calls: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.kills} kills of the gateway, {self.with_open_hold} with an open hold,"
            f" {self.calls} answers seen whole, {len(self.wrong)} differences {self.wrong[:20]}"
        )


async def besiege(
    gateway: Gateway, place: World, keys: list[str], *, upstream: Upstream, kills: int, seed: int
) -> Verdict:
    dice, verdict = random.Random(seed), Verdict(seed)
    for number in range(kills):
        if number:
            await asyncio.to_thread(gateway.start)
        seen = Seen()
        clients = [
            asyncio.create_task(client(gateway.port, dice.choice(keys), f"{number}-{who}", upstream, dice, seen))
            for who in range(CLIENTS)
        ]
        await asyncio.sleep(0.2 + dice.random() * LIFE_S)
        await asyncio.to_thread(gateway.kill)
        await asyncio.gather(*clients)
        verdict.kills += 1
        verdict.with_open_hold += await place.value("select count(*) from holds") > 0
        verdict.calls += len(seen.paid)
        verdict.wrong += await differences(place, seen)
    return verdict


async def differences(place: World, seen: Seen) -> list[str]:
    rows = await place.rows("select request_id, user_id, quota from ledger where kind = 'final'")
    charged = {row["request_id"]: row["quota"] for row in rows}
    wrong = [
        f"{request_id}: the upstream claims {cost}, booked {charged.get(request_id)}"
        for request_id, cost in seen.paid.items()
        if charged.get(request_id) != cost
    ]
    users = await place.rows("select id, quota, used_quota from users where id > 1")
    finals = [(row["user_id"], row["quota"]) for row in rows]
    holds = [(row["user_id"], row["quota"]) for row in await place.rows("select user_id, quota from holds")]
    off = audit({row["id"]: row["quota"] for row in users}, {row["id"]: QUOTA for row in users}, finals, holds)
    wrong += [f"user {number}: off by {amount}" for number, amount in off.items()]
    used = audit({row["id"]: -row["used_quota"] for row in users}, {}, finals, [])
    return wrong + [f"user {number}: used is off by {amount}" for number, amount in used.items()]
