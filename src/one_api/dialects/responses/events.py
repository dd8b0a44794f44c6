"""An answer of the neutral model, written as the events of a stream.

https://developers.openai.com/api/reference/resources/responses/streaming-events. Items come one after another; each is
announced, told in pieces and repeated whole. The input of a custom tool comes as one piece: here it is wrapped in JSON.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

from one_api import ir
from one_api.dialects.openai_notes import encode_annotation, encode_tokens
from one_api.dialects.responses import reasoning
from one_api.dialects.responses.outcome import Writing, item_status, outcome, refusal_part, text_part, writing
from one_api.lib import json

_ALIVE: Final = b": \n\n"
_TEXT: Final = (
    b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":%d,'
    b'%b,"content_index":0,"delta":%b,"logprobs":[]}\n\n'
)
_Saying = ir.TextDelta | ir.Cited | ir.ThinkingDelta | ir.ThinkingEnded | ir.CallStarted | ir.ArgumentsDelta


class EventEncoder:
    """Writes the events of one answer as theirs."""

    __slots__ = (
        *(
            "_asked",
            "_base",
            "_call",
            "_cited",
            "_created",
            "_form",
            "_item_id",
            "_model",
            "_open",
            "_output",
            "_pieces",
            "_place",
        ),
        *("_reason", "_sequence", "_tokens"),
    )

    def __init__(self, *, model: str, created: int, asked: Mapping[str, Any]) -> None:
        self._model = model
        self._created = created
        self._asked = asked
        self._form: Writing = writing("", model=model, created=created, asked=asked)
        self._sequence = -1
        self._output: list[dict[str, Any]] = []
        self._open: Literal["", "message", "refusal", "reasoning", "call"] = ""
        self._pieces: list[str] = []
        self._cited: list[ir.Citation] = []
        self._tokens: list[ir.Token] = []
        self._base = 0  # where the message that is open begins in the whole text
        self._call = ir.CallStarted("", "")
        self._item_id = ""
        self._place = b""
        self._reason: ir.Reason = "stop"

    @property
    def number(self) -> int:
        return self._sequence + 1

    def encode(self, event: ir.Event) -> bytes:
        match event:
            case ir.Started():
                return self._start(event)
            case (
                ir.TextDelta()
                | ir.Cited()
                | ir.ThinkingDelta()
                | ir.ThinkingEnded()
                | ir.CallStarted()
                | ir.ArgumentsDelta()
            ):
                return self._say(event)
            case ir.Shown():
                return self._show(event.block)
            case ir.Finished():
                self._reason = event.reason
                return b""
            case ir.Alive():
                return _ALIVE
            case ir.Ended():
                return self._end(event.usage)
            case ir.Beside() | ir.Failed():
                return b""

    def _say(self, event: _Saying) -> bytes:
        match event:
            case ir.TextDelta():
                if event.refused:
                    return self._begin("refusal") + self._refusal(event.text)
                return self._begin("message") + (self._likely(event) if event.tokens else self._text(event.text))
            case ir.Cited():
                return self._cite(event.citation)
            case ir.ThinkingDelta():
                return self._begin("reasoning") + self._thought(event.text)
            case ir.ThinkingEnded():
                return self._end_thinking(event.block)
            case ir.CallStarted():
                return self._start_call(event)
            case ir.ArgumentsDelta():
                return self._arguments(event.text)

    # The response

    def _start(self, event: ir.Started) -> bytes:
        self._form = writing(event.id, model=event.model or self._model, created=self._created, asked=self._asked)
        response = self._form.response("in_progress", [])
        created = self._event("response.created", response=response)
        return created + self._event("response.in_progress", response=response)

    def _end(self, usage: ir.Usage | None) -> bytes:
        closed = self._close(item_status(self._reason))
        ended = outcome(self._reason, usage)
        response = self._form.response(output=self._output, **ended)
        return closed + self._event(f"response.{ended['status']}", response=response)

    # Items

    def _begin(self, kind: Literal["message", "refusal", "reasoning"]) -> bytes:
        """An item of this kind, if none is open."""
        if self._open == kind:
            return b""
        closed = self._close()
        self._open, self._pieces, self._cited, self._tokens = kind, [], [], []
        if kind != "reasoning":
            empty = text_part(ir.Text("")) if kind == "message" else refusal_part("")
            item = self._form.item(self._index, ir.Text(""), "in_progress")
            added = self._added({**(item or {}), "content": []})
            return closed + added + self._part("response.content_part.added", content_index=0, part=empty)
        part = {"type": "summary_text", "text": ""}
        added = self._added({"id": self._form.id("rs", self._index), "type": "reasoning", "summary": []})
        return closed + added + self._part("response.reasoning_summary_part.added", summary_index=0, part=part)

    def _text(self, text: str) -> bytes:
        """Nearly every event of nearly every stream."""
        self._pieces.append(text)
        self._sequence += 1
        return _TEXT % (self._sequence, self._place, json.encode(text))

    def _likely(self, event: ir.TextDelta) -> bytes:
        self._pieces.append(event.text)
        self._tokens += event.tokens
        likely = encode_tokens(event.tokens)
        return self._part("response.output_text.delta", content_index=0, delta=event.text, logprobs=likely)

    def _cite(self, citation: ir.Citation) -> bytes:
        """A source of a text that is no longer open has no place."""
        if self._open != "message":
            return b""
        place, noted = len(self._cited), encode_annotation(citation, flat=True, base=self._base)
        self._cited.append(citation)
        kind = "response.output_text.annotation.added"
        return self._part(kind, content_index=0, annotation_index=place, annotation=noted)

    def _refusal(self, text: str) -> bytes:
        self._pieces.append(text)
        return self._part("response.refusal.delta", content_index=0, delta=text)

    def _thought(self, text: str) -> bytes:
        self._pieces.append(text)
        return self._part("response.reasoning_summary_text.delta", summary_index=0, delta=text)

    def _end_thinking(self, block: ir.Thinking | ir.Redacted) -> bytes:
        """What nobody has seen of it yet is an item without a summary."""
        if self._open == "reasoning" and isinstance(block, ir.Thinking):
            return self._close(signed=block)
        closed = self._close()
        bare = ir.Thinking("", block.signature, block.origin) if isinstance(block, ir.Thinking) else block
        item = {"id": self._form.id("rs", self._index), "type": "reasoning", **reasoning.encode(bare)}
        return closed + self._added({**item, "summary": []}) + self._done(item)

    def _show(self, block: ir.Image | ir.File) -> bytes:
        closed = self._close()
        item = self._form.item(self._index, block, "completed")
        if item is None:
            return closed
        return closed + self._added({**item, "status": "in_progress", "result": None}) + self._done(item)

    def _start_call(self, call: ir.CallStarted) -> bytes:
        closed = self._close()
        self._open, self._pieces, self._call = "call", [], call
        item = self._form.call(self._index, call.id, call.name, "", "in_progress")
        return closed + self._added(item)

    def _arguments(self, text: str) -> bytes:
        if self._open != "call":
            return b""
        self._pieces.append(text)
        return b"" if self._custom else self._part("response.function_call_arguments.delta", delta=text)

    @property
    def _custom(self) -> bool:
        tool = self._form.offered.get(self._call.name)
        return tool is not None and tool.custom

    def _close(self, status: str = "completed", signed: ir.Thinking | None = None) -> bytes:
        """The end of the item that is open."""
        kind, whole = self._open, "".join(self._pieces)
        self._open, self._pieces = "", []
        match kind:
            case "message":
                return self._close_message(whole, status)
            case "refusal":
                return self._close_refusal(whole, status)
            case "reasoning":
                block = ir.Thinking(whole) if signed is None else ir.Thinking(whole, signed.signature, signed.origin)
                return self._close_reasoning(block)
            case "call":
                return self._close_call(whole, status)
            case _:
                return b""

    def _close_message(self, text: str, status: str) -> bytes:
        said = ir.Text(text, citations=tuple(self._cited), tokens=tuple(self._tokens))
        item = self._form.item(self._index, said, status, base=self._base) or {}
        part = text_part(said, base=self._base)
        self._base += len(text)
        told = self._part("response.output_text.done", content_index=0, logprobs=part["logprobs"], text=text)
        return told + self._part("response.content_part.done", content_index=0, part=part) + self._done(item)

    def _close_refusal(self, text: str, status: str) -> bytes:
        item = self._form.item(self._index, ir.Text(text, refused=True), status) or {}
        told = self._part("response.refusal.done", content_index=0, refusal=text)
        told += self._part("response.content_part.done", content_index=0, part=refusal_part(text))
        return told + self._done(item)

    def _close_reasoning(self, block: ir.Thinking) -> bytes:
        part = {"type": "summary_text", "text": block.text}
        told = self._part("response.reasoning_summary_text.done", summary_index=0, text=block.text)
        told += self._part("response.reasoning_summary_part.done", summary_index=0, part=part)
        return told + self._done(self._form.item(self._index, block, "completed") or {})

    def _close_call(self, arguments: str, status: str) -> bytes:
        item = self._form.call(self._index, self._call.id, self._call.name, arguments, status)
        if self._custom:
            text = item["input"]
            told = self._part("response.custom_tool_call_input.delta", delta=text)
            told += self._part("response.custom_tool_call_input.done", input=text)
        else:
            told = self._part("response.function_call_arguments.done", arguments=arguments, name=item["name"])
        return told + self._done(item)

    # Events

    @property
    def _index(self) -> int:
        """Of the item that is open, or would be."""
        return len(self._output)

    def _added(self, item: dict[str, Any]) -> bytes:
        self._item_id = item["id"]
        self._place = b'"item_id":%b,"output_index":%d' % (json.encode(item["id"]), self._index)
        return self._event("response.output_item.added", output_index=self._index, item=item)

    def _done(self, item: dict[str, Any]) -> bytes:
        done = self._event("response.output_item.done", output_index=self._index, item=item)
        self._output.append(item)
        return done

    def _part(self, kind: str, **fields: Any) -> bytes:
        return self._event(kind, item_id=self._item_id, output_index=self._index, **fields)

    def _event(self, kind: str, **fields: Any) -> bytes:
        self._sequence += 1
        data = json.encode({"type": kind, "sequence_number": self._sequence, **fields})
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), data)
