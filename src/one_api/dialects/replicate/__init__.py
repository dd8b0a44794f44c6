"""Models on Replicate, which take a prompt and give a text: https://replicate.com/docs/reference/http.

What to do is asked for by one request and fetched by others: the way of it is in `providers.waiting`.
"""

from one_api.dialects.replicate.answer import StreamDecoder, decode_answer
from one_api.dialects.replicate.request import encode_request

__all__ = ["StreamDecoder", "decode_answer", "decoder", "encode_request"]


def decoder() -> StreamDecoder:
    return StreamDecoder()
