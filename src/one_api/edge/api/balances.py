"""What is left on the accounts of channels, for administrators."""

from starlette.responses import Response

from one_api.edge.api.answers import answer, done, number
from one_api.edge.api.endpoint import Access, Call, get


@get("/api/channel/update_balance/{id}", Access.ADMIN, changes=True)
async def update_balance(call: Call) -> Response:
    balance = await call.parts.balances.update(call.path_number("id"))
    return answer({"success": True, "message": "", "balance": number(balance)})


@get("/api/channel/update_balance", Access.ADMIN, changes=True)
async def update_balances(call: Call) -> Response:
    """Of all channels in use; most are done when this answers."""
    await call.parts.balances.update_all()
    return done()
