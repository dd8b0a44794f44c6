"""`one-api channel test ID`: try a channel as the console does, with a running gateway or without.

Exit status 4: the channel did not answer as it should.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

from one_api.channels.rules import Refused
from one_api.commands.shell import FAILED, FOUND, WRONG, answer, complain, configured, parser
from one_api.config import Config, ConfigError
from one_api.errors import Unavailable
from one_api.lib.ids import RequestIds
from one_api.notify import Outbox
from one_api.relay.probe import Probe
from one_api.store.engine import open_database
from one_api.store.migrations import MigrationError, require_current
from one_api.store.untouched import address_of, require_file
from one_api.web import Web
from one_api.wiring import content, look_after, notices, reach, watch, watch_health, ways


def run(words: Sequence[str]) -> int:
    made = parser("channel", __doc__)
    made.add_argument("action", choices=["test"])
    made.add_argument("number", metavar="ID", type=int)
    made.add_argument("--model", default="", help="the model to ask for; else one that the channel has")
    flags = made.parse_args(words)
    try:
        found = asyncio.run(test(configured(), flags.number, flags.model))
    except ConfigError as error:
        return complain(error, WRONG)
    except (MigrationError, Refused, Unavailable) as error:
        return complain(error, FAILED)
    facts = {"channel": flags.number, "passed": found.passed, "model": found.model, "ms": found.elapsed_ms}
    text = f"{'passed' if found.passed else 'failed'}: {found.model} in {found.elapsed_ms} ms: {found.text}"
    answer({**facts, "text": found.text}, text, as_json=flags.json)
    return 0 if found.passed else FOUND


async def test(config: Config, number: int, model: str) -> Probe:
    """The parts of a gateway that a test takes, without its ledger. Raises Refused for a channel that is not there."""
    require_file(address_of(config.sql_dsn, sqlite_path=config.sqlite_path))
    async with AsyncExitStack() as stack:
        database = open_database(config)
        stack.push_async_callback(database.aclose)
        await require_current(database)
        logs = open_database(config, config.log_sql_dsn) if config.log_sql_dsn else database
        stack.push_async_callback(logs.aclose)
        watched = await watch(config, database)
        outbox = Outbox(notices(database, watched, Web()))
        stack.push_async_callback(outbox.aclose)
        transports = ways(config)
        stack.push_async_callback(transports.aclose)
        health = watch_health(config, database, watched, outbox)
        upstreams = reach(config, transports, health, content(config, transports))
        ids = RequestIds()
        upkeep = look_after(config, database, logs, watched, upstreams, health, outbox, ids)
        stack.push_async_callback(upkeep.aclose)
        return await upkeep.tests.test(number, model, request_id=ids.next())
