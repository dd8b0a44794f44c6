"""What there is to know of a provider."""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Literal

from one_api.dialects.openai_errors import decode_error
from one_api.providers import paths
from one_api.providers.auth import Auth
from one_api.providers.faults import Reader
from one_api.providers.flows import Headers, Way
from one_api.providers.modes import Mode
from one_api.providers.paths import PathRule

Wire = Literal[
    "openai",
    "aiproxy",
    "anthropic",
    "baidu",
    "bedrock",
    "bedrock-cohere",
    "cohere",
    "converse",
    "coze",
    "dashscope",
    "deepl",
    "gemini",
    "ollama",
    "palm",
    "predict",
    "proxy",
    "replicate",
    "responses",
    "tencent",
    "titan",
    "vertex",
    "xunfei",
]
Callers = tuple[tuple[bytes, Callable[[bytes], bytes]], ...]


@dataclass(frozen=True, slots=True)
class Provider:
    """Who answers behind a channel type. `key` names the type, `name` is what the console shows.

    What a row does not say is as with OpenAI.

    wires: the dialects it speaks, best first. speaks: which of them a model does, where that decides. at_home: those it
    speaks at its own address too, each with how the names of the models begin that do. headers: what it always wants.
    callers: those that a caller may set himself, each with what is made of his value; b"" is not sent. faults: how the
    errors of refused requests are read. streaming: headers that ask for a stream. telling: those that say what is
    wanted, by kind of call. ways: what kinds of calls take more than sending them, besides the key. configured: headers
    whose value is a setting of the channel, by its name. home: its address where that depends on the channel's
    settings. key_parts: settings that the key may hold, joined by bars.
    """

    id: int
    key: str
    name: str
    owned_by: str = "openai"
    base_url: str = ""
    path: PathRule = paths.openai
    _: KW_ONLY
    wires: tuple[Wire, ...] = ("openai",)
    at_home: Mapping[Wire, tuple[str, ...]] = field(default_factory=dict)
    auth: Auth = "bearer"
    headers: Headers = ()
    callers: Callers = ()
    faults: Reader = decode_error
    streaming: Headers = ()
    telling: Mapping[Mode, Headers] = field(default_factory=dict)
    ways: Mapping[Mode, Way] = field(default_factory=dict)
    configured: tuple[tuple[bytes, str], ...] = ()
    speaks: Callable[[str], Wire] | None = None
    home: Callable[[Mapping[str, str]], str] | None = None
    key_parts: tuple[str, ...] = ()
    ranking: str = ""

    def wire(self, spoken: str, model: str) -> str:
        """What to speak with it for a caller of `spoken`: the same if it can, so that nothing is lost."""
        if self.speaks is not None:
            return self.speaks(model)
        return spoken if spoken in self.wires else self.wires[0]

    def knows(self, spoken: str, model: str) -> bool:
        """Whether a model speaks this at the provider's own address."""
        return any(wire == spoken and model.startswith(names) for wire, names in self.at_home.items())
