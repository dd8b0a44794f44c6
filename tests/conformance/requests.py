"""What callers may ask for: every feature of a request in the words of every dialect that callers speak.

A wish is a small request that has the feature, the same without it, and what has to be found in what is sent on. Where
a dialect has no word for a feature, its wish is None: said here once, and never left out.
"""

import json
from collections.abc import Mapping
from typing import Final

from one_api import ir
from one_api.dialects.inbound import INBOUND
from tests.conformance import wishes_anthropic, wishes_gemini, wishes_openai, wishes_responses
from tests.conformance.wishes import Document, Wish, Wishes

FEATURES: Final = (
    *("text", "system", "system in the middle", "several turns", "image by address", "image inline"),
    *("file by address", "file inline", "audio inline", "refusal of an earlier turn"),
    *("tool definition", "strict tool", "parallel tool calls", "tool results", "failed tool result"),
    *("tool result with an image", "tool choice: any", "tool choice: none", "tool choice: one", "one call at a time"),
    *("tool that the vendor runs", "JSON mode", "JSON schema", "thinking by effort", "thinking by budget"),
    *("thinking off", "own signed thinking", "own redacted thinking", "thinking of another vendor"),
    *("cache mark", "max tokens", "temperature", "top_p", "top_k", "stop", "seed", "penalties", "logprobs", "n"),
    *("user", "citations wanted", "what the vendor keeps"),
)
TEXT: Final[Document] = {"text": "hi"}
FOREIGN: Final = "thinking of another vendor"
SIGNED: Final = "c2lnbmVkLTQx"
THOUGHT: Final = "giraffe"

VENDORS: Final = {
    "anthropic": "anthropic",
    "bedrock": "anthropic",
    "vertex": "anthropic",
    "converse": "converse",
    "gemini": "gemini",
    "responses": "openai",
}
"""Who signs thinking, by the wire; the others sign none."""


def wishes(client: str, wire: str) -> Wishes:
    """All of them. What was thought before is signed by the vendor behind `wire`."""
    vendor = VENDORS.get(wire, "")
    return {**_BY_CLIENT[client], **_thoughts(client, vendor)}


_BY_CLIENT: Final[Mapping[str, Wishes]] = {
    "openai": wishes_openai.OPENAI,
    "anthropic": wishes_anthropic.ANTHROPIC,
    "gemini": wishes_gemini.GEMINI,
    "responses": wishes_responses.RESPONSES,
}

# --- what was thought before ------------------------------------------------------------------------------------------


def _thoughts(client: str, vendor: str) -> Wishes:
    """As the client got it, he sends it back."""
    signature = SIGNED if vendor else ""
    foreign = "gemini" if vendor == "anthropic" else "anthropic"
    plain = conversation(client, (ir.Text("said"),))
    called = ir.ToolCall("call_1", "zebra_tool", "{}")
    return {
        "own signed thinking": Wish(
            conversation(client, (ir.Thinking(THOUGHT, signature, vendor), called)),
            conversation(client, (called,)),
            (THOUGHT, *((SIGNED,) if vendor else ())),
        ),
        "own redacted thinking": Wish(
            conversation(client, (ir.Redacted(SIGNED, vendor), called)), conversation(client, (called,)), (SIGNED,)
        )
        if vendor
        else None,
        FOREIGN: Wish(
            conversation(client, (ir.Thinking(THOUGHT, SIGNED, foreign), ir.Text("said"))), plain, (THOUGHT,)
        ),
    }


def conversation(client: str, blocks: tuple[ir.Said, ...]) -> Document:
    """A question, an answer with these blocks as the client got it, and what he says to that."""
    answer = ir.Answer(id="x", model="m", blocks=blocks)
    got = json.loads(INBOUND[client].encode_answer(answer, model="m", created=1, asked={}))
    calls = [block for block in blocks if isinstance(block, ir.ToolCall)]
    match client:
        case "openai":
            after = [{"role": "tool", "tool_call_id": each.id, "content": "done"} for each in calls]
            said = got["choices"][0]["message"]
            return wishes_openai.chat(
                wishes_openai.user(wishes_openai.SAID),
                said,
                *(after or [wishes_openai.user(wishes_openai.SAID)]),
                tools=[wishes_openai.function()],
            )
        case "anthropic":
            results = [{"type": "tool_result", "tool_use_id": each.id, "content": "done"} for each in calls]
            said = {"role": "assistant", "content": got["content"]}
            return wishes_anthropic.messages(
                wishes_openai.user(wishes_openai.SAID),
                said,
                wishes_openai.user(*(results or [wishes_openai.SAID])),
                tools=[wishes_anthropic.tool()],
            )
        case "gemini":
            parts: list[Document] = [
                {"functionResponse": {"id": each.id, "name": each.name, "response": {"output": "done"}}}
                for each in calls
            ]
            said = got["candidates"][0]["content"]
            return wishes_gemini.contents(
                wishes_gemini.said({"text": "hi"}),
                said,
                wishes_gemini.said(*(parts or [TEXT])),
                tools=wishes_gemini.DECLARED,
            )
        case _:
            outputs = [{"type": "function_call_output", "call_id": each.id, "output": "done"} for each in calls]
            return wishes_responses.asked(
                wishes_responses.message(wishes_responses.TOLD),
                *got["output"],
                *(outputs or [wishes_responses.message(wishes_responses.TOLD)]),
                tools=[wishes_responses.r_tool()],
            )
