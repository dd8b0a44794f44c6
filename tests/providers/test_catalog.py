"""The rows of the catalogue and the models of each type."""

import pytest

from one_api.providers import CATALOGUE, PROVIDERS, models_by_type, owner, provider, static_models

# Models a type is offered, counted in One API.
COUNTS = {
    **dict.fromkeys((0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 21, 22, 50), 53),
    11: 1,
    14: 11,
    15: 16,
    16: 23,
    17: 89,
    18: 6,
    19: 4,
    20: 231,
    23: 6,
    24: 13,
    25: 3,
    26: 3,
    27: 7,
    28: 6,
    29: 21,
    30: 7,
    31: 3,
    32: 9,
    33: 12,
    34: 0,
    35: 12,
    36: 2,
    37: 33,
    38: 3,
    39: 4,
    40: 7,
    41: 13,
    42: 17,
    43: 0,
    44: 30,
    45: 8,
    46: 41,
    47: 23,
    48: 6,
    49: 13,
    51: 13,
}
OWNERS = (
    *("openai", "anthropic", "google palm", "baidu", "zhipu", "ali", "xunfei", "tencent", "google gemini", "ollama"),
    *("aws", "Cohere", "cloudflare", "deepl", "vertexai", "replicate", "360", "moonshot", "baichuan", "minimax"),
    *("doubao", "mistralai", "groq", "lingyiwanwu", "stepfun", "deepseek", "together.ai", "novita", "siliconflow"),
    *("xai", "baiduv2", "xunfeiv2"),
)


def test_every_number_has_its_row() -> None:
    assert list(PROVIDERS)[:52] == list(range(52))
    assert all(row.id == number for number, row in PROVIDERS.items())
    assert len({row.key for row in PROVIDERS.values()}) == len(PROVIDERS)


@pytest.mark.parametrize("number", range(52))
def test_models_of_a_type(number: int) -> None:
    assert len(static_models(number)) == COUNTS[number]
    assert "" not in static_models(number)


def test_types_without_an_own_list_share_one() -> None:
    assert static_models(50) is static_models(1)
    assert static_models(51) is static_models(24)
    assert static_models(999) == ()


def test_operators_choose_among_all_types_but_unknown() -> None:
    assert list(models_by_type()) == [number for number in PROVIDERS if number]
    assert models_by_type()[36] == ("deepseek-chat", "deepseek-reasoner")


def test_the_catalogue_is_in_one_apis_order() -> None:
    owners = tuple(dict.fromkeys(owned_by for _, owned_by in CATALOGUE))
    assert owners == OWNERS
    assert CATALOGUE[0] == ("gpt-3.5-turbo", "openai")
    assert CATALOGUE[-1] == ("4.0Ultra", "xunfeiv2")


def test_a_model_of_two_providers_is_in_the_catalogue_twice_and_owned_by_the_last() -> None:
    assert [owned_by for model, owned_by in CATALOGUE if model == "claude-3-opus-20240229"] == ["anthropic", "aws"]
    assert owner("claude-3-opus-20240229") == "aws"
    assert owner("custom-model") is None


@pytest.mark.parametrize(
    "number, base_url",
    [
        (1, "https://api.openai.com"),
        (20, "https://openrouter.ai/api"),
        (22, "https://fastgpt.run/api/openapi"),
        (29, "https://api.groq.com/openai"),
        (30, "http://localhost:11434"),
        (41, "https://api.novita.ai/v3/openai"),
        (46, "https://api.replicate.com/v1/models/"),
        (51, "https://generativelanguage.googleapis.com/v1beta/openai/"),
        (8, ""),
    ],
)
def test_base_urls(number: int, base_url: str) -> None:
    assert provider(number).base_url == base_url
