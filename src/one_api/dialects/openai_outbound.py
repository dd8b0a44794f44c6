"""A request of the neutral model written as a chat completion, and its answer read: OpenAI's dialect as a client.

https://platform.openai.com/docs/api-reference/chat/create and .../chat/streaming.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

import msgspec

from one_api import ir
from one_api.dialects.openai_efforts import effort
from one_api.lib import json
from one_api.lib.sse import EventTooLong, SSEReader

REASONS: Final[Mapping[str, ir.Reason]] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
UNREADABLE: Final = "the upstream sent an event that cannot be read"
_REASONING: Final = ("o1", "o3", "o4", "gpt-5")
_PASSED: Final = ("seed", "presence_penalty", "frequency_penalty")


def encode_request(request: ir.Request) -> ir.Encoded:
    """Raises Unrepresentable."""
    passed = {name: wish for name, wish in request.extra.items() if name in _PASSED}
    losses = [name for name in request.extra if name not in passed]
    if request.top_k is not None:
        losses.append("top_k")
    thinks = request.model.rpartition("/")[2].startswith(_REASONING)
    value: dict[str, Any] = {"model": request.model, "messages": list(_messages(request, losses)), **passed}
    if request.limit is not None:
        # Models that think know this name only, other vendors' the other.
        value["max_completion_tokens" if thinks else "max_tokens"] = request.limit
    wishes = {"temperature": request.temperature, "top_p": request.top_p}
    value |= {name: wish for name, wish in wishes.items() if wish is not None and not thinks}
    if thinks:
        losses.extend(name for name, wish in wishes.items() if wish is not None)
    if request.stop:
        value["stop"] = list(request.stop)
    if request.stream:
        value |= {"stream": True, "stream_options": {"include_usage": True}}
    if request.user:
        value["user"] = request.user
    losses.extend(name for tool in request.tools for name in tool.extra)
    value |= _tools(request)
    if request.format is not None:
        value["response_format"] = _format(request.format)
    if request.reasoning is not None:
        value |= _thinking(request.reasoning, request.model, losses, thinks=thinks)
    return ir.Encoded(json.encode(value), tuple(dict.fromkeys(losses)))


def _thinking(asked: ir.Reasoning, model: str, losses: list[str], *, thinks: bool) -> dict[str, Any]:
    if not thinks:
        losses.extend(() if asked.off else ("thinking",))
        return {}
    told = effort(asked, model, losses)
    return {"reasoning_effort": told} if told else {}


def must_be_enclosed(block: ir.Image | ir.File) -> bool:
    """Files are given inline; images may be addresses."""
    return isinstance(block, ir.File) and bool(block.url)


def _format(wanted: ir.Format) -> dict[str, Any]:
    if wanted.schema is None:
        return {"type": "json_object"}
    schema = {"name": wanted.name or "answer", "schema": wanted.schema, "strict": wanted.exact}
    return {"type": "json_schema", "json_schema": schema}


def _tools(request: ir.Request) -> dict[str, Any]:
    if not request.tools:
        return {}
    value: dict[str, Any] = {"tools": [_tool(tool) for tool in request.tools]}
    choice = request.choice
    if choice is not None:
        named = {"type": "function", "function": {"name": choice.name}}
        value["tool_choice"] = named if choice.mode == "one" else "required" if choice.mode == "any" else choice.mode
    if request.parallel is not None:
        value["parallel_tool_calls"] = request.parallel
    return value


def _tool(tool: ir.Tool) -> dict[str, Any]:
    function = {
        "name": tool.name,
        **({"description": tool.description} if tool.description else {}),
        **({} if tool.schema is None else {"parameters": tool.schema}),
        **({"strict": True} if tool.strict else {}),
    }
    return {"type": "function", "function": function}


def _messages(request: ir.Request, losses: list[str]) -> Iterable[dict[str, Any]]:
    if request.system:
        losses.extend(name for text in request.system for name in text.extra)
        yield {"role": "system", "content": "\n\n".join(text.text for text in request.system)}
    for turn in request.turns:
        if turn.role == "assistant":
            yield _assistant(turn.blocks, losses)
        else:
            yield from _asked(turn, losses)


def _asked(turn: ir.Turn, losses: list[str]) -> Iterable[dict[str, Any]]:
    """Results of tools are messages of their own, which hold text: their images go to the message after them."""
    parts: list[dict[str, Any]] = []
    for block in turn.blocks:
        if isinstance(block, ir.ToolResult):
            losses.extend(block.extra)
            yield {"role": "tool", "tool_call_id": block.call_id, "content": _result(block)}
            media = [each for each in block.content if not isinstance(each, ir.Text)]
            parts.extend(_part(each, losses) for each in media)
        else:
            parts.append(_part(block, losses))
    if not parts:
        return
    alone = parts[0]["text"] if len(parts) == 1 and parts[0]["type"] == "text" else parts
    yield {"role": turn.role, "content": alone}


def _result(block: ir.ToolResult) -> str:
    text = "\n".join(each.text for each in block.content if isinstance(each, ir.Text))
    return f"Error: {text}" if block.failed else text


def _part(block: ir.Said, losses: list[str]) -> dict[str, Any]:
    if isinstance(block, (ir.Text, ir.Image, ir.File)):
        losses.extend(block.extra)
    match block:
        case ir.Text():
            return {"type": "text", "text": block.text}
        case ir.Image():
            url = block.url or f"data:{block.media_type};base64,{block.data}"
            return {"type": "image_url", "image_url": {"url": url}}
        case ir.File() if block.data:
            inline = f"data:{block.media_type};base64,{block.data}"
            return {"type": "file", "file": {"filename": block.name or "file", "file_data": inline}}
        case _:
            raise _unsaid(block)


def _unsaid(block: ir.Said) -> ir.Unrepresentable:
    kind = block.raw.get("type") if isinstance(block, ir.Opaque) else type(block).__name__.lower()
    return ir.Unrepresentable(f"content of type {kind!r} cannot be sent to this channel")


def _assistant(blocks: tuple[ir.Said, ...], losses: list[str]) -> dict[str, Any]:
    texts: list[str] = []
    calls: list[dict[str, Any]] = []
    for block in blocks:
        match block:
            case ir.Text():
                losses.extend(block.extra)
                texts.append(block.text)
            case ir.ToolCall():
                losses.extend(block.extra)
                function = {"name": block.name, "arguments": block.arguments}
                calls.append({"id": block.id, "type": "function", "function": function})
            case ir.Thinking() | ir.Redacted():
                losses.append("thinking of an earlier turn")
            case _:
                raise _unsaid(block)
    message: dict[str, Any] = {"role": "assistant", "content": "".join(texts) if texts or not calls else None}
    return {**message, "tool_calls": calls} if calls else message


# --- answers ----------------------------------------------------------------------------------------------------------

Count = Annotated[int, msgspec.Meta(ge=0)]


class _Details(msgspec.Struct):
    cached_tokens: Count | None = None
    cache_write_tokens: Count | None = None
    reasoning_tokens: Count | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: Count
    completion_tokens: Count
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None


class _Function(msgspec.Struct):
    """`arguments` are a text, and an object at some providers."""

    name: str | None = None
    arguments: str | dict[str, Any] | None = None

    @property
    def argued(self) -> str:
        if isinstance(self.arguments, dict):
            return json.encode(self.arguments).decode()
        return self.arguments or ""


class _Call(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Part(msgspec.Struct):
    """A part of a content that is a list: https://docs.mistral.ai/capabilities/reasoning."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None
    thinking: "str | list[_Part] | None" = None


class _Message(msgspec.Struct):
    content: str | list[_Part] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None

    @property
    def thought(self) -> str:
        told = self.reasoning_content or self.reasoning or ""
        if type(self.content) is not list:
            return told
        return told or "".join(_text(part.thinking) for part in self.content)

    @property
    def said(self) -> str:
        content = self.content
        return content if type(content) is str else _text(content)

    @property
    def refused(self) -> str:
        told = self.refusal or ""
        if type(self.content) is not list:
            return told
        return told or "".join(part.refusal or "" for part in self.content)


def _text(content: str | list[_Part] | None) -> str:
    if isinstance(content, list):
        return "".join(part.text or "" for part in content)
    return content or ""


class _Choice(msgspec.Struct):
    message: _Message | None = None
    delta: _Message | None = None
    finish_reason: str | None = None


_NOTHING: Final = msgspec.Raw(b"null")


class _Body(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    choices: list[_Choice] | None = None
    usage: msgspec.Raw = _NOTHING
    error: Any = None


_body = msgspec.json.Decoder(_Body)
_usage: msgspec.json.Decoder[_Usage | None] = msgspec.json.Decoder(_Usage | None)
_BROKEN: Final = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)


def decode_answer(body: bytes) -> ir.Answer | ir.Failed:
    """Raises json.InvalidJSON for what is no answer."""
    try:
        found = _body.decode(body)
    except _BROKEN as error:
        raise json.InvalidJSON(str(error)) from None
    if found.error:
        return _failed(found.error)
    choice = found.choices[0] if found.choices else None
    if choice is None or choice.message is None:
        raise json.InvalidJSON("an answer without choices")
    return ir.Answer(
        id=found.id or "",
        model=found.model or "",
        blocks=tuple(_blocks(choice.message)),
        reason=REASONS.get(choice.finish_reason or "", "stop"),
        usage=_counted(found.usage),
    )


def _blocks(message: _Message) -> Iterable[ir.Said]:
    if message.thought:
        yield ir.Thinking(message.thought)
    if message.said:
        yield ir.Text(message.said)
    if message.refused:
        yield ir.Text(message.refused, refused=True)
    for call in message.tool_calls or ():
        function = call.function or _Function()
        yield ir.ToolCall(call.id or "", function.name or "", function.argued or "{}")


def _failed(error: Any) -> ir.Failed:
    told = error if isinstance(error, dict) else {"message": error}
    kind, message = told.get("type"), told.get("message")
    return ir.Failed(
        kind if isinstance(kind, str) else "",
        message if isinstance(message, str) and message else "the upstream reported an error",
    )


def _counted(raw: msgspec.Raw) -> ir.Usage | None:
    try:
        found = _usage.decode(raw)
    except _BROKEN:
        return None
    if found is None:
        return None
    before, after = found.prompt_tokens_details or _Details(), found.completion_tokens_details or _Details()
    return ir.Usage(
        input=found.prompt_tokens,
        output=found.completion_tokens,
        cached=min(before.cached_tokens or 0, found.prompt_tokens),
        cache_write=min(before.cache_write_tokens or 0, found.prompt_tokens),
        reasoning=min(after.reasoning_tokens or 0, found.completion_tokens),
    )


class StreamDecoder:
    """Reads a stream of chunks, cut anywhere. `prompt` is never told before the end."""

    __slots__ = ("_call", "_finished", "_over", "_reader", "_started", "prompt", "usage")

    def __init__(self) -> None:
        self._reader = SSEReader()
        self._call = -1
        self._started = False
        self._finished = False
        self._over = False
        self.prompt: ir.Usage | None = None
        self.usage: ir.Usage | None = None

    def feed(self, data: bytes) -> list[ir.Event]:
        plain = self._reader.plain(data)
        if plain is not None:
            return self.read(plain[0]) if len(plain) == 1 else [event for piece in plain for event in self.read(piece)]
        try:
            pieces = self._reader.feed(data)
        except EventTooLong:
            return self._fail(ir.Failed("", "the upstream sent an event larger than 16 MiB"))
        return [event for _, piece in pieces for event in self.read(piece)]

    def close(self) -> list[ir.Event]:
        """Some providers end without the mark that says so."""
        found = [event for _, piece in self._reader.close() for event in self.read(piece)]
        left = [event for event in found if not (isinstance(event, ir.Failed) and event.message == UNREADABLE)]
        if self._finished and not self._over:
            self._over = True
            left.append(ir.Ended(self.usage))
        return left

    def read(self, data: bytes | None) -> list[ir.Event]:
        """The events of one `data` field; None is a comment."""
        if self._over:
            return []
        if data is None:
            return [ir.Alive()] if self._started else []
        if data == b"[DONE]":
            self._over = True
            return [ir.Ended(self.usage)]
        try:
            chunk = _body.decode(data)
        except _BROKEN:
            return self._fail(ir.Failed("", UNREADABLE))
        if chunk.error:
            return self._fail(_failed(chunk.error))
        if chunk.usage is not _NOTHING:
            self.usage = _counted(chunk.usage) or self.usage
        events: list[ir.Event] = []
        if not self._started:
            self._started = True
            events.append(ir.Started(chunk.id or "", chunk.model or ""))
        if chunk.choices:
            events.extend(self._choice(chunk.choices[0]))
        return events

    def _choice(self, choice: _Choice) -> Iterable[ir.Event]:
        delta = choice.delta or _Message()
        if delta.thought:
            yield ir.ThinkingDelta(delta.thought)
        text, refusal = delta.said, delta.refused
        if text:
            yield ir.TextDelta(text)
        if refusal:
            yield ir.TextDelta(refusal, refused=True)
        for call in delta.tool_calls or ():
            yield from self._piece(call)
        if choice.finish_reason and not self._finished:
            self._finished = True
            yield ir.Finished(REASONS.get(choice.finish_reason, "stop"))

    def _piece(self, call: _Call) -> Iterable[ir.Event]:
        """A piece of a call. One of a call that was left for another has no place any more."""
        function = call.function or _Function()
        index = call.index if call.index is not None else self._call + bool(call.id) if self._call >= 0 else 0
        if index < self._call:
            yield from self._fail(ir.Failed("", "the upstream mixes the calls of several tools"))
            return
        if index > self._call:
            self._call = index
            yield ir.CallStarted(call.id or f"call_{index}", function.name or "")
        if function.argued:
            yield ir.ArgumentsDelta(function.argued)

    def _fail(self, failure: ir.Failed) -> list[ir.Event]:
        self._over = True
        return [failure]


def decoder() -> StreamDecoder:
    return StreamDecoder()
