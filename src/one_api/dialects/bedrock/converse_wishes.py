"""What Converse has no field of its own for, and some models of some vendors take nevertheless.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html: `additionalModelRequestFields` are
the model's own words.
"""

import re
from typing import Any, Final

from one_api import ir
from one_api.lib import json

_STRUCTURED: Final = re.compile(
    r"claude-(?:\w+-)?(?:4-[5-9]|[5-9])|gpt-oss|qwen3|deepseek\.v3|gemma-3|minimax|kimi|nemotron|ministral|magistral"
    r"|mistral-large-3"
)
"""https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html"""
_CACHED: Final = re.compile(r"nova|claude")
"""https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html"""
_NOVA_EFFORTS: Final = {"minimal": "low", "low": "low", "medium": "medium"}


def structured(model: str) -> bool:
    """Whether a model can be held to a schema."""
    return _STRUCTURED.search(model) is not None


Marked = ir.Text | ir.Image | ir.File | ir.ToolCall | ir.ToolResult | ir.Tool


def cache_point(block: Marked, model: str, losses: list[str]) -> list[dict[str, Any]]:
    """What stands behind a block that is worth keeping. Of tools only Anthropic's models take it."""
    mark = block.extra.get("cache_control")
    losses.extend(name for name in block.extra if name != "cache_control")
    if not isinstance(mark, dict):
        return []
    if _CACHED.search(model) is None or (isinstance(block, ir.Tool) and "claude" not in model):
        losses.append("cache_control")
        return []
    longer = {"ttl": "1h"} if mark.get("ttl") == "1h" and "claude" in model else {}
    return [{"cachePoint": {"type": "default", **longer}}]


def wishes(request: ir.Request, losses: list[str]) -> dict[str, Any]:
    """Fields at the top of the request."""
    fields = {**_thinking(request, losses), **_sampling(request, losses)}
    value: dict[str, Any] = {"additionalModelRequestFields": fields} if fields else {}
    return value | _format(request, losses)


def _sampling(request: ir.Request, losses: list[str]) -> dict[str, Any]:
    if request.top_k is None:
        return {}
    if "nova" in request.model:
        return {"inferenceConfig": {"topK": request.top_k}}
    losses.append("top_k")
    return {}


def _thinking(request: ir.Request, losses: list[str]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html: with the highest effort nothing
    can be said of sampling or of a limit.
    """
    asked = request.reasoning
    if asked is None:
        return {}
    effort = asked.effort or ("low" if 0 < asked.budget <= 4096 else "medium")
    if "nova-2" in request.model:
        if asked.off:
            return {"reasoningConfig": {"type": "disabled"}}
        bound = any(wish is not None for wish in (request.limit, request.temperature, request.top_p))
        return {
            "reasoningConfig": {
                "type": "enabled",
                "maxReasoningEffort": _NOVA_EFFORTS.get(effort, "medium" if bound else "high"),
            }
        }
    if "gpt-oss" in request.model and not asked.off:
        return {"reasoning_effort": {"minimal": "low", "xhigh": "high", "max": "high"}.get(effort, effort)}
    losses.append("reasoning")
    return {}


def _format(request: ir.Request, losses: list[str]) -> dict[str, Any]:
    """A schema is a text there; JSON without one is not known."""
    wanted = request.format
    if wanted is None:
        return {}
    if wanted.schema is None or not structured(request.model):
        losses.append("response_format")
        return {}
    described = {"schema": json.encode(wanted.schema).decode(), "name": wanted.name or "answer"}
    return {"outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": described}}}}
