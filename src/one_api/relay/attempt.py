"""One call on one channel after another, until the first content is here. Retries live here and nowhere else."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from one_api import providers
from one_api.dialects import openai_chat, openai_errors
from one_api.dialects.outbound import OUTBOUND, Outbound
from one_api.errors import NoChannel, OneAPIError, UpstreamError
from one_api.lib import json
from one_api.pricing import gojson
from one_api.providers.flows import TOKEN_REFUSED, Query, Way
from one_api.relay import forwarded, translated
from one_api.relay.calls import FORM_MODES, Ask, Call
from one_api.relay.client import Client
from one_api.relay.flows import Flows
from one_api.relay.inflow import ClientGone, Inflow, Shape
from one_api.relay.quoting import begins_with_the_callers_words
from one_api.relay.redaction import body_without_key, without_key
from one_api.relay.spoken import spoken
from one_api.relay.transport import HttpRequest, Origin, Timeouts, Transport
from one_api.routing import Channel
from one_api.routing.health import account_phrase

SATURATED = "当前分组上游负载已饱和，请稍后再试"
MAX_ENDPOINTS = 10_000
USER_AGENT = (b"user-agent", b"one-api")
BAICHUAN = 26  # its requests were always written anew

_EVENT_STREAM = (b"accept", b"text/event-stream")
_JSON = (b"content-type", b"application/json")


class Health(Protocol):
    """Who is told how channels do."""

    def succeeded(self, channel: Channel) -> None: ...

    def failed(self, channel: Channel, error: UpstreamError) -> None: ...


@dataclass(frozen=True, slots=True)
class Target:
    """Where a channel's requests of one kind go, ready for the transport.

    dialect: the channel's, None where caller and channel both speak OpenAI's. translated: whether the caller speaks
    another. callers: headers a caller may set himself. way: what it takes more than sending it to `url`.
    """

    origin: Origin
    path: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    dialect: Outbound | None = None
    translated: bool = False
    callers: tuple[bytes, ...] = ()
    url: str = ""
    way: Way | None = None


class Targets:
    """Parsed endpoints, remembered for as long as their channel is the same object of the same snapshot.

    outbound: the dialects of channels, as the operator wants them spoken. version: see providers.endpoint.
    """

    def __init__(self, outbound: Mapping[str, Outbound] = OUTBOUND, *, version: str = "v1") -> None:
        self._outbound = outbound
        self._version = version
        self._known: dict[tuple[int, providers.Mode, str, str, bool], tuple[Channel, Target]] = {}

    def apart(self) -> "Targets":
        """The same for a channel that is another object than the one that calls know."""
        return Targets(self._outbound, version=self._version)

    def find(self, channel: Channel, mode: providers.Mode, model: str, engine: str, *, stream: bool) -> Target:
        """Raises UpstreamError where the provider has no such mode."""
        key = (channel.id, mode, model, engine, stream)
        known = self._known.get(key)
        if known is not None and known[0] is channel:
            return known[1]
        try:
            row = providers.provider(channel.type)
            asked = providers.SPOKEN.get(mode)
            wire = row.wire(asked or "openai", model)
            translated = asked is not None and asked != wire
            there = providers.CONVERSATION.get(wire, providers.Mode.CHAT) if translated else mode
            endpoint = providers.endpoint(channel, there, model, engine=engine, stream=stream, version=self._version)
            origin, path = Origin.parse(endpoint.url)
        except (providers.Unsupported, ValueError) as error:
            reason = str(error)
            raise UpstreamError(
                reason, status=500, code="do_request_failed", kind="one_api_error", blame="nobody"
            ) from None
        target = Target(
            origin,
            path.encode("latin-1"),
            endpoint.headers,
            self._outbound.get(wire) if translated or wire != "openai" else None,
            translated=translated,
            callers=row.callers,
            url=endpoint.url,
            way=endpoint.way,
        )
        if len(self._known) >= MAX_ENDPOINTS:
            self._known.clear()
        self._known[key] = (channel, target)
        return target


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstreams:
    """What an attempt needs of the process."""

    loop: asyncio.AbstractEventLoop
    transport: Callable[[str], Transport]
    targets: Targets
    health: Health
    flows: Flows
    timeouts: Timeouts
    enforce_usage: bool
    now: Callable[[], int]


class Answer(msgspec.Struct, frozen=True):
    """A good answer whose first content is here. `started` is when the successful attempt began."""

    channel: Channel
    model: str
    inflow: Inflow
    whole: openai_chat.Whole | None
    started: float


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
    for channel in candidates:
        inflow = None
        started = upstreams.loop.time()
        model = channel.mapping.get(ask.model) or ask.model
        try:
            inflow = _ask(upstreams, call, ask, channel, model, account)
            client.listen(inflow)
            await inflow.ready
            answer = Answer(channel, model, inflow, _judge(inflow, ask, channel), started)
        except UpstreamError as error:
            _let_go(client, inflow)
            last = _clean(upstreams, error, channel, inflow)
            error.quoted = begins_with_the_callers_words(error.message, call, ask)
            upstreams.health.failed(channel, error)
            if not error.retry and not _of_the_account(error):
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
    if last is None:
        raise NoChannel(f"no channel for {ask.model}")
    if last.status == 429:
        last.message = SATURATED
    raise last


async def one_answer(upstreams: Upstreams, call: Call, ask: Ask, channel: Channel, client: Client) -> Answer:
    """The answer of this channel and no other, for who wants to know how it does: nobody is told, nothing is written.

    Raises UpstreamError.
    """
    inflow = None
    started = upstreams.loop.time()
    model = channel.mapping.get(ask.model) or ask.model
    try:
        inflow = _ask(upstreams, call, ask, channel, model, None)
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
    if hidden and (error.status == 401 or error.type == TOKEN_REFUSED):
        upstreams.flows.forget(hidden)
    return without_key(error, channel, hidden)


def _let_go(client: Client, inflow: Inflow | None) -> None:
    client.listen(None)
    if inflow is not None:
        inflow.close()


def _ask(upstreams: Upstreams, call: Call, ask: Ask, channel: Channel, model: str, account: Account | None) -> Inflow:
    """Send the call to a channel. Raises UpstreamError where it cannot be sent."""
    engine = call.heading.engine and (call.heading.engine if model == ask.model else model)
    target = upstreams.targets.find(channel, ask.mode, model, engine, stream=ask.stream)
    if target.dialect is not None:
        return _ask_abroad(upstreams, call, ask, channel, model, account, target, target.dialect)
    wants_usage = ask.mode is providers.Mode.CHAT and ask.stream and _needs_usage(upstreams, ask, channel, model)
    inflow = Inflow(
        upstreams.loop,
        wants=_shape(ask),
        strip_usage=wants_usage and not openai_chat.asks_usage(ask.document),
        checkpoint=None if account is None else lambda flow: account.checkpoint(channel, model, flow),
    )
    request = HttpRequest(
        origin=target.origin,
        method="POST",
        target=target.path,
        headers=_headers(call, ask, target),
        body=_body(call, ask, channel, model, include_usage=wants_usage),
    )
    inflow.bind(transport_for(upstreams, channel).send(request, inflow, upstreams.timeouts))
    return inflow


def _ask_abroad(
    upstreams: Upstreams,
    call: Call,
    ask: Ask,
    channel: Channel,
    model: str,
    account: Account | None,
    target: Target,
    dialect: Outbound,
) -> Inflow:
    """The same to a channel that does not speak OpenAI's dialect: translated, unless its own is the caller's too."""
    checkpoint = None if account is None else lambda flow: account.checkpoint(channel, model, flow)
    inbound = spoken(ask.mode)
    inflow: Inflow
    if target.translated:
        body = translated.write_request(call, ask, channel, model, inbound=inbound, outbound=dialect)
        inflow = translated.TranslatedInflow(
            upstreams.loop,
            inbound=inbound,
            outbound=dialect,
            document=ask.document,
            model=model,
            created=upstreams.now(),
            wants=_shape(ask),
            checkpoint=checkpoint,
        )
    else:
        body = forwarded.write_request(call, ask, channel, model, inbound)
        inflow = forwarded.ForwardedInflow(upstreams.loop, inbound, wants=_shape(ask), checkpoint=checkpoint)
    headers = _headers_abroad(call, ask, target)
    transport = transport_for(upstreams, channel)
    if target.way is not None:
        query = Query(url=target.url, headers=headers, body=body)
        inflow.bind(upstreams.flows.send(target.way, query, transport, inflow, upstreams.timeouts))
        return inflow
    request = HttpRequest(origin=target.origin, method="POST", target=target.path, headers=headers, body=body)
    inflow.bind(transport.send(request, inflow, upstreams.timeouts))
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


def _shape(ask: Ask) -> Shape:
    if ask.mode is providers.Mode.SPEECH:
        return Shape.BYTES
    return Shape.EVENTS if ask.stream else Shape.WHOLE


def _headers(call: Call, ask: Ask, target: Target) -> tuple[tuple[bytes, bytes], ...]:
    accept = call.heading.headers.get(b"accept")
    kind = (b"content-type", call.heading.headers.get(b"content-type", b"application/json"))
    if accept is not None:
        return (*target.headers, kind, (b"accept", accept), USER_AGENT)
    if ask.stream:
        return (*target.headers, kind, _EVENT_STREAM, USER_AGENT)
    return (*target.headers, kind, USER_AGENT)


def _headers_abroad(call: Call, ask: Ask, target: Target) -> tuple[tuple[bytes, bytes], ...]:
    """Of the caller's headers only those that the provider's row leaves to him, and to a client of OpenAI's fewer."""
    sent = dict(target.headers)
    for name in target.callers:
        value = call.heading.headers.get(name)
        if value is not None and (name in sent or not target.translated):
            sent[name] = value
    accept = (_EVENT_STREAM,) if ask.stream else ()
    return (*sent.items(), _JSON, *accept, USER_AGENT)


def _body(call: Call, ask: Ask, channel: Channel, model: str, *, include_usage: bool) -> bytes:
    """The bytes that were read, unless something has to change."""
    if ask.form is not None:
        return ask.form.replace("model", model) if model != ask.model else ask.form.body
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
        raise _refused(head.status, body_without_key(inflow.body, channel, inflow.hidden))
    if inflow.shape is not Shape.WHOLE:
        return None
    body = inflow.body
    try:
        whole = openai_chat.read_whole(body)
    except json.InvalidJSON as error:
        if ask.mode in FORM_MODES:
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
    if ask.stream:
        raise UpstreamError("the upstream answered a request for a stream with a whole answer", status=502)
    return whole


def _of_the_account(error: UpstreamError) -> bool:
    """Anthropic says 400 of an account without credit, which is no fault of the request."""
    return not error.quoted and account_phrase(error.message) != ""


def _is_error(error: Any) -> bool:
    return bool(error) and (not isinstance(error, dict) or bool(error.get("message") or error.get("type")))


def _refused(status: int, body: bytes) -> UpstreamError:
    # 400 is the caller's fault wherever he is sent; everything else may be this channel's.
    shown = status if 400 <= status < 600 else 502
    error = _failure(shown, openai_errors.decode_error(status, body), retry=status != 400)
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
