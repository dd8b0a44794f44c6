"""The process the torture kills: clients that hold, checkpoint, settle, release and top up as they can."""

import asyncio
import os
import random
import sys
import time

from one_api.errors import OneAPIError
from one_api.ledger import Facts, HoldRequest, Ledger
from tests.harness.nest import breed

USERS = 20
TOPUP = 20_000  # for who has nothing left
CLIENTS = 40
LEASE_S = 1
EARLY = "--confirm-early"  # the mistake the torture must find: the client sees the end before the charge is durable


async def load(url: str, dice: random.Random, reports: int) -> None:
    ledger = Ledger.open(url, lease_s=LEASE_S)
    await ledger.start()
    name, parent = f"{time.time_ns():x}", os.getppid()
    clients = [asyncio.create_task(client(ledger, f"{name}-{number}", dice, reports)) for number in range(CLIENTS)]
    while os.getppid() == parent:  # nobody is left to kill us
        await asyncio.wait(clients, timeout=1.0, return_when=asyncio.FIRST_EXCEPTION)


async def client(ledger: Ledger, name: str, dice: random.Random, reports: int) -> None:
    number = 0
    while True:
        number += 1
        user, request_id = dice.randint(1, USERS), f"{name}-{number}"
        wish = HoldRequest(
            request_id=request_id, user_id=user, token_id=user, unlimited=False, least=1, most=dice.randint(1, 3000)
        )
        try:
            hold = await ledger.hold(wish)
        except OneAPIError:
            await ledger.grant(user, TOPUP, "topup", request_id)
            os.write(reports, f"gave {request_id} {TOPUP}\n".encode())
            continue
        os.write(reports, f"hold {request_id}\n".encode())
        if dice.random() < 0.3:
            ledger.checkpoint(hold, hold.quota // 2)
            ledger.write_notes()  # its holds are too short for a tick
        await asyncio.sleep(dice.random() * 0.005)  # the upstream's time
        if EARLY in sys.argv:
            os.write(reports, f"done {request_id} {hold.quota}\n".encode())
            await asyncio.sleep(0)
            await ledger.settle(hold, hold.quota, Facts(channel_id=1))
            continue
        cost = dice.choice([0, dice.randint(1, hold.quota), hold.quota + 7])
        if await ledger.settle(hold, cost, Facts(channel_id=1 + user % 2, logged=cost > 0, source="reported")):
            os.write(reports, f"done {request_id} {cost}\n".encode())  # else it stalled, and another took it over


if __name__ == "__main__":
    breed(load)
