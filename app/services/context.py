"""The context of a notice: what happened, what was tried, who had it, what comes next, what helps. Small enough for one signed body."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from app.rules import metrics, signals
from app.rules.calendar import ALWAYS, Calendar
from app.rules.deadline import BREACH
from app.rules.evaluate import Clock
from app.rules.fold import fold
from app.rules.guidance import Guidance, filled
from app.rules.history import happenings, ownerships, tried
from app.rules.policy import Book
from app.rules.problems import NoWorkingTime
from app.schemas.context_out import ContextOut, EarlierOut, HappeningOut, OwnerOut, SignalOut, TriedOut, UpcomingOut
from app.services.configuration import Current
from app.services.sayings import Raising, Saying, Telling
from app.store import context as context_store
from app.store.database import Connection
from app.store.tickets import LockedTicket

HISTORY_MAX: Final = 10
OWNERS_MAX: Final = 10
UPCOMING_MAX: Final = 3
SIGNALS_MAX: Final = 5
EARLIER_MAX: Final = 5
TEXT_MAX: Final = 300  # characters of one thing that happened
NAME_MAX: Final = 100

ASKS: Final = frozenset({"sla.warning", "sla.breached", "escalation.opened", "escalation.step", "escalation.exhausted", "signal.raised"})
"""Events that ask somebody to act: these carry guidance."""

Told = Saying | Telling | Raising
B = TypeVar("B", bound=ContextOut)


@dataclass(slots=True)
class Backdrop:
    """What is stored of the tickets of some notices. What is made of a ticket's events is made once for all its notices."""

    signals: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    escalations: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    _made: dict[str, dict[str, Any]] = field(default_factory=dict)

    def past(self, ticket: LockedTicket, book: Book, at: datetime) -> dict[str, Any]:
        """History, what was tried and who owned it, of a ticket."""
        if ticket.id not in self._made:
            self._made[ticket.id] = _past(ticket, book, at)
        return self._made[ticket.id]


async def backdrop_of(conn: Connection, told: Iterable[Told]) -> Backdrop:
    """What the notices need of the database, read by the transaction that has written what they are about."""
    ids = sorted({each.ticket.id for each in told})
    return Backdrop(await context_store.signals_of(conn, ids), await context_store.escalations_of(conn, ids)) if ids else Backdrop()


def context(told: Told, current: Current, at: datetime, backdrop: Backdrop) -> dict[str, Any]:
    """The fields of `ContextOut` for one notice."""
    rows = backdrop.signals.get(told.ticket.id, ())
    return {
        **backdrop.past(told.ticket, current.book, at),
        "upcoming": _upcoming(told, at),
        "signals": [signal_out(row) for row in rows if row.ended_at is None or row.ended_at > at][-SIGNALS_MAX:],
        "earlier_escalations": _earlier(told, backdrop.escalations.get(told.ticket.id, ())),
        **(_help(told, current, at) if told.type in ASKS else {}),
    }


def signal_of(row: Mapping[str, Any], backdrop: Backdrop) -> SignalOut | None:
    """The signal that opened an escalation; None: none did. `row` is the escalation's."""
    if row["signal"] is None:
        return None
    raised = [each for each in backdrop.signals.get(row["ticket_id"], ()) if each.name == row["signal"]]
    mine = [each for each in raised if each.escalation_id == row["id"]] or raised
    return signal_out(mine[-1]) if mine else SignalOut(name=row["signal"], raised_at=row["opened_at"])


def signal_out(row: Any) -> SignalOut:
    """A signal as events show it, from its row."""
    named = row if isinstance(row, Mapping) else row._mapping
    return SignalOut(
        **{name: named[name] for name in ("name", "raised_at", "ended_at", "tier", "threshold")},
        evidence=[_cut(sentence) for sentence in named["evidence"]["sentences"]],
        keys=named["evidence"]["keys"],
    )


def smaller(bundle: B) -> Iterator[B]:
    """The bundle, and then ever smaller ones: what goes first is the oldest history, then what else is told of the past."""
    yield bundle
    for count in range(len(bundle.history) - 1, -1, -1):
        bundle = bundle.model_copy(update={"history": bundle.history[-count:] if count else [], "truncated": True})
        yield bundle
    for name in ("earlier_escalations", "owners", "signals", "upcoming", "guidance"):
        bundle = bundle.model_copy(update={name: [], "truncated": True})
        yield bundle


def _past(ticket: LockedTicket, book: Book, at: datetime) -> dict[str, Any]:
    story = fold(ticket.timeline, book, at)
    if story is None:
        return {}
    steps = story.steps
    return {
        "history": [HappeningOut(at=one.at, who=one.who, what=_cut(one.what)) for one in happenings(steps, HISTORY_MAX)],
        "tried": TriedOut(**tried(steps)._asdict()),
        "owners": [
            OwnerOut(who=_cut(one.who, NAME_MAX), since=one.since, until=one.until, is_bot=one.is_bot)
            for one in ownerships(steps)[-OWNERS_MAX:]
        ],
    }


def _upcoming(told: Told, at: datetime) -> list[UpcomingOut]:
    found = [mark for clock in told.verdict.clocks if clock.state == "running" for mark in _marks(clock, at)]
    if isinstance(told, Telling) and told.row["next_step_at"] is not None and told.row["next_step_at"] > at:
        found.append((told.row["next_step_at"], f"next step of the ladder {told.row['ladder'] or told.row['target']}"))
    return [UpcomingOut(at=when, what=what) for when, what in sorted(found)[:UPCOMING_MAX]]


def _marks(clock: Clock, at: datetime) -> Iterator[tuple[datetime, str]]:
    metric = clock.cycle.metric.replace("_", " ")
    for mark in clock.milestones:
        if mark.at > at:
            yield mark.at, f"{metric} is due" if mark.name == BREACH else f"{metric}: warning {mark.name}"


def _earlier(told: Told, rows: Sequence[Any]) -> list[EarlierOut]:
    own = told.row["id"] if isinstance(told, Telling) else told.row["escalation_id"] if isinstance(told, Raising) else told.escalation_id
    return [EarlierOut(**{name: getattr(row, name) for name in EarlierOut.model_fields}) for row in rows if row.id != own][-EARLIER_MAX:]


def _help(told: Told, current: Current, at: datetime) -> dict[str, Any]:
    """Advice, and the sentence for the customer with its placeholders filled."""
    book, subject = current.loaded.guidance, _subject(told)
    facts = told.verdict.ticket.facts if told.verdict.ticket is not None else {}
    language = facts.get("language")
    built_in = _built_in(subject)
    sentence = book.find(subject, built_in, str(language) if language is not None else None).customer
    values = {"ticket": _number(told.ticket.external_id), "next_update": _next_update(_calendar(told), at, book.update_seconds)}
    return {
        "guidance": list(book.find(subject, built_in).advice),
        "customer_text": filled(sentence, values) if sentence is not None else None,
    }


def _subject(told: Told) -> str:
    """What guidance is wanted for: the signal, else the metric; empty: neither is the cause."""
    if isinstance(told, Raising):
        return str(told.row["name"])
    if isinstance(told, Telling) and told.row["signal"] is not None:
        return str(told.row["signal"])
    return told.clock.cycle.metric if told.clock is not None else ""


@lru_cache(maxsize=64)
def _built_in(subject: str) -> Guidance:
    return signals.load(subject).GUIDANCE if subject in signals.names() else metrics.guidance(subject)


def _calendar(told: Told) -> Calendar:
    clock = None if isinstance(told, Raising) else told.clock
    running = [each for each in told.verdict.clocks if each.cycle.is_open]
    chosen = clock or (running[0] if running else None)
    return chosen.cycle.terms.calendar if chosen is not None else ALWAYS


def _next_update(calendar: Calendar, at: datetime, seconds: int) -> str:
    """`2026-11-21 16:30 (Europe/Berlin)`: so much open time from now, in the calendar's zone."""
    try:
        when = calendar.add_open_time(at, seconds)
    except NoWorkingTime:
        when = ALWAYS.add_open_time(at, seconds)
    zone = "UTC" if calendar.spec.always else calendar.zone
    return f"{when.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"


def _number(external_id: str) -> str:
    return f"#{external_id}" if external_id.isdigit() else external_id


def _cut(text: str, limit: int = TEXT_MAX) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
