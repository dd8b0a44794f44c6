"""The replay finds nothing where a gateway answers as recorded, and finds every kind of deviation."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from email import policy
from email.message import EmailMessage
from pathlib import Path
from smtplib import SMTP, SMTPRecipientsRefused
from typing import Any

import pytest

from tests.harness import client, smtp, upstream
from tests.harness.replay import Replay
from tests.harness.replay_books import Books
from tests.harness.replay_compare import compare_mails
from tests.harness.replay_lines import Names, parse
from tests.recorded import fake
from tests.recorded.fake import Deed

pytestmark = pytest.mark.anyio

BODY = {"model": "m", "messages": []}
ANSWER = {"id": "a", "choices": [{"index": 0}], "usage": {"total_tokens": 2}}
HEADERS = {"Authorization": "Bearer key", "Content-Type": "application/json"}
LOG = {
    "user_id": 2, "type": 2, "content": "x", "username": "u", "token_name": "t", "model_name": "m", "quota": 5,
    "prompt_tokens": 1, "completion_tokens": 1, "channel_id": 1, "is_stream": 0, "system_prompt_reset": 0,
}  # fmt: skip
CALL: dict[str, Any] = {
    "id": "call",
    "request": {"method": "POST", "path": "/v1/chat/completions", "body": BODY, "headers": HEADERS},
    "upstream": [
        {
            "request": {"method": "POST", "path": "/v1/x", "query": "a=1", "headers": HEADERS, "body": BODY},
            "response": {"status": 200, "json": ANSWER},
        }
    ],
    "response": {
        "status": 200,
        "content_type": "application/json",
        "headers": {"X-Oneapi-Request-Id": "{{rid}}", "X-Kept": "yes"},
        "body": {**ANSWER, "rid": "{{rid}}"},
    },
    "effects": {
        "user": {"2": {"quota": -5, "used_quota": 5, "request_count": 1}},
        "token": {"3": {"status": {"from": 1, "to": 4}}},
        "channel": {"1": {"used_quota": 5}},
        "logs": [LOG],
    },
}


def sent(**changed: Any) -> bytes:
    """What the gateway sends to the upstream."""
    fields: dict[str, Any] = {"method": "POST", "target": "/v1/x?a=1", "headers": HEADERS, "body": BODY, **changed}
    body = json.dumps(fields["body"]).encode()
    return client.encode_request(fields["method"], fields["target"], list(fields["headers"].items()), body, host="u")


def insert(table: str, **values: Any) -> str:
    return f"insert into {table} ({', '.join(values)}) values ({', '.join(map(repr, values.values()))})"


USER = "update users set quota = quota - 5, used_quota = used_quota + 5, request_count = request_count + 1 where id = 2"
TOKEN = "update tokens set status = 4 where id = 3"
CHANNEL = "update channels set used_quota = used_quota + 5 where id = 1"
LOGGED = insert("logs", request_id="{rid}", **LOG)
ROWS = (
    insert("users", id=2, username="u", password="", quota=100),
    insert("tokens", id=3, key="k"),
    insert("channels", id=1),
)

RIGHT = Deed(
    headers=(("Content-Type", "application/json"), ("X-Oneapi-Request-Id", "{rid}"), ("X-Kept", "yes")),
    body=json.dumps({**ANSWER, "rid": "{rid}"}),
    sent=(sent(),),
    sql=(USER, TOKEN, CHANNEL, LOGGED),
)
SETUP: dict[str, Any] = {
    "id": "setup",
    "request": {"method": "GET", "path": "/api/x"},
    "response": {
        "status": 200,
        "content_type": "application/json",
        "headers": {"X-Oneapi-Request-Id": "{{rid}}"},
        "body": {},
    },
}


async def paths(tmp_path: Path, lines: Sequence[dict[str, Any]], deeds: Sequence[Deed]) -> list[str]:
    """Where the replay of these lines finds differences if the gateway does these deeds."""
    database = tmp_path / "fake.db"
    books = Books(f"sqlite+aiosqlite:///{database}")
    try:
        async with upstream.serve() as mock, fake.serve(mock.port, database, deeds) as server:
            findings = await Replay(port=server.port, upstream=mock, books=books).run(map(parse, lines))
    finally:
        await books.aclose()
    return [finding.difference.path for finding in findings]


async def test_what_is_as_recorded_has_no_findings(tmp_path: Path) -> None:
    second = [*RIGHT.sql[:1], *RIGHT.sql[2:]]
    lines = [SETUP, CALL, {**CALL, "effects": {**CALL["effects"], "token": {}}}]
    assert await paths(tmp_path, lines, [Deed(sql=ROWS), RIGHT, replace(RIGHT, sql=second)]) == []


def body(**changed: Any) -> str:
    return json.dumps({**ANSWER, "rid": "{rid}", **changed})


@pytest.mark.parametrize(
    "wrong, found",
    [
        (replace(RIGHT, status=201), "status"),
        (replace(RIGHT, headers=(("Content-Type", "text/plain"), *RIGHT.headers[1:])), "content_type"),
        (replace(RIGHT, headers=RIGHT.headers[:2]), "headers.X-Kept"),
        (replace(RIGHT, headers=(*RIGHT.headers[:2], ("X-Kept", "no"))), "headers.X-Kept"),
        (replace(RIGHT, headers=(*RIGHT.headers, ("Server", "x"))), "headers.Server"),
        (replace(RIGHT, length=len(RIGHT.body) + 100), "end"),
        (replace(RIGHT, body="no JSON"), "body"),
        (replace(RIGHT, body=body(id="b")), "body.id"),
        (replace(RIGHT, body=body(more=1)), "body.more"),
        (replace(RIGHT, body=body(choices=[])), "body.choices[0]"),
        (replace(RIGHT, body=body(choices=[{"index": 0.0}])), "body.choices[0].index"),
        (replace(RIGHT, body=body(usage={"total_tokens": True})), "body.usage.total_tokens"),
        (replace(RIGHT, body='{"id": "a", ' + RIGHT.body[1:]), "body"),
        (replace(RIGHT, body=body(rid="another")), "body.rid"),
        (replace(RIGHT, sent=()), "upstream.count"),
        (replace(RIGHT, sent=(sent(), sent())), "upstream.count"),
        (replace(RIGHT, sent=(sent(method="PUT"),)), "upstream[0].method"),
        (replace(RIGHT, sent=(sent(target="/v1/y?a=1"),)), "upstream[0].path"),
        (replace(RIGHT, sent=(sent(target="/v1/x"),)), "upstream[0].query"),
        (replace(RIGHT, sent=(sent(headers={**HEADERS, "Authorization": "no"}),)), "upstream[0].headers.Authorization"),
        (replace(RIGHT, sent=(sent(headers={**HEADERS, "Cookie": "c"}),)), "upstream[0].headers.Cookie"),
        (replace(RIGHT, sent=(sent(body={**BODY, "model": "n"}),)), "upstream[0].body.model"),
        (replace(RIGHT, sql=RIGHT.sql[1:]), "effects.user.2.quota"),
        (replace(RIGHT, sql=(*RIGHT.sql, "update users set quota = 0 where id = 2")), "effects.user.2.quota"),
        (replace(RIGHT, sql=(USER, CHANNEL, LOGGED)), "effects.token.3.status"),
        (replace(RIGHT, sql=(USER, TOKEN, LOGGED)), "effects.channel.1.used_quota"),
        (replace(RIGHT, sql=(USER, TOKEN, CHANNEL)), "effects.logs[0]"),
        (replace(RIGHT, sql=(*RIGHT.sql, LOGGED)), "effects.logs[1]"),
        (replace(RIGHT, sql=(*RIGHT.sql, "update logs set quota = 6")), "effects.logs[0].quota"),
        (replace(RIGHT, sql=(*RIGHT.sql, "update logs set request_id = 'nobody'")), "effects.stray_log"),
    ],
)
async def test_a_deviation_is_found(tmp_path: Path, wrong: Deed, found: str) -> None:
    assert found in await paths(tmp_path, [SETUP, CALL], [Deed(sql=ROWS), wrong])


async def test_a_charge_that_comes_late_is_found(tmp_path: Path) -> None:
    """The next call starts where this one left."""
    refused = {"id": "refused", "request": CALL["request"], "response": SETUP["response"], "effects": {}}
    found = await paths(tmp_path, [SETUP, refused, refused], [Deed(sql=ROWS), Deed(), Deed(sql=(USER,))])
    assert "effects.user.2.quota" in found


async def test_a_scenario_without_effects_is_silent_about_the_database(tmp_path: Path) -> None:
    silent = {"id": "silent", "request": CALL["request"], "response": SETUP["response"]}
    assert await paths(tmp_path, [SETUP, silent], [Deed(sql=ROWS), Deed(sql=(USER,))]) == []


async def test_a_channel_total_without_log_rows_is_found_in_a_batch(tmp_path: Path) -> None:
    free = {**CALL, "effects": {}}
    deeds = [Deed(sql=ROWS), replace(RIGHT, sql=(CHANNEL,)), replace(RIGHT, sql=())]
    assert await paths(tmp_path, [SETUP, free, free], deeds) == ["effects.totals"]


async def test_of_a_withheld_line_nothing_is_compared(tmp_path: Path) -> None:
    line = {key: CALL[key] for key in ("id", "request", "upstream")} | {"withheld": True}
    assert await paths(tmp_path, [line], [Deed(status=500)]) == []


async def test_of_a_loose_line_the_status_and_shape_are_compared(tmp_path: Path) -> None:
    line = {**CALL, "loose": "transport error text", "effects": {}}
    same_shape = replace(RIGHT, body=body(id="b"), headers=RIGHT.headers[:2], sql=())
    assert await paths(tmp_path, [line], [same_shape]) == []
    other_shape = replace(same_shape, status=400, body=body(id=1))
    assert await paths(tmp_path, [line], [other_shape]) == ["status", "body.id"]


async def test_captured_values_are_sent_and_expected_again(tmp_path: Path) -> None:
    made = {
        **SETUP,
        "response": {**SETUP["response"], "body": {"data": [{"key": "{{k}}", "id": 7, "at": 1}]}},
        "volatile": ["data[*].at"],
        "capture": {"k": "data[0].key", "n": "data[0].id"},
    }
    used = {
        **SETUP,
        "request": {
            "method": "PUT",
            "path": "/api/{{n}}",
            "query": "k={{k}}",
            "headers": {"X": "{{k}}"},
            "body": {"id": {"$int": "{{n}}"}},
        },
    }
    deeds = [Deed(body='{"data": [{"key": "secret", "id": 7, "at": 2}]}'), Deed()]
    async with upstream.serve() as mock, fake.serve(mock.port, tmp_path / "db", deeds) as server:
        findings = await Replay(port=server.port, upstream=mock, books=None).run(map(parse, [made, used]))
    assert findings == []
    request = server.seen[1]
    assert (request.path, request.query, request.header("x")) == ("/api/7", "k=secret", "secret")
    assert json.loads(request.body) == {"id": 7}


async def test_a_value_that_cannot_be_captured_is_found(tmp_path: Path) -> None:
    assert await paths(tmp_path, [{**SETUP, "capture": {"k": "data.key"}}], [Deed()]) == ["capture.k"]


MAIL = {
    "from": "MAIL FROM:<a@gw.example>",
    "rcpt": ["RCPT TO:<b@c.example>"],
    "headers": ["To: b@c.example", "Subject: =?UTF-8?B?5L2g5aW9?=", "Message-ID: <{{hex32}}@gw.example>"],
    "subject_decoded": "你好",
    "text": "Your code: {{code}} See https://gw.example/?a=1&b=2",
    "links": ["https://gw.example/?a=1&b=2"],
}
MAILED = {**SETUP, "capture": {"code": "mail:>([0-9a-f]{6})</p>"}, "mail": [MAIL]}
WRITTEN = {
    "To": "b@c.example",
    "Subject": "你好",
    "Message-ID": f"<{'0' * 32}@gw.example>",
    "Content": "<title>x</title>Your code: <p>abcdef</p> See <a href='#'></a>"
    '<a href="https://gw.example/?a=1&amp;b=2">https://gw.example/?a=1&amp;b=2</a>',
}


def send_mail(port: int, written: Mapping[str, str]) -> None:
    message = EmailMessage(policy=policy.SMTP)
    for name, value in written.items():
        if name != "Content":
            message[name] = value
    message.set_content(written["Content"], subtype="html")
    with SMTP("127.0.0.1", port) as connection:
        connection.send_message(message, from_addr="a@gw.example", to_addrs=written["To"])


async def mailed(tmp_path: Path, line: dict[str, Any], *mails: Mapping[str, str]) -> list[str]:
    """Where the replay of this line finds differences if these mails are sent after it was answered."""
    async with (
        upstream.serve() as mock,
        smtp.serve() as box,
        fake.serve(mock.port, tmp_path / "db", [Deed()]) as server,
    ):
        replay = Replay(port=server.port, upstream=mock, books=None, mailserver=box)
        playing = asyncio.create_task(replay.run([parse(line)]))
        for written in mails:
            await asyncio.to_thread(send_mail, box.port, written)
        return [finding.difference.path for finding in await playing]


EXTRA = ["mails[0].headers.Content-Type", "mails[0].headers.Content-Transfer-Encoding", "mails[0].headers.Mime-Version"]


async def test_a_mail_as_recorded_has_no_findings_but_its_own_headers(tmp_path: Path) -> None:
    assert sorted(await mailed(tmp_path, MAILED, WRITTEN)) == sorted(EXTRA)


@pytest.mark.parametrize(
    "changed, found",
    [
        ({"To": "x@c.example"}, "mails[0].rcpt[0]"),
        ({"To": "x@c.example"}, "mails[0].headers.To"),
        ({"Subject": "no"}, "mails[0].subject"),
        ({"Message-ID": "<0@gw.example>"}, "mails[0].headers.Message-Id"),
        ({"X-Other": "x"}, "mails[0].headers.X-Other"),
        ({"Content": "<p>abcdef</p>"}, "mails[0].text"),
        ({"Content": "<p>abcdef</p>"}, "mails[0].links[0]"),
        ({"Content": "no code"}, "capture.code"),
    ],
)
async def test_a_deviation_of_a_mail_is_found(tmp_path: Path, changed: Mapping[str, str], found: str) -> None:
    assert found in await mailed(tmp_path, MAILED, {**WRITTEN, **changed})


async def test_a_mail_too_many_and_one_too_few_are_found(tmp_path: Path) -> None:
    async with smtp.serve() as box:
        await asyncio.to_thread(send_mail, box.port, WRITTEN)
        (mail,) = box.taken()
    assert [each.path for each in compare_mails([], [mail], Names())] == ["mails.count"]
    assert [each.path for each in compare_mails([MAIL], [], Names())] == ["mails.count"]


async def test_who_is_called_refuse_gets_no_mail(tmp_path: Path) -> None:
    async with smtp.serve() as box:
        with pytest.raises(SMTPRecipientsRefused):
            await asyncio.to_thread(send_mail, box.port, {**WRITTEN, "To": "refuse@c.example"})
        assert box.taken() == []


async def test_each_session_has_its_own_cookies(tmp_path: Path) -> None:
    def line(session: str) -> dict[str, Any]:
        response = {**SETUP["response"], "headers": {"Set-Cookie": "session={{cookie}}; Path=/"}}
        return {**SETUP, "request": {**SETUP["request"], "session": session}, "response": response}

    def setting(cookie: str) -> Deed:
        return Deed(headers=(("Content-Type", "application/json"), ("Set-Cookie", f"{cookie}; Path=/")))

    lines = [line("one"), line("two"), line("one"), line("two"), line("two")]
    deeds = [
        setting("session=1"),
        setting("session=2"),
        setting("session=3"),
        setting("session="),
        setting("session=9"),
    ]
    async with upstream.serve() as mock, fake.serve(mock.port, tmp_path / "db", deeds) as server:
        await Replay(port=server.port, upstream=mock, books=None).run(map(parse, lines))
    assert [seen.header("cookie") for seen in server.seen] == [None, None, "session=1", "session=2", None]


def test_times_are_relative_to_now() -> None:
    names = Names(clock=lambda: 1000.9)
    assert names.fill("a={{now}}&b={{now+100}}&c={{now-1}}&d={{other}}") == "a=1000&b=1100&c=999&d={{other}}"
    assert names.fill_json({"at": {"$now": -60}, "in": [{"$now": 0}]}) == {"at": 940, "in": [1000]}
