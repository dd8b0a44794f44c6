"""One API's own token counts, for every recorded call whose upstream reported none."""

import json
import re
from typing import Any

import pytest

from one_api.pricing import ratios, vision
from one_api.pricing.tokens import Encoders, TokenCounter
from tests.pricing import recorded

ENCODERS = Encoders()
CASES = recorded.cases("token_counts.jsonl")

_OLD = "the encodings of the oldest models are not available offline: cl100k_base counts a little lower"
_CALLS = "tool calls count"
_TOOLS = "definitions of tools count"
_REASONING = "reasoning and refusals count"
_ARRAYS = "arrays of text and of tokens count"
_EMBEDDINGS = "embeddings without reported usage count"
# id: (prompt, completion, why we differ on purpose)
OURS: dict[str, tuple[int, int, str]] = {
    "count.056": (23, 0, _OLD),
    "count.057": (23, 0, _OLD),
    "count.064": (23, 0, _OLD),
    "count.065": (23, 0, _OLD),
    "count.066": (23, 0, _OLD),
    "count.067": (23, 0, _OLD),
    "count.075": (40, 0, _CALLS),
    "count.078": (42, 0, _CALLS),
    "count.087": (40, 0, _CALLS),
    "count.088": (120, 0, _TOOLS),
    "count.096": (16, 0, _REASONING),
    "count.183": (8, 7, _CALLS),
    "count.187": (12, 0, _OLD),
    "count.188": (12, 0, _OLD),
    "count.189": (12, 0, _OLD),
    "count.190": (12, 0, _OLD),
    "count.194": (4, 0, _ARRAYS),
    "count.195": (3, 0, _ARRAYS),
    "count.197": (8, 0, _EMBEDDINGS),
}


def image_size(url: str) -> vision.Size | None:
    """The images the recording's upstream served."""
    if found := re.search(r"/img/(\d+)x(\d+)\.", url):
        return int(found[1]), int(found[2])
    return (0, 0) if url.endswith("/page.html") else vision.data_url_size(url)


def counted_prompt(counter: TokenCounter, path: str, body: dict[str, Any]) -> int:
    if path.endswith("/chat/completions"):
        return counter.chat(body["model"], body, image_size)
    return counter.prompt(body["model"], body.get("prompt", body.get("input")))


def delivered(upstream: dict[str, Any]) -> list[Any]:
    """The messages an upstream delivered, those of a stream put together."""
    if "json" in upstream:
        return [choice.get("message") for choice in upstream["json"].get("choices", [])]
    chunks = re.findall(r"^data: (\{.*\})$", "".join(upstream["sse"]), re.MULTILINE)
    deltas = [choice["delta"] for chunk in chunks for choice in json.loads(chunk)["choices"]]
    return [{"content": "".join(delta.get("content") or "" for delta in deltas)}]


@pytest.mark.parametrize("line", CASES, ids=lambda line: str(line["id"]))
def test_counts_as_recorded(line: dict[str, Any]) -> None:
    counter = TokenCounter(ENCODERS, ratios.MODEL, approximate=line["case"]["kind"].startswith("approximate."))
    body = line["request"]["body"]
    upstream = line["upstream"][0]["response"]

    prompt = counted_prompt(counter, line["request"]["path"], body)
    completion = sum(counter.answer(body["model"], message) for message in delivered(upstream))

    expected = OURS.get(line["id"][:9], (line["prompt_tokens"], line["completion_tokens"]))
    assert (prompt, completion) == expected[:2]


def test_differences_are_real() -> None:
    """No row of the table hides a case that would pass without it."""
    found = {line["id"][:9]: (line["prompt_tokens"], line["completion_tokens"]) for line in CASES}
    assert [case for case, (prompt, completion, _) in OURS.items() if found[case] == (prompt, completion)] == []
