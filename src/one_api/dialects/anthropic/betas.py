"""What a client of Anthropic's may switch on by the header `anthropic-beta`.

Names end in the date of their version: https://platform.claude.com/docs/en/api/beta-headers. Allowed is what changes
how a model is asked and how it answers. What is not: access to what the channel's account keeps (files, skills, agents,
profiles), and whatever has a price of its own that no ratio here knows (faster answers, other models as a fallback,
windows beyond the usual one).
"""

import re
from typing import Final

BETAS: Final = frozenset(
    (
        *(
            "advanced-tool-use",
            "tool-examples",
            "tool-search-tool",
            "token-efficient-tools",
            "fine-grained-tool-streaming",
        ),
        *("interleaved-thinking", "dev-full-thinking", "redact-thinking", "thinking-token-count"),
        *("thinking-display-updates", "thinking-binding-controls", "adaptive-thinking", "effort", "task-budgets"),
        *("prompt-caching", "prompt-caching-scope", "extended-cache-ttl", "cache-diagnosis"),
        *("context-management", "compact", "model-context-window-exceeded", "output-128k", "output-300k"),
        *("mid-conversation-tool-changes", "mid-conversation-output-config", "mid-conversation-system-clear-at"),
        *("inline-tools", "computer-use", "mcp-client", "structured-outputs", "pdfs", "token-counting", "claude-code"),
    )
)
_DATE: Final = re.compile(r"-?20\d\d-?\d\d-?\d\d$")


def allowed(value: bytes) -> bytes:
    """The header with what a caller may switch on, in any version; b"" if nothing is left."""
    names = (each.strip() for each in value.decode("latin-1").split(","))
    return ",".join(name for name in names if _DATE.sub("", name) in BETAS).encode("latin-1")
