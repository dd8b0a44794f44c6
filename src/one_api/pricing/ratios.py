"""Ratio tables and the look-up of what a model costs; the defaults are One API's, kept in ratios.json.

A ratio of 1 is 0.002 dollars for 1,000 tokens, that is one unit of quota a token. Values are float64, as in One API.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from importlib import resources
from types import MappingProxyType
from typing import Any, Final, Protocol

Ratios = Mapping[str, float]

MISSING_MODEL_RATIO: Final = 30.0
MISSING_GROUP_RATIO: Final = 1.0

DATA: Final[Any] = json.loads(resources.files(__package__).joinpath("ratios.json").read_text("utf-8"))


def _table(name: str) -> Ratios:
    return MappingProxyType({key: float(value) for key, value in DATA[name].items()})


MODEL: Final = _table("model")
COMPLETION: Final = _table("completion")
GROUP: Final = _table("group")
NONE: Final[Ratios] = MappingProxyType({})
_COMPLETION_EXACT: Final = _table("completion_exact")
_COMPLETION_RULES: Final[tuple[Mapping[str, Any], ...]] = tuple(DATA["completion_rules"])


class PriceOptions(Protocol):
    """The options a price is made of."""

    @property
    def model_ratio(self) -> Ratios: ...
    @property
    def completion_ratio(self) -> Ratios: ...
    @property
    def group_ratio(self) -> Ratios: ...
    @property
    def cache_ratio(self) -> Ratios: ...
    @property
    def create_cache_ratio(self) -> Ratios: ...
    @property
    def audio_ratio(self) -> Ratios: ...
    @property
    def audio_completion_ratio(self) -> Ratios: ...
    @property
    def reasoning_ratio(self) -> Ratios: ...
    @property
    def create_cache_1h_ratio(self) -> Ratios: ...
    @property
    def tool_price(self) -> Ratios: ...
    @property
    def model_price(self) -> Ratios: ...
    @property
    def quota_per_unit(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinds:
    """What kinds of tokens cost, all as parts of a token of input. `None`: as any other of input, or of output."""

    cached: float | None = None
    cache_write: float | None = None
    audio_in: float | None = None
    audio_out: float | None = None
    reasoning: float | None = None
    cache_write_1h: float | None = None

    def __str__(self) -> str:
        cache = (("缓存", self.cached), ("缓存写入", self.cache_write), ("一小时缓存写入", self.cache_write_1h))
        names = (*cache, ("音频输入", self.audio_in))
        after = (("音频输出", self.audio_out), ("推理", self.reasoning))
        return "".join(f"，{name} {ratio:.2f}" for name, ratio in (*names, *after) if ratio is not None)


PLAIN: Final = Kinds()
"""One API's: a token is a token."""


@dataclass(frozen=True, slots=True)
class Tariff:
    """What one model costs one group on one channel type. `ratio` is `model_ratio` times `group_ratio`.

    `fees`: quota for a call of a tool that the vendor runs, by its name. `call`: quota for a call of the model, instead
    of one for its tokens.
    """

    model_ratio: float
    group_ratio: float
    completion_ratio: float
    ratio: float
    kinds: Kinds = PLAIN
    fees: Ratios = field(default_factory=lambda: NONE)
    call: float | None = None
    short_description: str = field(init=False)
    """The line of an image or audio call's log row."""
    description: str = field(init=False)
    """The line of a text call's log row: model, group and completion ratio, and those of kinds that have their own."""

    def __post_init__(self) -> None:
        short = f"倍率：{self.model_ratio:.2f} × {self.group_ratio:.2f}"
        long = f"{short} × {self.completion_ratio:.2f}{self.kinds}"
        if self.call is not None:
            short = long = f"按次：{plain_number(self.call)} 点额度，分组倍率 {self.group_ratio:.2f}"
        object.__setattr__(self, "short_description", short)
        object.__setattr__(self, "description", long)


class Prices:
    """All tariffs of one state of the options. Immutable but for its memory of answers."""

    __slots__ = ("_completion", "_group", "_known", "_model", "_options")

    # Callers choose model names, so the memory has an end; the working set of a gateway is far below it.
    MEMORY: Final = 4096

    def __init__(self, options: PriceOptions) -> None:
        self._options = options
        self._model = options.model_ratio
        self._completion = options.completion_ratio
        self._group = options.group_ratio
        self._known: dict[tuple[str, int, str], Tariff] = {}

    def __len__(self) -> int:
        return len(self._known)

    def tariff(self, model: str, channel_type: int, group: str) -> Tariff:
        key = (model, channel_type, group)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= self.MEMORY:
                self._known = {}  # a new dict: another thread may be reading the old one
            known = self._known[key] = self._find(model, channel_type, group)
        return known

    def known(self, model: str, channel_type: int) -> bool:
        """Whether a model has a price of its own."""
        tables = ((self._model, MODEL), (self._options.model_price, NONE))
        return any(_four_places(model, channel_type, *each) is not None for each in tables)

    def _find(self, model: str, channel_type: int, group: str) -> Tariff:
        model_ratio = find_model_ratio(model, channel_type, self._model)
        group_ratio = self._group.get(group, MISSING_GROUP_RATIO)
        completion_ratio = find_completion_ratio(model, channel_type, self._completion)
        kinds = self._kinds(model, channel_type, completion_ratio)
        return Tariff(
            model_ratio,
            group_ratio,
            completion_ratio,
            model_ratio * group_ratio,
            kinds,
            self._fees(channel_type, group_ratio),
            self._call(model, channel_type, group_ratio),
        )

    def _call(self, model: str, channel_type: int, group_ratio: float) -> float | None:
        """The option has dollars."""
        price = _four_places(model, channel_type, self._options.model_price, NONE)
        return None if price is None else price * self._options.quota_per_unit * group_ratio

    def _fees(self, channel_type: int, group_ratio: float) -> Ratios:
        """The option has dollars for a thousand calls, as vendors' price lists do, and `web_search(14)` too."""
        table = self._options.tool_price
        if not table:
            return NONE
        each = self._options.quota_per_unit / 1000 * group_ratio
        names = {name.partition("(")[0] for name in table}
        found = {name: _four_places(name, channel_type, table, NONE) for name in names}
        return MappingProxyType({name: price * each for name, price in found.items() if price is not None})

    def _kinds(self, model: str, channel_type: int, completion_ratio: float) -> Kinds:
        def find(active: Ratios) -> float | None:
            return _four_places(model, channel_type, active, NONE)

        options = self._options
        heard, spoken, thought = (
            find(table) for table in (options.audio_ratio, options.audio_completion_ratio, options.reasoning_ratio)
        )
        kinds = Kinds(
            cached=find(options.cache_ratio),
            cache_write=find(options.create_cache_ratio),
            audio_in=heard,
            audio_out=None if spoken is None else spoken * (1.0 if heard is None else heard),
            reasoning=None if thought is None else thought * completion_ratio,
            cache_write_1h=find(options.create_cache_1h_ratio),
        )
        return PLAIN if kinds == PLAIN else kinds


def find_model_ratio(model: str, channel_type: int, active: Ratios) -> float:
    if model.startswith(("qwen-", "command-")):
        model = model.removesuffix("-internet")
    found = _four_places(model, channel_type, active, MODEL)
    return MISSING_MODEL_RATIO if found is None else found


def find_completion_ratio(model: str, channel_type: int, active: Ratios) -> float:
    if model.startswith("qwen-"):  # and not `command-`: One API strips it for the model ratio only
        model = model.removesuffix("-internet")
    found = _four_places(model, channel_type, active, COMPLETION)
    if found is None:
        found = _by_rule(model)
    return _COMPLETION_EXACT.get(model, 1.0) if found is None else found


def with_builtin(active: Ratios) -> Ratios:
    """A stored model table plus the built-in models it lacks: what One API makes of it when it starts."""
    return MappingProxyType({**MODEL, **active})


def encode(table: Ratios) -> str:
    """A table as One API writes it: keys sorted, no spaces, numbers as Go prints them."""
    pairs = (f"{json.dumps(key, ensure_ascii=False)}:{encode_number(table[key])}" for key in sorted(table))
    return "{" + ",".join(pairs) + "}"


def encode_number(value: float) -> str:
    """Shortest form that reads back equal, without an exponent where Go's JSON has none (from 1e-6 up to 1e21)."""
    if value == 0 or 1e-6 <= abs(value) < 1e21:
        return plain_number(value)
    return repr(value).replace("e-0", "e-")


def plain_number(value: float) -> str:
    """The shortest digits that read back equal, never with an exponent."""
    return format(Decimal(repr(value)), "f").removesuffix(".0")


def _four_places(model: str, channel_type: int, active: Ratios, builtin: Ratios) -> float | None:
    typed = f"{model}({channel_type})"
    for table, name in ((active, typed), (builtin, typed), (active, model), (builtin, model)):
        found = table.get(name)
        if found is not None:
            return found
    return None


def _by_rule(model: str) -> float | None:
    for rule in _COMPLETION_RULES:
        if _matches(rule, model):
            if "value" in rule:
                return float(rule["value"])
            return next(float(case.get("value", case.get("else"))) for case in rule["cases"] if _matches(case, model))
    return None


def _matches(rule: Mapping[str, Any], model: str) -> bool:
    if "equals" in rule:
        return bool(model == rule["equals"])
    return model.startswith(rule.get("prefix", "")) and model.endswith(rule.get("suffix", ""))
