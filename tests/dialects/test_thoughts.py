"""What a model thought before it called a tool: given back to the vendors that refuse the result without it."""

import json
from typing import Any

import pytest

from one_api.dialects.inbound import INBOUND
from one_api.dialects.outbound import OUTBOUND

CALL = {"type": "tool_use", "id": "t1", "name": "f", "input": {}}
RESULT = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "21"}]}
THOUGHT = {"type": "thinking", "thinking": "I have to look.", "signature": "s"}


def sent(model: str, *blocks: Any) -> tuple[Any, tuple[str, ...]]:
    """The assistant's message as a client of Anthropic's has it sent back to the model, and what was lost."""
    messages = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": list(blocks)}, RESULT]
    asked = INBOUND["anthropic"].decode_request({"model": model, "max_tokens": 9, "messages": messages}, model=model)
    encoded = OUTBOUND["openai"].encode_request(asked)
    return json.loads(encoded.body)["messages"][1], encoded.losses


@pytest.mark.parametrize("model", ["deepseek-v4-pro", "deepseek-ai/DeepSeek-V3.2", "kimi-k2.6", "moonshotai/Kimi-K2"])
def test_who_wants_it_back_gets_it_back(model: str) -> None:
    message, losses = sent(model, THOUGHT, CALL)
    assert (message["reasoning_content"], message["tool_calls"][0]["id"], losses) == ("I have to look.", "t1", ())


def test_a_call_without_a_thought_has_an_empty_one() -> None:
    assert sent("deepseek-v4-pro", CALL)[0]["reasoning_content"] == ""
    assert "reasoning_content" not in sent("deepseek-v4-pro", {"type": "text", "text": "Hi"})[0]


@pytest.mark.parametrize("model", ["gpt-5-mini", "glm-5", "grok-4"])
def test_nobody_else_is_told(model: str) -> None:
    message, losses = sent(model, THOUGHT, CALL)
    assert ("reasoning_content" in message, losses) == (False, ("thinking of an earlier turn",))
