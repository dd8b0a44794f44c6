"""In Anthropic's messages."""

from typing import Any, Final

from tests.conformance.wishes import FILE_URL, IMAGE, PDF, SCHEMA, URL, Document, Wish, Wishes
from tests.conformance.wishes_openai import SAID, user


def messages(*messages: Document, **fields: Any) -> Document:
    return {"max_tokens": 30_000, "messages": list(messages) or [{"role": "user", "content": "hi"}], **fields}


def tool(**more: Any) -> Document:
    return {"name": "zebra_tool", "description": "zebra told", "input_schema": SCHEMA, **more}


_USES: Final = (
    {"role": "user", "content": "hi"},
    {
        "role": "assistant",
        "content": [
            {"type": "tool_use", "id": "call_1", "name": "zebra_tool", "input": {"zebra_field": "one"}},
            {"type": "tool_use", "id": "call_2", "name": "zebra_tool", "input": {"zebra_field": "two"}},
        ],
    },
)


def _used(*contents: Any, **more: Any) -> Document:
    results = [
        {"type": "tool_result", "tool_use_id": f"call_{number}", "content": each, **more}
        for number, each in enumerate(contents, 1)
    ]
    return {"role": "user", "content": results}


_A_TOOLS: Final = messages(tools=[tool()])
_A_PDF: Final = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}}
ANTHROPIC: Final[Wishes] = {
    "text": Wish(messages({"role": "user", "content": "zebra"}), messages(), ("zebra",)),
    "system": Wish(messages(system="zebra"), messages(), ("zebra",)),
    "system in the middle": None,
    "several turns": Wish(
        messages(
            {"role": "user", "content": "zebra1"},
            {"role": "assistant", "content": "zebra2"},
            {"role": "user", "content": "zebra3"},
        ),
        messages(),
        ("zebra1", "zebra2", "zebra3"),
    ),
    "image by address": Wish(
        messages(user(SAID, {"type": "image", "source": {"type": "url", "url": URL}})), messages(), ("zebra.png",)
    ),
    "image inline": Wish(
        messages(user(SAID, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": IMAGE}})),
        messages(),
        (IMAGE,),
    ),
    "file by address": Wish(
        messages(user(SAID, {"type": "document", "source": {"type": "url", "url": FILE_URL}})),
        messages(),
        ("zebra.pdf",),
    ),
    "file inline": Wish(messages(user(SAID, _A_PDF)), messages(), (PDF,)),
    "audio inline": None,
    "refusal of an earlier turn": None,
    "tool definition": Wish(_A_TOOLS, messages(), ("zebra_tool", "zebra_field")),
    "strict tool": Wish(messages(tools=[tool(strict=True)]), _A_TOOLS),
    "parallel tool calls": Wish(messages(*_USES, _used("a", "b"), tools=[tool()]), _A_TOOLS, ("one", "two")),
    "tool results": Wish(messages(*_USES, _used("zebra1", "zebra2"), tools=[tool()]), _A_TOOLS, ("zebra1", "zebra2")),
    "failed tool result": Wish(
        messages(*_USES, _used("a", "b", is_error=True), tools=[tool()]),
        messages(*_USES, _used("a", "b"), tools=[tool()]),
    ),
    "tool result with an image": Wish(
        messages(
            *_USES,
            _used([SAID, {"type": "image", "source": {"type": "url", "url": URL}}], "b"),
            tools=[tool()],
        ),
        messages(*_USES, _used("a", "b"), tools=[tool()]),
        ("zebra.png",),
    ),
    "tool choice: any": Wish({**_A_TOOLS, "tool_choice": {"type": "any"}}, _A_TOOLS),
    "tool choice: none": Wish({**_A_TOOLS, "tool_choice": {"type": "none"}}, _A_TOOLS),
    "tool choice: one": Wish({**_A_TOOLS, "tool_choice": {"type": "tool", "name": "zebra_tool"}}, _A_TOOLS),
    "one call at a time": Wish(
        {**_A_TOOLS, "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}, _A_TOOLS
    ),
    "tool that the vendor runs": Wish(
        messages(tools=[{"type": "web_search_20250305", "name": "web_search"}]), messages()
    ),
    "JSON mode": None,
    "JSON schema": Wish(
        messages(output_config={"format": {"type": "json_schema", "schema": SCHEMA}}), messages(), ("zebra_field",)
    ),
    "thinking by effort": Wish(messages(thinking={"type": "adaptive"}, output_config={"effort": "high"}), messages()),
    "thinking by budget": Wish(messages(thinking={"type": "enabled", "budget_tokens": 2048}), messages()),
    "thinking off": Wish(
        messages(thinking={"type": "disabled"}), messages(thinking={"type": "enabled", "budget_tokens": 2048})
    ),
    "cache mark": Wish(messages(user({**SAID, "cache_control": {"type": "ephemeral"}})), messages(user(SAID))),
    "max tokens": Wish(messages(max_tokens=4711), messages(), (4711,)),
    "temperature": Wish(messages(temperature=0.25), messages(), (0.25,)),
    "top_p": Wish(messages(top_p=0.25), messages(), (0.25,)),
    "top_k": Wish(messages(top_k=47), messages(), (47,)),
    "stop": Wish(messages(stop_sequences=["zebra"]), messages(), ("zebra",)),
    "seed": None,
    "penalties": None,
    "logprobs": None,
    "n": None,
    "user": Wish(messages(metadata={"user_id": "zebra"}), messages(), ("zebra",)),
    "citations wanted": Wish(
        messages(user(SAID, {**_A_PDF, "citations": {"enabled": True}})), messages(user(SAID, _A_PDF))
    ),
    "what the vendor keeps": Wish(
        messages(user(SAID, {"type": "document", "source": {"type": "file", "file_id": "zebra"}})), messages()
    ),
}
