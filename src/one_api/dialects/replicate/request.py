"""A request of the neutral model, written as the input of a language model on Replicate.

Each model has a schema of its own. These are the names that Meta's, Mistral's and others' share:
https://replicate.com/meta/meta-llama-3-70b-instruct/api/schema.
"""

from typing import Any, Final

from one_api import ir
from one_api.dialects import turns
from one_api.lib import json

_KNOWN: Final = {
    "seed": turns.is_whole,
    "presence_penalty": turns.is_number,
    "frequency_penalty": turns.is_number,
}


def encode_request(request: ir.Request) -> ir.Encoded:
    """The model is part of the address. Raises Unrepresentable."""
    losses: list[str] = []
    value: dict[str, Any] = {
        "prompt": _prompt(request, losses),
        **turns.only(
            (
                ("system_prompt", turns.system(request) or None),
                ("max_tokens", request.limit),
                ("temperature", request.temperature),
                ("top_p", request.top_p),
                ("top_k", request.top_k),
                ("stop_sequences", ",".join(request.stop) or None),
            )
        ),
        **turns.extras(request, _KNOWN, losses),
    }
    lost = {
        "tools": request.tools or None,
        "response_format": request.format,
        "reasoning": request.reasoning,
        "user": request.user or None,
    }
    for name, wish in lost.items():
        if wish is not None:
            turns.lose(losses, name)
    return ir.Encoded(json.encode({"input": value, "stream": request.stream}), tuple(losses))


def _prompt(request: ir.Request, losses: list[str]) -> str:
    """One question as it is; of a conversation each turn after the name of who had it, as One API writes it."""
    said = [(turn.role, _text(turn, losses)) for turn in request.turns]
    if len(said) == 1:
        return said[0][1]
    turns.lose(losses, "roles, which are but words of the prompt")
    return "\n".join(f"{role}: {text}" for role, text in said)


def _text(turn: ir.Turn, losses: list[str]) -> str:
    parts = turns.parts(turn, losses)
    if parts.images or parts.calls or parts.results:
        raise ir.Unrepresentable("this channel can be given nothing but text")
    if parts.thought:
        turns.lose(losses, "thinking of an earlier turn")
    return "\n".join(parts.texts)
