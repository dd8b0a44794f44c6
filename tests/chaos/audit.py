"""Afterwards: what the upstream counted, what clients saw, and what ledger, logs and balances say, against each other.

A call may be lost only where it ran on a node at the moment of a kill -9.
"""

from collections import Counter
from dataclasses import dataclass, field

from tests.chaos.load import Call
from tests.chaos.site import Site
from tests.ledger.siege import Seen, differences

NEAR_S = 0.5  # a client hears of a kill a little later


@dataclass(slots=True)
class Audit:
    """Tokens cost one unit of quota each."""

    outcomes: Counter[str] = field(default_factory=Counter)
    upstream: tuple[int, int] = (0, 0)  # calls and tokens, of those whose end was seen
    ledger: tuple[int, int] = (0, 0)
    logs: tuple[int, int] = (0, 0)
    wrong: list[str] = field(default_factory=list)
    cut_by_kills: int = 0
    beside: list[str] = field(default_factory=list)  # refused though the database was there, as on a busy machine
    recovered: int = 0


def lost_to_a_kill(call: Call, kills: list[float]) -> bool:
    return any(call.began - NEAR_S <= moment <= call.ended + NEAR_S for moment in kills)


def refused_in_an_outage(call: Call, outages: list[tuple[float, float]]) -> bool:
    return any(call.began <= end and call.ended >= begin for begin, end in outages)


async def audit(site: Site, calls: list[Call]) -> Audit:
    found = Audit(Counter(call.outcome for call in calls))
    for call in calls:
        if call.outcome == "lost" and lost_to_a_kill(call, site.kills):
            found.cut_by_kills += 1
        elif call.outcome == "refused" and not excused(call, site) and call.status == 503:
            found.beside.append(f"{call.outcome} {since(call, site)}: {call}")
        elif call.outcome == "lost" or (call.outcome == "refused" and not excused(call, site)):
            found.wrong.append(f"{call.outcome} {since(call, site)}: {call}")
    twice = [name for name, times in site.upstream.times.items() if times > 1 and not name_fails(name, calls)]
    found.wrong += [f"sent to the upstream twice: {name}" for name in twice]
    whole = {call.request_id: site.upstream.claimed[call.name] for call in calls if call.outcome == "whole"}
    found.wrong += await differences(site.place, Seen(whole))
    found.upstream = (len(whole), sum(whole.values()))
    found.ledger = await total(site, "select request_id, quota from ledger where kind = 'final'", whole)
    found.logs = await total(site, "select request_id, quota from logs where type = 2", whole)
    found.wrong += await leftovers(site)
    found.recovered = await site.place.value("select count(*) from ledger where source = 'recovered'")
    if not found.upstream == found.ledger == found.logs:
        found.wrong.append(f"upstream {found.upstream}, ledger {found.ledger}, logs {found.logs}")
    return found


def since(call: Call, site: Site) -> str:
    """What was going on."""
    began, name = max(((began, name) for began, name in site.timeline if began <= call.ended), default=(0.0, "nothing"))
    return f"{call.ended - began:.1f} s after the beginning of {name!r}"


def excused(call: Call, site: Site) -> bool:
    return call.way == "fail" or (call.status == 503 and refused_in_an_outage(call, site.outages))


def name_fails(name: str, calls: list[Call]) -> bool:
    """A plain answer that breaks off before its first byte is asked for again."""
    return next(call.way != "well" for call in calls if call.name == name)


async def total(site: Site, query: str, whole: dict[str, int]) -> tuple[int, int]:
    rows = [row for row in await site.place.rows(query) if row["request_id"] in whole]
    return len(rows), sum(row["quota"] for row in rows)


async def leftovers(site: Site) -> list[str]:
    """What is not as it is on a site at rest."""
    paid = "select coalesce(sum(quota), 0) from"
    queries = {
        "open holds": "select count(*) from holds",
        "log rows that are missing": "select (select count(*) from ledger where kind = 'final' and logged = :yes)"
        " - (select count(*) from logs where type = 2)",
        "log rows that are there twice": "select count(*) - count(distinct request_id) from logs where type = 2",
        "quota of logs": f"select ({paid} ledger where kind = 'final') - ({paid} logs where type = 2)",
        "quota of channels": f"select ({paid} ledger where kind = 'final' and channel_id > 0)"
        " - (select sum(used_quota) from channels)",
    }
    found = []
    for what, query in queries.items():
        off = int(await site.place.value(query, **({"yes": True} if ":yes" in query else {})))
        found += [f"{what}: {off}"] if off else []
    return found
