"""What can go at once goes at once: the transaction that enqueues a delivery claims it too, and its sender starts when that has committed.

The outbox with its claims is for everything else: what has to wait, what is tried again, and what a process that dies leaves behind.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any, Final

from app.delivery.routes import Routes
from app.store import claims, outbox
from app.store.claims import Claim
from app.store.database import Connection

LEASE: Final = timedelta(seconds=25)
"""Longer than a claim may wait for its turn and an attempt may take (total and body: 17 s) together."""
ATTEMPT_SECONDS: Final = 18.0

Row = Mapping[str, Any]


def give_up_at() -> float:
    """Until when a claim that is made now may begin its attempt, in monotonic seconds."""
    return monotonic() + LEASE.total_seconds() - ATTEMPT_SECONDS


@dataclass(frozen=True, slots=True)
class Handed:
    """Deliveries that a transaction has enqueued as claimed by this process."""

    claims: Sequence[Claim]
    bodies: Mapping[str, bytes]
    """The exact bytes of their notices, by id."""
    until: float
    """Monotonic seconds after which they may not go any more."""


class Express:
    """The way past the outbox into the senders of one process.

    `room` says how many more deliveries of a channel may be handed over (0: it has to be claimed), `start` sends what was.
    """

    def __init__(self, room: Callable[[str], int], start: Callable[[Handed], None]) -> None:
        self._room = room
        self._start = start

    async def add(self, conn: Connection, notice_rows: Sequence[Row], delivery_rows: Sequence[Row], routes: Routes) -> Handed:
        """Store notices and deliveries as `outbox.add` does, those that can go at once as claimed. Once the transaction has committed, the
        caller gives what it gets to `go`; if it never does, they are ready when their lease ends."""
        until = give_up_at()
        rows, taken = self._take(delivery_rows, routes)
        count = await outbox.add(conn, notice_rows, rows)
        if count != len(rows) and taken:  # some were enqueued before: what is said already is not said again
            new = await claims.known(conn, [claim.id for claim in taken])
            taken = [claim for claim in taken if claim.id in new]
        wanted = {claim.notice_id for claim in taken}
        return Handed(taken, {row["id"]: row["body"] for row in notice_rows if row["id"] in wanted}, until)

    def go(self, handed: Handed) -> None:
        """Start sending."""
        if handed.claims:
            self._start(handed)

    def _take(self, rows: Sequence[Row], routes: Routes) -> tuple[list[Row], list[Claim]]:
        """The rows as they are to be stored, and the claims among them."""
        stored: list[Row] = []
        taken: list[Claim] = []
        used: Counter[str] = Counter()
        room = {channel: self._room(channel) for channel in {row["channel"] for row in rows}}
        for row in rows:
            channel = row["channel"]
            if used[channel] < room[channel] and _may_go(row, routes):
                used[channel] += 1
                row, claim = claims.claimed(row, LEASE)
                taken.append(claim)
            stored.append(row)
        return stored, taken


def _may_go(row: Row, routes: Routes) -> bool:
    """Whether a new delivery depends on nothing but room: neither on another one, nor on the time, nor on how many there are."""
    if row["channel"] in routes.ordered or row["channel"] in routes.groups or row["channel"] not in routes.channels:
        return False
    is_ready = row["state"] == outbox.PENDING and row["next_attempt_at"] == row["created_at"] and row["waits_for"] is None
    return is_ready and (row["expires_at"] is None or row["expires_at"] > row["created_at"])
