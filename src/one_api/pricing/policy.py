"""Who pays for a call, by how it ended and by how the meter knows what it used. One function, one case a row.

The ledger takes a cost above the hold from what is left of the balance and books the rest as a loss; what an upstream
claims beyond the ceiling of the hold is never asked of anybody.
"""

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from one_api.ir import Usage
from one_api.pricing.ratios import Tariff
from one_api.pricing.text import Bounds, charge

Outcome = Literal[
    "completed",
    "refused",  # by us, or by the upstream before content, or the network never carried it
    "failed",  # an error in a 200, or an error event before content
    "cut",  # the upstream broke off in mid-stream
    "left_early",  # the client left before the first content
    "left",  # the client left in mid-stream
    "crashed",
]
Source = Literal["reported", "counted", "nothing", "estimated", "recovered"]


class Meter(Struct, frozen=True, gc=False):
    """What a call used as far as we know. `usage` holds the prompt and all that was produced, reported or else counted.

    accepted: the upstream had begun to answer. checkpoint: the last cost written down while it ran.
    """

    usage: Usage
    source: Literal["reported", "counted"]
    accepted: bool = True
    checkpoint: int = 0


class Bill(Struct, frozen=True, gc=False):
    """What the call costs. `usage` is for its log row; `excess` is what the upstream claimed beyond the ceiling."""

    cost: int
    usage: Usage
    source: Source
    excess: int = 0


FREE = Bill(0, Usage(), "nothing")


def who_pays(outcome: Outcome, meter: Meter, tariff: Tariff, bounds: Bounds) -> Bill:
    """The bill of a call that ended as `outcome`."""
    match outcome:
        case "refused" | "failed":
            return FREE
        case "completed" | "left":
            return _bill(meter.usage, meter.source, tariff, bounds)
        case "cut":
            return _bill(meter.usage, "estimated", tariff, bounds)
        case "left_early" if tariff.call is not None:
            return FREE
        case "left_early":
            prompt = replace(meter.usage, output=0, reasoning=0, audio_out=0, tools=())
            return _bill(prompt, meter.source, tariff, bounds) if meter.accepted else FREE
        case "crashed":
            return Bill(min(max(meter.checkpoint, 0), bounds.most), meter.usage, "recovered")


def _bill(usage: Usage, source: Source, tariff: Tariff, bounds: Bounds) -> Bill:
    claimed = charge(usage, tariff)
    cost = min(claimed, bounds.ceiling)
    return Bill(cost, usage, source, claimed - cost)
