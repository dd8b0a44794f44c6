"""The content of messages and of results of tools: a string, or parts of text, images and files.

https://developers.openai.com/api/reference/resources/responses/methods/create
"""

from collections.abc import Mapping
from typing import Any, Final

from one_api.dialects.reading import data_url, text_of
from one_api.ir import File, Image, Text, Unrepresentable

LIKELY: Final = "message.output_text.logprobs"
"""What is to be included in an answer that shall say how likely it is."""
_PDF: Final = "application/pdf"


def parts(content: Any, place: str) -> tuple[Text | Image | File, ...]:
    """Empty texts are left out. Raises Unrepresentable."""
    if content is None:
        return ()
    if isinstance(content, str):
        return (Text(content),) if content else ()
    if not isinstance(content, list):
        raise Unrepresentable(f"{place} has to be a string or an array")
    found = [_part(part, f"{place}[{number}]") for number, part in enumerate(content)]
    return tuple(part for part in found if not isinstance(part, Text) or part.text)


def _part(part: Any, place: str) -> Text | Image | File:
    if not isinstance(part, dict):
        raise Unrepresentable(f"{place} has to be an object")
    match part.get("type"):
        case "input_text" | "output_text" | "text" | "summary_text":
            return Text(text_of(part.get("text")))
        case "refusal":
            return Text(text_of(part.get("refusal")))
        case "input_image":
            return _image(part, place)
        case "input_file":
            return _file(part, place)
        case kind:
            raise Unrepresentable(f"{place} of type {kind!r} cannot be sent to this channel")


def _image(part: Mapping[str, Any], place: str) -> Image | File:
    url = text_of(part.get("image_url"))
    if not url:
        raise Unrepresentable(f"{place}.image_url is required: this channel does not know files of another vendor")
    if not url.startswith("data:"):
        return Image(url=url)
    media_type, data = data_url(url, f"{place}.image_url")
    return Image(media_type=media_type, data=data) if media_type.startswith("image/") else File(media_type, data)


def _file(part: Mapping[str, Any], place: str) -> File:
    name, url, data = (text_of(part.get(key)) for key in ("filename", "file_url", "file_data"))
    if url:
        return File(url=url, name=name)
    if not data:
        raise Unrepresentable(
            f"{place} needs file_data or file_url: this channel does not know files of another vendor"
        )
    media_type, inline = data_url(data, f"{place}.file_data") if data.startswith("data:") else (_PDF, data)
    return File(media_type=media_type, data=inline, name=name)
