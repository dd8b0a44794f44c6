"""In OpenAI's responses."""

from typing import Any, Final

from tests.conformance.wishes import FILE_URL, IMAGE, PDF, SCHEMA, URL, Document, Wish, Wishes


def asked(*items: Document, **fields: Any) -> Document:
    return {"input": list(items) or [message(TOLD)], **fields}


def message(*parts: Document, role: str = "user") -> Document:
    return {"type": "message", "role": role, "content": list(parts)}


TOLD: Final = {"type": "input_text", "text": "hi"}


def r_tool(**more: Any) -> Document:
    described = {"name": "zebra_tool", "description": "zebra told", "parameters": SCHEMA}
    return {"type": "function", **described, "strict": False, **more}


_R_CALLED: Final = (
    message(TOLD),
    {"type": "function_call", "call_id": "call_1", "name": "zebra_tool", "arguments": '{"zebra_field":"one"}'},
    {"type": "function_call", "call_id": "call_2", "name": "zebra_tool", "arguments": '{"zebra_field":"two"}'},
)


def _outputs(*outputs: Any) -> list[Document]:
    return [
        {"type": "function_call_output", "call_id": f"call_{number}", "output": each}
        for number, each in enumerate(outputs, 1)
    ]


_R_TOOLS: Final = asked(tools=[r_tool()])
RESPONSES: Final[Wishes] = {
    "text": Wish(asked(message({"type": "input_text", "text": "zebra"})), asked(), ("zebra",)),
    "system": Wish(asked(instructions="zebra"), asked(), ("zebra",)),
    "system in the middle": Wish(
        asked(message(TOLD), message({"type": "input_text", "text": "zebra"}, role="system"), message(TOLD)),
        asked(message(TOLD), message(TOLD)),
        ("hi", "zebra", "hi"),
    ),
    "several turns": Wish(
        asked(
            message({"type": "input_text", "text": "zebra1"}),
            message({"type": "output_text", "text": "zebra2"}, role="assistant"),
            message({"type": "input_text", "text": "zebra3"}),
        ),
        asked(),
        ("zebra1", "zebra2", "zebra3"),
    ),
    "image by address": Wish(asked(message(TOLD, {"type": "input_image", "image_url": URL})), asked(), ("zebra.png",)),
    "image inline": Wish(
        asked(message(TOLD, {"type": "input_image", "image_url": f"data:image/png;base64,{IMAGE}"})),
        asked(),
        (IMAGE,),
    ),
    "file by address": Wish(
        asked(message(TOLD, {"type": "input_file", "file_url": FILE_URL})), asked(), ("zebra.pdf",)
    ),
    "file inline": Wish(
        asked(message(TOLD, {"type": "input_file", "filename": "a.pdf", "file_data": PDF})), asked(), (PDF,)
    ),
    "audio inline": None,
    "refusal of an earlier turn": Wish(
        asked(message(TOLD), message({"type": "refusal", "refusal": "zebra"}, role="assistant"), message(TOLD)),
        asked(message(TOLD)),
        ("zebra",),
    ),
    "tool definition": Wish(_R_TOOLS, asked(), ("zebra_tool", "zebra_field")),
    "strict tool": Wish(asked(tools=[r_tool(strict=True)]), _R_TOOLS),
    "parallel tool calls": Wish(asked(*_R_CALLED, *_outputs("a", "b"), tools=[r_tool()]), _R_TOOLS, ("one", "two")),
    "tool results": Wish(
        asked(*_R_CALLED, *_outputs("zebra1", "zebra2"), tools=[r_tool()]), _R_TOOLS, ("zebra1", "zebra2")
    ),
    "failed tool result": None,
    "tool result with an image": Wish(
        asked(*_R_CALLED, *_outputs([TOLD, {"type": "input_image", "image_url": URL}], "b"), tools=[r_tool()]),
        asked(*_R_CALLED, *_outputs("a", "b"), tools=[r_tool()]),
        ("zebra.png",),
    ),
    "tool choice: any": Wish({**_R_TOOLS, "tool_choice": "required"}, _R_TOOLS),
    "tool choice: none": Wish({**_R_TOOLS, "tool_choice": "none"}, _R_TOOLS),
    "tool choice: one": Wish({**_R_TOOLS, "tool_choice": {"type": "function", "name": "zebra_tool"}}, _R_TOOLS),
    "one call at a time": Wish({**_R_TOOLS, "parallel_tool_calls": False}, _R_TOOLS),
    "tool that the vendor runs": Wish(asked(tools=[{"type": "web_search"}]), asked()),
    "JSON mode": Wish(asked(text={"format": {"type": "json_object"}}), asked()),
    "JSON schema": Wish(
        asked(text={"format": {"type": "json_schema", "name": "a", "schema": SCHEMA}}), asked(), ("zebra_field",)
    ),
    "thinking by effort": Wish(asked(reasoning={"effort": "high"}), asked()),
    "thinking by budget": None,
    "thinking off": Wish(asked(reasoning={"effort": "none"}), asked(reasoning={"effort": "high"})),
    "cache mark": None,
    "max tokens": Wish(asked(max_output_tokens=4711), asked(), (4711,)),
    "temperature": Wish(asked(temperature=0.25), asked(), (0.25,)),
    "top_p": Wish(asked(top_p=0.25), asked(), (0.25,)),
    "top_k": None,
    "stop": None,
    "seed": None,
    "penalties": None,
    "logprobs": Wish(asked(include=["message.output_text.logprobs"], top_logprobs=7), asked(), (7,)),
    "n": None,
    "user": Wish(asked(user="zebra"), asked(), ("zebra",)),
    "citations wanted": None,
    "what the vendor keeps": Wish(asked(previous_response_id="zebra"), asked()),
}
