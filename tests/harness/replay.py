"""Replays a recorded scenario against a gateway, top to bottom, and says what is different.

Nothing is skipped quietly. Three things are left out by rule: a line that is `withheld` is sent and not compared;
`effects_before_upstream` is not looked at, because One API holds nothing for the rich and the gateway always holds; and
the pauses a recording asks for are not made, because what One API shows after a while is seen at once here.
"""

import asyncio
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

from tests.harness import client
from tests.harness.client import Answer
from tests.harness.replay_books import POLL_S, Books, State, changes, complete, spent
from tests.harness.replay_compare import (
    ABSENT,
    Difference,
    compare_answer,
    compare_json,
    compare_mails,
    compare_upstream,
)
from tests.harness.replay_lines import OPEN, Json, Line, Names, at, encode_body
from tests.harness.smtp import Mail, MailServer
from tests.harness.upstream import Reply, Upstream

REQUEST_ID = re.compile(OPEN["rid"])
STATUS_S = 6.0  # how long a change of a channel's status may take
SEEN_S = 1.0  # and how long until every process has seen it, which looks twice a second: the database does not tell
ARRIVAL_S = 20.0  # how long after an answer its mails and the requests of a job it started may come
BEGINNING = ("/api/channel/test", "/api/channel/update_balance")  # work that goes on after the answer


@dataclass(frozen=True, slots=True)
class Finding:
    line: str
    difference: Difference

    def __str__(self) -> str:
        return f"{self.line}: {self.difference}"


@dataclass(frozen=True, slots=True)
class Pending:
    """A call whose log rows are still to come. `expected` is None where nothing is to be compared."""

    line: Line
    request_id: str
    expected: Json | None
    changed: dict[str, dict[str, dict[str, Any]]]


@dataclass(slots=True, kw_only=True)
class Replay:
    """One run of a scenario. Without `books` the database is not looked at.

    A scenario that has no effects in any line is silent about the database; then it is only waited for.
    """

    port: int
    upstream: Upstream
    books: Books | None
    mailserver: MailServer | None = None
    names: Names = field(default_factory=Names)
    findings: list[Finding] = field(default_factory=list)
    _cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    _pending: list[Pending] = field(default_factory=list)
    _state: State | None = None
    _totals: Mapping[int, int] | None = None
    _silent: bool = False

    async def run(self, lines: Iterable[Line]) -> list[Finding]:
        lines = list(lines)
        self._silent = all(line.effects is None for line in lines)
        self.names.values["upstream"] = self.upstream.url
        if self.mailserver is not None:
            self.names.values["smtp_port"] = str(self.mailserver.port)
        for line in lines:
            await self.play(line)
        await self.settle()
        return self.findings

    async def play(self, line: Line) -> None:
        alone = line.effects is not None and spent(list(line.effects.get("logs", ()))) != _totals_of(line.effects)
        if alone or not line.relayed:
            await self.settle()
        before = await self._before(line)
        self.upstream.taken()
        self.upstream.script(Reply.recorded(self.names.fill_json(each["response"])) for each in line.upstream)
        answer = await self.ask(line)
        self.names.values["rid"] = answer.header("x-oneapi-request-id") or ""
        if answer.status < 400:
            if self.books is not None and line.request["path"].rstrip("/") in BEGINNING:
                await self.books.unoccupied()
            else:
                await _until(lambda: self._arrived(line), ARRIVAL_S)
        mails = self.mailserver.taken() if self.mailserver is not None else []
        self._capture(line, answer, mails)
        if before is not None:
            await self._after(line, before)
        if line.response is not None:
            self._found(line, self._compare(line, line.response, answer))
            self._found(line, compare_mails(line.mails, mails, self.names))
        if alone:
            await self.settle()

    async def ask(self, line: Line) -> Answer:
        """Send the request of a line, and keep the cookies of its answer."""
        request, names = line.request, self.names
        session = request.get("session", "")
        headers = [(name, names.fill(value)) for name, value in request.get("headers", {}).items()]
        if self._cookies.get(session):
            pairs = (f"{name}={value}" for name, value in self._cookies[session].items())
            headers.append(("Cookie", "; ".join(pairs)))
        query = names.fill(request.get("query", ""))
        target = names.fill(request["path"]) + (f"?{query}" if query else "")
        leaves = (line.response or {}).get("closed_before_end", False)
        answer = await client.exchange(
            self.port,
            client.encode_request(
                request["method"], target, headers, encode_body(request, names), host=f"127.0.0.1:{self.port}"
            ),
            bodiless=request["method"] == "HEAD",
            source_ip=request.get("source_ip"),
            leave_after=len((line.response or {})["body_text"].encode()) if leaves else None,
        )
        if session:
            self._keep_cookies(session, answer)
        return answer

    def _keep_cookies(self, session: str, answer: Answer) -> None:
        jar = self._cookies.setdefault(session, {})
        for name, value in answer.headers:
            if name.lower() == "set-cookie":
                for key, morsel in SimpleCookie(value).items():
                    jar[key] = morsel.value
                    if not morsel.value or morsel["max-age"] == "0":
                        del jar[key]

    def _arrived(self, line: Line) -> bool:
        mails = self.mailserver.mails if self.mailserver is not None else line.mails
        return len(mails) >= len(line.mails) and self.upstream.asked >= len(line.upstream) - line.unused

    def _capture(self, line: Line, answer: Answer, mails: list[Mail]) -> None:
        for name, where in line.capture.items():
            value = _captured(where, answer, mails)
            if value is None:
                self._found(line, [Difference(f"capture.{name}", where, ABSENT)])
            else:
                self.names.values[name] = str(value)

    def _compare(self, line: Line, expected: Json, answer: Answer) -> Iterable[Difference]:
        request_id = self.names.values["rid"]
        if "{{rid}}" in expected["headers"].values() and not REQUEST_ID.fullmatch(request_id):
            yield Difference("headers.X-Oneapi-Request-Id", REQUEST_ID.pattern, request_id)
        yield from compare_answer(line, expected, answer, self.names)
        yield from compare_upstream(line, self.upstream.taken(), self.names)

    def _found(self, line: Line, differences: Iterable[Difference]) -> None:
        self.findings += [Finding(line.id, difference) for difference in differences]

    # --- effects ------------------------------------------------------------------------------------------------------

    async def _before(self, line: Line) -> State | None:
        """The state a call starts from: what the call before it left, so that no late change goes unseen."""
        if self.books is None or not line.relayed:
            self._state = None
            return None
        if self._state is None:
            self._state = await self.books.state()
        if self._totals is None:
            self._totals = _used(self._state)
        return self._state

    async def _after(self, line: Line, before: State) -> None:
        assert self.books is not None
        await self.books.idle()
        # A line without upstream and without effects changes nothing: One API refused it.
        expected = None if line.response is None or self._silent else line.effects or {}
        state = await self.books.state()
        if "status" in str((expected or {}).get("channel", "")):
            state = await self._moved(expected or {}, state)
        changed = changes(before, state)
        for number in list(changed["channel"]):  # totals come later
            changed["channel"][number].pop("used_quota", None)
            if not changed["channel"][number]:
                del changed["channel"][number]
        self._pending.append(Pending(line, self.names.values["rid"], expected, changed))
        self._state = state

    async def _moved(self, expected: Json, state: State) -> State:
        """The state after a change of status that every process has seen, if it comes."""
        assert self.books is not None
        deadline = asyncio.get_running_loop().time() + STATUS_S
        while not _statuses_reached(expected, state):
            if asyncio.get_running_loop().time() > deadline:
                return state
            await asyncio.sleep(POLL_S)
            state = await self.books.state()
        await asyncio.sleep(SEEN_S)
        return state

    async def settle(self) -> None:
        """Wait for log rows and totals, and compare the effects of all calls since the last time."""
        if self.books is None or not self._pending:
            return
        assert self._totals is not None
        await self.books.settled()
        rows = await self.books.new_logs()
        totals = _used(await self.books.state())
        moved = {str(n): used - self._totals.get(n, 0) for n, used in totals.items() if used != self._totals.get(n, 0)}
        by_request: dict[str, list[Mapping[str, Any]]] = {each.request_id: [] for each in self._pending}
        for row in rows:
            if row.request_id in by_request:
                by_request[row.request_id].append(row.fields)
            elif row.fields["type"] == 2:
                self._found(self._pending[-1].line, [Difference("effects.stray_log", ABSENT, dict(row.fields))])
        only = len(self._pending) == 1
        for each in self._pending:
            logs = by_request[each.request_id]
            self._compare_effects(each, logs, moved if only else spent(logs))
        summed = spent([fields for logs in by_request.values() for fields in logs])
        if not only and summed != moved:
            self._found(self._pending[-1].line, [Difference("effects.totals", summed, moved)])
        self._pending, self._totals, self._state = [], None, None

    def _compare_effects(self, each: Pending, logs: list[Mapping[str, Any]], used: Mapping[str, int]) -> None:
        if each.expected is None:
            return
        got: dict[str, Any] = {**each.changed, "logs": [dict(row) for row in logs]}
        for number, amount in used.items():
            got["channel"].setdefault(number, {})["used_quota"] = amount
        expected = complete(each.expected, got)
        if "random channel" in each.line.loose:  # then only what the caller paid is fixed
            expected |= {"channel": got["channel"], "logs": got["logs"]}
        self._found(each.line, compare_json(expected, complete(got, expected), "effects"))


async def _until(ready: Callable[[], bool], patience: float) -> None:
    """Returns when it is ready, or when patience ends: what is missing then is found by comparing."""
    deadline = asyncio.get_running_loop().time() + patience
    while not ready() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - two servers
        await asyncio.sleep(POLL_S)


def _captured(where: str, answer: Answer, mails: list[Mail]) -> Any:
    """What a recording takes from an exchange, by JSON path, `header:<name>` or `mail:<regex>`; None: not there."""
    kind, colon, rest = where.partition(":")
    if not colon:
        try:
            return at(json.loads(answer.content()), where)
        except (LookupError, TypeError, ValueError):
            return None
    if kind == "header":
        return answer.header(rest)
    found = [match for mail in mails for match in re.findall(rest, mail.html)]
    return found[-1] if found else None


def _used(state: State) -> dict[int, int]:
    return {number: row["used_quota"] for number, row in state["channel"].items()}


def _totals_of(effects: Json) -> dict[str, int]:
    return {number: row["used_quota"] for number, row in effects.get("channel", {}).items() if "used_quota" in row}


def _statuses_reached(effects: Json, state: State) -> bool:
    return all(
        state["channel"].get(int(number), {}).get("status") == row["status"]["to"]
        for number, row in effects.get("channel", {}).items()
        if "status" in row
    )
