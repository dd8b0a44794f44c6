"""What an endpoint says of itself besides who may ask: the description of the interface is made of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal


@dataclass(frozen=True, slots=True)
class Query:
    """A parameter of the query; none is ever required. What is no number reads as 0, which asks for all."""

    name: str
    kind: Literal["string", "integer"] = "string"
    about: str = ""


@dataclass(frozen=True, slots=True)
class Bare:
    """An answer that is no envelope with `data`, but wholly of this type; or a document of another media type.

    `refused`: not everybody gets the document.
    """

    kind: Any
    media: str = "application/json"
    refused: bool = False


@dataclass(frozen=True, slots=True)
class OneOf:
    """Annotates a text in an answer that is one of these; what makes them may not be known before it runs."""

    words: tuple[str, ...]


class Unsaid:
    """No declaration: anything may be there."""


UNSAID: Final = Unsaid()
PAGE: Final = Query("p", "integer", "Page of ten rows; the first is 0.")
KEYWORD: Final = Query("keyword", about="Empty finds all.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """form: the type the body is read as; answers: the type of `data`, None if there is none.

    statuses: what it answers with besides 200 and the refusals that all endpoints share.
    """

    query: Sequence[Query] = ()
    form: type[Any] | None = None
    answers: Any = UNSAID
    statuses: Sequence[int] = ()
