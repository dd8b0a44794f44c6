"""Where the processes of a node leave what they counted, so that each can answer for all.

A file for each process, written anew once a second. What one that has ended had counted goes on counting; what it had
at the moment (calls under way, connections) does not.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from one_api.metrics.meter import Counted, Meter, merged

DIRECTORY: Final = "ONE_API_METRICS_DIR"

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Counted).decode


class Share:
    """`directory` is None where there is one process. `gauges` and `totals` give what is known elsewhere, by name."""

    def __init__(
        self,
        meter: Meter,
        directory: Path | None,
        *,
        gauges: Callable[[], Mapping[str, float]],
        totals: Callable[[], Mapping[str, float]],
    ) -> None:
        self._meter = meter
        self._directory = directory
        self._gauges = gauges
        self._totals = totals

    def own(self) -> Counted:
        found = self._meter.sum_up()
        found.gauges, found.totals = dict(self._gauges()), dict(self._totals())
        return found

    def publish(self) -> None:
        """Add up what was counted, and let the others know."""
        counted = self.own()
        if self._directory is None:
            return
        path = self._directory / f"{os.getpid()}.json"
        partial = path.with_suffix(".partial")
        partial.write_bytes(_encode(counted))
        partial.replace(path)

    def node(self) -> tuple[Counted, int]:
        """Of all processes, and how many of them live."""
        parts, living = [self.own()], 1
        for path in sorted(self._directory.glob("*.json")) if self._directory is not None else ():
            if path.stem == str(os.getpid()):
                continue
            found = _decode(path.read_bytes())
            if alive(int(path.stem)):
                living += 1
            else:
                found.gauges = {}
            parts.append(found)
        return merged(parts), living


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
