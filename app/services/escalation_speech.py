"""From what a run did to what is stored and said of it: its row, the rungs that speak, its own events."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from app.ids import MESSAGE, new_id
from app.rules.escalation import AtBreach, AtPercent
from app.rules.escalation_advance import Advance, Speech, next_step_at
from app.rules.escalation_log import Entry
from app.rules.escalation_marks import percent_of
from app.rules.escalation_words import next_in_words
from app.rules.evaluate import Clock, Verdict
from app.schemas.events_out import StepOut
from app.services.consequences import Consequences
from app.services.sayings import Telling
from app.store.tickets import LockedTicket

CLOSING = ("resolved", "cancelled")
_FACTS = ("priority", "group", "assignee")


def conclude(into: Consequences, ticket: LockedTicket, verdict: Verdict, base: dict[str, Any], done: Advance, clock: Clock | None) -> None:
    """Add the run's row and what it has to say; nothing when nothing has changed. `base` is the row as it was."""
    ahead = next_step_at(done.run, done.ground)
    if not done.entries and not base["woken"] and base["next_step_at"] == ahead:
        return
    speaker = _Speaker(into, ticket, verdict, row_of(base, done, ahead, verdict), clock)
    speaker.say(done)
    into.run_rows.append(speaker.row)
    if any(entry.kind in (*CLOSING, "acknowledged") for entry in done.entries):
        into.quiet_runs.append(base["id"])


def row_of(base: Mapping[str, Any], done: Advance, ahead: datetime | None, verdict: Verdict) -> dict[str, Any]:
    """All columns of the run, and under `log` the new lines."""
    run, steps = done.run, done.ground.ladder.steps
    known, opened_at = verdict.ticket, base["opened_at"]
    return {
        **base,
        "type": base["type"] if base["cause"] == "manual" or run.speaker < 0 else steps[run.speaker].type,
        "state": run.state,
        "step": run.step + 1,
        "loop": run.loop,
        "paused": run.frozen,
        "next_step_at": ahead,
        "waits_until": run.until,
        "acknowledged_at": run.acknowledged_at,
        "acknowledged_by": run.acknowledged_by,
        "acknowledge_seconds": _seconds(opened_at, run.first_acknowledged_at),
        "exhausted_at": run.exhausted_at,
        "closed_at": run.closed_at,
        "closed_because": run.closed_because,
        "resolve_seconds": _seconds(opened_at, run.closed_at),
        "owner": run.owner,
        "tier": verdict.tier,
        **{name: known.text(name) if known is not None else None for name in _FACTS},
        "woken": False,
        "log": list(done.entries),
    }


def place_of(into: Consequences, clock_id: str, type_: str, milestone: str | None = None) -> int | None:
    """Where in the sayings stands what is said of a clock at this moment."""
    for place, saying in enumerate(into.sayings):
        if saying.clock_id == clock_id and saying.type == type_ and milestone in (None, saying.milestone):
            return place
    return None


def _seconds(start: datetime, end: datetime | None) -> int | None:
    return None if end is None else int((end - start).total_seconds())


class _Speaker:
    """One run that has something to say."""

    def __init__(self, into: Consequences, ticket: LockedTicket, verdict: Verdict, row: dict[str, Any], clock: Clock | None) -> None:
        self.into = into
        self.ticket = ticket
        self.verdict = verdict
        self.row = row
        self.clock = clock

    def say(self, done: Advance) -> None:
        """The run's own events, and its rungs; each rung's line in the log names the notice that carried it."""
        for entry in done.entries:
            self._event(entry)
        notices = [self._speech(speech, done) for speech in done.speeches]
        self.row["log"] = list(_with_notices(done.entries, notices))

    def _event(self, entry: Entry) -> None:
        match entry.kind:
            case "opened":
                self.into.tellings.append(self._telling("escalation.opened", "opened", entry.at))
            case "acknowledged":
                milestone = f"acknowledged {entry.at:%Y%m%dT%H%M%S%f}"
                self.into.tellings.append(self._telling("escalation.acknowledged", milestone, entry.at))
            case "exhausted":
                self.into.tellings.append(self._telling("escalation.exhausted", "exhausted", entry.instant))
            case "resolved" | "cancelled":
                self.into.clears.append(self._telling("escalation.deescalated", "deescalated", entry.at))

    def _speech(self, speech: Speech, done: Advance) -> str | None:
        """The id of the notice that carries a rung; None when there is nobody to tell."""
        if not speech.channels:
            return None
        block = StepOut(
            ladder=done.ground.ladder.name,
            step=speech.step.index + 1,
            type=speech.step.type,
            next=None if speech.is_last_resort else next_in_words(done.ground.ladder, speech.step.index, speech.loop, done.ground.calendar),
        )
        place = self._shared_with(speech)
        if place is not None:
            return self._join(place, speech, block)
        telling = self._telling("escalation.step", _milestone(speech), speech.due_at)
        self.into.tellings.append(replace(telling, channels=speech.channels, step=block, immediate=speech.step.immediate))
        return telling.notice_id

    def _shared_with(self, speech: Speech) -> int | None:
        """Where what is said of the clock anyway at this moment says what the rung would."""
        moment = speech.step.at
        if self.clock is None or speech.loop or speech.is_last_resort or not isinstance(moment, AtBreach | AtPercent):
            return None
        if isinstance(moment, AtPercent) and moment.percent > 100:
            return None
        place = place_of(self.into, self.row["clock_id"], "sla.breached")
        if place is not None or isinstance(moment, AtBreach):
            return place
        for place, saying in enumerate(self.into.sayings):
            is_warning = saying.type == "sla.warning" and saying.clock_id == self.row["clock_id"]
            if is_warning and percent_of(self.clock.cycle, saying.milestone) == moment.percent:
                return place
        return None

    def _join(self, place: int, speech: Speech, block: StepOut) -> str:
        """The rung's channels hear what is said anyway; of several rungs the first gives its name, the last says what comes next."""
        saying = self.into.sayings[place]
        shown = saying.step.model_copy(update={"next": block.next}) if saying.step is not None else block
        notice_id = saying.notice_id or new_id(MESSAGE)
        channels = tuple(dict.fromkeys([*saying.channels, *speech.channels]))
        self.into.sayings[place] = replace(
            saying, channels=channels, step=shown, escalation_id=self.row["id"], notice_id=notice_id, immediate=speech.step.immediate
        )
        return notice_id

    def _telling(self, type_: str, milestone: str, timestamp: datetime) -> Telling:
        return Telling(type_, milestone, timestamp, self.ticket, self.verdict, self.row, new_id(MESSAGE), self.clock)


def _milestone(speech: Speech) -> str:
    if speech.is_last_resort:
        return "last resort"
    return f"step {speech.step.index + 1}" + (f" again {speech.loop}" if speech.loop else "")


def _with_notices(entries: Sequence[Entry], notices: Sequence[str | None]) -> Iterator[Entry]:
    """The lines, each of those that spoke with its notice."""
    ids = iter(notices)
    for entry in entries:
        spoke = (entry.kind == "spoke" and entry.why is None) or (entry.kind == "last_resort" and entry.channels)
        yield replace(entry, notice=next(ids)) if spoke else entry
