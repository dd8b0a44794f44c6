"""Neutral values of a call: what every dialect, price and log row means by them.

Dialects meet here and nowhere else: one reads a caller's request into a `Request`, another writes it for an upstream,
and the answer comes back as an `Answer` or as a stream of events. Blocks keep their order; what only one dialect knows
travels in `extra` or as `Opaque`, so that its own vendor gets it back unchanged.

Values that every call makes are msgspec structs: they cost a tenth of a frozen dataclass.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from one_api.errors import OneAPIError


class Unrepresentable(OneAPIError):
    """A request holds content that cannot be read, or that the upstream's dialect has no form for."""

    status = 400
    code = "invalid_request"


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Counted units of one call, in tokens.

    `input` includes `cached`, `cache_write` and `audio_in`, of which the first two never count the same token; `output`
    includes `reasoning` and `audio_out`; `cache_write` includes `cache_write_1h`, what is kept for an hour and not for
    minutes. `tools` are calls of tools that the vendor ran and has a price for, by One API's own names of them;
    `searches` are what rankings are sold by: a query with up to 100 documents.
    docs/usage.md says what each dialect's own counts include.
    """

    input: int = 0
    output: int = 0
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0
    audio_in: int = 0
    audio_out: int = 0
    cache_write_1h: int = 0
    tools: tuple[tuple[str, int], ...] = ()
    searches: int = 0


# --- what is said -----------------------------------------------------------------------------------------------------

Extra = Mapping[str, Any]


class Citation(msgspec.Struct, frozen=True):
    """A source on the web of a part of an answer: `start` and `end` are places in all of its text, in characters."""

    url: str
    title: str = ""
    start: int = 0
    end: int = 0
    quote: str = ""


class Token(msgspec.Struct, frozen=True):
    """How likely a model found what it said, and at the same place what it found likely too."""

    token: str
    logprob: float
    bytes: tuple[int, ...] | None = None
    top: tuple["Token", ...] = ()


class Text(msgspec.Struct, frozen=True):
    """`refused`: it is no answer, but says why there is none."""

    text: str
    extra: Extra = {}
    refused: bool = False
    citations: tuple[Citation, ...] = ()
    tokens: tuple[Token, ...] = ()


class Image(msgspec.Struct, frozen=True):
    """By address, or inline as `data` in base64 of `media_type`."""

    url: str = ""
    media_type: str = ""
    data: str = ""
    extra: Extra = {}


class File(msgspec.Struct, frozen=True):
    """A document, inline as `data` in base64 or by address."""

    media_type: str = ""
    data: str = ""
    url: str = ""
    name: str = ""
    extra: Extra = {}


class ToolCall(msgspec.Struct, frozen=True):
    """`arguments` is the JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str
    extra: Extra = {}


class ToolResult(msgspec.Struct, frozen=True):
    call_id: str
    content: tuple["Text | Image | File", ...]
    failed: bool = False
    extra: Extra = {}


class Thinking(msgspec.Struct, frozen=True):
    """Reasoning that was shown. The signature lets the vendor who made it (`origin`, "" if unknown) know it again."""

    text: str
    signature: str = ""
    origin: str = ""


class Redacted(msgspec.Struct, frozen=True):
    """Reasoning that only its vendor can read."""

    data: str
    origin: str = ""


class Opaque(msgspec.Struct, frozen=True):
    """A block that only `dialect` has a word for, as it stood there."""

    dialect: str
    raw: Mapping[str, Any]


Said = Text | Image | File | ToolCall | ToolResult | Thinking | Redacted | Opaque


class Turn(msgspec.Struct, frozen=True):
    """One side's turn. A system turn stands in the middle of a conversation; what comes first is `Request.system`."""

    role: Literal["system", "user", "assistant"]
    blocks: tuple[Said, ...]


# --- a request --------------------------------------------------------------------------------------------------------


class Tool(msgspec.Struct, frozen=True):
    """A function the model may call. `schema` is None for one without parameters."""

    name: str
    description: str = ""
    schema: Mapping[str, Any] | None = None
    strict: bool = False
    extra: Extra = {}


class ToolChoice(msgspec.Struct, frozen=True):
    """`one` is the tool called `name`."""

    mode: Literal["auto", "any", "none", "one"]
    name: str = ""


class Reasoning(msgspec.Struct, frozen=True):
    """How much to think: by a word ("none" is one), by a number of tokens, or as the vendor's own object says."""

    effort: str = ""
    budget: int = 0
    native: Mapping[str, Any] | None = None

    @property
    def off(self) -> bool:
        """Whether there shall be none."""
        return self.effort == "none" or (self.native is not None and self.native.get("type") == "disabled")


class Format(msgspec.Struct, frozen=True):
    """The form an answer has to have: any JSON, or JSON of a schema, `strict` if it has to be kept to the letter.

    None if nothing is said of that: as strict as the schema can be.
    """

    schema: Mapping[str, Any] | None = None
    name: str = ""
    strict: bool | None = None

    @property
    def exact(self) -> bool:
        """Schemas that leave room cannot be kept to the letter.

        https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
        """
        closed = self.schema is not None and self.schema.get("additionalProperties") is False
        return closed if self.strict is None else self.strict


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """`parallel`: whether several tools may be called at once, None if nothing is said of it. n: answers to choose
    from.

    open_ended: without a limit the caller wants an answer as long as the model gives one, whatever clients of the
    upstream are used to.
    `extra` are the fields of the caller's dialect that have no place here.
    """

    model: str
    turns: tuple[Turn, ...]
    system: tuple[Text, ...] = ()
    tools: tuple[Tool, ...] = ()
    choice: ToolChoice | None = None
    parallel: bool | None = None
    limit: int | None = None
    open_ended: bool = False
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    n: int = 1
    stream: bool = False
    reasoning: Reasoning | None = None
    format: Format | None = None
    user: str = ""
    extra: Extra = {}


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """What a request asks for that has a price, besides its text.

    limit: the most output tokens of one answer, None when not named. n: answers. inline: bytes of images and files in
    it, which are no text. media: how many there are, those by address included. kept: the field that stands for what
    the vendor keeps from an earlier call. unseen: whether the model reads more than the request holds. tools: those
    that the vendor runs and has a price for, by the names that `Usage.tools` has.
    """

    limit: int | None = None
    n: int = 1
    inline: int = 0
    media: int = 0
    kept: str = ""
    unseen: bool = False
    tools: tuple[str, ...] = ()


class Encoded(msgspec.Struct, frozen=True):
    """A request for an upstream. `losses` name what was asked for and could not be passed on."""

    body: bytes
    losses: tuple[str, ...] = ()


# --- an answer --------------------------------------------------------------------------------------------------------

Reason = Literal["stop", "length", "tool_calls", "content_filter"]


class Choice(msgspec.Struct, frozen=True):
    """Another answer to the same request."""

    blocks: tuple[Said, ...]
    reason: Reason = "stop"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer, and the others if several were asked for. `usage` is that of all of them, None where the
    upstream's report cannot be believed.
    """

    id: str
    model: str
    blocks: tuple[Said, ...]
    reason: Reason = "stop"
    usage: Usage | None = None
    others: tuple[Choice, ...] = ()

    @property
    def choices(self) -> tuple[Choice, ...]:
        return (Choice(self.blocks, self.reason), *self.others)


class Started(msgspec.Struct, frozen=True):
    """`prompt` is what the upstream says it has read, None if it did not say."""

    id: str
    model: str
    prompt: Usage | None = None


class TextDelta(msgspec.Struct, frozen=True):
    text: str
    refused: bool = False
    tokens: tuple[Token, ...] = ()


class Cited(msgspec.Struct, frozen=True):
    """A source of the text up to here."""

    citation: Citation


class ThinkingDelta(msgspec.Struct, frozen=True):
    text: str


class ThinkingEnded(msgspec.Struct, frozen=True):
    """A block of thinking is complete: all of it, with its signature. `index` is its place among the blocks."""

    index: int
    block: Thinking | Redacted


class Shown(msgspec.Struct, frozen=True):
    """An image or a file that the model made, whole."""

    block: Image | File


class CallStarted(msgspec.Struct, frozen=True):
    """A tool is called; the arguments follow, as the only block under way."""

    id: str
    name: str


class ArgumentsDelta(msgspec.Struct, frozen=True):
    text: str


class Finished(msgspec.Struct, frozen=True):
    reason: Reason


class Beside(msgspec.Struct, frozen=True):
    """Something of another answer to the same request, the `index`th: what is said, and the reason for its end."""

    index: int
    event: "Event"


class Alive(msgspec.Struct, frozen=True):
    """The upstream has nothing to say yet and is still there."""


class Ended(msgspec.Struct, frozen=True):
    """The stream is complete."""

    usage: Usage | None


TOKEN_REFUSED = "token_refused"  # noqa: S105
"""The type of an error that says that a token is no longer good, and nothing of its key."""


class Failed(msgspec.Struct, frozen=True):
    """The upstream reported an error, or what it sent cannot be read; nothing follows.

    refused: it will not answer this, and nor would it another time.
    """

    type: str
    message: str
    refused: bool = False


Event = (
    Started
    | TextDelta
    | ThinkingDelta
    | ThinkingEnded
    | Shown
    | Cited
    | CallStarted
    | ArgumentsDelta
    | Finished
    | Beside
    | Alive
    | Ended
    | Failed
)
