"""Where channels of providers with a protocol of their own send what they serve, and what they say of the rest."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from one_api.providers import Mode, Unsupported, endpoint

BASE = "https://upstream.example"
MODES = (
    *(Mode.CHAT, Mode.COMPLETIONS, Mode.EMBEDDINGS, Mode.MODERATIONS, Mode.IMAGES, Mode.EDITS, Mode.SPEECH),
    *(Mode.TRANSCRIPTION, Mode.TRANSLATION),
)
BEARER = {b"authorization": b"Bearer KEY"}


@dataclass(frozen=True)
class Account:
    type: int
    base_url: str = BASE
    key: str = "KEY"
    config: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """`headers` are those of a request for a whole answer, `streaming` what is there in addition for a stream."""

    type: int
    paths: Mapping[Mode, str]
    model: str = "m"
    config: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[bytes, bytes] = field(default_factory=lambda: BEARER)
    streaming: Mapping[bytes, bytes] = field(default_factory=dict)


_ALI = "/api/v1/services"
CASES = {
    "ali": Case(
        17,
        {
            Mode.CHAT: f"{_ALI}/aigc/text-generation/generation",
            Mode.EMBEDDINGS: f"{_ALI}/embeddings/text-embedding/text-embedding",
        },
        model="qwen-max",
        config={"plugin": "p"},
        headers={**BEARER, b"x-dashscope-plugin": b"p"},
        streaming={b"x-dashscope-sse": b"enable"},
    ),
    "ali, a model that sees": Case(
        17,
        {
            Mode.CHAT: f"{_ALI}/aigc/multimodal-generation/generation",
            Mode.EMBEDDINGS: f"{_ALI}/embeddings/text-embedding/text-embedding",
        },
        model="qwen3-vl-plus",
        streaming={b"x-dashscope-sse": b"enable"},
    ),
    "deepl": Case(38, {Mode.CHAT: "/v2/translate"}, headers={b"authorization": b"DeepL-Auth-Key KEY"}),
    "aiproxy": Case(21, {Mode.CHAT: "/api/library/ask"}),
    "coze": Case(34, {Mode.CHAT: "/v3/chat"}),
    "cohere": Case(35, {Mode.CHAT: "/v2/chat", Mode.EMBEDDINGS: "/v2/embed"}),
    "ollama": Case(30, {Mode.CHAT: "/api/chat", Mode.EMBEDDINGS: "/api/embed"}),
}


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_what_its_vendor_shut_down_says_so(mode: Mode) -> None:
    with pytest.raises(Unsupported, match="Google has shut the PaLM API down, use a channel of type Gemini"):
        endpoint(Account(11), mode, "PaLM-2")


def test_an_account_of_cloudflares_is_in_the_path_and_behind_its_gateway_in_the_base() -> None:
    account = Account(37, config={"user_id": "a/b"})
    assert endpoint(account, Mode.CHAT, "@cf/x").url == f"{BASE}/client/v4/accounts/a%2Fb/ai/v1/chat/completions"
    gateway = "https://gateway.ai.cloudflare.com/v1/acct/gate/workers-ai"
    assert endpoint(Account(37, gateway), Mode.EMBEDDINGS, "@cf/x").url == f"{gateway}/v1/embeddings"
    with pytest.raises(Unsupported, match="needs the number of the account"):
        endpoint(Account(37), Mode.CHAT, "@cf/x")


@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("name", CASES)
def test_every_kind_of_call_has_its_place_or_is_refused(name: str, mode: Mode) -> None:
    case = CASES[name]
    account = Account(case.type, config=case.config)
    if mode not in case.paths:
        with pytest.raises(Unsupported, match=f"unsupported relay mode {mode.value} for "):
            endpoint(account, mode, case.model)
        return
    whole, stream = endpoint(account, mode, case.model), endpoint(account, mode, case.model, stream=True)
    assert whole.url == stream.url == BASE + case.paths[mode]
    assert dict(whole.headers) == case.headers
    assert dict(stream.headers) == {**case.headers, **case.streaming}
