"""The context of a notice: what happened, what was tried, who had it, what comes next, what helps. Small enough for one signed body.

As plain values: each part has the fields of its model in `app.schemas.context_out`, in their order and without those that are None.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.rules import metrics, signals
from app.rules.calendar import ALWAYS, Calendar
from app.rules.deadline import BREACH
from app.rules.evaluate import Clock
from app.rules.fold import fold
from app.rules.guidance import Guidance, GuidanceBook, filled
from app.rules.history import Ownership, Tried, happenings, ownerships, tried
from app.rules.policy import Book
from app.rules.problems import NoWorkingTime
from app.schemas.context_out import rfc3339
from app.services.configuration import Current
from app.services.sayings import Raising, Saying, Telling
from app.store import context as context_store
from app.store.database import Connection
from app.store.surroundings import UNKNOWN, Surroundings
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
Part = dict[str, Any]


@dataclass(slots=True)
class Backdrop:
    """What is stored of the tickets of some notices, all made at one moment. What many of them tell is made once: the past of a ticket,
    guidance for a subject, when the next update is due by a calendar."""

    signals: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    escalations: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    _made: dict[str, Part] = field(default_factory=dict)
    _guidance: dict[tuple[str, str | None], tuple[list[str], str | None]] = field(default_factory=dict)
    _updates: dict[int, str] = field(default_factory=dict)

    def past(self, ticket: LockedTicket, book: Book, at: datetime) -> Part:
        """History, what was tried and who owned it, of a ticket."""
        made = self._made.get(ticket.id)
        if made is None:
            made = self._made[ticket.id] = _past(ticket, book, at)
        return made

    def guidance(self, subject: str, language: str | None, book: GuidanceBook) -> tuple[list[str], str | None]:
        """Advice on a metric or signal, and the sentence for a customer who speaks a language."""
        found = self._guidance.get((subject, language))
        if found is None:
            built_in = _built_in(subject)
            advice, sentence = book.find(subject, built_in).advice, book.find(subject, built_in, language).customer
            found = self._guidance[subject, language] = (list(advice), sentence)
        return found

    def next_update(self, calendar: Calendar, at: datetime, seconds: int) -> str:
        """When the next update is due, in the calendar's zone."""
        found = self._updates.get(id(calendar))
        if found is None:
            found = self._updates[id(calendar)] = _next_update(calendar, at, seconds)
        return found


async def backdrop_of(conn: Connection, told: Iterable[Told], around: Surroundings = UNKNOWN) -> Backdrop:
    """What the notices need of the database, read by the transaction that has written what they are about. `around`: what there may be."""
    ids = sorted({each.ticket.id for each in told}) if around.signals or around.runs else []
    return Backdrop(
        await context_store.signals_of(conn, ids) if around.signals else {},
        await context_store.escalations_of(conn, ids) if around.runs else {},
    )


def context(told: Told, current: Current, at: datetime, backdrop: Backdrop) -> Part:
    """The fields of `ContextOut` for one notice; of those that are missing the value is None."""
    rows = backdrop.signals.get(told.ticket.id, ())
    advice, sentence = _help(told, current, at, backdrop) if told.type in ASKS else ([], None)
    return {
        **backdrop.past(told.ticket, current.book, at),
        "upcoming": _upcoming(told, at),
        "signals": [signal_out(row._mapping) for row in rows if row.ended_at is None or row.ended_at > at][-SIGNALS_MAX:],
        "earlier_escalations": _earlier(told, backdrop.escalations.get(told.ticket.id, ())),
        "guidance": advice,
        "customer_text": sentence,
        "truncated": False,
    }


def present(part: Mapping[str, Any]) -> Part:
    """What is not None."""
    return {name: value for name, value in part.items() if value is not None}


def when(at: datetime | None) -> str | None:
    """An instant as events show it."""
    return None if at is None else rfc3339(at)


def signal_of(row: Mapping[str, Any], backdrop: Backdrop) -> Part | None:
    """The signal that opened an escalation; None: none did. `row` is the escalation's."""
    if row["signal"] is None:
        return None
    raised = [each for each in backdrop.signals.get(row["ticket_id"], ()) if each.name == row["signal"]]
    mine = [each for each in raised if each.escalation_id == row["id"]] or raised
    return signal_out(mine[-1]._mapping) if mine else _signal(row["signal"], row["opened_at"], [], [])


def signal_out(row: Mapping[Any, Any]) -> Part:
    """A signal as events show it, from its row."""
    sentences = [_cut(sentence) for sentence in row["evidence"]["sentences"]]
    return _signal(row["name"], row["raised_at"], sentences, row["evidence"]["keys"], row["threshold"], row["tier"], row["ended_at"])


def _signal(
    name: str,
    raised_at: datetime,
    evidence: list[str],
    keys: list[str],
    threshold: str | None = None,
    tier: str | None = None,
    ended_at: datetime | None = None,
) -> Part:
    """`SignalOut`."""
    part = {"name": name, "raised_at": rfc3339(raised_at), "evidence": evidence, "keys": keys}
    return present({**part, "threshold": threshold, "tier": tier, "ended_at": when(ended_at)})


def smaller(bundle: Part) -> Iterator[Part]:
    """The bundle, and then ever smaller ones: what goes first is the oldest history, then what else is told of the past."""
    yield bundle
    for count in range(len(bundle["history"]) - 1, -1, -1):
        bundle = {**bundle, "history": bundle["history"][-count:] if count else [], "truncated": True}
        yield bundle
    for name in ("earlier_escalations", "owners", "signals", "upcoming", "guidance"):
        bundle = {**bundle, name: [], "truncated": True}
        yield bundle


def _past(ticket: LockedTicket, book: Book, at: datetime) -> Part:
    story = fold(ticket.timeline, book, at)
    if story is None:
        return {"history": [], "tried": None, "owners": []}
    steps = story.steps
    return {
        "history": [{"at": rfc3339(one.at), "who": one.who, "what": _cut(one.what)} for one in happenings(steps, HISTORY_MAX)],
        "tried": _tried(tried(steps)),
        "owners": [_owner(one) for one in ownerships(steps)[-OWNERS_MAX:]],
    }


def _tried(done: Tried) -> Part:
    """`TriedOut`."""
    return present({**done._asdict(), "last_reply_at": when(done.last_reply_at)})


def _owner(one: Ownership) -> Part:
    """`OwnerOut`."""
    return present({"who": _cut(one.who, NAME_MAX), "since": rfc3339(one.since), "until": when(one.until), "is_bot": one.is_bot})


def _upcoming(told: Told, at: datetime) -> list[Part]:
    found = [mark for clock in told.verdict.clocks if clock.state == "running" for mark in _marks(clock, at)]
    if isinstance(told, Telling) and told.row["next_step_at"] is not None and told.row["next_step_at"] > at:
        found.append((told.row["next_step_at"], f"next step of the ladder {told.row['ladder'] or told.row['target']}"))
    return [{"at": rfc3339(comes_at), "what": what} for comes_at, what in sorted(found)[:UPCOMING_MAX]]


def _marks(clock: Clock, at: datetime) -> Iterator[tuple[datetime, str]]:
    metric = clock.cycle.metric.replace("_", " ")
    for mark in clock.milestones:
        if mark.at > at:
            yield mark.at, f"{metric} is due" if mark.name == BREACH else f"{metric}: warning {mark.name}"


def _earlier(told: Told, rows: Sequence[Any]) -> list[Part]:
    if not rows:
        return []
    own = told.row["id"] if isinstance(told, Telling) else told.row["escalation_id"] if isinstance(told, Raising) else told.escalation_id
    return [_run(row) for row in rows if row.id != own][-EARLIER_MAX:]


def _run(row: Any) -> Part:
    """`EarlierOut`."""
    part = {"id": row.id, "cause": row.cause, "state": row.state, "opened_at": rfc3339(row.opened_at), "ladder": row.ladder}
    return present({**part, "signal": row.signal, "closed_at": when(row.closed_at), "closed_because": row.closed_because})


def _help(told: Told, current: Current, at: datetime, backdrop: Backdrop) -> tuple[list[str], str | None]:
    """Advice, and the sentence for the customer with its placeholders filled."""
    book = current.loaded.guidance
    facts = told.verdict.ticket.facts if told.verdict.ticket is not None else {}
    language = facts.get("language")
    advice, sentence = backdrop.guidance(_subject(told), str(language) if language is not None else None, book)
    if sentence is None:
        return advice, None
    next_update = backdrop.next_update(_calendar(told), at, book.update_seconds)
    return advice, filled(sentence, {"ticket": _number(told.ticket.external_id), "next_update": next_update})


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
