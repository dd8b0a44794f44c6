"""`make chaos`, the long form: half of the time on PostgreSQL, half on MariaDB; docs/reliability.md has its table."""

import argparse
import asyncio
import os
import platform
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from tests.chaos.faults import ALL, can_mount
from tests.chaos.run import Result, chaos
from tests.harness import servers
from tests.harness.servers import MariaDB, Postgres

PAGE = Path(__file__).parents[2] / "docs/reliability.md"
BEGIN, END = "<!-- results -->\n", "<!-- end of results -->"
DISK = "a full disk below a node's log"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("CHAOS") or 600))
    parser.add_argument("--clients", type=int, default=12)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--engine", choices=SERVERS, action="append", help="else each for its part")
    parser.add_argument("--write", action="store_true", help=f"put the table into {PAGE.name}")
    options = parser.parse_args()
    faults = dict(ALL)
    if not can_mount():
        del faults[DISK]
        print(f"left out, as it takes root: {DISK}")
    results: list[Result] = []
    engines = options.engine or list(SERVERS)
    with ExitStack() as stack:
        for engine in engines:
            server = SERVERS[engine](stack)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            run = chaos(
                folder,
                server,
                faults,
                seconds=options.seconds / len(engines),
                clients=options.clients,
                pause_s=0.1,
                seed=options.seed,
            )
            results.append(asyncio.run(run))
            print("\n".join((*results[-1].audit.wrong, *results[-1].audit.beside)), end="\n")
    table = "\n".join([*rows(results), "", remark(options.seconds, options.clients, options.seed)])
    print(table)
    if options.write:
        before, _, rest = PAGE.read_text().partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{table}\n\n{END}{rest.partition(END)[2]}")
    return 1 if any(result.audit.wrong for result in results) else 0


def opened_postgres(stack: ExitStack) -> Postgres:
    return stack.enter_context(closing(Postgres()))


def opened_mariadb(stack: ExitStack) -> MariaDB:
    return stack.enter_context(servers.mariadb(servers.sbin("mariadbd") or "mariadbd"))


SERVERS: dict[str, Callable[[ExitStack], Postgres | MariaDB]] = {
    "postgres": opened_postgres,
    "mariadb": opened_mariadb,
}


def rows(results: Sequence[Result]) -> list[str]:
    def row(name: str, *values: object) -> str:
        shown = [f"{each:,}" if isinstance(each, int) else str(each) for each in values]
        return "| " + " | ".join([name, *shown]) + " |"

    audits = [result.audit for result in results]
    names = {"postgres": "PostgreSQL", "mariadb": "MariaDB"}
    outcomes = ("whole", "broken by the upstream", "refused", "lost")
    says = {
        "whole": "answers seen whole",
        "broken by the upstream": "broken off by the upstream, as it was asked to",
        "refused": "refused with 503, or failed by the upstream, as it was asked to",
        "lost": "lost",
    }
    return [
        row("", *(names[result.engine] for result in results)),
        "|---|" + "---|" * len(results),
        row("seconds", *(round(result.seconds) for result in results)),
        *(row(name, *(result.faults[name] for result in results)) for name in ALL),
        row("calls", *(result.calls for result in results)),
        *(row(says[each], *(audit.outcomes[each] for audit in audits)) for each in outcomes),
        row("refused though the database was there", *(len(audit.beside) for audit in audits)),
        row("lost but not cut by a kill -9", *(audit.outcomes["lost"] - audit.cut_by_kills for audit in audits)),
        row("tokens the upstream counted for the whole ones", *(audit.upstream[1] for audit in audits)),
        row("the ledger less that", *(audit.ledger[1] - audit.upstream[1] for audit in audits)),
        row("the logs less that", *(audit.logs[1] - audit.upstream[1] for audit in audits)),
        row("differences of balances, logs, channels, holds", *(len(audit.wrong) for audit in audits)),
    ]


def remark(seconds: float, clients: int, seed: int) -> str:
    processor = platform.processor() or platform.machine()
    return (
        f"Made by `make chaos CHAOS={seconds:.0f}` with {clients} clients and seed {seed}, on {os.cpu_count()} cores"
        f" ({processor}), Python {platform.python_version()}."
    )


if __name__ == "__main__":
    sys.exit(main())
