"""What a run of a ladder has to do by a moment: which rungs speak, in order, and when it next has something to do.

A function of the snapshot of its ladder, its log (as the state it tells), the calendar and the moment; the parts of the target at which
the clock stands come from the clock.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from app.rules.calendar import Calendar
from app.rules.conditions import failing_term
from app.rules.escalation import After, AtBreach, AtPercent, Ladder, Step, Unacknowledged
from app.rules.escalation_log import Entry
from app.rules.escalation_run import MOVING, Run, told
from app.rules.events import Facts

Marks = Mapping[float, datetime | None]
"""By percent of the target: when so much of it is, or was, consumed; None: not while the clock stands as it does."""

NO_CLOCK = "there is no clock whose target could be used up"
MISSING = "not in the configuration"
DEAD = "not delivered"


class Speech(NamedTuple):
    """A rung speaks. `loop` > 0: again. `is_last_resort`: in the place of rungs that reached nobody."""

    step: Step
    loop: int
    due_at: datetime
    channels: tuple[str, ...]
    is_last_resort: bool = False


class Due(NamedTuple):
    """What comes next: the next rung, the speaker again, or the end of the ladder."""

    at: datetime
    what: Literal["rung", "again", "end"]


@dataclass(frozen=True)
class Ground:
    """What a run stands on, all of it given: what is due by `at` is done. `marks` None: there is no clock. `channels`: who can be told."""

    ladder: Ladder
    calendar: Calendar
    at: datetime
    facts: Facts = field(default_factory=dict)
    channels: Collection[str] = ()
    marks: Marks | None = None
    noted_at: datetime | None = None
    """The present, where it is later than `at`."""
    held_until: datetime | None = None
    """When what makes the run stand still is over by itself; None: not by itself, or nothing does."""

    @property
    def now(self) -> datetime:
        """The present, by which the lines of the log are noted."""
        return self.noted_at or self.at


@dataclass
class Advance:
    """What a run did: its state, the lines its log has grown by, and what it has to say, in order."""

    run: Run
    ground: Ground
    entries: list[Entry] = field(default_factory=list)
    speeches: list[Speech] = field(default_factory=list)

    def note(self, entry: Entry) -> None:
        """One more line of the log."""
        self.entries.append(entry)
        self.run = told(self.run, entry, self.ground.calendar)


def advance(run: Run, ground: Ground) -> Advance:
    """Everything that is due by the moment, in order, once. A repetition that was overdue several times is said once."""
    done = Advance(run, ground)
    while done.run.is_open:
        if done.run.until is not None and done.run.until <= ground.at:
            done.note(Entry("lapsed", ground.now, due_at=done.run.until))
        elif done.run.hurried and done.run.is_moving:
            _hurry(done)
        else:
            due = upcoming(done.run, ground)
            if due is None or due.at > ground.at:
                break
            _do(done, due)
    return done


def next_step_at(run: Run, ground: Ground) -> datetime | None:
    """When the run next has something to do; None: not by itself."""
    if run.until is not None or not run.is_open:
        return run.until
    if run.frozen:
        return ground.held_until
    due = upcoming(run, ground)
    return due.at if due is not None else None


def has_its_instant(run: Run, ground: Ground) -> bool:
    """Whether the next rung stands at an instant of the clock (the breach, a part of the target) that has come, even while the run stands
    still."""
    step = _following(run, ground.ladder)
    if step is None or run.state not in MOVING or not run.is_open or not isinstance(step.at, AtBreach | AtPercent):
        return False
    at = _due_at(step, run, ground)
    return at is not None and at <= ground.at


def upcoming(run: Run, ground: Ground) -> Due | None:
    """What comes next; None while the ladder stands still, and when nothing comes any more. A rung comes before a repetition."""
    if not run.is_moving:
        return None
    found = [_next_rung(run, ground), _next_repetition(run, ground), _end(run, ground)]
    return min((due for due in found if due is not None), key=lambda due: due.at, default=None)


def _next_rung(run: Run, ground: Ground) -> Due | None:
    step = _following(run, ground.ladder)
    at = None if step is None else _due_at(step, run, ground)
    return None if at is None else Due(max(at, run.moving_since), "rung")


def _following(run: Run, ladder: Ladder) -> Step | None:
    return ladder.steps[run.step + 1] if run.step + 1 < len(ladder.steps) else None


def _due_at(step: Step, run: Run, ground: Ground) -> datetime | None:
    """When a rung is due that follows the one the run has reached."""
    match step.at:
        case AtBreach():
            return run.broken_at
        case AtPercent(percent=percent):
            return _reached_at(percent, run, ground)
        case After(seconds=seconds):
            return _counted(run, run.rung.ends_at(seconds, ground.calendar, wall=step.wall))
        case Unacknowledged(seconds=seconds):
            return _counted(run, run.calm.ends_at(seconds, ground.calendar, wall=step.wall))


def _counted(run: Run, at: datetime | None) -> datetime | None:
    """Before the breach nothing counts for a first rung that follows it."""
    return None if run.step < 0 and run.broken_at is None else at


def _reached_at(percent: float, run: Run, ground: Ground) -> datetime | None:
    """When a part of the target is used up: less than all of it, at the breach at the latest."""
    if ground.marks is None:
        return run.moving_since
    mark = ground.marks.get(percent)
    if percent > 100 or run.broken_at is None:
        return mark
    return run.broken_at if mark is None else min(mark, run.broken_at)


def _next_repetition(run: Run, ground: Ground) -> Due | None:
    if not _has_repetition(run, ground.ladder):
        return None
    step = ground.ladder.steps[run.speaker]
    assert step.repeat is not None
    at = run.again.ends_at(step.repeat.every_seconds, ground.calendar, wall=step.wall)
    return None if at is None else Due(at, "again")


def _has_repetition(run: Run, ladder: Ladder) -> bool:
    repeat = ladder.steps[run.speaker].repeat if run.speaker >= 0 else None
    return repeat is not None and run.loop < repeat.times


def _end(run: Run, ground: Ground) -> Due | None:
    """The last rung has spoken, and as long as an acknowledgement would hold nobody acted."""
    if _following(run, ground.ladder) is not None or _has_repetition(run, ground.ladder):
        return None
    last = run.again if run.speaker >= 0 else run.rung
    at = last.ends_at(ground.ladder.acknowledge_for, ground.calendar, wall=True)
    return None if at is None else Due(at, "end")


def _do(done: Advance, due: Due) -> None:
    match due.what:
        case "rung":
            _reach(done, due.at)
        case "again":
            _repeat(done, due.at)
        case "end":
            done.note(Entry("exhausted", done.ground.now, due_at=due.at))


def _reach(done: Advance, due_at: datetime) -> None:
    """The next rung speaks, or is passed over."""
    step = _following(done.run, done.ground.ladder)
    assert step is not None
    why = _reason_to_pass(step, done.ground)
    if why is not None:
        done.note(Entry("passed", done.ground.now, due_at=due_at, step=step.index, why=why))
    else:
        _speak(done, step, 0, due_at)


def _reason_to_pass(step: Step, ground: Ground) -> str | None:
    if isinstance(step.at, AtPercent) and ground.marks is None:
        return NO_CLOCK
    return failing_term(step.condition, ground.facts) if step.condition is not None else None


def _repeat(done: Advance, due_at: datetime) -> None:
    """The speaker speaks again; what it missed in between it does not say."""
    run, ground = done.run, done.ground
    step = ground.ladder.steps[run.speaker]
    assert step.repeat is not None
    loop = run.loop + 1
    while loop < step.repeat.times:
        after = run.again._replace(since=due_at, open=0, real=0).ends_at(step.repeat.every_seconds, ground.calendar, wall=step.wall)
        if after is None or after > ground.at:
            break
        loop, due_at = loop + 1, after
    why = _reason_to_pass(step, ground)
    if why is None:
        _speak(done, step, loop, due_at)
    else:  # it counts as one of its times, and is not said
        done.note(Entry("spoke", ground.now, due_at=due_at, step=step.index, loop=loop, why=why))


def _speak(done: Advance, step: Step, loop: int, due_at: datetime) -> None:
    """Say it to the channels there are; nobody there: that is noted, and the next rung does not wait."""
    ground = done.ground
    heard = tuple(name for name in step.notify if name in ground.channels)
    missing = tuple(name for name in step.notify if name not in ground.channels)
    done.note(Entry("spoke", ground.now, due_at=due_at, step=step.index, loop=loop, channels=heard))
    done.speeches.append(Speech(step, loop, due_at, heard))
    if missing:
        kind: Literal["unheard", "unreached"] = "unheard" if heard else "unreached"
        done.note(Entry(kind, ground.now, step=step.index, loop=loop, why=MISSING, channels=missing))


def _hurry(done: Advance) -> None:
    """A rung reached nobody: the next one at once, if it is one that follows another; else the last resort, once."""
    step = _following(done.run, done.ground.ladder)
    if step is not None and isinstance(step.at, After | Unacknowledged):
        _reach(done, done.ground.at)
        return
    ground, speaker = done.ground, done.run.speaker
    resort = ground.ladder.last_resort
    heard = (resort,) if resort is not None and resort in ground.channels and not done.run.last_resort_told else ()
    done.note(Entry("last_resort", ground.now, step=speaker, loop=done.run.loop, channels=heard))
    if heard:
        done.speeches.append(Speech(ground.ladder.steps[speaker], done.run.loop, ground.at, heard, is_last_resort=True))
