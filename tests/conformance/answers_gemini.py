"""In Google's contents."""

from typing import Any, Final

from one_api import ir
from tests.conformance.answered import IMAGE, URL, Answered, Answers, Document, body, sse


def _gemini(
    *parts: Document,
    marks: tuple[str | int | float, ...] = (),
    finish: str = "STOP",
    usage: Document | None = None,
    reason: ir.Reason | None = None,
    more: Document | None = None,
) -> Answered:
    """more: fields of the candidate."""
    counts = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15, **(usage or {})}
    head = {"modelVersion": "m", "responseId": "r1"}
    ended = {"finishReason": finish, **(more or {})}

    def response(said: list[Document], **fields: Any) -> Document:
        return {"candidates": [{"index": 0, "content": {"role": "model", "parts": said}, **fields}], **head}

    pieces = [response([part]) for part in parts]
    stream = sse(*pieces, {**response([{"text": ""}], **ended), "usageMetadata": counts})
    return Answered(body({**response(list(parts), **ended), "usageMetadata": counts}), stream, marks, reason)


def _gemini_choices() -> Answered:
    candidates = [
        {"index": n, "content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP"}
        for n, text in enumerate(("hi", "zebra"))
    ]
    value = {"candidates": candidates, "modelVersion": "m", "responseId": "r1"}
    return Answered(body(value), sse(value), ("zebra",))


_G_HI: Final = {"text": "hi"}
_G_CALLS: Final = [
    {"functionCall": {"id": f"call_{word}", "name": f"zebra_{word}", "args": {"a": "b"}}} for word in ("one", "two")
]
_G_CANDIDATE: Final = {"token": "hi", "tokenId": 1, "logProbability": -0.4711}
_G_ERROR: Final = {"error": {"code": 500, "message": "zebra", "status": "INTERNAL"}}
GEMINI: Final[Answers] = {
    "text": _gemini({"text": "zebra"}, marks=("zebra",)),
    "thinking": _gemini({"text": "zebra", "thought": True}, _G_HI, marks=("zebra",)),
    "signature of thinking": _gemini(
        {"text": "hm", "thought": True}, {**_G_HI, "thoughtSignature": "c2lnbmVk"}, marks=("c2lnbmVk",)
    ),
    "redacted thinking": _gemini({**_G_CALLS[0], "thoughtSignature": "c2lnbmVk"}, marks=("c2lnbmVk",)),
    "tool calls": _gemini(*_G_CALLS, marks=("zebra_one", "zebra_two")),
    "image": _gemini(_G_HI, {"inlineData": {"mimeType": "image/png", "data": IMAGE}}, marks=(IMAGE,)),
    "refusal": None,
    "citation": _gemini(
        _G_HI,
        marks=(URL,),
        more={
            "groundingMetadata": {
                "groundingChunks": [{"web": {"uri": URL, "title": "T"}}],
                "groundingSupports": [
                    {"segment": {"startIndex": 0, "endIndex": 2, "text": "hi"}, "groundingChunkIndices": [0]}
                ],
                "webSearchQueries": ["q"],
            }
        },
    ),
    "logprobs": _gemini(
        _G_HI,
        marks=(-0.4711,),
        more={
            "logprobsResult": {"chosenCandidates": [_G_CANDIDATE], "topCandidates": [{"candidates": [_G_CANDIDATE]}]}
        },
    ),
    "n": _gemini_choices(),
    "end: stop": _gemini(_G_HI, reason="stop"),
    "end: length": _gemini(_G_HI, finish="MAX_TOKENS", reason="length"),
    "end: tool calls": _gemini(*_G_CALLS, reason="tool_calls"),
    "end: filtered": _gemini(_G_HI, finish="SAFETY", reason="content_filter"),
    "usage: input and output": _gemini(
        _G_HI, marks=(4711, 317), usage={"promptTokenCount": 4711, "candidatesTokenCount": 317}
    ),
    "usage: cached": _gemini(_G_HI, marks=(1237,), usage={"promptTokenCount": 4711, "cachedContentTokenCount": 1237}),
    "usage: cache writes": None,
    "usage: reasoning": _gemini(_G_HI, marks=(1237,), usage={"thoughtsTokenCount": 1237}),
    "usage: audio": _gemini(
        _G_HI,
        marks=(1237, 1239),
        usage={
            "promptTokenCount": 4711,
            "candidatesTokenCount": 4711,
            "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 1237}],
            "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 1239}],
        },
    ),
    "error": Answered(body(_G_ERROR), sse(_G_ERROR), ("zebra",)),
}
