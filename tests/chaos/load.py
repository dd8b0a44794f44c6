"""Steady calls, streamed and plain, and what their clients saw of each."""

import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from typing import Literal

from tests.ledger.siege import MODEL, chunks

REFUSED = "ConnectionRefusedError"
AGAIN_S = 0.1

Outcome = Literal["whole", "broken by the upstream", "refused", "lost"]


@dataclass(slots=True)
class Call:
    """One call. `way` is what its upstream was asked to do: answer well, break off, or fail."""

    name: str
    way: str
    stream: bool
    began: float = field(default_factory=time.monotonic)
    ended: float = 0.0
    status: int = 0
    request_id: str = ""
    outcome: Outcome = "lost"
    detail: str = ""


@dataclass(slots=True)
class Load:
    """Clients, who call on until told to stop; half of them on a connection for each call."""

    port: int
    keys: list[str]
    dice: random.Random
    pause_s: float
    calls: list[Call] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def client(self, who: int) -> None:
        connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        number = 0
        while not self.over.is_set():
            number += 1
            call = Call(
                f"{who}-{number}",
                self.dice.choices(["well", "cut", "fail"], [90, 5, 5])[0],
                stream=who % 2 == 0,
            )
            self.calls.append(call)
            try:
                connection = connection or await asyncio.open_connection("127.0.0.1", self.port)
                keep = await self.make(call, *connection) and who % 4 < 2
            except (OSError, EOFError) as error:
                call.detail = call.detail or f"{type(error).__name__}: {error}"
                keep = False
            if call.detail.startswith(REFUSED):
                await asyncio.sleep(AGAIN_S)
            call.ended = time.monotonic()
            if connection is not None and not keep:
                connection[1].transport.abort()
                connection = None
        if connection is not None:
            connection[1].transport.abort()

    async def make(self, call: Call, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection can be used again."""
        wish = {
            "name": call.name,
            "tokens": self.dice.randint(1, 400),
            "pause": self.dice.random() * self.pause_s,
            "way": call.way,
        }
        body = {"model": MODEL, "stream": call.stream, "max_tokens": 500}
        raw = json.dumps({**body, "messages": [{"role": "user", "content": json.dumps(wish)}]}).encode()
        key = self.dice.choice(self.keys)
        writer.write(
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n".encode()
            + raw
        )
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        call.status = int(first.split()[1])
        call.request_id = headers.get("x-oneapi-request-id", "")
        if "content-length" in headers:
            answer = await reader.readexactly(int(headers["content-length"]))
        else:
            answer = b"".join([part async for part in chunks(reader)])
        judge(call, answer)
        return headers.get("connection") != "close"


def judge(call: Call, answer: bytes) -> None:
    """An answer that came to the end of its framing. One without our request id is the proxy's: nobody answered."""
    if not call.request_id:
        call.detail = f"{call.status} of the proxy"
    elif call.status == 200 and call.stream and b"data: [DONE]" not in answer:
        call.outcome = "broken by the upstream" if call.way == "cut" else "lost"
        call.detail = answer[-300:].decode()
    elif call.status == 200:
        call.outcome = "whole"
    else:
        call.outcome = "refused"
        call.detail = answer.decode()
