"""What tests of the whole need: the service as a process, a sender that keeps what was not answered, a receiver."""

import asyncio
import itertools
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from app import signing
from app.cli._demo.receiver import Receiver
from app.cli._demo.service import Api, Child, address
from app.cli._demo.zendesk import signed_headers
from app.settings import environment
from app.timesource import utc_now

KEY = "slaw_a_for-tests-only-and-long-enough-to-be-accepted"
ZENDESK = "the-signing-secret-of-zendesk"
UPSTREAM = signing.new_secret()
DOCUMENT = """\
version: 1
policies:
  - name: everyone
    calendar: always
    targets: {{first_response: 3s}}
    warn_at: [50%]
sources:
  zendesk: {{kind: zendesk, secret: "${{env:ZENDESK}}"}}
channels:
  upstream:
    {{kind: webhook, url: "{receiver}", allow_http: true, secrets: ["${{env:UPSTREAM}}"], events: ["sla.*"]}}
delivery: {{allow_networks: ["127.0.0.0/8"]}}
"""
"""Every ticket is owed a first response within three seconds, and nobody ever replies: one warning and one breach each."""


@dataclass
class Ticket:
    """A ticket of the helpdesk. It is opened when something of it is first sent: then its clocks begin."""

    number: str
    opened: datetime | None = None


@dataclass(frozen=True)
class Event:
    """One webhook of the helpdesk: the creation of a ticket, or a comment of the customer."""

    ticket: Ticket
    comment: str | None = None

    @property
    def key(self) -> str:
        """The event's identity."""
        return f"{self.ticket.number}-{self.comment or 'created'}"

    def body(self) -> bytes:
        """The same bytes however often it is sent."""
        self.ticket.opened = self.ticket.opened or utc_now()
        stamp = self.ticket.opened.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        detail = {
            "id": self.ticket.number, "status": "NEW", "priority": "NORMAL", "requester_id": "77", "submitter_id": "77", "actor_id": "77",
            "created_at": stamp, "updated_at": stamp, "via": {"channel": "email"}, "tags": [],
        }  # fmt: skip
        name, told = ("created", {}) if self.comment is None else ("comment_added", {"comment": _comment(self.comment)})
        body = {"id": self.key, "time": stamp, "type": f"zen:event-type:ticket.{name}", "detail": detail, "event": told}
        return orjson.dumps(body)


def _comment(name: str) -> dict[str, Any]:
    return {"id": name, "body": "Any news?", "is_public": True, "author": {"id": "77", "is_staff": False}}


def events(tickets: int) -> list[Event]:
    """Three events of each ticket: created, and two questions of the customer."""
    opened = [Ticket(str(number)) for number in range(1, tickets + 1)]
    return [Event(ticket, comment) for ticket in opened for comment in (None, "c1", "c2")]


@dataclass
class World:
    """One database's services, one receiver, and what the helpdesk knows of its own events."""

    folder: Path
    database_url: str
    session: aiohttp.ClientSession
    receiver: Receiver
    config: Path
    services: list["Running"] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)
    """Keys of events that were answered 202."""
    _names: Any = field(default_factory=itertools.count)

    async def start(self, *options: str, **more: str) -> "Running":
        """One more process of the service, answering. `options` of `serve`; `more` for its environment."""
        log = self.folder / f"service-{next(self._names)}.log"
        environ = {n: v for n, v in environment().items() if not n.startswith("SLAWATCH_")}
        environ |= {"SLAWATCH_ADMIN_KEY": KEY, "ZENDESK": ZENDESK, "UPSTREAM": UPSTREAM, **more}
        arguments = ["-m", "app.cli", "serve", "--port", "0", "--config", str(self.config), "--database-url", self.database_url, *options]
        child = await Child.start(arguments, environ, log)
        running = Running(child, log, "")
        self.services.append(running)
        running.url = await address(child, log)
        return running

    async def send(self, waiting: list[Event], urls: list[str], *, senders: int = 4, pause: float = 0.0) -> list[Event]:
        """Post events, several at once, until all are answered 202 or nobody answers; returns those that were not."""
        unanswered: list[Event] = []
        queue = iter(waiting)
        turns = itertools.cycle(urls)

        async def sender() -> None:
            for event in queue:
                if await self.post(event, next(turns)) == "202":
                    self.accepted.add(event.key)
                else:
                    unanswered.append(event)
                await asyncio.sleep(pause)

        await asyncio.gather(*(sender() for _ in range(senders)))
        return unanswered

    async def post(self, event: Event, url: str) -> str:
        """The status of the answer, or the kind of error when there was none."""
        body = event.body()
        headers = signed_headers(ZENDESK, body, utc_now())
        try:
            async with self.session.post(f"{url}/v1/sources/zendesk/webhook", data=body, headers=headers) as response:
                return str(response.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            return type(error).__name__

    def api(self, running: "Running") -> Api:
        return Api(self.session, running.url, KEY)

    async def keys(self, running: "Running") -> set[str]:
        """The keys of all events in the timelines of all tickets."""
        api = self.api(running)
        timelines = [await api.rows(f"tickets/{ticket['id']}/timeline") for ticket in await api.rows("tickets")]
        return {row["key"] for timeline in timelines for row in timeline}

    async def settle(self, running: "Running", breaches: int, *, patience: float = 60) -> list[dict[str, Any]]:
        """Wait until there are so many breaches and nothing is to be delivered any more; the breaches.

        What a killed process had claimed is sent when its lease ends; what is retried hours later, an operator's `:retry` sends now.
        """
        api = self.api(running)
        async with asyncio.timeout(patience):
            while True:
                found = await api.rows("breaches")
                pending = [row for row in await api.rows("deliveries") if row["state"] == "pending"]
                if len(found) >= breaches and not pending:
                    return found
                for row in pending:
                    if (datetime.fromisoformat(row["next_attempt_at"]) - utc_now()).total_seconds() > 20:
                        await self._retry(running, row["id"])
                await asyncio.sleep(0.2)

    async def _retry(self, running: "Running", delivery: str) -> None:
        url = f"{running.url}/v1/deliveries/{delivery}:retry"
        async with self.session.post(url, headers={"Authorization": f"Bearer {KEY}"}) as response:
            assert response.status < 300 or response.status == 409, await response.text()  # 409: it was accepted meanwhile

    def ids_told(self, type_: str) -> dict[str, set[str]]:
        """The ids of the callbacks of a type, by clock. Every callback must have verified, and each id has one content."""
        bodies: dict[str, bytes] = {}
        told: dict[str, set[str]] = {}
        for callback in self.receiver.callbacks:
            assert callback.refused is None
            assert bodies.setdefault(callback.id, callback.body) == callback.body
            if callback.type == type_:
                told.setdefault(callback.data["clock"]["id"], set()).add(callback.id)
        return told


@dataclass
class Running:
    """One process of the service."""

    child: Child
    log: Path
    url: str

    async def kill(self) -> None:
        """kill -9."""
        self.child.process.send_signal(signal.SIGKILL)
        await self.child.process.wait()

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        await self.child.stop()
        assert self.child.process.returncode is not None
        return self.child.process.returncode


@asynccontextmanager
async def world(folder: Path, database_url: str) -> AsyncIterator[World]:
    """A world without a service yet. In the end every process that still runs is killed."""
    receiver = Receiver(UPSTREAM)
    config = folder / "slawatch.yaml"
    config.write_text(DOCUMENT.format(receiver=await receiver.start()), encoding="utf-8")
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        made = World(folder, database_url, session, receiver, config)
        try:
            yield made
        finally:
            for running in made.services:
                if running.child.process.returncode is None:
                    await running.kill()
            await receiver.stop()


def count_told(told: dict[str, set[str]]) -> Counter[int]:
    """How many clocks were told of under how many ids."""
    return Counter(len(ids) for ids in told.values())


def moments(seed: int, rounds: int) -> list[float]:
    """Seeded moments at which to kill, in seconds."""
    rng = random.Random(seed)
    return [rng.uniform(0.15, 1.2) for _ in range(rounds)]
