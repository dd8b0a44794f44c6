"""Fields of JSON that somebody else wrote, whatever he wrote in them."""

from collections.abc import Mapping
from typing import Any, Final

from one_api.ir import Unrepresentable

_BASE64: Final = ";base64"


def text_of(value: object) -> str:
    """The value if it is text, else ""."""
    return value if isinstance(value, str) else ""


def typed(value: Mapping[str, Any], key: str, *kinds: type) -> Any:
    """A field of one of these types, None where there is none. Raises Unrepresentable."""
    found = value.get(key)
    if found is None:
        return None
    if not isinstance(found, kinds) or (isinstance(found, bool) and bool not in kinds):
        raise Unrepresentable(f"{key} has the wrong type")
    return found


def data_url(url: str, place: str) -> tuple[str, str]:
    """Type and base64 text of a data URL. Raises Unrepresentable."""
    comma = url.find(",")  # data may be megabytes: they are copied once
    head = url[5:comma] if comma >= 0 else ""
    if not head.lower().endswith(_BASE64) or comma + 1 == len(url):
        raise Unrepresentable(f"{place}: a data URL has to have the form data:TYPE;base64,DATA")
    return head[: -len(_BASE64)].partition(";")[0].strip().lower(), url[comma + 1 :]
