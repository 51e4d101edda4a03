"""What a fresh verdict means for the escalations of a ticket: runs are opened, go on, are closed. No database here.

Only whoever holds the ticket comes here, by `app.services.judge`: a rung is never said by what was stored about it, but by how ticket and
clock stand at this moment.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from app.ids import ESCALATION, new_id
from app.rules.calendar import Calendar
from app.rules.conditions import holds
from app.rules.escalation import AtPercent, Ladder
from app.rules.escalation_advance import DEAD, Advance, Ground, advance, has_its_instant
from app.rules.escalation_log import Entry, Kind
from app.rules.escalation_marks import marks, opens_at, percent_of
from app.rules.escalation_run import replay
from app.rules.evaluate import Clock, Verdict
from app.rules.events import FactValue
from app.rules.silences import Stretch, paces
from app.schemas.events_out import StepOut
from app.services.configuration import Current
from app.services.consequences import Consequences, Standing
from app.services.escalation_speech import conclude, place_of
from app.services.marking import Wish
from app.services.silencing import BY_HAND, Hush, facts_of
from app.services.write_back import intent
from app.store import escalation_codec
from app.store.escalations import Stored
from app.store.tickets import LockedTicket

Causes = Collection[tuple[str, int, str]]
"""(clock id, generation, cause) of runs that were opened before."""
Reached = Mapping[str, Sequence[tuple[str, str]]]
"""By notice id, what became of its deliveries: (channel, state) each."""

_LOST = frozenset({"dead", "expired", "paused"})
"""States of a delivery that reached nobody."""


@dataclass
class Scene:
    """One ticket at one moment, and what its escalations do. What follows is added to `into`, which holds what follows for its clocks."""

    into: Consequences
    ticket: LockedTicket
    verdict: Verdict
    current: Current
    at: datetime
    hush: Hush | None = None
    """The silences; None: there are none."""
    facts: dict[str, FactValue] = field(init=False)
    cured: Mapping[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        if self.hush is not None and not self.hush.silences:
            self.hush = None
        known = self.verdict.ticket
        self.facts = {**(known.facts if known is not None else {}), "tier": self.verdict.tier}

    def follow(self, stored: Sequence[Stored], opened: Causes, reached: Reached, cured: Mapping[str, str] | None = None) -> None:
        """Let every run of the ticket that is not closed go on, and open those that are due. `cured`: why runs are over whose signal is,
        by id."""
        self.cured = cured or {}
        standings = {standing.clock_id: standing for standing in self.into.standings}
        for each in stored:
            self._go_on(each, standings.get(each.row.clock_id), reached)
        busy = {each.row.clock_id for each in stored}
        for standing in self.into.standings:
            if standing.clock_id not in busy and standing.clock is not None:
                self._open_if_due(standing, standing.clock, opened)

    def open(
        self, ladder: Ladder, calendar: Calendar, /, *, cause: str, counts_from: datetime | None, clock: Clock | None = None, **columns: Any
    ) -> str:
        """Open a run, and let it say what is due; its id.

        `counts_from`: from when its rungs count the breach; None: nothing is broken yet. `columns` are the row's, beside those that every
        run has.
        """
        base: dict[str, Any] = {
            "id": new_id(ESCALATION),
            "ticket_id": self.ticket.id,
            **dict.fromkeys(("clock_id", "breach_id", "target", "signal", "reason", "opened_by", "next_step_at")),
            "generation": 1,
            "premature": False,
            "cause": cause,
            "type": ladder.steps[0].type,
            "ladder": ladder.name,
            "snapshot": escalation_codec.dump(ladder, calendar),
            "steps": len(ladder.steps),
            "opened_at": self.at,
            "policy": clock.cycle.policy if clock is not None else self.verdict.policy,
            "revision": self.current.judges_as,
            "source": self.ticket.source,
            "fence": 0,
            **columns,
        }
        entry = Entry("opened", self.at, due_at=counts_from, why=cause, by=base["opened_by"])
        self._climb(base, Advance(replay([entry], calendar), self._ground(ladder, calendar, clock, cause), [entry]), clock)
        return str(base["id"])

    def change(self, stored: Stored, clock: Clock | None, entry: Entry) -> None:
        """Somebody does something to a run; nothing else happens to it in this moment."""
        ladder, calendar = stored.snapshot
        done = Advance(stored.run, self._ground(ladder, calendar, clock, stored.row.cause))
        done.note(entry)
        conclude(self.into, self.ticket, self.verdict, dict(stored.row._mapping), done, clock)

    def _go_on(self, stored: Stored, standing: Standing | None, reached: Reached) -> None:
        """A run that is under way: closed when its cause is gone, else as far as it is due."""
        base = dict(stored.row._mapping)
        clock = standing.clock if standing is not None else None
        ladder, calendar = stored.snapshot
        done = Advance(stored.run, self._ground(ladder, calendar, clock, stored.row.cause))
        over = self._end_of(stored, standing)
        if over is not None:
            done.note(Entry(over[0], self.at, why=over[1]))
            conclude(self.into, self.ticket, self.verdict, base, done, clock)
            return
        if standing is not None and base["breach_id"] is None and standing.breach_id is not None:
            base["breach_id"] = standing.breach_id
            done.note(Entry("breached", self.at, due_at=standing.counts_from or self.at))
        if stored.row.woken:
            _look_who_was_reached(done, stored.log, reached)
        self._climb(base, done, clock)

    def _open_if_due(self, standing: Standing, clock: Clock, opened: Causes) -> None:
        """A run for a clock that has just reached the breach, or a warning that is a rung of its ladder."""
        policy = next((each for each in self.current.book.policies if each.name == clock.cycle.policy), None)
        ladder = self.current.loaded.ladders.get(policy.escalation) if policy is not None and policy.escalation else None
        if ladder is None:
            return
        is_broken = standing.breach_id is not None and standing.counts_from is not None
        if is_broken and not clock.cycle.is_open:
            self._name_at_breach(standing, ladder)
            return
        cause = "breach" if is_broken else "warning"
        is_due = is_broken or (standing.breach_id is None and clock.cycle.is_open and self._is_warned(standing, clock, ladder))
        if is_due and (standing.clock_id, standing.generation, cause) not in opened:
            self.open(
                ladder, clock.cycle.terms.calendar, cause=cause, counts_from=standing.counts_from if is_broken else None, clock=clock,
                clock_id=standing.clock_id, breach_id=standing.breach_id, generation=standing.generation,
            )  # fmt: skip

    def _ground(self, ladder: Ladder, calendar: Calendar, clock: Clock | None, cause: str) -> Ground:
        found = marks(clock.cycle, ladder) if clock is not None else None
        quiet = self.hush.until(facts_of(self.ticket, self.verdict, clock)) if self.hush is not None and cause != BY_HAND else None
        return Ground(ladder, calendar, self.at, self.facts, self.current.loaded.channels.keys(), found, held_until=quiet)

    def _stills(self, since: datetime, clock: Clock | None, cause: str) -> list[Stretch]:
        """When a run stood still, or does: while its ticket is paused and, unless it was opened by hand, while nobody is to hear of it."""
        stills = [(each.start, each.end) for each in clock.cycle.stretches if each.kind == "paused"] if clock is not None else []
        if self.hush is not None and cause != BY_HAND:
            stills += self.hush.windows(facts_of(self.ticket, self.verdict, clock), since)
        return stills

    def _is_warned(self, standing: Standing, clock: Clock, ladder: Ladder) -> bool:
        """Whether a warning that is a rung of the ladder fires at this moment."""
        fired = [saying.milestone for saying in self.into.sayings if saying.type == "sla.warning" and saying.clock_id == standing.clock_id]
        return any((percent := percent_of(clock.cycle, name)) is not None and opens_at(ladder, percent) for name in fired)

    def _name_at_breach(self, standing: Standing, ladder: Ladder) -> None:
        """A breach that is learned with its answer opens no run; who would have heard it at the breach hears it."""
        steps = [step for step in ladder.breach_steps() if step.condition is None or holds(step.condition, self.facts)]
        place = place_of(self.into, standing.clock_id, "sla.breached")
        if steps and place is not None:
            block = StepOut(ladder=ladder.name, step=steps[0].index + 1, type=steps[0].type)
            named = tuple(name for step in steps for name in step.notify)
            self.into.sayings[place] = replace(self.into.sayings[place], channels=named, step=block)

    def _end_of(self, stored: Stored, standing: Standing | None) -> tuple[Kind, str] | None:
        """Why the cause of a run is gone; None while it lasts."""
        known = self.verdict.ticket
        if known is None or self.facts.get("deleted"):
            return "cancelled", "deleted"
        if self.facts.get("merged_into") is not None:
            return "cancelled", "merged"
        if stored.row.clock_id is None:
            why = "solved" if known.is_solved else self.cured.get(stored.row.id)
            return ("resolved", why) if why is not None else None
        if standing is None or standing.clock is None:
            return "resolved", "retracted" if self.verdict.policy is not None else "no_policy"
        clock = standing.clock
        if not clock.cycle.is_open:
            if known.is_solved:
                return "resolved", "solved"
            return "resolved", "no_policy" if clock.state == "cancelled" else "answered"
        if stored.run.broken_at is not None and standing.breach_id is None:
            return "resolved", "retracted"
        return ("resolved", "retargeted") if self._is_far_from_it_again(stored, clock) else None

    def _is_far_from_it_again(self, stored: Stored, clock: Clock) -> bool:
        """Whether a run that was opened by a warning stands before that warning again: its target was changed."""
        if stored.run.broken_at is not None or clock.breached_at is not None or clock.state == "paused":
            return False
        ladder, _ = stored.snapshot
        first = next((step.at.percent for step in ladder.steps[: stored.run.step + 1] if isinstance(step.at, AtPercent)), None)
        mark = marks(clock.cycle, ladder).get(first) if first is not None else None
        return mark is not None and mark > self.at

    def _climb(self, base: dict[str, Any], done: Advance, clock: Clock | None) -> None:
        """Stand still with the ticket, go on with it, say what is due."""
        _keep_pace(done, self._stills(done.run.paced_at, clock, base["cause"]))
        if done.run.frozen and done.ground.held_until is not None and has_its_instant(done.run, done.ground):
            _speak_into_silence(done)
        _take(done, done.ground)
        for entry in tuple(done.entries):
            wanted = intent(done.ground.ladder, entry, self.at)
            if wanted is not None and wanted.step is not None:
                done.note(wanted)
                ladder = done.ground.ladder
                self.into.wishes.append(Wish(self.ticket, self.verdict, base, ladder.name, ladder.steps[wanted.step], clock))
        conclude(self.into, self.ticket, self.verdict, base, done, clock)


def _take(done: Advance, ground: Ground) -> None:
    """Whatever is due on this ground."""
    went = advance(done.run, ground)
    done.run = went.run
    done.entries += went.entries
    done.speeches += went.speeches


def _keep_pace(done: Advance, stills: Iterable[Stretch]) -> None:
    """What makes the run stand still freezes it from where each stretch began; what was due before that is still said."""
    for pace in paces(done.run.paced_at, stills):
        if pace.still is done.run.frozen:
            continue
        if pace.still:
            _take(done, replace(done.ground, at=pace.start, noted_at=done.ground.at))
        done.note(Entry("held" if pace.still else "went_on", done.ground.at, due_at=pace.start))


def _speak_into_silence(done: Advance) -> None:
    """A rung that stands at an instant of the clock does not wait for the end of a silence, where many would come at once: it speaks when
    it is due, and what it says is suppressed. The silence's summary tells it."""
    done.note(Entry("went_on", done.ground.at))
    _take(done, done.ground)
    done.note(Entry("held", done.ground.at))


def _look_who_was_reached(done: Advance, log: Sequence[Entry], reached: Reached) -> None:
    """A delivery of the run was given up: if the rung that spoke last reached nobody, the next one does not wait."""
    spoken = next((entry for entry in reversed(log) if entry.kind in ("spoke", "last_resort") and entry.notice), None)
    if spoken is None or spoken.notice is None:
        return
    mine = [(channel, state) for channel, state in reached.get(spoken.notice, ()) if channel in spoken.channels]
    lost = tuple(channel for channel, state in mine if state in _LOST)
    known = {name for entry in log if entry.kind in ("unheard", "unreached") and entry.why == DEAD and _same(entry, spoken)
             for name in entry.channels}  # fmt: skip
    if lost and not set(lost) <= known:
        kind: Kind = "unreached" if len(lost) == len(mine) and spoken.kind == "spoke" else "unheard"
        done.note(Entry(kind, done.ground.at, step=spoken.step, loop=spoken.loop, why=DEAD, channels=lost))


def _same(entry: Entry, spoken: Entry) -> bool:
    return (entry.step, entry.loop) == (spoken.step, spoken.loop)
