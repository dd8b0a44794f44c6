"""Counts calls by the rules of CallLimits, the same for all processes: in Redis, in the database, or in this process.

`Limiter` is what the relay sees. Counts are of a minute of the shared clock; what runs at the same time is counted by
slots that end by themselves when the process that holds them is gone.
"""

from one_api.limits.counts import Counts, Exceeded, Standing
from one_api.limits.limiter import Entry, Limiter, RateLimited

__all__ = ["Counts", "Entry", "Exceeded", "Limiter", "RateLimited", "Standing"]
