"""What a fresh verdict means for the signals of a ticket: they are raised, told once, open escalations, are over. No database here, save
for what is read before.

Only whoever holds the ticket comes here, by `app.services.judge`. A signal is dated by the moment at which it became true.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from app.config.compile import Loaded
from app.ids import SIGNAL, new_id
from app.rules.calendar import ALWAYS, Calendar
from app.rules.escalation import Ladder
from app.rules.evaluate import Clock, Verdict, evaluate
from app.rules.events import FactValue
from app.rules.policy import Book, OpenTime
from app.rules.signals import Count, Raised, Related, SignalRule, Watch, as_json, load, past_of, watch
from app.rules.timeline import Timeline
from app.services.configuration import Current
from app.services.escalating import Scene
from app.services.rows import CATEGORY_MAX
from app.services.sayings import Raising
from app.store import signals as signal_store
from app.store.database import Connection
from app.store.escalations import Stored
from app.store.signals import Asked
from app.store.tickets import LockedTicket

SENTENCES_MAX: Final = 12
KEYS_MAX: Final = 50
EARLY: Final = 0.5
"""What is escalated by hand before this part of any target is used up, and without any signal, is premature."""
_REPEATS: Final = "repeat_ticket"


@dataclass(frozen=True, slots=True)
class Known:
    """What was known before: the stored signals of the held tickets by ticket id, and the tickets that are related to them."""

    rows: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    related: Mapping[str, Sequence[Related]] = field(default_factory=dict)


async def known_of(conn: Connection, held: Sequence[LockedTicket], current: Current) -> Known:
    """What the signals of these tickets hang on, beside the tickets themselves. Nothing where the document names no signal."""
    rules = current.loaded.signals
    if not rules or not held:
        return Known()
    rows = await signal_store.of_tickets(conn, [ticket.id for ticket in held])
    asked = [one for ticket in held if (one := _asked(ticket)) is not None] if _repeats(rules) else []
    return Known(rows, await signal_store.related(conn, asked, window(rules)))


def window(rules: Sequence[SignalRule]) -> timedelta | None:
    """How far back related tickets are wanted; None: as far as it makes sense."""
    counts = [knobs for rule in rules if rule.name == _REPEATS for knobs in (rule.knobs, *rule.tiers.values()) if isinstance(knobs, Count)]
    spans = [count.within for count in counts]
    return None if None in spans or not spans else timedelta(seconds=max(span for span in spans if span is not None))


def asked_of(ticket_id: str, source: str, timeline: Timeline) -> Asked | None:
    """Whose earlier tickets are wanted; None when nothing is known of the ticket."""
    created_at = timeline.created_at
    if created_at is None:
        return None
    texts = {name: _latest(timeline, name) for name in ("requester", "organization", "category")}
    category = (texts["category"] or "")[:CATEGORY_MAX] or None
    return Asked(ticket_id, source, texts["requester"], texts["organization"], category, created_at)


def _asked(ticket: LockedTicket) -> Asked | None:
    try:
        return asked_of(ticket.id, ticket.source, ticket.timeline)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):  # judging it fails as well, and says why
        return None


def _latest(timeline: Timeline, name: str) -> str | None:
    value: FactValue = next((event.set[name] for event in reversed(timeline.events) if name in event.set), None)
    return None if value is None else str(value)


def _repeats(rules: Sequence[SignalRule]) -> bool:
    return any(rule.name == _REPEATS for rule in rules)


async def shown(
    conn: Connection, ticket_id: str, source: str, timeline: Timeline, loaded: Loaded, book: Book, at: datetime
) -> list[dict[str, Any]]:
    """Every signal of the document for a ticket as it stood at an instant, with thresholds and evidence (`app.rules.signals.as_json`)."""
    rules = loaded.signals
    if not rules:
        return []
    asked = asked_of(ticket_id, source, timeline) if _repeats(rules) else None
    related = await signal_store.related(conn, [asked] if asked is not None else [], window(rules))
    past = past_of(timeline, book, at, evaluate(timeline, book, at).clocks, related.get(ticket_id, ()))
    return as_json(rules, past, at)


def watch_of(ticket: LockedTicket, verdict: Verdict, current: Current, at: datetime, known: Known) -> Watch | None:
    """Every signal a ticket has raised by an instant; None: nothing is watched, or nothing is known of it."""
    rules, related = current.loaded.signals, known.related.get(ticket.id, ())
    past = past_of(ticket.timeline, current.book, at, verdict.clocks, related) if rules else None
    return watch(rules, past, at) if past is not None else None


def is_premature(verdict: Verdict, found: Watch | None, at: datetime) -> bool:
    """Whether it is too early to escalate by hand: no signal stands, and of no running promise is half the time used up."""
    if found is not None and any(raised.stands_at(at) for raised in found.raised):
        return False
    running = [clock for clock in verdict.clocks if clock.cycle.is_open]
    return bool(running) and not any(clock.health in ("at_risk", "overdue") or _used(clock, at) >= EARLY for clock in running)


def _used(clock: Clock, at: datetime) -> float:
    """The part of its target that a clock has used up; of one in business days, the part of the real time until it is due."""
    target = clock.cycle.target
    if isinstance(target, OpenTime):
        return clock.consumed / (target.seconds * 1_000_000)
    return (at - clock.cycle.anchor) / (clock.due_at - clock.cycle.anchor) if clock.due_at is not None else 0.0


class Sentry:
    """One ticket at one moment, and its signals. What follows is added to what the scene collects."""

    def __init__(self, scene: Scene, known: Known) -> None:
        self._scene, self._at = scene, scene.at
        self._rows = known.rows.get(scene.ticket.id, ())
        self._rules = {rule.name: rule for rule in scene.current.loaded.signals}
        self._watch = watch_of(scene.ticket, scene.verdict, scene.current, scene.at, known)

    def cures(self, runs: Sequence[Stored]) -> dict[str, str]:
        """The escalations whose signal is over, by id, and the word for why."""
        if self._watch is None:
            return {}
        standing = {raised.name for raised in self._watch.raised if raised.stands_at(self._at)}
        opened = [run.row for run in runs if run.row.cause == "signal" and run.row.signal in self._rules]
        return {row.id: cure for row in opened if row.signal not in standing and (cure := load(row.signal).CURE) is not None}

    def follow(self, runs: Sequence[Stored]) -> None:
        """Note what was raised, tell what is new, open what is to be opened, and when to look again."""
        if self._watch is None:
            return
        busy = {run.row.signal for run in runs if run.row.cause == "signal"}
        for row, raised in _paired(self._rows, self._watch.raised):
            if row is None and raised is not None:
                self._raise(raised, busy)
            elif raised is None:
                self._withdraw(row)
            else:
                self._keep(row, raised)
        self._look_again(self._watch.next_at)

    def _raise(self, raised: Raised, busy: set[str]) -> None:
        why_not = self._why_quiet(raised)
        row = self._row(raised, why_not)
        self._scene.into.signal_rows.append(row)
        if why_not is not None:
            return
        rule = self._rules[raised.name]
        ladder = self._scene.current.loaded.ladders.get(rule.escalate) if rule.escalate is not None else None
        if ladder is not None and raised.name not in busy:
            busy.add(raised.name)
            row["escalation_id"] = self._open(rule, ladder, raised)
        scene = self._scene
        scene.into.raisings.append(Raising(raised.raised_at, scene.ticket, scene.verdict, row, immediate=rule.immediate))

    def _open(self, rule: SignalRule, ladder: Ladder, raised: Raised) -> str:
        if rule.immediate:
            ladder = replace(ladder, steps=tuple(replace(step, immediate=True) for step in ladder.steps))
        reason = raised.evidence.sentences[0] if raised.evidence.sentences else None
        return self._scene.open(ladder, self._calendar(), cause="signal", counts_from=self._at, signal=raised.name, reason=reason)

    def _calendar(self) -> Calendar:
        """In whose open time the ladder runs: the policy's."""
        policy = next((each for each in self._scene.current.book.policies if each.name == self._scene.verdict.policy), None)
        terms = policy.terms if policy is not None else {}
        chosen = terms.get("resolution") or next(iter(terms.values()), None)
        return chosen.calendar if chosen is not None else ALWAYS

    def _why_quiet(self, raised: Raised) -> str | None:
        """Why nobody is told; None: it is told."""
        ticket, known = self._scene.ticket, self._scene.verdict.ticket
        if ticket.quiet:
            return "import"
        if ticket.revision not in (0, self._scene.current.judges_as) and not ticket.fresh:
            return "new_revision"
        if known is not None and (known.is_gone or (known.is_solved and not load(raised.name).AFTER_SOLVE)):
            return "done"
        return None if raised.stands_at(self._at) else "over"

    def _keep(self, row: Any, raised: Raised) -> None:
        """A signal that is known: it may be over now, dated otherwise, or after all have been one."""
        revision = self._scene.current.judges_as
        stands = (row.status, row.raised_at, row.held_since, row.ended_at, row.revision)
        if stands != ("raised", raised.raised_at, raised.since, raised.ended_at, revision):
            changes = {"status": "raised", "raised_at": raised.raised_at, "held_since": raised.since, "ended_at": raised.ended_at}
            self._scene.into.signal_rows.append({**row._mapping, **changes, "withdrawn_at": None, "revision": revision})

    def _withdraw(self, row: Any) -> None:
        """It never was, as is known now. What another revision of the document saw stays as that one saw it."""
        if row.status == "raised" and row.revision == self._scene.current.judges_as:
            self._scene.into.signal_rows.append({**row._mapping, "status": "withdrawn", "withdrawn_at": self._at})

    def _look_again(self, next_at: datetime | None) -> None:
        """Have the ticket judged when the next signal would be raised, unless a date of the document comes before."""
        row = self._scene.into.ticket_rows[-1]
        row["rejudge_at"] = min((at for at in (row["rejudge_at"], next_at) if at is not None), default=None)

    def _row(self, raised: Raised, suppressed: str | None) -> dict[str, Any]:
        sentences = raised.evidence.sentences
        shown = sentences if len(sentences) <= SENTENCES_MAX else (sentences[0], *sentences[1 - SENTENCES_MAX :])
        return {
            "id": new_id(SIGNAL),
            "ticket_id": self._scene.ticket.id,
            "name": raised.name,
            "status": "raised",
            "raised_at": raised.raised_at,
            "held_since": raised.since,
            "ended_at": raised.ended_at,
            "detected_at": self._at,
            "withdrawn_at": None,
            "suppressed": suppressed,
            "escalation_id": None,
            "tier": raised.tier,
            "threshold": raised.threshold,
            "evidence": {"sentences": list(shown), "keys": list(raised.evidence.keys[-KEYS_MAX:])},
            "revision": self._scene.current.judges_as,
            "source": self._scene.ticket.source,
        }


def _paired(rows: Sequence[Any], found: Sequence[Raised]) -> Iterator[tuple[Any, Raised | None]]:
    """Which stored row is which: by name and instant, else in the order of time (an event that came late may have moved it)."""
    exact = {(row.name, row.raised_at): row for row in rows}
    pairs = [(exact.pop((raised.name, raised.raised_at), None), raised) for raised in found]
    left: dict[str, list[Any]] = {}
    for row in exact.values():
        left.setdefault(row.name, []).append(row)
    for row, raised in pairs:
        yield row if row is not None else (left[raised.name].pop(0) if left.get(raised.name) else None), raised
    for row in (row for rest in left.values() for row in rest):
        yield row, None
