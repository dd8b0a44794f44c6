"""In Google's contents."""

from typing import Any, Final

from tests.conformance.wishes import FILE_URL, IMAGE, PDF, SCHEMA, URL, Document, Wish, Wishes


def contents(*contents: Document, **fields: Any) -> Document:
    return {"contents": list(contents) or [said({"text": "hi"})], **fields}


def said(*parts: Document, role: str = "user") -> Document:
    return {"role": role, "parts": list(parts)}


def _config(**fields: Any) -> Document:
    return contents(generationConfig=fields)


DECLARED: Final = [
    {
        "functionDeclarations": [
            {"name": "zebra_tool", "description": "zebra told", "parametersJsonSchema": SCHEMA},
        ]
    }
]
_G_CALLED: Final = (
    said({"text": "hi"}),
    said(
        {"functionCall": {"id": "call_1", "name": "zebra_tool", "args": {"zebra_field": "one"}}},
        {"functionCall": {"id": "call_2", "name": "zebra_tool", "args": {"zebra_field": "two"}}},
        role="model",
    ),
)


def _responded(*responses: Document, **more: Any) -> Document:
    return said(
        *(
            {"functionResponse": {"id": f"call_{number}", "name": "zebra_tool", "response": each, **more}}
            for number, each in enumerate(responses, 1)
        )
    )


def _choosing(**fields: Any) -> Document:
    return {**_G_TOOLS, "toolConfig": {"functionCallingConfig": fields}}


_G_TOOLS: Final = contents(tools=DECLARED)
_G_BLOB: Final = {"inlineData": {"mimeType": "image/png", "data": IMAGE}}
GEMINI: Final[Wishes] = {
    "text": Wish(contents(said({"text": "zebra"})), contents(), ("zebra",)),
    "system": Wish(contents(systemInstruction={"parts": [{"text": "zebra"}]}), contents(), ("zebra",)),
    "system in the middle": None,
    "several turns": Wish(
        contents(said({"text": "zebra1"}), said({"text": "zebra2"}, role="model"), said({"text": "zebra3"})),
        contents(),
        ("zebra1", "zebra2", "zebra3"),
    ),
    "image by address": Wish(
        contents(said({"text": "hi"}, {"fileData": {"mimeType": "image/png", "fileUri": URL}})),
        contents(),
        ("zebra.png",),
    ),
    "image inline": Wish(contents(said({"text": "hi"}, _G_BLOB)), contents(), (IMAGE,)),
    "file by address": Wish(
        contents(said({"text": "hi"}, {"fileData": {"mimeType": "application/pdf", "fileUri": FILE_URL}})),
        contents(),
        ("zebra.pdf",),
    ),
    "file inline": Wish(
        contents(said({"text": "hi"}, {"inlineData": {"mimeType": "application/pdf", "data": PDF}})),
        contents(),
        (PDF,),
    ),
    "audio inline": Wish(
        contents(said({"text": "hi"}, {"inlineData": {"mimeType": "audio/wav", "data": IMAGE}})),
        contents(),
        (IMAGE,),
    ),
    "refusal of an earlier turn": None,
    "tool definition": Wish(_G_TOOLS, contents(), ("zebra_tool", "zebra_field")),
    "strict tool": None,
    "parallel tool calls": Wish(
        contents(*_G_CALLED, _responded({"output": "a"}, {"output": "b"}), tools=DECLARED), _G_TOOLS, ("one", "two")
    ),
    "tool results": Wish(
        contents(*_G_CALLED, _responded({"output": "zebra1"}, {"output": "zebra2"}), tools=DECLARED),
        _G_TOOLS,
        ("zebra1", "zebra2"),
    ),
    "failed tool result": Wish(
        contents(*_G_CALLED, _responded({"error": "a"}, {"error": "b"}), tools=DECLARED),
        contents(*_G_CALLED, _responded({"output": "a"}, {"output": "b"}), tools=DECLARED),
    ),
    "tool result with an image": Wish(
        contents(*_G_CALLED, _responded({"output": "a"}, {"output": "b"}, parts=[_G_BLOB]), tools=DECLARED),
        contents(*_G_CALLED, _responded({"output": "a"}, {"output": "b"}), tools=DECLARED),
        (IMAGE,),
    ),
    "tool choice: any": Wish(_choosing(mode="ANY"), _G_TOOLS),
    "tool choice: none": Wish(_choosing(mode="NONE"), _G_TOOLS),
    "tool choice: one": Wish(_choosing(mode="ANY", allowedFunctionNames=["zebra_tool"]), _G_TOOLS),
    "one call at a time": None,
    "tool that the vendor runs": Wish(contents(tools=[{"googleSearch": {}}]), contents()),
    "JSON mode": Wish(_config(responseMimeType="application/json"), contents()),
    "JSON schema": Wish(
        _config(responseMimeType="application/json", responseJsonSchema=SCHEMA), contents(), ("zebra_field",)
    ),
    "thinking by effort": Wish(_config(thinkingConfig={"thinkingLevel": "HIGH"}), contents()),
    "thinking by budget": Wish(_config(thinkingConfig={"thinkingBudget": 2048}), contents()),
    "thinking off": Wish(
        _config(thinkingConfig={"thinkingBudget": 0}), _config(thinkingConfig={"thinkingBudget": 2048})
    ),
    "cache mark": None,
    "max tokens": Wish(_config(maxOutputTokens=4711), contents(), (4711,)),
    "temperature": Wish(_config(temperature=0.25), contents(), (0.25,)),
    "top_p": Wish(_config(topP=0.25), contents(), (0.25,)),
    "top_k": Wish(_config(topK=47), contents(), (47,)),
    "stop": Wish(_config(stopSequences=["zebra"]), contents(), ("zebra",)),
    "seed": Wish(_config(seed=4711), contents(), (4711,)),
    "penalties": Wish(_config(presencePenalty=0.25, frequencyPenalty=0.75), contents(), (0.25, 0.75)),
    "logprobs": Wish(_config(responseLogprobs=True, logprobs=7), contents(), (7,)),
    "n": Wish(_config(candidateCount=3), contents(), (3,)),
    "user": None,
    "citations wanted": None,
    "what the vendor keeps": Wish(contents(cachedContent="cachedContents/zebra"), contents()),
}
