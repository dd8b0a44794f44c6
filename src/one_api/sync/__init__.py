"""Keep what processes remember true: whoever changes something bumps its topic in the same transaction, all look twice a second.

Topics: `options`, `routes` (channels and abilities), `token:<id>`, `user:<id>`. The database carries it all; a hint may make it
faster, nothing makes it wrong.
"""

from one_api.sync.generations import bump, changed, generation, purge
from one_api.sync.poller import Poller
from one_api.sync.snapshot import Snapshot

__all__ = ["Poller", "Snapshot", "bump", "changed", "generation", "purge"]
