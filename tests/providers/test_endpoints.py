"""Where every channel type sends every kind of call. The tables are One API's, not read from our catalogue."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from one_api.dialects.outbound import OUTBOUND
from one_api.providers import PROVIDERS, SPOKEN, Mode, Unsupported, endpoint, wire

BASE = "https://upstream.example"
URLS = json.loads((Path(__file__).parent.parent / "data/vectors/provider_urls.json").read_text("utf-8"))["cases"]
GOOGLES = (Mode.GENERATE, Mode.GENERATE_COUNT, Mode.EMBED, Mode.BATCH_EMBED)
APART = (Mode.UNKNOWN, Mode.PROXY, Mode.REALTIME, *SPOKEN, *GOOGLES)
MODES = [mode for mode in Mode if mode is Mode.CHAT or mode not in APART]

OPENAI = {
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
}
AUDIO = {mode: OPENAI[mode] for mode in (Mode.SPEECH, Mode.TRANSCRIPTION, Mode.TRANSLATION)}
VERSIONLESS = {mode: path.removeprefix("/v1") for mode, path in OPENAI.items()}
AZURE = {
    Mode.CHAT: "/openai/deployments/gpt-41/chat/completions?api-version=2024-02-01",
    Mode.COMPLETIONS: "/openai/deployments/gpt-41/completions?api-version=2024-02-01",
    Mode.EMBEDDINGS: "/openai/deployments/gpt-41/embeddings?api-version=2024-02-01",
    Mode.MODERATIONS: "/openai/deployments/gpt-41/moderations?api-version=2024-02-01",
    Mode.IMAGES: "/openai/deployments/gpt-4.1/images/generations?api-version=2024-02-01",
    Mode.EDITS: "/openai/deployments/gpt-41/edits?api-version=2024-02-01",
    Mode.SPEECH: "/openai/deployments/gpt-4.1/audio/speech?api-version=2024-02-01",
    Mode.TRANSCRIPTION: "/openai/deployments/gpt-4.1/audio/transcriptions?api-version=2024-02-01",
    Mode.TRANSLATION: "/openai/deployments/gpt-4.1/audio/translations?api-version=2024-02-01",
    Mode.IMAGE_EDITS: "/openai/deployments/gpt-4.1/images/edits?api-version=2024-02-01",
    Mode.IMAGE_VARIATIONS: "/openai/deployments/gpt-4.1/images/variations?api-version=2024-02-01",
}
DEFAULT = (0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 12, 13, 19, 20, 22, 25, 26, 28, 29, 31, 32, 36, 39, 44, 45, 48)
PATHS: Mapping[int, Mapping[Mode, str]] = {
    **dict.fromkeys(DEFAULT, OPENAI),
    3: AZURE,
    16: {mode: f"/api/paas/v4{OPENAI[mode][3:]}" for mode in (Mode.CHAT, Mode.EMBEDDINGS, Mode.IMAGES)},
    27: {Mode.CHAT: "/v1/text/chatcompletion_v2", **AUDIO},
    37: {mode: f"/client/v4/accounts/acct/ai{OPENAI[mode]}" for mode in (Mode.CHAT, Mode.EMBEDDINGS)},
    40: {
        Mode.CHAT: "/api/v3/chat/completions",
        Mode.EMBEDDINGS: "/api/v3/embeddings",
        **AUDIO,
    },
    41: {Mode.CHAT: "/chat/completions", **AUDIO},
    47: {Mode.CHAT: "/v2/chat/completions", **AUDIO},
    49: {
        Mode.CHAT: "/compatible-mode/v1/chat/completions",
        Mode.EMBEDDINGS: "/compatible-mode/v1/embeddings",
        Mode.RERANK: "/compatible-api/v1/reranks",
        **AUDIO,
    },
    50: VERSIONLESS,
    51: VERSIONLESS,
}
NAMES = {
    3: "azure",
    16: "zhipu",
    27: "minimax",
    37: "cloudflare",
    40: "doubao",
    41: "novita",
    47: "baidu v2",
    49: "ali bailian",
}
OURS = 100
"""Numbers from here on are none of One API's."""
ANTHROPIC = 14
GEMINI = 24
PALM = 11
PROXY = 43
OTHERS = [
    number for number, row in PROVIDERS.items() if number not in (PALM, PROXY) and not OUTBOUND.keys() & row.wires
]


@dataclass(frozen=True)
class Account:
    type: int
    base_url: str = BASE
    key: str = "KEY"
    config: Mapping[str, str] = field(default_factory=lambda: {"api_version": "2024-02-01", "user_id": "acct"})


def url(account: Account, mode: Mode, model: str = "gpt-4.1", **more: Any) -> str:
    return endpoint(account, mode, model, **more).url


@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("number", sorted(PATHS))
def test_every_openai_wire_type_serves_every_mode_or_says_why_not(number: int, mode: Mode) -> None:
    if mode in PATHS[number]:
        assert url(Account(number), mode) == BASE + PATHS[number][mode]
        return
    with pytest.raises(Unsupported) as refusal:
        url(Account(number), mode)
    assert (refusal.value.status, refusal.value.code, refusal.value.message) == (
        500,
        "do_request_failed",
        f"get request url failed: unsupported relay mode {mode.value} for {NAMES[number]}",
    )


def test_thirty_three_types_azure_zhipu_and_cloudflare_speak_openai() -> None:
    assert sorted(PATHS) == [number for number, row in PROVIDERS.items() if row.wires[0] == "openai" and number < OURS]
    assert len(PATHS) == 33 + 3


@pytest.mark.parametrize(
    "number, mode, expected",
    [
        (100, Mode.CHAT, "https://api.perplexity.ai/chat/completions"),
        (101, Mode.EMBEDDINGS, "https://api.jina.ai/v1/embeddings"),
        (101, Mode.RERANK, "https://api.jina.ai/v1/rerank"),
        (102, Mode.EMBEDDINGS, "https://api.voyageai.com/v1/embeddings"),
        (102, Mode.RERANK, "https://api.voyageai.com/v1/rerank"),
        (103, Mode.CHAT, "http://localhost:8000/v1/chat/completions"),
        (104, Mode.CHAT, "http://localhost:1234/v1/chat/completions"),
        (105, Mode.CHAT, "https://api.cerebras.ai/v1/chat/completions"),
        (106, Mode.CHAT, "https://api.fireworks.ai/inference/v1/chat/completions"),
        (107, Mode.CHAT, "https://tokenhub.tencentmaas.com/v1/chat/completions"),
        (100, Mode.EMBEDDINGS, None),
        (102, Mode.CHAT, None),
    ],
)
def test_where_the_types_are_asked_that_one_api_has_not(number: int, mode: Mode, expected: str | None) -> None:
    assert number >= OURS
    if expected is not None:
        assert url(Account(number, ""), mode) == expected
        return
    with pytest.raises(Unsupported, match="unsupported relay mode"):
        url(Account(number, ""), mode)


def test_anthropics_api_serves_chat_with_a_key_of_its_own_name() -> None:
    found = endpoint(Account(ANTHROPIC, ""), Mode.CHAT, "claude-sonnet-4-5")
    assert found.url == "https://api.anthropic.com/v1/messages"
    assert dict(found.headers) == {b"x-api-key": b"KEY", b"anthropic-version": b"2023-06-01"}
    assert endpoint(Account(ANTHROPIC, ""), Mode.MESSAGES, "claude-sonnet-4-5") == found
    counted = endpoint(Account(ANTHROPIC, ""), Mode.MESSAGES_COUNT, "claude-sonnet-4-5")
    assert counted.url == "https://api.anthropic.com/v1/messages/count_tokens"
    for mode in set(MODES) - {Mode.CHAT}:
        with pytest.raises(Unsupported, match=f"unsupported relay mode {mode.value} for anthropic"):
            url(Account(ANTHROPIC), mode)


MESSAGES = {
    16: ("glm-4.6", "glm-4-plus", "/api/anthropic/v1/messages"),
    20: ("any/model", None, "/v1/messages"),
    25: ("kimi-k2", "moonshot-v1-8k", "/anthropic/v1/messages"),
    36: ("deepseek-chat", "gpt-4o", "/anthropic/v1/messages"),
    49: ("qwen3.7-plus", "deepseek-v3", "/apps/anthropic/v1/messages"),
}


@pytest.mark.parametrize("number", sorted(MESSAGES))
def test_clients_of_anthropics_are_served_untranslated_where_the_vendor_speaks_their_dialect(number: int) -> None:
    """At home, for the models that do; not where another address may be anybody's."""
    known, unknown, path = MESSAGES[number]
    home = Account(number, "")
    assert wire(home, "anthropic", known) == "anthropic"
    assert (wire(home, "openai", known), wire(Account(number), "anthropic", known)) == ("openai", "openai")
    assert unknown is None or wire(home, "anthropic", unknown) == "openai"
    found = endpoint(home, Mode.MESSAGES, known)
    assert found.url == PROVIDERS[number].base_url + path
    assert (b"authorization", b"Bearer KEY") in found.headers
    with pytest.raises(Unsupported):  # we count ourselves
        endpoint(home, Mode.MESSAGES_COUNT, known)


def test_what_xai_has_deprecated_is_translated() -> None:
    assert wire(Account(45, ""), "anthropic", "grok-4") == "openai"


@pytest.mark.parametrize("number", sorted(PATHS.keys() - MESSAGES))
def test_openais_other_channels_do_not_speak_anthropics_dialect(number: int) -> None:
    with pytest.raises(Unsupported, match="unsupported relay mode 11"):
        url(Account(number), Mode.MESSAGES)


RESPONDING = (1, 20, 29, 45)


@pytest.mark.parametrize(
    "number, base_url, said, openai, responses",
    [
        *((number, "", "", "openai", "responses") for number in RESPONDING),
        (1, "https://api.openai.com/", "", "openai", "responses"),
        (1, BASE, "", "openai", "openai"),
        (1, BASE, "true", "openai", "responses"),
        (1, "", "false", "openai", "openai"),
        (1, "", "only", "responses", "responses"),
        (3, BASE, "", "openai", "openai"),
        (3, BASE, "true", "openai", "responses"),
        (8, BASE, "yes", "openai", "openai"),
        (36, "", "", "openai", "openai"),
        (40, "", "true", "openai", "responses"),
        (ANTHROPIC, "", "true", "anthropic", "anthropic"),
    ],
)
def test_who_is_spoken_to_in_responses(number: int, base_url: str, said: str, openai: str, responses: str) -> None:
    account = Account(number, base_url, config={"responses": said} if said else {})
    assert (wire(account, "openai", "m"), wire(account, "responses", "m")) == (openai, responses)


RESPONSES = {
    1: "/v1/responses",
    3: "/openai/v1/responses",
    29: "/v1/responses",
    40: "/api/v3/responses",
    49: "/api/v2/apps/protocols/compatible-mode/v1/responses",
    50: "/responses",
}


@pytest.mark.parametrize("number", sorted(RESPONSES))
def test_where_responses_are_asked_for(number: int) -> None:
    assert url(Account(number), Mode.RESPONSES) == BASE + RESPONSES[number]
    if number not in (40, 49):
        assert url(Account(number), Mode.RESPONSES_COUNT) == f"{BASE}{RESPONSES[number]}/input_tokens"


def test_no_other_provider_has_responses_at_home() -> None:
    found = tuple(number for number, row in PROVIDERS.items() if "responses" in row.at_home and number < OURS)
    assert found == RESPONDING


@pytest.mark.parametrize(
    "mode, more, action",
    [
        (Mode.GENERATE, {}, "generateContent"),
        (Mode.GENERATE, {"stream": True}, "streamGenerateContent?alt=sse"),
        (Mode.GENERATE_COUNT, {}, "countTokens"),
        (Mode.EMBED, {}, "embedContent"),
        (Mode.BATCH_EMBED, {}, "batchEmbedContents"),
        (Mode.EMBEDDINGS, {}, "batchEmbedContents"),
    ],
)
def test_googles_api_names_the_model_and_what_to_do_with_it(mode: Mode, more: dict[str, Any], action: str) -> None:
    found = endpoint(Account(GEMINI, "", config={}), mode, "gemini-2.5-pro", **more)
    assert found.url == f"https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:{action}"
    assert dict(found.headers) == {b"x-goog-api-key": b"KEY"}


@pytest.mark.parametrize(
    "model, version",
    [
        ("gemini-pro", "v1"),
        ("gemini-1.0-pro", "v1"),
        ("text-embedding-004", "v1"),
        ("gemini-1.5-flash", "v1beta"),
        ("gemini-2.0-flash-exp", "v1beta"),
        ("gemini-3-pro-preview", "v1beta"),
        ("gemini-pro-latest", "v1beta"),
        ("gemma-3-27b-it", "v1beta"),
    ],
)
def test_the_version_of_googles_api_is_the_channels_the_models_or_the_operators(model: str, version: str) -> None:
    account = Account(GEMINI, config={})
    assert url(account, Mode.GENERATE, model) == f"{BASE}/{version}/models/{model}:generateContent"
    other = url(account, Mode.GENERATE, model, version="v9")
    assert other == f"{BASE}/{'v9' if version == 'v1' else version}/models/{model}:generateContent"
    assert url(Account(GEMINI), Mode.GENERATE, model) == f"{BASE}/2024-02-01/models/{model}:generateContent"


@pytest.mark.parametrize("mode", sorted(set(MODES) - {Mode.EMBEDDINGS}), ids=str)
def test_googles_api_says_what_it_does_not_serve(mode: Mode) -> None:
    with pytest.raises(Unsupported, match=f"unsupported relay mode {mode.value} for gemini"):
        url(Account(GEMINI), mode)


@pytest.mark.parametrize("number", OTHERS)
def test_other_protocols_say_that_they_are_not_spoken(number: int) -> None:
    for mode in MODES:
        with pytest.raises(Unsupported, match="not supported yet"):
            url(Account(number), mode)


@pytest.mark.parametrize("case", URLS, ids=lambda case: f"{case['type']}-{case['mode']}")
def test_requests_go_where_one_api_sent_them(case: dict[str, Any]) -> None:
    mode = Mode[case["mode"].upper()]
    account = Account(
        case["type"], key=(case.get("authorization") or case.get("api_key") or "").removeprefix("Bearer ")
    )
    if "error" in case:
        with pytest.raises(Unsupported) as refusal:
            endpoint(account, mode, case["model"])
        assert refusal.value.message == case["error"]
        return
    found = endpoint(account, mode, case["model"])
    assert found.url == BASE + case["path"] + ("?" + case["query"] if case["query"] else "")
    headers = dict(found.headers)
    assert headers.get(b"authorization", b"").decode() == case.get("authorization", "")
    assert headers.get(b"api-key", b"").decode() == case.get("api_key", "")


@pytest.mark.parametrize("base", ["https://api.example/v4", "https://api.example/v4/"])
def test_a_base_ends_with_a_slash_or_without(base: str) -> None:
    assert url(Account(50, base), Mode.CHAT) == "https://api.example/v4/chat/completions"
    assert url(Account(8, base), Mode.CHAT) == "https://api.example/v4/v1/chat/completions"


def test_an_empty_base_is_the_providers() -> None:
    assert url(Account(36, ""), Mode.CHAT) == "https://api.deepseek.com/v1/chat/completions"
    gemini = "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions"
    assert url(Account(51, ""), Mode.CHAT) == gemini


@pytest.mark.parametrize("number", [0, 3, 8, 50, 43])
def test_a_type_without_a_base_needs_one(number: int) -> None:
    with pytest.raises(Unsupported, match="no base URL"):
        url(Account(number, ""), Mode.PROXY if number == 43 else Mode.CHAT)


def test_behind_cloudflares_gateway_the_version_and_the_deployments_are_part_of_the_base() -> None:
    gateway = "https://gateway.ai.cloudflare.com/v1/account/name"
    assert url(Account(1, f"{gateway}/openai"), Mode.CHAT) == f"{gateway}/openai/chat/completions"
    azure = url(Account(3, f"{gateway}/azure-openai/resource"), Mode.CHAT)
    assert azure == f"{gateway}/azure-openai/resource/gpt-41/chat/completions?api-version=2024-02-01"
    assert url(Account(8, f"{gateway}/x"), Mode.CHAT) == f"{gateway}/x/v1/chat/completions"


@pytest.mark.parametrize(
    "number, wanted",
    [
        (1, "/v1/realtime?model=gpt-realtime%26x"),
        (50, "/realtime?model=gpt-realtime%26x"),
        (3, "/openai/realtime?api-version=2024-02-01&deployment=gpt-realtime%26x"),
    ],
)
def test_where_sessions_are_opened(number: int, wanted: str) -> None:
    assert url(Account(number), Mode.REALTIME, "gpt-realtime&x") == BASE + wanted


@pytest.mark.parametrize("number", [14, 16, 24, 27, 35, 37])
def test_most_providers_have_no_sessions(number: int) -> None:
    with pytest.raises(Unsupported, match="unsupported relay mode 18"):
        url(Account(number), Mode.REALTIME)


def test_azure_without_a_version_asks_for_the_consoles() -> None:
    found = url(Account(3, config={"api_version": ""}), Mode.CHAT, "m")
    assert found == f"{BASE}/openai/deployments/m/chat/completions?api-version=2024-03-01-preview"


def test_the_oldest_embeddings_route_keeps_its_engine() -> None:
    assert url(Account(1), Mode.EMBEDDINGS, engine="ada/../x") == f"{BASE}/v1/engines/ada%2F..%2Fx/embeddings"
    assert url(Account(1), Mode.CHAT, engine="ada") == f"{BASE}/v1/chat/completions"


def test_credentials() -> None:
    assert endpoint(Account(1), Mode.CHAT, "m").headers == ((b"authorization", b"Bearer KEY"),)
    assert endpoint(Account(3), Mode.SPEECH, "m").headers == ((b"api-key", b"KEY"),)
    assert endpoint(Account(43), Mode.PROXY, "").headers == ((b"authorization", b"KEY"),)
    assert dict(endpoint(Account(20), Mode.CHAT, "m").headers).keys() == {b"authorization", b"http-referer", b"x-title"}


@pytest.mark.parametrize("key", ["a\nb", "a\r\nX-Evil: 1", "a\x00"])
def test_a_key_with_a_line_break_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(Unsupported) as refusal:
        endpoint(Account(1, key=key), Mode.CHAT, "m")
    assert key not in refusal.value.message


def test_a_printed_endpoint_shows_no_key() -> None:
    assert "KEY" not in repr(endpoint(Account(1), Mode.CHAT, "m"))


def test_a_proxy_channel_adds_nothing_to_its_base_and_serves_nothing_else() -> None:
    assert url(Account(43, f"{BASE}/x/"), Mode.PROXY) == f"{BASE}/x"
    with pytest.raises(Unsupported, match="unsupported relay mode 1 for proxy"):
        url(Account(43), Mode.CHAT)
    with pytest.raises(Unsupported, match="unsupported relay mode 10"):
        url(Account(1), Mode.PROXY)


def test_a_type_nobody_knows_is_openai_without_an_address() -> None:
    assert url(Account(999), Mode.CHAT) == f"{BASE}/v1/chat/completions"


@settings(deadline=None)
@given(st.text(), st.text(), st.sampled_from(MODES))
def test_nothing_a_caller_names_leaves_the_base(model: str, engine: str, mode: Mode) -> None:
    for number in PATHS:
        try:
            found = endpoint(Account(number), mode, model, engine=engine).url
        except Unsupported:
            assert mode not in PATHS[number]
            continue
        assert found.startswith(f"{BASE}/")
        assert "/../" not in found
        assert found.isascii()
        assert found.count("?") == (number == 3)
        assert "#" not in found


GOOGLE = {
    "region": "us-east5",
    "vertex_ai_project_id": "p1",
    "vertex_ai_adc": json.dumps({"client_email": "me", "private_key": "x"}),
}
AMAZON = {"region": "us-east-1", "ak": "a", "sk": "s"}
_VERTEX = "https://us-east5-aiplatform.googleapis.com/v1/projects/p1/locations/us-east5"
_AMAZON = "https://bedrock-runtime.us-east-1.amazonaws.com/model"


@pytest.mark.parametrize(
    "number, model, mode, expected",
    [
        (42, "gemini-2.5-pro", Mode.GENERATE, f"{_VERTEX}/publishers/google/models/gemini-2.5-pro:generateContent"),
        (42, "claude-sonnet-4@1", Mode.CHAT, f"{_VERTEX}/publishers/anthropic/models/claude-sonnet-4@1:rawPredict"),
        (42, "meta/llama-4-maas", Mode.CHAT, f"{_VERTEX}/endpoints/openapi/chat/completions"),
        (42, "text-embedding-005", Mode.EMBEDDINGS, f"{_VERTEX}/publishers/google/models/text-embedding-005:predict"),
        (42, "text-embedding-005", Mode.CHAT, None),
        (42, "gemini-2.5-pro", Mode.EMBEDDINGS, None),
        (33, "amazon.titan-embed-text-v2:0", Mode.EMBEDDINGS, f"{_AMAZON}/amazon.titan-embed-text-v2%3A0/invoke"),
        (33, "cohere.embed-english-v3", Mode.EMBEDDINGS, f"{_AMAZON}/cohere.embed-english-v3/invoke"),
        (33, "cohere.command-r-v1:0", Mode.CHAT, f"{_AMAZON}/cohere.command-r-v1%3A0/converse"),
        (33, "amazon.titan-embed-text-v2:0", Mode.CHAT, None),
        (33, "meta.llama3-8b-instruct-v1:0", Mode.EMBEDDINGS, None),
    ],
)
def test_where_models_of_clouds_are_asked(number: int, model: str, mode: Mode, expected: str | None) -> None:
    account = Account(number, "", "k", GOOGLE if number == 42 else AMAZON)
    if expected is not None:
        assert url(account, mode, model) == expected
        return
    with pytest.raises(Unsupported, match="unsupported relay mode"):
        url(account, mode, model)


def test_open_models_on_vertex_are_not_translated_for_openais_clients() -> None:
    account = Account(42, "", "k", GOOGLE)
    spoken = {model: wire(account, "openai", model) for model in ("meta/llama-4-maas", "gemini-2.5-pro", "claude-x")}
    assert spoken == {"meta/llama-4-maas": "openai", "gemini-2.5-pro": "gemini", "claude-x": "vertex"}
