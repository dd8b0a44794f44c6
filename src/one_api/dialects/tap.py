"""What the events of a stream mean to the one who forwards it, whatever dialect they came in or go out in."""

from typing import Final

from one_api import ir
from one_api.dialects.inbound import Inbound
from one_api.dialects.openai_chat import StreamTap, Verdict


class EventTap(StreamTap):
    """Is told the events of an answer. `usage` and `begun` are ours and not an upstream's objects.

    refused: the error found in the stream says that no other attempt would do better.
    """

    __slots__ = ("_prompt", "refused")

    def __init__(self) -> None:
        super().__init__()
        self._prompt: ir.Usage | None = None
        self.refused = False

    @property
    def begun(self) -> ir.Usage | None:
        return self._prompt

    def note(self, event: ir.Event) -> Verdict:
        """Judge one event. What comes before the first content may still come from another channel."""
        match event:
            case ir.TextDelta() | ir.ThinkingDelta() | ir.ArgumentsDelta():
                self.pieces.append(event.text)
            case ir.CallStarted():
                self.pieces.append(event.name)
            case ir.ThinkingEnded() | ir.Shown() | ir.Cited():
                pass
            case ir.Beside():
                if isinstance(event.event, ir.Finished):
                    return Verdict.FORWARD
                return self.note(event.event)
            case ir.Started():
                self._prompt = event.prompt
                return Verdict.FORWARD
            case ir.Finished():
                self.finished = True
                return Verdict.FORWARD
            case ir.Ended() | ir.Failed():
                return self._note_end(event)
            case ir.Alive():
                return Verdict.FORWARD
        self.events += 1
        return Verdict.CONTENT

    def _note_end(self, event: ir.Ended | ir.Failed) -> Verdict:
        if isinstance(event, ir.Ended):
            self.usage = event.usage
            return Verdict.DONE
        self.error = {"type": event.type, "message": event.message}
        self.refused = event.refused
        return Verdict.ERROR

    def note_answer(self, answer: ir.Answer) -> None:
        """The same of an answer in one piece."""
        self.usage = answer.usage
        for block in (block for choice in answer.choices for block in choice.blocks):
            match block:
                case ir.Text() | ir.Thinking():
                    self.pieces.append(block.text)
                case ir.ToolCall():
                    self.pieces += [block.name, block.arguments]
                case _:
                    pass


_RANK: Final = {Verdict.FORWARD: 0, Verdict.CONTENT: 1, Verdict.DONE: 2, Verdict.ERROR: 3}


class PassageTap(EventTap):
    """Reads along while a stream of the caller's own dialect passes.

    Of several answers to one request each has an end of its own: the stream's is there when no other is under way.
    """

    __slots__ = ("_decoder", "_end", "_last", "_others")

    def __init__(self, dialect: Inbound) -> None:
        super().__init__()
        self._decoder = dialect.decoder()
        self._end = dialect.END
        self._last = False
        self._others: set[int] = set()

    @property
    def end(self) -> bytes:
        return self._end

    @property
    def number(self) -> int:
        """How many events came, where the dialect counts them."""
        return self._decoder.number

    def event(self, data: bytes | None) -> Verdict:
        if data is None:
            return Verdict.LAST if self._saying_goodbye else Verdict.FORWARD
        verdict = Verdict.FORWARD
        for event in self._decoder.read(data):
            if isinstance(event, ir.Failed) and event.refused:
                self.finished = True  # what the vendor says to that, its own client understands
                continue
            if isinstance(event, ir.Beside):
                self._note_other(event)
            judged = self.note(event)
            if _RANK[judged] > _RANK[verdict]:
                verdict = judged
        if self._decoder.usage is not None:
            self.usage = self._decoder.usage  # also if the end that would tell it never comes
        if verdict in (Verdict.DONE, Verdict.ERROR):
            return verdict
        if self._saying_goodbye:
            self._last = True
            return Verdict.LAST
        if self._last:
            self._last = False
            return Verdict.MORE
        return verdict

    def _note_other(self, event: ir.Beside) -> None:
        if isinstance(event.event, ir.Finished):
            self._others.discard(event.index)
        else:
            self._others.add(event.index)

    @property
    def _saying_goodbye(self) -> bool:
        """Whether a stream that has no mark at its end is past its content: no more than counts may follow."""
        return self.finished and not self._end and not self._others
