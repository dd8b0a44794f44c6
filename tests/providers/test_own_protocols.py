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
    key: str = "KEY"
    config: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[bytes, bytes] = field(default_factory=lambda: BEARER)
    streaming: Mapping[bytes, bytes] = field(default_factory=dict)


_ALI = "/api/v1/services"
_ERNIE = "/rpc/2.0/ai_custom/v1/wenxinworkshop"
CASES = {
    "ali": Case(
        17,
        {
            Mode.CHAT: f"{_ALI}/aigc/text-generation/generation",
            Mode.EMBEDDINGS: f"{_ALI}/embeddings/text-embedding/text-embedding",
            Mode.IMAGES: f"{_ALI}/aigc/text2image/image-synthesis",
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
            Mode.IMAGES: f"{_ALI}/aigc/text2image/image-synthesis",
        },
        model="qwen3-vl-plus",
        streaming={b"x-dashscope-sse": b"enable"},
    ),
    "deepl": Case(38, {Mode.CHAT: "/v2/translate"}, headers={b"authorization": b"DeepL-Auth-Key KEY"}),
    "aiproxy": Case(21, {Mode.CHAT: "/api/library/ask"}),
    "coze": Case(34, {Mode.CHAT: "/v3/chat"}),
    "cohere": Case(35, {Mode.CHAT: "/v2/chat", Mode.EMBEDDINGS: "/v2/embed"}),
    "ollama": Case(30, {Mode.CHAT: "/api/chat", Mode.EMBEDDINGS: "/api/embed"}),
    "xunfei": Case(
        18,
        {Mode.CHAT: "/v1/chat/completions"},
        key="app|secret|key",
        headers={b"authorization": b"Bearer key:secret"},
    ),
    "baidu": Case(
        15, {Mode.CHAT: f"{_ERNIE}/chat/m", Mode.EMBEDDINGS: f"{_ERNIE}/embeddings/m"}, key="id|secret", headers={}
    ),
    "replicate": Case(
        46,
        dict.fromkeys((Mode.CHAT, Mode.IMAGES), "/v1/models/meta/m/predictions"),
        model="meta/m",
    ),
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


@pytest.mark.parametrize(
    "model, name",
    [
        ("ERNIE-4.0-8K", "completions_pro"),
        ("ERNIE-3.5-8K", "completions"),
        ("ERNIE-Lite-8K-0922", "eb-instant"),
        ("ERNIE-Speed-8K", "ernie_speed"),
        ("ERNIE-Speed-128K", "ernie-speed-128k"),
        ("ERNIE-Bot-8K", "ernie_bot_8k"),
        ("../x?y", "..%2Fx%3Fy"),
    ],
)
def test_each_of_baidus_models_has_a_place_of_its_own(model: str, name: str) -> None:
    assert endpoint(Account(15, key="id|secret"), Mode.CHAT, model).url == f"{BASE}{_ERNIE}/chat/{name}"


def test_tencents_calls_say_in_a_header_what_they_want() -> None:
    account = Account(23, key="app|id|secret")
    asked = {Mode.CHAT: b"ChatCompletions", Mode.EMBEDDINGS: b"GetEmbedding"}
    for mode, action in asked.items():
        found = endpoint(account, mode, "hunyuan-pro")
        assert (found.url, found.way is None) == (f"{BASE}/", False)
        assert dict(found.headers) == {b"x-tc-version": b"2023-09-01", b"x-tc-action": action}
    with pytest.raises(Unsupported, match="relay mode 5 for tencent"):
        endpoint(account, Mode.IMAGES, "hunyuan-pro")


def test_a_channel_made_for_xunfeis_websocket_needs_no_address() -> None:
    found = endpoint(Account(18, "", "app|secret|key"), Mode.CHAT, "Spark-Lite")
    assert found.url == "https://spark-api-open.xf-yun.com/v1/chat/completions"


@pytest.mark.parametrize(
    "model, place",
    [
        ("wan2.5-t2i-preview", "text2image/image-synthesis"),
        ("wan2.6-t2i", "multimodal-generation/generation"),
        ("qwen-image-max", "multimodal-generation/generation"),
        ("z-image-turbo", "multimodal-generation/generation"),
    ],
)
def test_where_alis_models_draw(model: str, place: str) -> None:
    assert endpoint(Account(17), Mode.IMAGES, model).url == f"{BASE}{_ALI}/aigc/{place}"


@pytest.mark.parametrize("model", ["m", "a/b/c", "../x", "a/..", "a/b?c", "a/b%2F", ""])
def test_a_model_of_replicates_names_its_owner_and_no_other_place(model: str) -> None:
    with pytest.raises(Unsupported, match="called owner/name"):
        endpoint(Account(46), Mode.CHAT, model)


def test_replicates_address_may_end_where_one_apis_does() -> None:
    for base in ("", "https://api.replicate.com", "https://api.replicate.com/v1/models/"):
        found = endpoint(Account(46, base), Mode.CHAT, "meta/m")
        assert found.url == "https://api.replicate.com/v1/models/meta/m/predictions"


@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("name", CASES)
def test_every_kind_of_call_has_its_place_or_is_refused(name: str, mode: Mode) -> None:
    case = CASES[name]
    account = Account(case.type, key=case.key, config=case.config)
    if mode not in case.paths:
        with pytest.raises(Unsupported, match=f"unsupported relay mode {mode.value} for "):
            endpoint(account, mode, case.model)
        return
    whole, stream = endpoint(account, mode, case.model), endpoint(account, mode, case.model, stream=True)
    assert whole.url == stream.url == BASE + case.paths[mode]
    assert dict(whole.headers) == case.headers
    assert dict(stream.headers) == {**case.headers, **case.streaming}
