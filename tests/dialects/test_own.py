"""What one vendor's model thought, in a request that is forwarded to another who speaks the caller's dialect."""

from base64 import b64encode
from typing import Any

import pytest

from one_api.dialects import anthropic, gemini
from one_api.dialects.gemini.parts import UNSIGNED

MINE: Any = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
GOOGLES: Any = {"type": "thinking", "thinking": "hm", "signature": "gemini#c2ln"}
OPENAIS: Any = {"type": "redacted_thinking", "data": "openai#c2ln"}
UNSIGNED_THOUGHT: Any = {"type": "thinking", "thinking": "hm", "signature": ""}
CALL: Any = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
TEXT: Any = {"type": "text", "text": "hi"}
BUDGET: Any = {"type": "enabled", "budget_tokens": 2000}
OLD, NEW = "claude-sonnet-4-5", "claude-opus-4-6"


def asked(*blocks: Any, **fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": list(blocks)}], **fields}


@pytest.mark.parametrize(
    "before, model, vendor, after",
    [
        (asked(MINE, TEXT), OLD, True, asked(MINE, TEXT)),
        (asked(GOOGLES, OPENAIS, TEXT), OLD, True, asked(TEXT)),
        (asked(GOOGLES, TEXT), OLD, False, asked(TEXT)),
        (asked(UNSIGNED_THOUGHT, TEXT), OLD, True, asked(TEXT)),
        (asked(UNSIGNED_THOUGHT, TEXT), "kimi-k2-thinking", False, asked(UNSIGNED_THOUGHT, TEXT)),
        (asked(GOOGLES), OLD, True, asked({"type": "text", "text": "."})),
        (asked(GOOGLES, CALL, thinking=BUDGET), OLD, True, asked(CALL)),
        (asked(GOOGLES, MINE, CALL, thinking=BUDGET), OLD, True, asked(MINE, CALL, thinking=BUDGET)),
        (asked(GOOGLES, TEXT, thinking=BUDGET), OLD, True, asked(TEXT, thinking=BUDGET)),
        (asked(GOOGLES, CALL, thinking={"type": "adaptive"}), NEW, True, asked(CALL, thinking={"type": "adaptive"})),
        ({"messages": [7, {"role": "assistant", "content": 7}]}, OLD, True, None),
        ({"messages": 7}, OLD, True, None),
    ],
)
def test_anthropic_is_given_what_it_signed_itself(
    before: dict[str, Any], model: str, *, vendor: bool, after: dict[str, Any] | None
) -> None:
    assert anthropic.own(before, model=model, vendor=vendor) == (before if after is None else after)


def sealed(origin: str) -> str:
    return b64encode(f"{origin}#c2ln".encode()).decode()


def contents(*parts: Any) -> dict[str, Any]:
    return {"contents": [{"role": "model", "parts": list(parts)}]}


CALLED: Any = {"functionCall": {"name": "f", "args": {}}}


@pytest.mark.parametrize(
    "model, before, after",
    [
        ("gemini-3-flash", {"text": "hm", "thought": True, "thoughtSignature": "c2ln"}, None),
        ("gemini-3-flash", {"text": "hm", "thought": True, "thoughtSignature": sealed("anthropic")}, []),
        ("gemini-3-flash", {"text": "", "thought_signature": sealed("openai")}, []),
        ("gemini-3-flash", {"text": "hi", "thoughtSignature": sealed("anthropic")}, [{"text": "hi"}]),
        ("gemini-3-flash", {**CALLED, "thoughtSignature": sealed("a")}, [{**CALLED, "thoughtSignature": UNSIGNED}]),
        ("gemini-2.5-flash", {**CALLED, "thoughtSignature": sealed("anthropic")}, [CALLED]),
        ("gemini-3-flash", {**CALLED, "thoughtSignature": "c2ln"}, None),
        ("gemini-3-flash", 7, None),
    ],
)
def test_google_is_given_what_it_signed_itself(model: str, before: Any, after: list[Any] | None) -> None:
    assert gemini.own(contents(before), model=model, vendor=True) == (
        contents(before) if after is None else contents(*after)
    )
