"""Telling that a running clock was given another due instant because what is promised has changed. No database here.

Pauses, reopenings and events that came late move due instants all day: that is not told. While a clock stands still it is not due by
itself, so a change is told neither then nor when it goes on. Of one that is broken, the breach says what there is to say, and why.
"""

from datetime import datetime
from typing import Final

from app.rules.evaluate import Clock, Verdict, evaluate, target_text
from app.schemas.retarget_out import Changed, ChangeOut, RetargetOut
from app.services.configuration import Current
from app.services.consequences import Consequences, Shift
from app.services.notices import subscribers
from app.services.sayings import Saying
from app.store.tickets import LockedTicket

TYPE: Final = "sla.retargeted"
_PROMISED: Final = ("policy", "calendar", "target")
"""Columns by which a promise is known again under one revision of the document."""
_CHANGED: Final[tuple[Changed, ...]] = ("revision", "tier", "priority", "policy", "calendar", "target")
"""Columns that say why."""


def tell(into: Consequences, ticket: LockedTicket, verdict: Verdict, current: Current, at: datetime) -> None:
    """Add to `into.retargets` what is to be told of the shifts of this ticket, and note at the clock that it is.

    Where no channel hears events of the type nothing is made, however many clocks a changed document moves; nor is it of history.
    """
    if not into.shifts or ticket.quiet or not subscribers(TYPE, current):
        return
    for shift in into.shifts:
        if _is_told(shift, ticket, current, at):
            saying = _saying(shift, ticket, verdict, at)
            shift.after["fired"].append(saying.milestone)
            into.retargets.append(saying)


def _is_told(shift: Shift, ticket: LockedTicket, current: Current, at: datetime) -> bool:
    """Whether the clock ran, runs, and is due at another instant because it is promised otherwise."""
    before, after = shift.before, shift.after
    if before["state"] != "running" or after["state"] != "running":
        return False
    if before["revision"] == after["revision"]:
        return any(before[name] != after[name] for name in _PROMISED)
    if not ticket.fresh:
        return True
    former = _before_fresh(shift, ticket, current, at)
    return former is not None and (former.due_at != before["due_at"] or _promise(former) != tuple(after[name] for name in _PROMISED))


def _before_fresh(shift: Shift, ticket: LockedTicket, current: Current, at: datetime) -> Clock | None:
    """The clock by the document of now, had the ticket not been told more in the same moment; None: it would not be there."""
    clocks = evaluate(ticket.base, current.book, at).clocks
    return next((clock for clock in clocks if clock.identity == (shift.before["metric"], shift.before["cycle"])), None)


def _promise(clock: Clock) -> tuple[str, str, str]:
    """What its row has in the columns `_PROMISED`."""
    return clock.cycle.policy, clock.cycle.terms.calendar.name, target_text(clock.cycle.target)


def _saying(shift: Shift, ticket: LockedTicket, verdict: Verdict, at: datetime) -> Saying:
    """The change is named by the version that it gives the ticket: two that lead back to the same due instant are two."""
    before, after, clock = shift.before, shift.after, shift.clock
    changed_at = clock.cycle.retargeted_at if before["revision"] == after["revision"] else None
    return Saying(
        TYPE,
        f"retargeted#{ticket.version + 1}",
        changed_at or at,
        ticket,
        verdict,
        clock,
        after["id"],
        after["generation"],
        expires_at=clock.due_at,
        retargeted=RetargetOut(due_before=before["due_at"], due_after=clock.due_at, changes=_changes(shift)),
    )


def _changes(shift: Shift) -> list[ChangeOut]:
    values = [(name, shift.before[name], shift.after[name]) for name in _CHANGED]
    return [ChangeOut(what=what, before=_shown(before), after=_shown(after)) for what, before, after in values if before != after]


def _shown(value: str | int | None) -> str | None:
    return None if value is None else str(value)
