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
    GENERATE = 20  # ours from here on: the Gemini API
    COUNT = 21
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
    }
)
MESSAGES_PATH: Final = "/v1/messages"

SPOKEN: Final[Mapping[Mode, str]] = MappingProxyType(
    {Mode.CHAT: "openai", Mode.MESSAGES: "anthropic", Mode.GENERATE: "gemini"}
)
"""The kinds of calls that are a conversation, each with the wire it is made in. Any channel that chats can answer."""
ACTIONS: Final[Mapping[str, Mode]] = MappingProxyType(
    {
        "generateContent": Mode.GENERATE,
        "streamGenerateContent": Mode.GENERATE,
        "countTokens": Mode.COUNT,
        "embedContent": Mode.EMBED,
        "batchEmbedContents": Mode.BATCH_EMBED,
    }
)
"""What can be done with a model of the Gemini API, after the colon of its path: https://ai.google.dev/api."""
CONVERSATION: Final[Mapping[str, Mode]] = MappingProxyType({wire: mode for mode, wire in SPOKEN.items()})
"""What a conversation is called on a wire."""
AUDIO: Final = frozenset((Mode.SPEECH, Mode.TRANSCRIPTION, Mode.TRANSLATION))
