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


BedrockWire = Literal["bedrock", "converse", "titan", "bedrock-cohere"]
VertexWire = Literal["vertex", "gemini", "openai", "predict"]
_BEDROCK: Final[tuple[tuple[str, BedrockWire], ...]] = (
    ("anthropic.claude", "bedrock"),
    ("amazon.titan-embed", "titan"),
    ("cohere.embed", "bedrock-cohere"),
)
_EMBED: Final = ("text-embedding", "textembedding", "text-multilingual-embedding", "gemini-embedding")


def bedrock_speaks(model: str) -> BedrockWire:
    """Anthropic's models by their own API, so that nothing is lost; others that talk by Amazon's common one.

    https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference.html.
    """
    named = BEDROCK_IDS.get(model, model)
    return next((wire for part, wire in _BEDROCK if part in named), "converse")


def bedrock_home(config: Mapping[str, str]) -> str:
    return f"https://bedrock-runtime.{_region(config)}.amazonaws.com"


def bedrock(place: Place) -> str:
    """https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html."""
    wire = bedrock_speaks(place.model)
    _kept_to(place, "aws", embeds=wire in ("titan", "bedrock-cohere"))
    converses = wire == "converse"
    whole, stream = ("converse", "converse-stream") if converses else ("invoke", "invoke-with-response-stream")
    way = stream if place.stream else whole
    return f"/model/{quote(BEDROCK_IDS.get(place.model, place.model), safe='')}/{way}"


def vertex_speaks(model: str) -> VertexWire:
    """Open models are named with their publisher, and speak as OpenAI's do.

    https://cloud.google.com/vertex-ai/generative-ai/docs/maas/call-open-model-apis.
    """
    if model.startswith("claude"):
        return "vertex"
    if model.startswith(_EMBED):
        return "predict"
    return "openai" if "/" in model else "gemini"


def vertex_home(config: Mapping[str, str]) -> str:
    region = _region(config)
    return f"https://{'' if region == 'global' else f'{region}-'}aiplatform.googleapis.com"


def vertex(place: Place) -> str:
    """https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest."""
    wire = vertex_speaks(place.model)
    _kept_to(place, "vertexai", embeds=wire == "predict")
    project = place.config.get("vertex_ai_project_id", "")
    if not project:
        raise Unsupported("the channel has no project")
    where = f"/v1/projects/{quote(project, safe='')}/locations/{quote(_region(place.config), safe='')}"
    if wire == "openai":
        return f"{where}/endpoints/openapi/chat/completions"
    publisher, whole, stream = _VERTEX[wire]
    action = stream if place.stream else whole
    return f"{where}/publishers/{publisher}/models/{quote(place.model, safe='@')}:{action}"


_VERTEX: Final[Mapping[str, tuple[str, str, str]]] = MappingProxyType(
    {
        "vertex": ("anthropic", "rawPredict", "streamRawPredict"),
        "gemini": ("google", "generateContent", "streamGenerateContent?alt=sse"),
        "predict": ("google", "predict", "predict"),
    }
)
"""Who publishes what speaks so, and what is done with it for a whole answer and a stream."""


def _region(config: Mapping[str, str]) -> str:
    region = config.get("region", "")
    if not region.replace("-", "").isalnum() or not region.isascii():
        raise Unsupported("the channel has no region")
    return region


def _kept_to(place: Place, name: str, *, embeds: bool) -> None:
    """What a model is for is known from its name."""
    if place.mode not in ((Mode.EMBEDDINGS,) if embeds else (Mode.CHAT, Mode.GENERATE)):
        raise Unsupported(f"unsupported relay mode {place.mode.value} for {name}")
