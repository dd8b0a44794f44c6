"""The secrets in a channel's `config`: used, shown to nobody, and kept when a form sends back what it saw. Pure."""

import json
from typing import Any, Final

_SECRETS: Final = ("ak", "sk", "vertex_ai_adc")


def hidden(config: str) -> str:
    """What may be shown: secrets are empty, the password of a proxy is stars; nothing of what is no JSON object."""
    found = _members(config)
    if found is None:
        return ""
    shown = {name: _hidden(name, value) for name, value in found.items()}
    return config if shown == found else _text(shown)


def restored(config: str, stored: str) -> str:
    """What to store for a form that says `config`: each secret it does not name anew stays as it is."""
    said, before = _members(config), _members(stored)
    if said is None or not before:
        return config
    kept = {
        name: value
        for name, value in before.items()
        if _hidden(name, value) != value and said.get(name, "") in ("", _hidden(name, value))
    }
    if "proxy" in kept and not said.get("proxy"):
        del kept["proxy"]  # it was shown, so an empty one was meant
    return _text({**said, **kept}) if kept else config


def _hidden(name: str, value: Any) -> Any:
    if name in _SECRETS and value:
        return ""
    if name == "proxy" and isinstance(value, str):
        scheme, separator, rest = value.rpartition("://")
        credentials, at, host = rest.rpartition("@")
        username, colon, _ = credentials.partition(":")
        return f"{scheme}{separator}{username}:***@{host}" if at and colon else value
    return value


def _members(config: str) -> dict[str, Any] | None:
    try:
        value = json.loads(config) if config else {}
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _text(members: dict[str, Any]) -> str:
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"))
