"""Detection: the clocks whose instant has come are judged at this moment, and what is due fires."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.delivery.express import Express
from app.services.configuration import LiveConfig
from app.services.judge import BATCH, judge
from app.store import clocks, tickets
from app.store.database import Database
from app.telemetry import metrics
from app.timesource import Now

MARGIN = timedelta(minutes=1)
"""A clock is written within this time of being judged, and is not due before that: no transaction takes longer."""
WHOLE_LOOK = timedelta(minutes=1)
"""How often a loop looks below its floor: at tickets that were held by somebody else when they were due."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass of detection. `more`: there is or may be more due right now. `next_check_at`: the nearest instant after it; None = none."""

    tickets: int
    breaches: int
    deliveries: int
    more: bool
    next_check_at: datetime | None
    next_step_at: datetime | None = None
    """The nearest instant at which one of the escalations that it has changed has something to do; None: none has."""
    dated_at: datetime | None = None
    """The nearest instant at which a ticket has to be judged though no clock is due; None = none."""
    handed: int = 0
    """How many of the deliveries are on their way already."""


class Floor:
    """Where detection need not look any more: what was due long before the last pass has been judged, but the database may still have to
    step over what is left of it. Once a minute it looks at everything all the same. One for each loop."""

    def __init__(self) -> None:
        self._passed: datetime | None = None
        self._looked: datetime | None = None
        self._last: Pass | None = None

    def below(self, at: datetime) -> datetime | None:
        """Nothing at or before this instant needs to be looked at in a pass that begins at `at` (by this machine); None: look at all."""
        if self._looked is None or self._passed is None or not timedelta(0) <= at - self._looked < WHOLE_LOOK:
            self._looked = at
            return None
        return self._passed - MARGIN

    def passed(self, at: datetime, done: Pass) -> None:
        """A pass at `at` has ended well."""
        self._passed, self._last = at, done

    def is_due(self, at: datetime) -> bool:
        """Whether something is due by now, as the last pass has seen it come: then there is no need to ask first."""
        return self._last is not None and self._last.next_check_at is not None and self._last.next_check_at <= at

    def has_dates(self, at: datetime) -> bool:
        """Whether that may be a ticket without a clock that is due."""
        return self._last is not None and self._last.dated_at is not None and self._last.dated_at <= at


async def fire_due(
    db: Database, live: LiveConfig, now: Now, *, limit: int | None = None, floor: Floor | None = None, express: Express | None = None
) -> Pass:
    """Judge the tickets that own the longest due clocks; warnings and breaches and their notices commit together.

    Tickets that somebody else holds are left to their holder. A ticket that cannot be judged is pushed ahead a minute. `floor`: what the
    passes before this one have seen to; None: nothing is known of them. `express`: the way past the outbox; None: there is none. `limit`:
    of tickets; None: `BATCH`.
    """
    at = now()
    most = limit or BATCH[db.dialect]
    below = floor.below(at) if floor else None
    if floor is not None and floor.is_due(at):
        done = await _fire(db, live, now, most, below, express, has_dates=floor.has_dates(at))
    else:
        async with db.ask() as conn:  # most passes find nothing, and end here
            told, clock_at, date_at = await clocks.nearest(conn, above=below)
        at = db.present(told, now)
        ahead = _nearest(clock_at, date_at)
        if ahead is not None and ahead <= at:
            done = await _fire(db, live, now, most, below, express, has_dates=date_at is not None and date_at <= at)
        else:
            done = Pass(0, 0, 0, more=False, next_check_at=ahead, dated_at=date_at)
    metrics.EVALUATION_LAG.set(max(0.0, (at - done.next_check_at).total_seconds()) if done.next_check_at is not None else 0)
    if floor:
        floor.passed(at, done)
    return done


async def _fire(
    db: Database, live: LiveConfig, now: Now, limit: int, below: datetime | None, express: Express | None, *, has_dates: bool
) -> Pass:
    async with db.begin() as conn:
        at = await db.now(conn, now)
        began = now()
        held = await clocks.lock_due(conn, at, limit=limit, above=below)
        if has_dates and len(held) < limit:
            known = {ticket.id for ticket in held}
            held += [each for each in await tickets.lock_dated(conn, at, limit=limit - len(held)) if each.id not in known]
        judged = await judge(conn, held, live.current, at, tolerant=True, express=express) if held else None
        _, clock_at, date_at = await clocks.nearest(conn, above=below)
    committed_at = at + (now() - began)
    ahead = _nearest(clock_at, date_at)
    handed = judged.handed if judged else None
    if express is not None and handed is not None:
        express.go(handed)
    if judged is not None:
        judged.note(committed_at)
    return Pass(
        tickets=len(held),
        breaches=judged.breaches if judged else 0,
        deliveries=judged.deliveries if judged else 0,
        more=bool(held) and ahead is not None and ahead <= at,
        next_check_at=ahead,
        dated_at=date_at,
        next_step_at=judged.next_step_at if judged else None,
        handed=len(handed.claims) if handed is not None else 0,
    )


def _nearest(*instants: datetime | None) -> datetime | None:
    return min((at for at in instants if at is not None), default=None)


async def rejudge_stale(db: Database, live: LiveConfig, now: Now, *, limit: int | None = None) -> int:
    """Judge tickets that were last judged by a revision of the document that promised otherwise. How many were; one that cannot be is none
    of them."""
    current, most = live.current, limit or BATCH[db.dialect]
    async with db.begin() as conn:
        at = await db.now(conn, now)
        began = now()
        held = await tickets.lock_stale(conn, current.judges_as, limit=most)
        judged = await judge(conn, held, current, at, tolerant=True) if held else None
    if judged is None:
        return 0
    judged.note(at + (now() - began))
    return judged.tickets
