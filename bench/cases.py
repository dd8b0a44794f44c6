"""What is measured: the requests, the connections, and the targets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Literal

MODEL = "gpt-4o-mini"
PROMPT_TOKENS = 210  # upstream.c's
MODEL_RATIO = 0.075  # One API's for this model
COMPLETION_RATIO = 4

SENTENCE = 'The quick brown fox said "hello" to the lazy dog.\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`targets` are ratios to nginx, by the name of the gateway's database; `beside` one to another case on it.

    longer: times as long as other runs, where streams outlast these and their begin and end would weigh too much.
    dialect: what the clients speak; the upstream speaks OpenAI's, and so is asked in it where nothing translates.
    """

    name: str
    size: int
    connections: int
    unit: Literal["call", "event"] = "call"
    tokens: int = 64
    pace_ms: int = 0
    longer: float = 1
    dialect: Literal["openai", "anthropic"] = "openai"
    targets: Mapping[str, float] = field(default_factory=dict, hash=False)
    beside: tuple[str, float] | None = None

    @property
    def stream(self) -> bool:
        return self.unit == "event"

    @property
    def path(self) -> str:
        return "/v1/messages" if self.dialect == "anthropic" else "/v1/chat/completions"

    @property
    def end(self) -> str:
        """The last line of a stream that is complete."""
        return "event: message_stop" if self.dialect == "anthropic" else "data: [DONE]"

    @property
    def body(self) -> bytes:
        """A request of exactly `size` bytes."""
        words = ""
        while (missing := self.size - len(self.encode(words))) > 0:
            step = len(json.dumps(SENTENCE)) - 2
            words += SENTENCE if missing >= step else "x" * missing
        return self.encode(words)

    def encode(self, words: str) -> bytes:
        request: dict[str, Any] = {
            "messages": [
                {"role": "system", "content": "You are a helpful assistant."},
                {"role": "user", "content": words},
            ],
            "model": MODEL,
            "max_tokens": self.tokens,
            "temperature": 0.7,
        }
        if self.dialect == "anthropic":
            system, *messages = request["messages"]
            request |= {"system": system["content"], "messages": messages}
            return json.dumps(request | ({"stream": True} if self.stream else {})).encode()
        if self.stream:
            request |= {"seed": self.pace_ms, "stream": True, "stream_options": {"include_usage": True}}
        return json.dumps(request).encode()

    @property
    def quota(self) -> int:
        """What a call costs, by One API's formula."""
        return ceil((PROMPT_TOKENS + self.tokens * COMPLETION_RATIO) * MODEL_RATIO)

    @property
    def events(self) -> int:
        """Of a stream: its content, the reason of its end, usage and [DONE]."""
        return self.tokens + 3

    @property
    def duration_ms(self) -> int:
        """Of a stream, at the upstream."""
        return (self.tokens - 1) * self.pace_ms


CASES = (
    Case(name="1 KB, 32 connections", size=1024, connections=32, targets={"fresh": 6, "grown": 12}),
    Case(name="1 KB, 256 connections", size=1024, connections=256, targets={"fresh": 5, "grown": 8}),
    Case(
        name="1 KB of Anthropic's, translated, 32 connections",
        size=1024,
        connections=32,
        dialect="anthropic",
        beside=("1 KB, 32 connections", 1.5),
    ),
    Case(name="30 KB, 32 connections", size=30 * 1024, connections=32, targets={"fresh": 7}),
    Case(
        name="stream in a burst, 32 connections",
        size=1024,
        connections=32,
        unit="event",
        tokens=512,
        targets={"fresh": 1.5},
    ),
    Case(
        name="stream in a burst, translated for Anthropic's clients, 32 connections",
        size=1024,
        connections=32,
        unit="event",
        tokens=512,
        dialect="anthropic",
        targets={"fresh": 3},
    ),
    Case(
        name="stream paced, 128 connections, an event each 10 ms",
        size=1024,
        connections=128,
        unit="event",
        tokens=512,
        pace_ms=10,
        longer=2,
        targets={"fresh": 1.5},
    ),
)

# 2,000 streams at once, an event each half second: what one of them costs in memory, and whether all end on time.
OPEN = Case(
    name="2,000 open streams, an event each 0.5 s", size=1024, connections=2000, unit="event", tokens=20, pace_ms=500
)
OPEN_RAMP_MS = 2000
OPEN_SLACK_MS = 1000

OPEN_KB_MOST = 25
IDLE_MIB_MOST = 90
