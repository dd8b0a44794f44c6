"""The content of chat messages: a string, or parts of text, images and files."""

from collections.abc import Mapping
from typing import Any, Final

from one_api.dialects.reading import data_url, text_of
from one_api.ir import Extra, File, Image, Text, Unrepresentable

MARK: Final = "cache_control"
"""Says that what stands before it is worth keeping: https://platform.claude.com/docs/en/build-with-claude/prompt-caching."""


def mark_of(value: Mapping[str, Any]) -> Extra:
    found = value.get(MARK)
    return {MARK: found} if isinstance(found, dict) else {}


def texts(message: Mapping[str, Any], place: str) -> tuple[Text, ...]:
    """The content of a message that can only be text."""
    found = []
    for part in parts(message, place):
        if not isinstance(part, Text):
            raise Unrepresentable(f"{place} of role {message.get('role')!r} can only hold text")
        found.append(part)
    return tuple(found)


def parts(message: Mapping[str, Any], place: str) -> tuple[Text | Image | File, ...]:
    """A mark on the whole message stands for one on its last part. Empty texts are left out."""
    content = message.get("content")
    if content is None:
        return ()
    if isinstance(content, str):
        return (Text(content, mark_of(message)),) if content else ()
    if not isinstance(content, list):
        raise Unrepresentable(f"{place}.content has to be a string or an array")
    last = len(content) - 1
    found = []
    for number, part in enumerate(content):
        if not isinstance(part, dict):
            raise Unrepresentable(f"{place}.content[{number}] has to be an object")
        marked = {**mark_of(message), **part} if number == last else part
        read = _part(marked, f"{place}.content[{number}]")
        if not isinstance(read, Text) or read.text:
            found.append(read)
    return tuple(found)


def images(message: Mapping[str, Any], place: str) -> tuple[Text | Image | File, ...]:
    """What a model drew, as openai_answer writes it."""
    found = message.get("images")
    return tuple(
        _part(each, f"{place}.images[{number}]")
        for number, each in enumerate(found if isinstance(found, list) else ())
        if isinstance(each, dict)
    )


def _part(part: Mapping[str, Any], place: str) -> Text | Image | File:
    match part.get("type"):
        case "text" | "refusal" as kind if isinstance(part.get(kind), str):
            return Text(part[kind], mark_of(part))
        case "image_url":
            image = part.get("image_url")
            url = image.get("url") if isinstance(image, dict) else image
            if isinstance(url, str) and url:
                return _image(url, mark_of(part), place)
            raise Unrepresentable(f"{place}.image_url.url is required")
        case "file" if isinstance(part.get("file"), dict):
            return _file(part["file"], mark_of(part), place)
        case kind:
            raise Unrepresentable(f"{place} of type {kind!r} cannot be sent to this channel")


def _image(url: str, extra: Extra, place: str) -> Image | File:
    if not url.startswith("data:"):
        return Image(url=url, extra=extra)
    media_type, data = data_url(url, place)
    if media_type.startswith("image/"):
        return Image(media_type=media_type, data=data, extra=extra)
    return File(media_type=media_type, data=data, extra=extra)


def _file(file: Mapping[str, Any], extra: Extra, place: str) -> File:
    data, name = file.get("file_data"), text_of(file.get("filename"))
    if not isinstance(data, str):
        raise Unrepresentable(f"{place}.file.file_data is required: this channel does not know files of another vendor")
    if data.startswith(("https://", "http://")):
        return File(url=data, name=name, extra=extra)
    media_type, inline = data_url(data, place) if data.startswith("data:") else ("application/pdf", data)
    return File(media_type=media_type, data=inline, name=name, extra=extra)
