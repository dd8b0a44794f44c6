"""What a process counts of its calls, for Prometheus and OpenTelemetry. Nothing is counted unless an operator asks.

Calls are not counted as they run: the ledger hands over the batches it has written, and they are added up once a
second. Processes of one node leave their sums in files, and whichever is asked answers for all of them: `share`.
"""

from one_api.metrics.meter import Meter
from one_api.metrics.route import route
from one_api.metrics.share import Share

__all__ = ["Meter", "Share", "route"]
