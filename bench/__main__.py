"""`python -m bench`: about twelve minutes on two cores. `--quick` takes one."""

import argparse
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench import database, gateway, machine, nginx, tools
from bench.cases import CASES
from bench.load import Load
from bench.process import free_port, serving
from bench.report import NGINX, Figures, markdown, summary, write
from bench.rounds import Target, interleaved, measure_memory, say
from bench.seed import Size

PAGE = tools.HERE.parent / "docs" / "benchmarks.md"
README = tools.HERE.parent / "README.md"
FRESH = Size(users=1, tokens=1, logs=0)
GROWN = Size(users=1000, tokens=10_000, logs=1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    rounds: int
    seconds: float
    warm_up: float
    targets: Sequence[str]


QUICK = Plan(rounds=1, seconds=1.5, warm_up=0.3, targets=(NGINX, "fresh", "grown"))
FULL = Plan(rounds=7, seconds=2, warm_up=0.3, targets=(NGINX, "fresh", "grown", "postgresql"))
GATEWAYS = {
    "fresh": (FRESH, database.sqlite),
    "grown": (GROWN, database.sqlite),
    "postgresql": (GROWN, database.postgresql),
}


@dataclass(frozen=True, slots=True)
class Cores:
    """The server under test has a core to itself; load, upstream, database and this program share the other."""

    served: int
    rest: int

    @classmethod
    def pick(cls) -> "Cores":
        found = sorted(os.sched_getaffinity(0))
        if len(found) < 2:
            raise SystemExit("two cores are needed: one for the server, one for what calls and answers it")
        return cls(found[0], found[1])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, no PostgreSQL, docs left as they are")
    parser.add_argument("--only", metavar="TARGET", action="append", help=f"besides nginx: {', '.join(GATEWAYS)}")
    parser.add_argument("--case", metavar="WORD", help="only cases whose name holds it")
    parser.add_argument("--no-memory", action="store_true", help="skip the 2,000 open streams")
    return parser.parse_args()


def targets(stack: ExitStack, names: Sequence[str], root: Path, made: tools.Tools, cores: Cores) -> list[Target]:
    """All servers, running side by side; who is not measured is idle."""
    port = free_port()
    stack.enter_context(serving([made.upstream, str(port)], core=cores.rest, port=port, log=root / "upstream"))
    proxy, stream_port = stack.enter_context(nginx.running(made.nginx, root / NGINX, core=cores.served, upstream=port))
    nobody = root / "keys"
    nobody.write_text("sk-" + "0" * 48 + "\n")
    load = Load(program=made.load, folder=root / NGINX, keys=nobody, plain=True)
    found = [Target(name=NGINX, pid=proxy.pid, port=proxy.port, stream_port=stream_port, load=load)]
    for name in names:
        if name == NGINX:
            continue
        size, kind = GATEWAYS[name]
        ours = stack.enter_context(
            gateway.running(name, root / name, size, core=cores.served, upstream=port, kind=kind)
        )
        found.append(
            Target(
                name=name,
                pid=ours.server.pid,
                port=ours.server.port,
                stream_port=ours.server.port,
                load=Load(program=made.load, folder=root / name, keys=ours.keys),
                database=ours.database,
            )
        )
    return found


def main() -> int:
    options = arguments()
    plan = QUICK if options.quick else FULL
    names = (NGINX, *options.only) if options.only else plan.targets
    cases = [case for case in CASES if not options.case or options.case in case.name]
    made, cores = tools.build(), Cores.pick()
    os.sched_setaffinity(0, {cores.rest})
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    root = Path(tempfile.mkdtemp(prefix="run-", dir=tools.BUILD))  # on the disk of the checkout: /tmp may be memory
    try:
        with ExitStack() as stack:
            servers = targets(stack, names, root, made, cores)
            memory = [] if options.no_memory else [measure_memory(server) for server in servers]
            say("memory is measured")
            runs = interleaved(servers, cases, rounds=plan.rounds, seconds=plan.seconds, warm_up=plan.warm_up)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    figures = Figures(machine.facts(made), memory, runs)
    text = markdown(figures)
    print(text)
    if not options.quick and not options.only and not options.case:
        write(PAGE, text)
        write(README, summary(figures))
    return 1 if figures.books.lost or figures.books.wrong or figures.failed else 0


if __name__ == "__main__":
    sys.exit(main())
