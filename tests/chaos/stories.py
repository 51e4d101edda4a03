"""Stories of tickets in canonical events: sent in order they are the truth, sent anyhow they must come to the same."""

import asyncio
import itertools
import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from app.schemas.instants import rfc3339
from tests.e2e.stage import KEY, Running, World

DOCUMENT: Final = """\
version: 1
policies:
  - name: everyone
    calendar: always
    targets: {first_response: 30m, next_response: 45m, resolution: 3h}
    warn_at: [50%]
"""
_HOURS_AGO: Final = timedelta(hours=12)
_CLOCK: Final = ("metric", "cycle", "state", "health", "started_at", "stopped_at", "due_at", "breached_at", "target_seconds")

Told = dict[str, Any]


def story(number: int, begin: datetime, rng: random.Random) -> list[Told]:
    """What happened to a ticket, all of it long ago: told in whatever order, nothing is left to happen."""
    at = begin - _HOURS_AGO + timedelta(seconds=number)
    told = [_event(number, at, set={"status": "new", "priority": "high"}, message=_says("customer", "m-0"))]
    for turn in range(1, rng.randint(3, 7)):
        at += timedelta(minutes=rng.randint(5, 70))
        match rng.choice(["customer", "agent", "agent", "pending", "open", "priority"]):
            case "customer" | "agent" as author:
                told.append(_event(number, at, message=_says(author, f"m-{turn}"), actor={"kind": author, "id": author}))
            case "priority":
                told.append(_event(number, at, set={"priority": rng.choice(["low", "urgent"])}))
            case status:
                told.append(_event(number, at, set={"status": status}))
    return [*told, _event(number, at + timedelta(minutes=10), set={"status": "solved"})]


def _event(number: int, at: datetime, **more: Any) -> Told:
    return {"source": "shop", "ticket": str(number), "at": rfc3339(at)} | more


def _says(author: str, name: str) -> Told:
    return {"author": author, "public": True, "id": name}


def renamed(told: Told, prefix: str) -> Told:
    """The same event of another ticket."""
    return {**told, "ticket": f"{prefix}-{told['ticket']}"}


def anyhow(told: Sequence[Told], rng: random.Random, *, copies: int) -> list[Told]:
    """Every event at least once, many several times, in any order."""
    many = [event for event in told for _ in range(rng.randint(1, copies))]
    rng.shuffle(many)
    return many


async def tell(place: World, urls: Sequence[str], told: Sequence[Told], *, senders: int) -> None:
    """Post the events, so many at once, each to the next address; every one must be accepted."""
    queue: Iterator[tuple[Told, str]] = zip(told, itertools.cycle(urls), strict=False)

    async def sender() -> None:
        for event, url in queue:
            async with place.session.post(f"{url}/v1/events", json=event, headers={"Authorization": f"Bearer {KEY}"}) as answer:
                assert answer.status == 202, await answer.text()

    await asyncio.gather(*(sender() for _ in range(senders)))


async def clocks(place: World, api: Running, prefix: str) -> dict[str, list[tuple[Any, ...]]]:
    """By ticket, without the prefix, what its clocks say: instants, states, targets. Left out: ids of ours, moments of our judging, and
    cycles that were opened by what came first and taken back by what came later.
    """
    found: dict[str, list[tuple[Any, ...]]] = {}
    for row in await place.api(api).rows("clocks"):
        name, _, number = row["external_id"].partition("-")
        if name == prefix and row["state"] != "cancelled":
            found.setdefault(number, []).append(tuple(row[each] for each in _CLOCK))
    return {number: sorted(rows, key=str) for number, rows in found.items()}
