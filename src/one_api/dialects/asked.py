"""What is asked last, for upstreams that answer a question and know no conversation."""

from one_api import ir
from one_api.dialects import turns


def question(request: ir.Request, losses: list[str]) -> str:
    """The text of the last turn; everything else is lost. Raises Unrepresentable where the last turn is more."""
    *earlier, last = request.turns or (ir.Turn("user", ()),)
    parts = turns.parts(last, losses)
    if parts.images or parts.results or parts.calls or not parts.texts:
        raise ir.Unrepresentable("on this channel the last message has to be a text and nothing else")
    if earlier or request.system:
        turns.lose(losses, "earlier messages")
    turns.lose_wishes(request, losses)
    return "\n".join(parts.texts)
