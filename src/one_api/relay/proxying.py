"""The proxy channel: an administrator's request to a channel's own API, handed through as it is, at a fixed price.

Scheme, host and port are the channel's; the caller chooses what follows. His credentials and cookies stay here.
"""

from one_api import providers
from one_api.accounts import rules
from one_api.accounts.cache import Caller
from one_api.errors import AccessDenied, BadChannel, BadRequest
from one_api.ledger import Facts, Hold, HoldRequest
from one_api.lib import json
from one_api.relay import answers
from one_api.relay.calls import Call
from one_api.relay.client import Client
from one_api.relay.heading import PROXY
from one_api.relay.inflow import ClientGone, Cut, Inflow, Shape
from one_api.relay.pipeline import ADMIN, Relay, admit, limited
from one_api.relay.transport import HttpRequest, Origin
from one_api.routing import ENABLED, Channel

PROXY_TYPE = 43
_WITHOUT_BODY = frozenset((204, 304))
_KEPT_HERE = frozenset(
    (
        b"host",
        b"content-length",
        b"content-encoding",
        b"accept-encoding",
        b"connection",
        b"keep-alive",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"expect",
        b"authorization",
        b"x-api-key",
        b"api-key",
        b"x-goog-api-key",
        b"cookie",
        b"forwarded",
        b"x-forwarded-for",
        b"x-real-ip",
    )
)


async def run(relay: Relay, call: Call, client: Client) -> None:
    """Hand one request through, within the caller's limits."""
    caller, _ = await admit(relay, call)
    model = _model(call)
    rules.permit_model(caller, model)
    number, slash, rest = call.heading.path.removeprefix(PROXY).partition("/")
    channel = _channel(relay, caller, number)
    call.record.channel = channel.id
    request = _request(call, channel, slash + rest)
    async with limited(relay, call, caller, client, model=model) as (told, _):
        await _serve(relay, call, caller, channel, request, told)


async def _serve(
    relay: Relay, call: Call, caller: Caller, channel: Channel, request: HttpRequest, client: Client
) -> None:
    """The price is held before it and booked before the answer."""
    hold = await relay.ledger.hold(_price(relay, call, caller))
    inflow = Inflow(relay.upstreams.loop, wants=Shape.ANYTHING)
    try:
        inflow.bind(relay.upstreams.transport(channel.proxy).send(request, inflow, relay.upstreams.timeouts))
        client.listen(inflow)
        await inflow.ready
    except BaseException:
        client.listen(None)
        inflow.close()
        await relay.ledger.settle(hold, 0, Facts(logged=False))
        raise
    await relay.ledger.settle(hold, hold.quota, _facts(relay, caller, channel, hold))
    relay.spent(caller.user_id)
    head = inflow.head
    status = 502 if head is None else head.status
    call.record.status, call.record.tries, call.record.quota = status, 1, hold.quota
    own = answers.own_headers(call.id, call.heading)
    headers = (*own, *answers.passed_on(() if head is None else head.headers, channel))
    if status in _WITHOUT_BODY:
        client.listen(None)
        client.respond(status, headers, b"")
    else:
        client.start(status, headers)
        await _hand_on(client, inflow)


async def _hand_on(client: Client, inflow: Inflow) -> None:
    """The body, which is paid for."""
    inflow.attach(client)
    try:
        await inflow.ended
    except (Cut, ClientGone):
        client.cut()
    else:
        client.listen(None)
        client.finish()
    finally:
        inflow.close()


def _price(relay: Relay, call: Call, caller: Caller) -> HoldRequest:
    cost = relay.options().proxy_request_quota
    return HoldRequest(
        request_id=call.id,
        user_id=caller.user_id,
        token_id=caller.token_id,
        unlimited=caller.unlimited,
        least=cost,
        most=cost,
    )


def _channel(relay: Relay, caller: Caller, number: str) -> Channel:
    """An enabled proxy channel that this caller may use: any administrator, others where an option opens the route."""
    usable = number.isascii() and number.isdecimal() and len(number) < 19
    channel = relay.routes().channel(int(number)) if usable else None
    if channel is None:
        raise BadChannel("无效的渠道 Id")
    if channel.status != ENABLED:
        raise AccessDenied("该渠道已被禁用")
    opened = relay.options().proxy_relay_enabled and caller.group in channel.groups
    if channel.type != PROXY_TYPE or (caller.role < ADMIN and not opened):
        raise AccessDenied("无权使用该渠道")
    return channel


def _request(call: Call, channel: Channel, target: str) -> HttpRequest:
    try:
        endpoint = providers.endpoint(channel, providers.Mode.PROXY, "")
        origin, base = Origin.parse(endpoint.url)
    except (providers.Unsupported, ValueError) as error:
        raise BadRequest(str(error)) from None
    path = base.rstrip("/") + (target or "/") + (f"?{call.heading.query}" if call.heading.query else "")
    headers = [item for item in call.heading.headers.items() if item[0] not in _KEPT_HERE]
    return HttpRequest(
        origin=origin,
        method=call.heading.method,
        target=path.encode("latin-1"),
        headers=(*headers, *endpoint.headers),
        body=call.body,
    )


def _model(call: Call) -> str:
    """The model a JSON body names; only a key's model list looks at it."""
    if not call.heading.is_json:
        return ""
    try:
        value = json.decode_strict(call.body).value
    except json.InvalidJSON:
        return ""
    model = value.get("model") if isinstance(value, dict) else None
    return model if isinstance(model, str) else ""


def _facts(relay: Relay, caller: Caller, channel: Channel, hold: Hold) -> Facts:
    return Facts(
        channel_id=channel.id,
        content=f"代理请求，固定额度 {hold.quota}",
        username=caller.username,
        token_name=caller.token_name,
        source="reported",
        logged=relay.options().log_consume_enabled,
    )
