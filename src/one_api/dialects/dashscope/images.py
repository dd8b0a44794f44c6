"""Images of DashScope: a task that is begun and asked for, or, of newer models, an answer like that of a conversation.

https://help.aliyun.com/zh/model-studio/text-to-image-v2-api-reference,
https://help.aliyun.com/zh/model-studio/qwen-image-api. The way of a task is in `providers.waiting`.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from one_api import ir
from one_api.dialects import drawing, turns
from one_api.dialects.dashscope.answer import CAUSES, REFUSALS
from one_api.dialects.decoding import whole
from one_api.dialects.drawing import Asked, Picture
from one_api.lib import json

_CONVERSING: Final = re.compile(r"qwen-image|z-image|wan(2\.[6-9]|[3-9])")
_KNOWN: Final = {
    "seed": turns.is_whole,
    "prompt_extend": lambda value: type(value) is bool,
    "watermark": lambda value: type(value) is bool,
    "style": lambda value: isinstance(value, str) and value.startswith("<"),  # no style is called so at OpenAI
    "negative_prompt": lambda value: isinstance(value, str),
}


def converses(model: str) -> bool:
    """Whether a model draws what a message asks for, while one waits."""
    return _CONVERSING.match(model) is not None


def encode_request(asked: Asked, *, model: str) -> ir.Encoded:
    """How many is always told: some models make four else."""
    wishes, lost = drawing.granted(asked, _KNOWN)
    unwanted = wishes.pop("negative_prompt", None)
    parameters: dict[str, Any] = {"n": asked.n, **wishes}
    if asked.size:
        parameters["size"] = asked.size.replace("x", "*")
    words: dict[str, Any] = {"prompt": asked.prompt}
    if converses(model):
        words = {"messages": [{"role": "user", "content": [{"text": asked.prompt}]}]}
    if unwanted is not None:
        (parameters if converses(model) else words)["negative_prompt"] = unwanted
    return ir.Encoded(json.encode({"model": model, "input": words, "parameters": parameters}), lost)


class _Result(msgspec.Struct):
    """One image of a task; one of several may fail."""

    url: str | None = None
    actual_prompt: str | None = None
    code: str | None = None
    message: str | None = None


class _Part(msgspec.Struct):
    image: str | None = None


class _Message(msgspec.Struct):
    content: list[_Part] | str | None = None


class _Choice(msgspec.Struct):
    message: _Message | None = None


class _Output(msgspec.Struct):
    task_status: str | None = None
    results: list[_Result] | None = None
    choices: list[_Choice] | None = None
    code: str | None = None
    message: str | None = None

    def pictures(self) -> Iterable[Picture]:
        for result in self.results or ():
            if result.url:
                yield drawing.located(result.url, result.actual_prompt or "")
        for choice in self.choices or ():
            content = None if choice.message is None else choice.message.content
            for part in content if isinstance(content, list) else ():
                if part.image:
                    yield drawing.located(part.image)


class _Answer(msgspec.Struct):
    output: _Output | None = None
    code: str | None = None
    message: str | None = None


_answer = msgspec.json.Decoder(_Answer)


def decode_answer(body: bytes) -> tuple[Picture, ...] | ir.Failed:
    """Raises json.InvalidJSON."""
    found = whole(_answer, body)
    output = found.output or _Output()
    pictures = tuple(output.pictures())
    if pictures:
        return pictures
    told = next((each for each in (found, output, *(output.results or ())) if each.code), _Answer())
    status = output.task_status
    message = told.message or (f"the task ended as {status}" if status else drawing.NONE)
    code = told.code or "upstream_error"
    return ir.Failed(CAUSES.get(code, code), message, refused=code in REFUSALS)
