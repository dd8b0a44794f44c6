"""Models of Anthropic's on Google's Vertex AI: https://platform.claude.com/docs/en/api/claude-on-vertex-ai.

The model is part of the address, the version of the API part of the body; answers are as Anthropic's.
"""

from typing import Final

from one_api import ir
from one_api.dialects.anthropic import decode_answer, decoder
from one_api.dialects.bedrock import enveloped

VERSION: Final = "vertex-2023-10-16"

__all__ = ["decode_answer", "decoder", "encode_request"]


def encode_request(request: ir.Request) -> ir.Encoded:
    """Raises Unrepresentable."""
    return enveloped(request, VERSION, keep=("stream",))
