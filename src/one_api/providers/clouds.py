"""Where clouds have the models of other vendors: addresses by region, paths by model, the dialect a model speaks."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal
from urllib.parse import quote

from one_api.providers.modes import Mode
from one_api.providers.paths import Place, Unsupported

BEDROCK_IDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "claude-instant-1.2": "anthropic.claude-instant-v1",
        "claude-2.0": "anthropic.claude-v2",
        "claude-2.1": "anthropic.claude-v2:1",
        "claude-3-haiku-20240307": "anthropic.claude-3-haiku-20240307-v1:0",
        "claude-3-sonnet-20240229": "anthropic.claude-3-sonnet-20240229-v1:0",
        "claude-3-opus-20240229": "anthropic.claude-3-opus-20240229-v1:0",
        "claude-3-5-sonnet-20240620": "anthropic.claude-3-5-sonnet-20240620-v1:0",
        "claude-3-5-sonnet-20241022": "anthropic.claude-3-5-sonnet-20241022-v2:0",
        "claude-3-5-sonnet-latest": "anthropic.claude-3-5-sonnet-20241022-v2:0",
        "claude-3-5-haiku-20241022": "anthropic.claude-3-5-haiku-20241022-v1:0",
        "llama3-8b-8192": "meta.llama3-8b-instruct-v1:0",
        "llama3-70b-8192": "meta.llama3-70b-instruct-v1:0",
    }
)
"""One API's names. Any other is Amazon's own: a model's, or an inference profile's or its ARN."""


def bedrock_speaks(model: str) -> Literal["bedrock", "converse"]:
    """Anthropic's models by their own API, so that nothing is lost; others by Amazon's common one.

    https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference.html.
    """
    return "bedrock" if "anthropic.claude" in BEDROCK_IDS.get(model, model) else "converse"


def bedrock_home(config: Mapping[str, str]) -> str:
    return f"https://bedrock-runtime.{_region(config)}.amazonaws.com"


def bedrock(place: Place) -> str:
    """https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html."""
    _chat_only(place, "aws")
    ways = {"bedrock": ("invoke", "invoke-with-response-stream"), "converse": ("converse", "converse-stream")}
    way = ways[bedrock_speaks(place.model)][place.stream]
    return f"/model/{quote(BEDROCK_IDS.get(place.model, place.model), safe='')}/{way}"


def vertex_speaks(model: str) -> Literal["vertex", "gemini"]:
    return "vertex" if model.startswith("claude") else "gemini"


def vertex_home(config: Mapping[str, str]) -> str:
    region = _region(config)
    return f"https://{'' if region == 'global' else f'{region}-'}aiplatform.googleapis.com"


def vertex(place: Place) -> str:
    """https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest."""
    _chat_only(place, "vertexai")
    project = place.config.get("vertex_ai_project_id", "")
    if not project:
        raise Unsupported("the channel has no project")
    if vertex_speaks(place.model) == "vertex":
        publisher, action = "anthropic", "streamRawPredict" if place.stream else "rawPredict"
    else:
        publisher, action = "google", "streamGenerateContent?alt=sse" if place.stream else "generateContent"
    where = f"projects/{quote(project, safe='')}/locations/{quote(_region(place.config), safe='')}"
    return f"/v1/{where}/publishers/{publisher}/models/{quote(place.model, safe='@')}:{action}"


def _region(config: Mapping[str, str]) -> str:
    region = config.get("region", "")
    if not region.replace("-", "").isalnum() or not region.isascii():
        raise Unsupported("the channel has no region")
    return region


def _chat_only(place: Place, name: str) -> None:
    if place.mode not in (Mode.CHAT, Mode.GENERATE):
        raise Unsupported(f"unsupported relay mode {place.mode.value} for {name}")
