"""What a channel may say, and what follows from it: its abilities and its place in the routes. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

from one_api import routing
from one_api.errors import OneAPIError
from one_api.routing import parameters
from one_api.routing.parameters import Parameters

ENABLED: Final = routing.ENABLED
DISABLED: Final = 2  # by hand
AUTO_DISABLED: Final = 3
CHOICES: Final = ("random", "round_robin")
MOST_PARAMETERS: Final = 64 * 1024  # bytes

_BAD_ADDRESS: Final = "渠道地址必须以 http:// 或 https:// 开头，且不能包含用户名、密码、空格或换行"
_VISIBLE: Final = re.compile(r"[!-~]*")
# Where `other` has an older form of a setting: its name in `config`, by type.
_OTHER: Final = {3: "api_version", 17: "plugin", 18: "api_version", 21: "library_id", 24: "api_version"}
_LENGTHS: Final = {"name": 191, "base_url": 191, "group": 32, "model_mapping": 1024}
_LONG: Final = {"key": 65_535, "models": 65_535, "system_prompt": 65_535, "config": 65_535, "other": 65_535}


class Refused(OneAPIError):
    """A channel that cannot be saved or found: HTTP 200 and a sentence for the administrator."""

    status = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an administrator writes: 0, empty and None say nothing, with the exceptions that `changes` names."""

    id: int = 0
    type: int = 0
    key: str = ""
    status: int = 0
    name: str = ""
    weight: int | None = None
    created_time: int = 0
    test_time: int = 0
    response_time: int = 0
    base_url: str | None = None
    other: str | None = None
    balance: float = 0
    balance_updated_time: int = 0
    models: str = ""
    group: str = ""
    used_quota: int = 0
    model_mapping: str | None = None
    priority: int | None = None
    config: str = ""
    system_prompt: str | None = None
    parameters: str | None = None
    key_choice: str | None = None

    def __repr__(self) -> str:
        return f"<Wish channel {self.id} {self.name!r}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A channel as the console sees it. `key` has no value but this one; `response_time` is in milliseconds.

    parameters: JSON, as routing.parameters reads it. key_choice: how one of several keys is chosen, "" for one key.
    cause: why the gateway took it out of use, and since when, in Unix seconds.
    None of these is there where it is empty: so a channel looks as One API's consoles know it.
    """

    # For the description of the interface.
    __optional_keys__ = frozenset(("parameters", "key_choice", "cause", "disabled_time"))

    id: int
    type: int
    key: str = ""
    status: int
    name: str
    weight: int | None
    created_time: int
    test_time: int
    response_time: int
    base_url: str | None
    other: str | None
    balance: float
    balance_updated_time: int
    models: str
    group: str
    used_quota: int
    model_mapping: str | None
    priority: int | None
    config: str
    system_prompt: str | None
    parameters: str
    key_choice: str
    cause: str
    disabled_time: int


@dataclass(frozen=True, slots=True)
class Key:
    """One of several keys of a channel."""

    number: int
    text: str
    status: int

    def __repr__(self) -> str:
        return f"<Key {self.number}>"


_PLAIN: Final = (
    "type", "status", "name", "created_time", "test_time", "response_time", "balance", "balance_updated_time", "models",
    "group", "config",
)  # fmt: skip
_CLEARABLE: Final = ("weight", "base_url", "other", "model_mapping", "priority", "system_prompt")


def keys(text: str) -> list[str]:
    """The keys of a new channel, one per line. Raises Refused if there is none."""
    found = [line.strip() for line in text.split("\n") if line.strip()]
    if not found:
        raise Refused("渠道密钥不能为空")
    return found


def choice(said: str | None) -> str:
    """How one of several keys is chosen for a call, "" for a channel with one key. Raises Refused."""
    if said and said not in CHOICES:
        raise Refused(f"key_choice 只能为空或 {'、'.join(CHOICES)}")
    return said or ""


def beside(wish: Wish) -> dict[str, str]:
    """What One API has no columns for, as far as the wish names it. Raises Refused."""
    found: dict[str, str] = {}
    if wish.parameters is not None:
        if len(wish.parameters.encode()) > MOST_PARAMETERS:
            raise Refused(f"parameters 过长，最多 {MOST_PARAMETERS} 字节")
        try:
            parameters.read(wish.parameters)
        except parameters.InvalidParameters as error:
            raise Refused(str(error)) from None
        found["parameters"] = wish.parameters
    if wish.key_choice is not None:
        found["key_choice"] = choice(wish.key_choice)
    return found


def first_row(wish: Wish, key: str, now: int) -> dict[str, Any]:
    """The columns of a new channel; what the wish leaves out is what a column's default would be."""
    row: dict[str, Any] = {name: getattr(wish, name) for name in (*_PLAIN, *_CLEARABLE, "used_quota")}
    for name, default in (("weight", 0), ("base_url", ""), ("model_mapping", ""), ("priority", 0)):
        if row[name] is None:
            row[name] = default
    row |= {"key": key, "created_time": now, "status": wish.status or ENABLED, "group": wish.group or "default"}
    if wish.id:
        row["id"] = wish.id
    return row


def changes(wish: Wish) -> dict[str, Any]:
    """The columns an update writes: plain ones unless 0 or empty, the others whenever they are given.

    A channel's used_quota is the ledger's sum: forms that send it back do not change it. An empty key keeps the stored
    one.
    """
    found = {name: value for name in _PLAIN if (value := getattr(wish, name))}
    found |= {name: value for name in _CLEARABLE if (value := getattr(wish, name)) is not None}
    if wish.key.strip():
        found["key"] = wish.key.strip()
    return found


def check(columns: Mapping[str, Any]) -> None:
    """Raises Refused for values that cannot be stored or must not be used."""
    for name, most in _LENGTHS.items():
        if len(columns.get(name) or "") > most:
            raise Refused(f"{name} 过长，最多 {most} 个字符")
    for name, most in _LONG.items():
        if len((columns.get(name) or "").encode()) > most:
            raise Refused(f"{name} 过长，最多 {most} 字节")
    if any(len(model) > 191 for model in (columns.get("models") or "").split(",")):
        raise Refused("模型名称过长，最多 191 个字符")
    if "\n" in columns.get("key", "") or "\r" in columns.get("key", ""):
        raise Refused("渠道密钥不能包含换行")
    check_base_url(columns.get("base_url") or "")


def check_base_url(text: str) -> None:
    """Raises Refused for what is not the address of a web server. Empty stands for the provider's own."""
    if not text:
        return
    try:
        url = urlsplit(text)
        good = url.scheme in ("http", "https") and bool(url.hostname) and "@" not in url.netloc
        good = good and url.port != 0
    except ValueError:
        good = False
    if not good or _VISIBLE.fullmatch(text) is None or "\\" in text:
        raise Refused(_BAD_ADDRESS)


def abilities(*, channel_id: int, models: str, group: str, status: int, priority: int) -> list[routing.Ability]:
    """One for each of its models in each of its groups; without models one for the empty name."""
    return [
        (name, model, channel_id, status == ENABLED, priority)
        for model in dict.fromkeys(models.split(","))
        for name in dict.fromkeys(group.split(","))
    ]


def routed(row: Mapping[str, Any], several: Sequence[Key] = ()) -> routing.Channel:
    """A row as calls see it. What cannot be read in its JSON texts counts as not given."""
    config = settings(row["config"])
    setting = _OTHER.get(row["type"] or 0)
    if setting and not config.get(setting) and row["other"]:
        config[setting] = row["other"]
    channel = routing.Channel(
        id=row["id"],
        type=row["type"] or 0,
        name=row["name"] or "",
        key=row["key"] or "",
        base_url=row["base_url"] or "",
        models=tuple(dict.fromkeys(row["models"].split(","))) if row["models"] else (),
        groups=tuple(dict.fromkeys((row["group"] or "").split(","))),
        priority=row["priority"] or 0,
        weight=row["weight"] or 0,
        mapping=strings(row["model_mapping"]),
        system_prompt=row["system_prompt"] or "",
        config=config,
        status=row["status"] or 0,
        proxy=config.get("proxy", ""),
        parameters=_parameters(row.get("parameters") or ""),
        in_turn=row.get("key_choice") == "round_robin",
    )
    return with_keys(channel, several) if row.get("key_choice") and several else channel


def unsaved(wish: Wish) -> routing.Channel:
    """A channel that is only wished for, as calls would see it. Raises Refused for what could not be saved."""
    row = first_row(wish, keys(wish.key)[0], 0)
    check(row)
    beside(wish)
    return routed({**row, "id": 0, "parameters": wish.parameters})


def with_keys(channel: routing.Channel, several: Sequence[Key]) -> routing.Channel:
    """The channel with those of its keys that are in use. None of them counts if its own key is not among them all."""
    if all(key.text != channel.key for key in several):
        return channel
    in_use = tuple(replace(channel, key=key.text, number=key.number) for key in several if key.status == ENABLED)
    return replace(in_use[0], keys=in_use) if in_use else channel


def _parameters(text: str) -> Parameters | None:
    try:
        return parameters.read(text)
    except parameters.InvalidParameters:
        return None


def strings(text: str | None) -> dict[str, str]:
    """The members of a JSON object that are texts; {} for anything else."""
    return {name: item for name, item in _members(text).items() if isinstance(item, str)}


def settings(text: str | None) -> dict[str, str]:
    """The same, and its true and false as these words."""
    found = {
        name: ("true" if item else "false") if isinstance(item, bool) else item for name, item in _members(text).items()
    }
    return {name: item for name, item in found.items() if isinstance(item, str)}


def _members(text: str | None) -> dict[str, Any]:
    if not text:
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
