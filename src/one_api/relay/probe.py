"""One request to a channel, made as calls are made, to see whether it works. Nobody is charged."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from one_api.dialects.openai_chat import Whole
from one_api.errors import UpstreamError
from one_api.lib import json
from one_api.providers import PATHS, Mode
from one_api.relay.attempt import Answer, Upstreams, one_answer
from one_api.relay.calls import Ask, Call
from one_api.relay.client import Listener
from one_api.relay.heading import Heading
from one_api.relay.record import Record
from one_api.relay.redaction import text_without_key
from one_api.relay.transport import Timeouts
from one_api.routing import Channel

MODEL: Final = "gpt-3.5-turbo"  # asked for wherever a channel has it
LONGEST_S: Final = 120.0
MOST: Final = 10_000  # characters kept of an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """How it went. `model` is the one that was asked for, `text` what it said or what went wrong, without the key."""

    model: str
    text: str
    elapsed_ms: int
    error: UpstreamError | None

    @property
    def passed(self) -> bool:
        return self.error is None


async def probe(upstreams: Upstreams, channel: Channel, *, model: str, prompt: str, request_id: str) -> Probe:
    """Ask `channel` for `model`, or for what it has. Its system prompt is left out: it is none of what is tested."""
    usual = MODEL if channel.parameters is None else channel.parameters.test_model or MODEL
    asked = choose(channel, model or usual)
    loop = upstreams.loop
    started = loop.time()
    error: UpstreamError | None = None
    try:
        answer = await _ask(upstreams, replace(channel, system_prompt=""), asked, prompt, request_id)
        text = _said(answer)
    except UpstreamError as failure:
        error, text = failure, _complaint(failure)
    return Probe(
        model=channel.mapping.get(asked) or asked,
        text=_clean(text_without_key(text, channel)),
        elapsed_ms=max(1, int((loop.time() - started) * 1000)),  # 0 is shown as a failure
        error=error,
    )


def choose(channel: Channel, model: str) -> str:
    """The model itself if the channel has it, else the first that it has."""
    known = [name for name in channel.models if name]
    return model if model in known or not known else known[0]


HEADING = Heading(
    mode=Mode.CHAT,
    method="POST",
    path=PATHS[Mode.CHAT],
    headers={b"content-type": b"application/json"},
    content_type="application/json",
    is_json=True,
)


async def _ask(upstreams: Upstreams, channel: Channel, model: str, prompt: str, request_id: str) -> Answer:
    document: Mapping[str, Any] = {"messages": [{"role": "user", "content": prompt}], "model": model}
    call = Call(
        id=request_id,
        mode=Mode.CHAT,
        heading=HEADING,
        body=json.encode(document),
        ip="",
        started=upstreams.loop.time(),
        record=Record(request_id=request_id),
    )
    ask = Ask(mode=Mode.CHAT, model=model, text=len(prompt.encode()), document=document)
    longest = min(upstreams.timeouts.total or LONGEST_S, LONGEST_S)
    apart = replace(upstreams, targets=upstreams.targets.apart(), timeouts=Timeouts(total=longest))
    answer = await one_answer(apart, call, ask, channel, _Nobody())
    answer.inflow.close()
    return answer


def _said(answer: Answer) -> str:
    """The model's words. Raises UpstreamError if there are none."""
    whole = answer.whole or Whole()
    choices = json.decode(bytes(whole.choices))
    if not isinstance(choices, list) or not choices:
        raise UpstreamError("response has no choices")
    message = choices[0].get("message") if isinstance(choices[0], dict) else None
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, str):
        raise UpstreamError("response content is not string")
    return content


def _complaint(error: UpstreamError) -> str:
    """As One API words it: what the upstream refused with, and its message if it had one."""
    if not error.answered:
        return error.message
    status = f"http status code: {error.answered}"
    if error.message.startswith(f"bad response status code {error.answered}:"):  # ours, for a body that has no message
        return status
    return f"{status}, error message: {error.message}"


def _clean(text: str) -> str:
    """As much of it as a row of the log holds in any database."""
    return text[:MOST].encode("utf-8", "replace").decode().replace("\0", "")


class _Nobody:
    """A caller who never leaves, and whom nothing is sent."""

    gone = False
    started = False

    def listen(self, listener: Listener | None) -> None:
        """Nothing ever happens to him."""

    def _nothing(self, *_: object, **__: object) -> None:
        raise AssertionError("the answer to a test is read, not passed on")

    respond = start = write = finish = cut = _nothing
