"""One call on one channel after another, until the first content is here. Retries live here and nowhere else."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import msgspec

from one_api import ir, providers
from one_api.dialects import openai_chat, openai_errors
from one_api.dialects.openai_images import ImageTap
from one_api.errors import NoChannel, OneAPIError, UpstreamError
from one_api.lib import json
from one_api.pricing import gojson
from one_api.providers.flows import Query
from one_api.relay import abroad, forms
from one_api.relay.calls import CHAT, HEARD_MODES, LONG, Ask, Call
from one_api.relay.client import Client
from one_api.relay.drawn import DrawnInflow
from one_api.relay.enclosed import NOTHING, Enclosed, Source
from one_api.relay.flows import Flows
from one_api.relay.health import cause
from one_api.relay.inflow import WHOLE, ClientGone, Inflow
from one_api.relay.quoting import begins_with_the_callers_words
from one_api.relay.redaction import body_without_key, without_key
from one_api.relay.targets import EVENT_STREAM, USER_AGENT, Target, Targets, shape
from one_api.relay.transport import HttpRequest, Timeouts, Transport
from one_api.routing import Channel
from one_api.routing.health import OF_THE_ACCOUNT, retry_after, retry_info
from one_api.routing.parameters import NO_FIELDS

SATURATED = "当前分组上游负载已饱和，请稍后再试"
BAICHUAN = 26  # its requests were always written anew

_NO_CHOICES = openai_chat.Whole().choices


class Health(Protocol):
    """Who is told how channels do."""

    def succeeded(self, channel: Channel) -> None: ...

    def failed(self, channel: Channel, error: UpstreamError, model: str) -> None: ...
    def resting(self, channel: Channel, model: str) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstreams:
    """What an attempt needs of the process. `content` fetches what requests name by address."""

    loop: asyncio.AbstractEventLoop
    transport: Callable[[str], Transport]
    targets: Targets
    health: Health
    flows: Flows
    timeouts: Timeouts
    enforce_usage: bool
    now: Callable[[], int]
    content: Source


class Answer(msgspec.Struct, frozen=True):
    """A good answer whose first content is here. `started` is when the successful attempt began."""

    channel: Channel
    model: str
    inflow: Inflow
    whole: openai_chat.Whole | None
    started: float
    first: float = 0.0  # when its first content came


class Account(Protocol):
    """Who keeps the call's account."""

    def checkpoint(self, channel: Channel, model: str, flow: Inflow, /) -> None:
        """A stream has gone on for a while."""

    def answered(self, answer: Answer, /) -> None:
        """An upstream took the call on: its answer is good, or the caller left when it had begun."""


async def first_answer(
    upstreams: Upstreams, call: Call, ask: Ask, candidates: Iterable[Channel], client: Client, account: Account
) -> Answer:
    """The first channel's answer that is one. Raises the last channel's UpstreamError, or ClientGone."""
    last: OneAPIError | None = None
    enclosed: Enclosed = NOTHING
    for channel in candidates:
        inflow = None
        started = upstreams.loop.time()
        model = channel.mapping.get(ask.model) or ask.model
        call.record.channel = channel.id
        call.record.tries += 1
        try:
            body = None
            if ask.media or len(call.body) > LONG:
                body, enclosed = await _written_aside(upstreams, call, ask, channel, model, enclosed)
            inflow = _ask(upstreams, call, ask, channel, model, account, body)
            client.listen(inflow)
            await inflow.ready
            if type(inflow) is DrawnInflow:
                await inflow.enclose(upstreams.content)
            first = upstreams.loop.time()
            answer = Answer(channel, model, inflow, _judge(inflow, ask, channel), started, first)
        except UpstreamError as error:
            _let_go(client, inflow)
            last = _clean(upstreams, error, channel, inflow)
            error.quoted = begins_with_the_callers_words(error.message, call, ask)
            _told(upstreams, error, channel, model, inflow)
            if not error.retry and cause(error) not in OF_THE_ACCOUNT:  # some say 400 of an account without credit
                break
        except BaseException as error:
            _let_go(client, inflow)
            if isinstance(error, ClientGone) and inflow is not None and inflow.accepted:
                account.answered(Answer(channel, model, inflow, None, started))
            raise
        else:
            upstreams.health.succeeded(channel)
            account.answered(answer)
            return answer
    raise _conclusion(last, ask)


def _conclusion(last: OneAPIError | None, ask: Ask) -> OneAPIError:
    """What a caller is told when no channel is left."""
    if last is None:
        return NoChannel(f"no channel for {ask.model}")
    if last.status == 429:
        last.message = SATURATED
    return last


async def one_answer(upstreams: Upstreams, call: Call, ask: Ask, channel: Channel, client: Client) -> Answer:
    """The answer of this channel and no other, for who wants to know how it does: nobody is told, nothing is written.

    Raises UpstreamError.
    """
    inflow = None
    started = upstreams.loop.time()
    model = channel.mapping.get(ask.model) or ask.model
    try:
        body, _ = await _written_aside(upstreams, call, ask, channel, model, NOTHING)
        inflow = _ask(upstreams, call, ask, channel, model, None, body)
        client.listen(inflow)
        await inflow.ready
        return Answer(channel, model, inflow, _judge(inflow, ask, channel), started)
    except UpstreamError as error:
        _let_go(client, inflow)
        raise _clean(upstreams, error, channel, inflow) from None
    except BaseException:
        _let_go(client, inflow)
        raise


def _clean(upstreams: Upstreams, error: UpstreamError, channel: Channel, inflow: Inflow | None) -> UpstreamError:
    """What may be told of a failure. A token that was not accepted is not used again."""
    hidden = () if inflow is None else inflow.hidden
    if hidden and (error.status == 401 or error.type == ir.TOKEN_REFUSED):
        upstreams.flows.forget(hidden)
    return without_key(error, channel, hidden)


def _told(upstreams: Upstreams, error: UpstreamError, channel: Channel, model: str, inflow: Inflow | None) -> None:
    """Let others know of a failure, and of the rest that the upstream asks for."""
    error.retry_after = _rest_asked_for(inflow, upstreams.now())
    upstreams.health.failed(channel, error, model)


def _let_go(client: Client, inflow: Inflow | None) -> None:
    client.listen(None)
    if inflow is not None:
        inflow.close()


def _target(upstreams: Upstreams, call: Call, ask: Ask, channel: Channel, model: str) -> Target:
    engine = call.heading.engine and (call.heading.engine if model == ask.model else model)
    return upstreams.targets.find(channel, ask.mode, model, engine, stream=ask.stream)


def _rest_asked_for(inflow: Inflow | None, now: int) -> float:
    if inflow is None or inflow.head is None:
        return 0.0
    told = retry_after(inflow.head.headers, now)
    return told or (0.0 if inflow.accepted else retry_info(inflow.body))


async def _written_aside(
    upstreams: Upstreams, call: Call, ask: Ask, channel: Channel, model: str, known: Enclosed
) -> tuple[bytes | None, Enclosed]:
    """The body for a channel of another dialect, with what had to be fetched for it. Raises UpstreamError.

    A thread writes what is long: images of megabytes must not hold everybody up.
    """
    target = _target(upstreams, call, ask, channel, model)
    if target.dialect is None:
        return None, known
    enclosed = await abroad.enclosures(upstreams.content, ask, channel, model, target, known)
    facts = (call, ask, channel, model, target, target.dialect, enclosed)
    if len(call.body) <= LONG and not enclosed:
        return abroad.write_request(*facts), enclosed
    return await asyncio.to_thread(abroad.write_request, *facts), enclosed


def _ask(
    upstreams: Upstreams,
    call: Call,
    ask: Ask,
    channel: Channel,
    model: str,
    account: Account | None,
    body: bytes | None,
) -> Inflow:
    """Send the call to a channel; its body where that is written already. Raises UpstreamError if it cannot be sent."""
    target = _target(upstreams, call, ask, channel, model)
    checkpoint = partial(account.checkpoint, channel, model) if ask.stream and account is not None else None
    if target.dialect is not None:
        body = body or abroad.write_request(call, ask, channel, model, target, target.dialect, NOTHING)
        inflow = abroad.inflow(upstreams.loop, ask, model, target, target.dialect, upstreams.now(), checkpoint)
        headers = abroad.headers(call, ask, target)
        return _send(upstreams, channel, target, headers, body, inflow)
    wants_usage = ask.mode is CHAT and ask.stream and _needs_usage(upstreams, ask, channel, model)
    inflow = Inflow(
        upstreams.loop,
        wants=shape(ask),
        strip_usage=wants_usage and not openai_chat.asks_usage(ask.document),
        checkpoint=checkpoint,
    )
    if ask.mode in providers.DRAWN:
        inflow.tap = ImageTap()
    body = _body(call, ask, channel, model, include_usage=wants_usage)
    return _send(upstreams, channel, target, _headers(call, ask, target), body, inflow)


def _send(
    upstreams: Upstreams,
    channel: Channel,
    target: Target,
    headers: tuple[tuple[bytes, bytes], ...],
    body: bytes,
    inflow: Inflow,
) -> Inflow:
    transport, timeouts, parameters = transport_for(upstreams, channel), upstreams.timeouts, channel.parameters
    if parameters is not None:
        headers, body = parameters.head(headers, channel.key), parameters.body(body)
        timeouts = replace(timeouts, **parameters.timeouts)
    if target.way is not None:
        query = Query(url=target.url, headers=headers, body=body)
        inflow.bind(upstreams.flows.send(target.way, query, transport, inflow, timeouts))
        return inflow
    request = HttpRequest(origin=target.origin, method="POST", target=target.path, headers=headers, body=body)
    inflow.bind(transport.send(request, inflow, timeouts))
    return inflow


def transport_for(upstreams: Upstreams, channel: Channel) -> Transport:
    """Directly, or through the channel's proxy. Raises UpstreamError."""
    try:
        return upstreams.transport(channel.proxy)
    except ValueError as error:
        raise UpstreamError(
            f"the channel's proxy cannot be used: {error}", status=500, code="do_request_failed"
        ) from None


def _needs_usage(upstreams: Upstreams, ask: Ask, channel: Channel, model: str) -> bool:
    """Whether to ask for usage ourselves: where the operator says so, where nothing else can be right, and, as One API
    does, wherever the request is written anew anyway.
    """
    rewritten = model != ask.model or bool(channel.system_prompt) or channel.type == BAICHUAN
    return rewritten or upstreams.enforce_usage or hides_output(model)


def hides_output(model: str) -> bool:
    """Models that bill reasoning which no stream shows: only the upstream's own usage can be right for them.

    https://platform.openai.com/docs/guides/reasoning#managing-the-context-window
    """
    name = model.rpartition("/")[2]
    return name.startswith(("o1", "o3", "o4", "gpt-5"))


def _headers(call: Call, ask: Ask, target: Target) -> tuple[tuple[bytes, bytes], ...]:
    accept = call.heading.headers.get(b"accept")
    kind = (b"content-type", call.heading.headers.get(b"content-type", b"application/json"))
    if accept is not None:
        return (*target.headers, kind, (b"accept", accept), USER_AGENT)
    if ask.stream:
        return (*target.headers, kind, EVENT_STREAM, USER_AGENT)
    return (*target.headers, kind, USER_AGENT)


def _body(call: Call, ask: Ask, channel: Channel, model: str, *, include_usage: bool) -> bytes:
    """The bytes that were read, unless something has to change."""
    if ask.form is not None:
        body = ask.form.replace("model", model) if model != ask.model else ask.form.body
        if channel.parameters is None or channel.parameters.fields == NO_FIELDS:
            return body
        return forms.parse(body, call.heading.content_type).overridden(channel.parameters.fields)
    if not ask.document:
        return call.body
    # A request that names no model goes out without one, as it came, unless the channel renames it.
    named = model if "model" in ask.document or (model != ask.model and not call.heading.engine) else None
    patched = openai_chat.patch(
        ask.document, model=named, system_prompt=channel.system_prompt, include_usage=include_usage
    )
    return call.body if patched is None else json.encode(patched)


def _judge(inflow: Inflow, ask: Ask, channel: Channel) -> openai_chat.Whole | None:
    """Tell an answer from an error. Returns what was read of an answer in one piece, None for streams."""
    head = inflow.head
    if head is None:
        raise UpstreamError("do request failed", status=500, code="do_request_failed")
    if not inflow.accepted:
        raise refused(head.status, body_without_key(inflow.body, channel, inflow.hidden), channel)
    if inflow.shape is not WHOLE:
        return None
    body = inflow.body
    try:
        whole = openai_chat.read_whole(body)
    except json.InvalidJSON as error:
        if ask.mode in HEARD_MODES:
            return openai_chat.Whole()  # a transcript may be plain text
        raise UpstreamError(
            gojson.complaint(body) or str(error),
            status=500,
            code="unmarshal_response_body_failed",
            kind="one_api_error",
        ) from None
    if _is_error(whole.error):
        reported = openai_errors.from_object(whole.error)
        raise _failure(502, reported, retry=True)
    if ask.mode is CHAT and whole.choices == _NO_CHOICES:
        _look_for_a_fault(body, channel)
    if ask.stream:
        raise UpstreamError("the upstream answered a request for a stream with a whole answer", status=502)
    return whole


def _look_for_a_fault(body: bytes, channel: Channel) -> None:
    """Some providers with errors of their own form give them status 200. Raises UpstreamError."""
    faults = providers.provider(channel.type).faults
    if faults is not openai_errors.decode_error:
        raise _failure(502, faults(502, body_without_key(body, channel)), retry=True)


def _is_error(error: Any) -> bool:
    return bool(error) and (not isinstance(error, dict) or bool(error.get("message") or error.get("type")))


def refused(status: int, body: bytes, channel: Channel) -> UpstreamError:
    # 400 is the caller's fault wherever he is sent; everything else may be this channel's.
    shown = status if 400 <= status < 600 else 502
    error = _failure(shown, providers.provider(channel.type).faults(status, body), retry=status != 400)
    error.answered = status
    return error


def _failure(status: int, reported: openai_errors.Reported, *, retry: bool) -> UpstreamError:
    error = UpstreamError(
        reported.message,
        status=status,
        kind=reported.type,
        param=reported.param,
        retry=retry,
        blame="channel" if retry else "caller",
    )
    error.code = reported.code
    return error
