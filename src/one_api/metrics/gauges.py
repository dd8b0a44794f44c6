"""What a process is doing at the moment, read where it is known."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from one_api.accounts.cache import Accounts
from one_api.ledger import Ledger
from one_api.relay.pool import Transports
from one_api.store.engine import Database

PAGE = os.sysconf("SC_PAGE_SIZE")


def gauges(ledger: Ledger, transports: Transports, database: Database, accounts: Accounts) -> Mapping[str, float]:
    pools: Any = {id(engine): engine.sync_engine.pool for engine in (database.reader, database.writer)}
    opened, idle = transports.direct.counts()
    return {
        "upstream_connections": opened,
        "upstream_connections_idle": idle,
        "ledger_waiting": len(ledger.writer.queue) + len(ledger.writer.busy),
        "database_connections": sum(pool.checkedout() for pool in pools.values()),
        "callers": len(accounts),
        "resident_bytes": resident(),
    }


def totals(ledger: Ledger) -> Mapping[str, float]:
    times = os.times()
    return {"ledger_batches": ledger.writer.batches, "cpu_seconds": times.user + times.system}


def resident() -> int:
    """Bytes of memory; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE
    except (OSError, ValueError, IndexError):
        return 0
