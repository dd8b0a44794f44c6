"""A request of the neutral model, written for a bot of Coze's: https://www.coze.com/docs/developer_guides/chat_v3.

The bot's own settings say which model answers and how: nothing of that can be wished for.
"""

from collections.abc import Iterable
from typing import Any, Final

from one_api import ir
from one_api.dialects import turns
from one_api.lib import json

PREFIX: Final = "bot-"


def encode_request(request: ir.Request, *, user: str) -> ir.Encoded:
    """Raises Unrepresentable."""
    losses: list[str] = []
    messages = list(_messages(request, losses))
    turns.lose_wishes(request, losses)
    value = {
        "bot_id": request.model.removeprefix(PREFIX),
        "user_id": user,
        "stream": True,
        "auto_save_history": False,
        "additional_messages": messages,
    }
    return ir.Encoded(json.encode(value), tuple(losses))


def _messages(request: ir.Request, losses: list[str]) -> Iterable[dict[str, Any]]:
    """Only user and assistant have a voice: what a system message says is said by the user."""
    told = turns.system(request)
    if told:
        turns.lose(losses, "role of a system message")
        yield _asked(turns.Parts(texts=(told,), shown=(ir.Text(told),)))
    for turn in request.turns:
        parts = turns.parts(turn, losses)
        if parts.calls or parts.results:
            raise ir.Unrepresentable("a bot of Coze's cannot be given calls of tools and their results")
        if parts.thought:
            turns.lose(losses, "thinking of an earlier turn")
        if turn.role == "assistant":
            text = "".join(parts.texts)
            if text:
                yield {"role": "assistant", "type": "answer", "content": text, "content_type": "text"}
            continue
        if turn.role == "system":
            turns.lose(losses, "role of a system message")
        if parts.shown:
            yield _asked(parts)


def _asked(parts: turns.Parts) -> dict[str, Any]:
    if not parts.images:
        content, kind = "\n".join(parts.texts), "text"
    else:
        content, kind = json.encode([_object(each) for each in parts.shown]).decode(), "object_string"
    return {"role": "user", "type": "question", "content": content, "content_type": kind}


def _object(block: ir.Text | ir.Image) -> dict[str, Any]:
    if isinstance(block, ir.Text):
        return {"type": "text", "text": block.text}
    if not block.url:
        raise ir.Unrepresentable("on this channel images can only be given by address")
    return {"type": "image", "file_url": block.url}
