"""The figures as Markdown: medians over the rounds, ratios to nginx in the same round."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.audit import Verdict
from bench.cases import IDLE_MIB_MOST, OPEN, OPEN_KB_MOST, Case
from bench.rounds import Memory, Run

NGINX = "nginx"
TITLES = {
    NGINX: "nginx",
    "fresh": "SQLite, fresh",
    "grown": "SQLite, grown",
    "postgresql": "PostgreSQL, grown",
}
BEGIN, END = "<!-- results -->", "<!-- end of results -->"


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run of the benchmark found."""

    facts: Mapping[str, str]
    memory: Sequence[Memory]
    runs: Sequence[Run]

    def of(self, case: Case, target: str) -> list[Run]:
        return [run for run in self.runs if run.case == case and run.target == target]

    def ratios(self, case: Case, target: str) -> list[float]:
        """To nginx, of each round, the lowest first."""
        plain = {run.round: run.cpu_us for run in self.of(case, NGINX)}
        return sorted(run.cpu_us / plain[run.round] for run in self.of(case, target) if plain[run.round])

    def ratio(self, case: Case, target: str) -> float:
        return median(self.ratios(case, target))

    @property
    def books(self) -> Verdict:
        """All audits together."""
        found = [v for v in (*(r.verdict for r in self.runs), *(m.verdict for m in self.memory)) if v]
        return Verdict(
            seen=sum(v.seen for v in found), lost=sum(v.lost for v in found), wrong=sum(v.wrong for v in found)
        )

    @property
    def failed(self) -> int:
        answers = [*(r.answers for r in self.runs), *(m.answers for m in self.memory)]
        return sum(answer.refused + answer.broken for answer in answers)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def verdict(value: float, most: float) -> str:
    return f"at most {most:g}: {'met' if value <= most else 'MISSED'}"


def call_row(figures: Figures, case: Case, target: str) -> list[str]:
    runs = figures.of(case, target)
    ratios = figures.ratios(case, target)
    ratio = median(ratios)
    most = case.targets.get(target)
    told = [verdict(ratio, most)] if most else []
    if case.beside is not None and target != NGINX:
        other, allowed = case.beside
        plain = [run.cpu_us for run in figures.runs if run.case.name == other and run.target == target]
        if plain:
            share = median(run.cpu_us for run in runs) / median(plain)
            told.append(f"{share:.2f} × “{other}”, {verdict(share, allowed)}")
    database_us = median(run.database_us for run in runs)
    return [
        case.name if target == NGINX else "",
        TITLES[target],
        f"{median(run.cpu_us for run in runs):.1f}",
        f"{database_us:.1f}" if database_us else "",
        f"{ratio:.2f}",
        f"{ratios[0]:.1f}–{ratios[-1]:.1f}" if target != NGINX else "",
        "; ".join(told),
        f"{median(run.answers.calls_per_second for run in runs):,.0f}",
        f"{median(run.answers.p50_ms for run in runs):.1f}",
        f"{median(run.answers.p99_ms for run in runs):.1f}",
    ]


def calls_table(figures: Figures, cases: Sequence[Case], targets: Sequence[str], unit: str) -> str:
    ratios = ("× nginx", "lowest–highest", "target")
    head = ["", "", f"CPU µs/{unit}", "database's CPU µs", *ratios, "calls/s", "p50 ms", "p99 ms"]
    return table(head, [call_row(figures, case, target) for case in cases for target in targets])


def memory_table(figures: Figures) -> str:
    if not figures.memory:
        return ""
    plain = next(found for found in figures.memory if found.target == NGINX)
    rows = []
    for found in figures.memory:
        idle, stream = found.idle / 2**20, found.per_stream / 1000
        ours = found.target != NGINX
        rows.append(
            [
                TITLES[found.target],
                f"{idle:.0f}",
                verdict(idle, IDLE_MIB_MOST) if ours else "",
                f"{stream:.1f}",
                f"{found.per_stream / plain.per_stream:.2f}" if plain.per_stream > 0 else "",
                verdict(stream, OPEN_KB_MOST) if ours else "",
                f"{found.answers.calls - found.answers.late:,} of {OPEN.connections:,}",
            ]
        )
    return table(["", "idle MiB", "target", "KB/open stream", "× nginx", "target", "ended on time"], rows)


def summary(figures: Figures) -> str:
    """One line a case, for who does not want all of it: each server's CPU, and how many times nginx's that is."""
    targets = list(dict.fromkeys(run.target for run in figures.runs))
    ours = [target for target in TITLES if target in targets and target != NGINX]
    rows = []
    for case in dict.fromkeys(run.case for run in figures.runs):
        unit = f"CPU µs/{case.unit}"
        cells = [f"{case.name}: {unit}", f"{median(run.cpu_us for run in figures.of(case, NGINX)):.1f}"]
        for target in ours:
            cost = median(run.cpu_us for run in figures.of(case, target))
            cells.append(f"{cost:.1f} (×{figures.ratio(case, target):.1f})")
        rows.append(cells)
    memory = {found.target: found for found in figures.memory}
    if memory:
        rows.append(["idle: MiB", *(f"{memory[target].idle / 2**20:.0f}" for target in (NGINX, *ours))])
        rows.append(["open stream: KB", *(f"{memory[target].per_stream / 1000:.1f}" for target in (NGINX, *ours))])
    return table(["", *(TITLES[target] for target in (NGINX, *ours))], rows) + "\n\n" + books(figures)


def books(figures: Figures) -> str:
    found = figures.books
    return (
        f"Answers whose end was seen through the gateway: {found.seen:,}. Bookings lost: {found.lost}. "
        f"Balances off: {found.wrong}. Calls refused or broken: {figures.failed}."
    )


def markdown(figures: Figures) -> str:
    targets = list(dict.fromkeys(run.target for run in sorted(figures.runs, key=lambda run: run.round)))
    cases = list(dict.fromkeys(run.case for run in figures.runs))
    facts = table(["", ""], [[name, text] for name, text in figures.facts.items()])
    parts = [facts]
    for unit in ("call", "event"):
        chosen = [case for case in cases if case.unit == unit]
        parts += [calls_table(figures, chosen, targets, unit)] if chosen else []
    return "\n\n".join([*parts, *filter(None, [memory_table(figures)]), books(figures)])


def write(path: Path, text: str) -> None:
    """Replace what stands between the two marks."""
    before, _, rest = path.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")
