"""Where each provider's API lives below its base address: pure rules from a call to path and query.

A path comes from our own tables. What a caller chose (a model, an engine) enters it percent-encoded, so that it can
name a resource and never another place.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

from one_api.dialects.dashscope import sees
from one_api.dialects.dashscope.images import converses
from one_api.errors import OneAPIError
from one_api.providers.modes import AUDIO, DRAWN, MESSAGES_COUNT_PATH, MESSAGES_PATH, PATHS, REALTIME_PATH, Mode

CLOUDFLARE_GATEWAY: Final = "https://gateway.ai.cloudflare.com"
AZURE_API_VERSION: Final = "2024-03-01-preview"  # what One API's console fills in


class Unsupported(OneAPIError):
    """A kind of channel cannot serve a kind of call; another channel may."""

    status = 500
    code = "do_request_failed"

    def __init__(self, reason: str) -> None:
        super().__init__(f"get request url failed: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a path depends on. `engine` is the model in the path of OpenAI's oldest embeddings route.

    mode: of a conversation it is that of the dialect to speak, which need not be the caller's. version: of the Gemini
    API, for models that need no newer one.
    """

    mode: Mode
    model: str
    base: str
    config: Mapping[str, str]
    engine: str = ""
    stream: bool = False
    version: str = "v1"


PathRule = Callable[[Place], str]


def openai(place: Place) -> str:
    """OpenAI's own paths below the base."""
    if place.mode is Mode.REALTIME:
        return f"{REALTIME_PATH}?model={quote(place.model, safe='')}"
    if place.mode not in PATHS:
        raise Unsupported(f"unsupported relay mode {place.mode.value}")
    if place.engine and place.mode is Mode.EMBEDDINGS:
        return f"/v1/engines/{quote(place.engine, safe='')}/embeddings"
    return PATHS[place.mode]


def openai_or_gateway(place: Place) -> str:
    """Behind Cloudflare's gateway the version is part of the base."""
    return versionless(place) if place.base.startswith(CLOUDFLARE_GATEWAY) else openai(place)


def versionless(place: Place) -> str:
    """OpenAI's paths below a base that already ends in the version."""
    return openai(place).removeprefix("/v1")


def azure(place: Place) -> str:
    """Deployments instead of models. Text deployments are named like the model without dots.

    https://learn.microsoft.com/azure/ai-services/openai/reference. Responses are a part of their newer API, where the
    request names the deployment: https://learn.microsoft.com/azure/ai-foundry/openai/how-to/responses
    """
    if place.mode in (Mode.RESPONSES, Mode.RESPONSES_COUNT):
        return f"/openai{PATHS[place.mode]}"
    if place.mode is Mode.RERANK:
        raise Unsupported(f"unsupported relay mode {place.mode.value} for azure")
    version = quote(place.config.get("api_version") or AZURE_API_VERSION, safe="")
    if place.mode is Mode.REALTIME:
        return f"/openai/realtime?api-version={version}&deployment={quote(place.model, safe='')}"
    task = versionless(place)
    named = place.model if place.mode in AUDIO or place.mode in DRAWN else place.model.replace(".", "")
    prefix = "" if place.base.startswith(CLOUDFLARE_GATEWAY) else "/openai/deployments"
    return f"{prefix}/{quote(named, safe='')}{task}?api-version={version}"


def only(name: str, paths: Mapping[Mode, str]) -> PathRule:
    """A provider with paths of its own for some modes, and OpenAI's for audio, which One API never asked it about."""

    def rule(place: Place) -> str:
        if place.mode in paths:
            return paths[place.mode]
        if place.mode in AUDIO:
            return openai(place)
        raise Unsupported(f"unsupported relay mode {place.mode.value} for {name}")

    return rule


def beside(rule: PathRule, messages: str) -> PathRule:
    """A provider that has Anthropic's Messages API too, at a place of its own."""

    def both(place: Place) -> str:
        return messages if place.mode is Mode.MESSAGES else rule(place)

    return both


def messages(place: Place) -> str:
    """Anthropic's Messages API, which serves chat alone."""
    if place.mode is Mode.MESSAGES_COUNT:
        return MESSAGES_COUNT_PATH
    if place.mode not in (Mode.CHAT, Mode.MESSAGES):
        raise Unsupported(f"unsupported relay mode {place.mode.value} for anthropic")
    return MESSAGES_PATH


def gemini(place: Place) -> str:
    """Google's Gemini API: https://ai.google.dev/api. OpenAI's embeddings go there in one request."""
    action = _ACTIONS.get(place.mode)
    if action is None:
        raise Unsupported(f"unsupported relay mode {place.mode.value} for gemini")
    if place.stream and place.mode is Mode.GENERATE:
        action = "streamGenerateContent?alt=sse"
    version = place.config.get("api_version") or ("v1beta" if _is_newer(place.model) else place.version)
    return f"/{quote(version, safe='')}/models/{quote(place.model, safe='')}:{action}"


_ACTIONS: Final = {
    Mode.GENERATE: "generateContent",
    Mode.GENERATE_COUNT: "countTokens",
    Mode.EMBED: "embedContent",
    Mode.BATCH_EMBED: "batchEmbedContents",
    Mode.EMBEDDINGS: "batchEmbedContents",
}
_OLDER: Final = ("gemini-pro", "gemini-1.0", "text-embedding-", "embedding-", "aqa")


def _is_newer(model: str) -> bool:
    """Whether only the newest API knows a model. One API knew that of 1.5 and 2.0; it holds for all after them."""
    return not model.startswith(_OLDER) or model.endswith("-latest")


def own(name: str, paths: Mapping[Mode, str]) -> PathRule:
    """A provider with a protocol of its own, which serves these kinds of calls and no others."""

    def rule(place: Place) -> str:
        if place.mode not in paths:
            raise Unsupported(f"unsupported relay mode {place.mode.value} for {name}")
        return paths[place.mode]

    return rule


def dashscope(place: Place) -> str:
    """Where Ali's models are asked depends on whether they see, or draw while one waits."""
    if place.mode is Mode.EMBEDDINGS:
        return "/api/v1/services/embeddings/text-embedding/text-embedding"
    if place.mode is Mode.RERANK:
        return "/api/v1/services/rerank/text-rerank/text-rerank"
    if place.mode is Mode.IMAGES and not converses(place.model):
        return "/api/v1/services/aigc/text2image/image-synthesis"
    if place.mode is Mode.IMAGES:
        return "/api/v1/services/aigc/multimodal-generation/generation"
    if place.mode is not Mode.CHAT:
        raise Unsupported(f"unsupported relay mode {place.mode.value} for ali")
    return f"/api/v1/services/aigc/{'multimodal' if sees(place.model) else 'text'}-generation/generation"


def workers_ai(place: Place) -> str:
    """OpenAI's dialect below an account of Cloudflare's, whose number the channel's settings call `user_id`.

    https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/. Behind their gateway the account
    is part of the base: https://developers.cloudflare.com/ai-gateway/usage/providers/workersai/.
    """
    if place.mode not in (Mode.CHAT, Mode.EMBEDDINGS):
        raise Unsupported(f"unsupported relay mode {place.mode.value} for cloudflare")
    if place.base.startswith(CLOUDFLARE_GATEWAY) and place.base.endswith("/workers-ai"):
        return PATHS[place.mode]
    account = place.config.get("user_id")
    if not account:
        raise Unsupported("a Cloudflare channel needs the number of the account")
    return f"/client/v4/accounts/{quote(account, safe='')}/ai{PATHS[place.mode]}"


_ERNIE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ERNIE-4.0": "completions_pro",
        "ERNIE-4.0-8K": "completions_pro",
        "ERNIE-Bot-4": "completions_pro",
        "ERNIE-Bot": "completions",
        "ERNIE-3.5-8K": "completions",
        "ERNIE-Bot-turbo": "eb-instant",
        "ERNIE-Lite-8K-0922": "eb-instant",
        "ERNIE-Bot-8K": "ernie_bot_8k",
        "ERNIE-Speed": "ernie_speed",
        "ERNIE-Speed-8K": "ernie_speed",
        "BLOOMZ-7B": "bloomz_7b1",
        "bge-large-zh": "bge_large_zh",
        "bge-large-en": "bge_large_en",
        "tao-8k": "tao_8k",
    }
)
"""Models whose place is not their name in small letters."""


def ernie(place: Place) -> str:
    """A place for each model: https://cloud.baidu.com/doc/WENXINWORKSHOP/s/Nlks5zkzu."""
    kind = {Mode.CHAT: "chat", Mode.EMBEDDINGS: "embeddings"}.get(place.mode)
    if kind is None:
        raise Unsupported(f"unsupported relay mode {place.mode.value} for baidu")
    name = quote(_ERNIE.get(place.model) or place.model.lower(), safe="")
    return f"/rpc/2.0/ai_custom/v1/wenxinworkshop/{kind}/{name}"


_OWNED: Final = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)


def replicate(place: Place) -> str:
    """A model is named with its owner: https://replicate.com/docs/reference/http#models.predictions.create."""
    if place.mode not in (Mode.CHAT, Mode.IMAGES):
        raise Unsupported(f"unsupported relay mode {place.mode.value} for replicate")
    if not _OWNED.fullmatch(place.model):
        raise Unsupported(f"a model of Replicate's is called owner/name, not {place.model!r}")
    return f"{'' if place.base.endswith('/v1/models') else '/v1/models'}/{place.model}/predictions"


def gone(reason: str) -> PathRule:
    """A provider that does not exist any more."""

    def rule(_: Place) -> str:
        raise Unsupported(reason)

    return rule


def proxied(place: Place) -> str:
    """A proxy channel: the caller's target follows the base, so there is nothing to add."""
    if place.mode is not Mode.PROXY:
        raise Unsupported(f"unsupported relay mode {place.mode.value} for proxy")
    return ""
