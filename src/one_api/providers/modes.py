"""What a call wants done, with One API's numbers, and the path OpenAI gave it."""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Final


class Mode(IntEnum):
    """One API's relay modes; the numbers stand in its error messages."""

    UNKNOWN = 0
    CHAT = 1
    COMPLETIONS = 2
    EMBEDDINGS = 3
    MODERATIONS = 4
    IMAGES = 5
    EDITS = 6
    SPEECH = 7
    TRANSCRIPTION = 8
    TRANSLATION = 9
    PROXY = 10
    MESSAGES = 11  # ours: Anthropic's Messages API
    MESSAGES_COUNT = 12  # and how many tokens one would be
    RESPONSES = 13  # ours: OpenAI's Responses API
    RESPONSES_COUNT = 14
    RERANK = 15  # ours: Jina's and Cohere's
    IMAGE_EDITS = 16
    IMAGE_VARIATIONS = 17
    REALTIME = 18
    GENERATE = 20  # ours: the Gemini API
    GENERATE_COUNT = 21
    EMBED = 22
    BATCH_EMBED = 23


PATHS: Final[Mapping[Mode, str]] = MappingProxyType(
    {
        Mode.CHAT: "/v1/chat/completions",
        Mode.COMPLETIONS: "/v1/completions",
        Mode.EMBEDDINGS: "/v1/embeddings",
        Mode.MODERATIONS: "/v1/moderations",
        Mode.IMAGES: "/v1/images/generations",
        Mode.EDITS: "/v1/edits",
        Mode.SPEECH: "/v1/audio/speech",
        Mode.TRANSCRIPTION: "/v1/audio/transcriptions",
        Mode.TRANSLATION: "/v1/audio/translations",
        Mode.RERANK: "/v1/rerank",
        Mode.IMAGE_EDITS: "/v1/images/edits",
        Mode.IMAGE_VARIATIONS: "/v1/images/variations",
        Mode.RESPONSES: "/v1/responses",
        Mode.RESPONSES_COUNT: "/v1/responses/input_tokens",
    }
)
REALTIME_PATH: Final = "/v1/realtime"
MESSAGES_PATH: Final = "/v1/messages"
MESSAGES_COUNT_PATH: Final = "/v1/messages/count_tokens"

CONVERSATION: Final[Mapping[str, Mode]] = MappingProxyType(
    {"openai": Mode.CHAT, "anthropic": Mode.MESSAGES, "responses": Mode.RESPONSES, "gemini": Mode.GENERATE}
)
"""What a conversation is called on each wire that callers speak. Any channel that chats can answer it."""
COUNTS: Final[Mapping[str, Mode]] = MappingProxyType(
    {"anthropic": Mode.MESSAGES_COUNT, "responses": Mode.RESPONSES_COUNT, "gemini": Mode.GENERATE_COUNT}
)
"""What the question is called how many tokens it would be."""
SPOKEN: Final[Mapping[Mode, str]] = MappingProxyType(
    {mode: wire for table in (CONVERSATION, COUNTS) for wire, mode in table.items()}
)
"""The wire of each of these."""
EMBEDDED: Final[Mapping[Mode, str]] = MappingProxyType(
    {Mode.EMBEDDINGS: "openai", Mode.EMBED: "gemini", Mode.BATCH_EMBED: "gemini"}
)
"""The kinds of calls that turn texts into vectors, each with the wire it is made in."""
ACTIONS: Final[Mapping[str, Mode]] = MappingProxyType(
    {
        "generateContent": Mode.GENERATE,
        "streamGenerateContent": Mode.GENERATE,
        "countTokens": Mode.GENERATE_COUNT,
        "embedContent": Mode.EMBED,
        "batchEmbedContents": Mode.BATCH_EMBED,
    }
)
"""What can be done with a model of the Gemini API, after the colon of its path: https://ai.google.dev/api."""
DRAWN: Final = frozenset((Mode.IMAGES, Mode.IMAGE_EDITS, Mode.IMAGE_VARIATIONS))
AUDIO: Final = frozenset((Mode.SPEECH, Mode.TRANSCRIPTION, Mode.TRANSLATION))
