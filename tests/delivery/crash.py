"""A relay that is killed (SIGKILL) at a chosen moment of its first delivery: `python -m tests.delivery.crash MOMENT DATABASE-URL RECEIVER`.

Moments: `claimed` (nothing sent yet), `answered` (sent, not recorded), `recorded` (written, not committed), `committed`.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from app.delivery.client import DeliveryClient, Exchange
from app.delivery.relay import Relay
from app.delivery.routes import Routes
from app.guard import GuardPolicy
from app.store.database import Connection, Database
from app.timesource import utc_now
from tests.delivery.post import channel

moment = ""


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DyingClient(DeliveryClient):
    """Dies around its first request."""

    async def send(self, *arguments: Any, **more: Any) -> Exchange:
        if moment == "claimed":
            die()
        exchange = await super().send(*arguments, **more)
        if moment == "answered":
            die()
        DyingDatabase.doomed = True
        return exchange


class DyingDatabase(Database):
    """Dies around the commit of what came of the request."""

    doomed = False

    @asynccontextmanager
    async def begin(self, *, aside: bool = False) -> AsyncIterator[Connection]:
        async with super().begin(aside=aside) as connection:
            yield connection
            if self.doomed and moment == "recorded":
                die()
        if self.doomed and moment == "committed":
            die()


async def main(url: str, receiver: str) -> None:
    db = DyingDatabase(url, database_time=False)
    await db.open()
    async with DyingClient(GuardPolicy.of(["127.0.0.0/8"])) as client:
        relay = Relay(db, client, lambda: Routes({"up": channel(receiver)}), utc_now)
        await relay.run_once()
        await relay.drain()


if __name__ == "__main__":
    moment = sys.argv[1]
    asyncio.run(main(sys.argv[2], sys.argv[3]))
