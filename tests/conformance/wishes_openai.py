"""In OpenAI's chat completions."""

from typing import Any, Final

from tests.conformance.wishes import FILE_URL, IMAGE, PDF, SCHEMA, URL, Document, Wish, Wishes


def chat(*messages: Document, **fields: Any) -> Document:
    return {"messages": list(messages) or [{"role": "user", "content": "hi"}], **fields}


def user(*parts: Document) -> Document:
    return {"role": "user", "content": list(parts)}


def function(**more: Any) -> Document:
    described = {"name": "zebra_tool", "description": "zebra told", "parameters": SCHEMA}
    return {"type": "function", "function": {**described, **more}}


_CALLS: Final = [
    {"id": "call_1", "type": "function", "function": {"name": "zebra_tool", "arguments": '{"zebra_field":"one"}'}},
    {"id": "call_2", "type": "function", "function": {"name": "zebra_tool", "arguments": '{"zebra_field":"two"}'}},
]
_CHAT_CALLED: Final = (
    {"role": "user", "content": "hi"},
    {"role": "assistant", "content": None, "tool_calls": _CALLS},
)


def _chat_results(*contents: Any, **more: Any) -> list[Document]:
    return [
        {"role": "tool", "tool_call_id": f"call_{number}", "content": each, **more}
        for number, each in enumerate(contents, 1)
    ]


_TOOLS: Final = chat(tools=[function()])
SAID: Final = {"type": "text", "text": "hi"}
OPENAI: Final[Wishes] = {
    "text": Wish(chat(user({"type": "text", "text": "zebra"})), chat(), ("zebra",)),
    "system": Wish(chat({"role": "system", "content": "zebra"}, {"role": "user", "content": "hi"}), chat(), ("zebra",)),
    "system in the middle": Wish(
        chat(user(SAID), {"role": "system", "content": "zebra"}, user(SAID)),
        chat(user(SAID), user(SAID)),
        ("hi", "zebra", "hi"),
    ),
    "several turns": Wish(
        chat(
            {"role": "user", "content": "zebra1"},
            {"role": "assistant", "content": "zebra2"},
            {"role": "user", "content": "zebra3"},
        ),
        chat(),
        ("zebra1", "zebra2", "zebra3"),
    ),
    "image by address": Wish(
        chat(user(SAID, {"type": "image_url", "image_url": {"url": URL}})), chat(), ("zebra.png",)
    ),
    "image inline": Wish(
        chat(user(SAID, {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{IMAGE}"}})),
        chat(),
        (IMAGE,),
    ),
    "file by address": Wish(
        chat(user(SAID, {"type": "file", "file": {"file_data": FILE_URL}})), chat(), ("zebra.pdf",)
    ),
    "file inline": Wish(
        chat(user(SAID, {"type": "file", "file": {"filename": "a.pdf", "file_data": PDF}})), chat(), (PDF,)
    ),
    "audio inline": Wish(
        chat(user(SAID, {"type": "input_audio", "input_audio": {"data": IMAGE, "format": "wav"}})), chat(), (IMAGE,)
    ),
    "refusal of an earlier turn": Wish(
        chat(user(SAID), {"role": "assistant", "content": None, "refusal": "zebra"}, user(SAID)),
        chat(user(SAID)),
        ("zebra",),
    ),
    "tool definition": Wish(_TOOLS, chat(), ("zebra_tool", "zebra_field")),
    "strict tool": Wish(chat(tools=[function(strict=True)]), _TOOLS),
    "parallel tool calls": Wish(
        chat(*_CHAT_CALLED, *_chat_results("a", "b"), tools=[function()]), _TOOLS, ("one", "two")
    ),
    "tool results": Wish(
        chat(*_CHAT_CALLED, *_chat_results("zebra1", "zebra2"), tools=[function()]), _TOOLS, ("zebra1", "zebra2")
    ),
    "failed tool result": Wish(
        chat(*_CHAT_CALLED, *_chat_results("a", "b", is_error=True), tools=[function()]),
        chat(*_CHAT_CALLED, *_chat_results("a", "b"), tools=[function()]),
    ),
    "tool result with an image": Wish(
        chat(
            *_CHAT_CALLED,
            *_chat_results(
                [{"type": "text", "text": "a"}, user({"type": "image_url", "image_url": {"url": URL}})["content"][0]],
                "b",
            ),
            tools=[function()],
        ),
        chat(*_CHAT_CALLED, *_chat_results("a", "b"), tools=[function()]),
        ("zebra.png",),
    ),
    "tool choice: any": Wish({**_TOOLS, "tool_choice": "required"}, _TOOLS),
    "tool choice: none": Wish({**_TOOLS, "tool_choice": "none"}, _TOOLS),
    "tool choice: one": Wish(
        {**_TOOLS, "tool_choice": {"type": "function", "function": {"name": "zebra_tool"}}}, _TOOLS
    ),
    "one call at a time": Wish({**_TOOLS, "parallel_tool_calls": False}, _TOOLS),
    "tool that the vendor runs": None,
    "JSON mode": Wish(chat(response_format={"type": "json_object"}), chat()),
    "JSON schema": Wish(
        chat(response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}),
        chat(),
        ("zebra_field",),
    ),
    "thinking by effort": Wish(chat(reasoning_effort="high"), chat()),
    "thinking by budget": Wish(chat(reasoning={"max_tokens": 2048}), chat()),
    "thinking off": Wish(chat(reasoning_effort="none"), chat(reasoning_effort="high")),
    "cache mark": Wish(chat(user({**SAID, "cache_control": {"type": "ephemeral"}})), chat(user(SAID))),
    "max tokens": Wish(chat(max_tokens=4711), chat(), (4711,)),
    "temperature": Wish(chat(temperature=0.25), chat(), (0.25,)),
    "top_p": Wish(chat(top_p=0.25), chat(), (0.25,)),
    "top_k": Wish(chat(top_k=47), chat(), (47,)),
    "stop": Wish(chat(stop=["zebra"]), chat(), ("zebra",)),
    "seed": Wish(chat(seed=4711), chat(), (4711,)),
    "penalties": Wish(chat(presence_penalty=0.25, frequency_penalty=0.75), chat(), (0.25, 0.75)),
    "logprobs": Wish(chat(logprobs=True, top_logprobs=7), chat(), (7,)),
    "n": Wish(chat(n=3), chat(), (3,)),
    "user": Wish(chat(user="zebra"), chat(), ("zebra",)),
    "citations wanted": None,
    "what the vendor keeps": None,
}
