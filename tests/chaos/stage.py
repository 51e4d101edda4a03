"""What tests of trouble add to the stage of the whole: a helpdesk that does not give up, a receiver that takes its time, a balance."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp.web

from app.cli._demo.receiver import Receiver
from tests.e2e.stage import DOCUMENT, UPSTREAM, Event, Running, World, count_told, world
from tests.support.postgres import Postgres

API = ("--role", "api")
WORKER = ("--role", "worker")


@asynccontextmanager
async def on_postgres(server: Postgres, folder: Path) -> AsyncIterator[World]:
    """A world on a new database of this server."""
    name = await asyncio.to_thread(server.create)
    async with world(folder, server.url(name)) as place:
        yield place
    await asyncio.to_thread(server.drop, name)


@dataclass
class Helpdesk:
    """Sends each event until it is answered 202, each time to the next of `urls`, which may change on the way."""

    place: World
    urls: list[str]
    sent: list[Event] = field(default_factory=list)
    """What was answered 202 in the end."""
    answers: Counter[str] = field(default_factory=Counter)
    """How often there was which answer, or none for which reason."""
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    """Once set, no further event is begun."""

    async def send(self, events: Iterable[Event], *, senders: int = 4, pause: float = 0.05) -> None:
        """Send what there is, several at once, until it is sent or there is `enough`."""
        queue = iter(events)

        async def sender() -> None:
            while not self.enough.is_set() and (event := next(queue, None)) is not None:
                await self._deliver(event)
                await asyncio.sleep(pause)

        await asyncio.gather(*(sender() for _ in range(senders)))

    async def _deliver(self, event: Event) -> None:
        while True:
            self.urls.append(url := self.urls.pop(0))
            answer = await self.place.post(event, url)
            self.answers[answer] += 1
            if answer == "202":
                self.sent.append(event)
                return
            await asyncio.sleep(0.1)

    @asynccontextmanager
    async def sending(self, events: Iterable[Event], *, senders: int = 4, pause: float = 0.05) -> AsyncIterator[None]:
        """Send for as long as the body of `async with` takes."""
        task = asyncio.create_task(self.send(events, senders=senders, pause=pause))
        yield
        assert not task.done(), "the load has ended before the trouble: send more"
        self.enough.set()
        await task


class SlowReceiver(Receiver):
    """Keeps every request waiting until `let_go` is set; `arrived` is set by the first one."""

    def __init__(self, secret: str) -> None:
        self.arrived, self.let_go = asyncio.Event(), asyncio.Event()
        super().__init__(secret, lambda _: self.arrived.set())

    async def _receive(self, request: aiohttp.web.Request) -> aiohttp.web.Response:
        answer = await super()._receive(request)
        await self.let_go.wait()
        return answer


@asynccontextmanager
async def slow_receiver(place: World) -> AsyncIterator[SlowReceiver]:
    """A slow receiver in the place of the world's own, which hears of breaches only. To be called before a process is started."""
    receiver = SlowReceiver(UPSTREAM)
    document = DOCUMENT.replace("    warn_at: [50%]\n", "").format(receiver=await receiver.start())
    place.config.write_text(document, encoding="utf-8")
    yield receiver
    receiver.let_go.set()
    await receiver.stop()


async def check_everything_once(place: World, api: Running, sent: list[Event], *, patience: float = 90) -> None:
    """Nothing that was accepted is missing, every ticket has its one breach, and everybody was told of it under one id."""
    tickets = {event.ticket.number for event in sent}
    breaches = await place.settle(api, len(tickets), patience=patience)
    told = place.ids_told("sla.breached")

    assert await place.keys(api) == {event.key for event in sent}
    assert len(breaches) == len(tickets)
    assert told.keys() == {breach["clock_id"] for breach in breaches}
    assert count_told(told) == {1: len(tickets)}
    assert set(count_told(place.ids_told("sla.warning"))) <= {1}
