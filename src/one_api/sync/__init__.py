"""Keep what processes remember true: a change bumps its topic in its own transaction, and all look twice a second.

Topics: `options`, `routes` (channels and abilities), `token:<id>`, `user:<id>`. The database carries it all; a hint may
make it faster, nothing makes it wrong.
"""

from one_api.sync.generations import bump, changed, generation, purge
from one_api.sync.poller import Poller
from one_api.sync.snapshot import Snapshot
from one_api.sync.tasks import end

__all__ = ["Poller", "Snapshot", "bump", "changed", "end", "generation", "purge"]
