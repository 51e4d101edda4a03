"""How a run's snapshot and log are stored: a ladder with its calendar, and the lines of the log, as plain JSON values."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final

import orjson

from app.rules.calendar import Calendar
from app.rules.condition_tests import Scalar
from app.rules.conditions import All, Any_, Condition, FactTest, Not
from app.rules.escalation import After, AtBreach, AtPercent, Ladder, Repeat, Step, Trigger, Unacknowledged, WriteBack
from app.rules.escalation_log import Entry
from app.rules.hours import CalendarSpec
from app.store.types import from_microseconds, to_microseconds

_INSTANTS: Final = ("due_at", "until")
_PLAIN: Final = ("step", "loop", "to", "link", "notice")


def dump(ladder: Ladder, calendar: Calendar) -> dict[str, Any]:
    """The snapshot: everything of ladder and calendar that a run needs, whatever becomes of the document."""
    return {"ladder": _ladder_out(ladder), "calendar": _calendar_out(calendar.spec)}


def load(snapshot: Mapping[str, Any]) -> tuple[Ladder, Calendar]:
    """The ladder and calendar of `dump`. Equal snapshots give the same objects, so a calendar is compiled once for all its runs."""
    return _load(orjson.dumps(snapshot, option=orjson.OPT_SORT_KEYS))


@lru_cache(maxsize=256)
def _load(raw: bytes) -> tuple[Ladder, Calendar]:
    snapshot = orjson.loads(raw)
    return _ladder_in(snapshot["ladder"]), Calendar(_calendar_in(snapshot["calendar"]))


def dump_entry(entry: Entry) -> dict[str, Any]:
    """The columns of a line of the log: at, kind, actor, note, detail."""
    detail: dict[str, Any] = {name: getattr(entry, name) for name in _PLAIN if getattr(entry, name)}
    if entry.step is not None:
        detail["step"] = entry.step
    for name in _INSTANTS:
        at: datetime | None = getattr(entry, name)
        if at is not None:
            detail[name] = to_microseconds(at)
    if entry.channels:
        detail["channels"] = list(entry.channels)
    return {"at": entry.at, "kind": entry.kind, "actor": entry.by, "note": entry.why, "detail": detail}


def load_entry(row: Any) -> Entry:
    """The line of the log of `dump_entry`."""
    detail = dict(row.detail)
    for name in _INSTANTS:
        if name in detail:
            detail[name] = from_microseconds(detail[name])
    return Entry(row.kind, row.at, by=row.actor, why=row.note, channels=tuple(detail.pop("channels", ())), **detail)


def _ladder_out(ladder: Ladder) -> dict[str, Any]:
    return {
        "name": ladder.name,
        "steps": [_step_out(step) for step in ladder.steps],
        "acknowledge_for": ladder.acknowledge_for,
        "last_resort": ladder.last_resort,
    }


def _ladder_in(data: Mapping[str, Any]) -> Ladder:
    return Ladder(data["name"], tuple(_step_in(index, step) for index, step in enumerate(data["steps"])), data["acknowledge_for"],
                  data["last_resort"])  # fmt: skip


def _step_out(step: Step) -> dict[str, Any]:
    return {
        "at": _trigger_out(step.at),
        "type": step.type,
        "notify": list(step.notify),
        "write_back": asdict(step.write_back) if step.write_back is not None else None,
        "repeat": [step.repeat.every_seconds, step.repeat.times] if step.repeat is not None else None,
        "if": _condition_out(step.condition) if step.condition is not None else None,
        "immediate": step.immediate,
        "wall": step.wall,
    }


def _step_in(index: int, data: Mapping[str, Any]) -> Step:
    wanted, repeat, condition = data["write_back"], data["repeat"], data["if"]
    return Step(
        index=index,
        at=_trigger_in(data["at"]),
        type=data["type"],
        notify=tuple(data["notify"]),
        write_back=WriteBack(**wanted | {"tags": tuple(wanted["tags"])}) if wanted is not None else None,
        repeat=Repeat(*repeat) if repeat is not None else None,
        condition=_condition_in(condition) if condition is not None else None,
        immediate=data["immediate"],
        wall=data["wall"],
    )


def _trigger_out(trigger: Trigger) -> list[Any]:
    match trigger:
        case AtBreach():
            return ["breach"]
        case AtPercent(percent=percent):
            return ["percent", percent]
        case After(seconds=seconds):
            return ["after", seconds]
        case Unacknowledged(seconds=seconds):
            return ["unacknowledged", seconds]


def _trigger_in(data: Sequence[Any]) -> Trigger:
    match data[0]:
        case "breach":
            return AtBreach()
        case "percent":
            return AtPercent(data[1])
        case "after":
            return After(data[1])
        case _:
            return Unacknowledged(data[1])


def _condition_out(condition: Condition) -> list[Any]:
    match condition:
        case FactTest(fact=fact, op=op, value=value):
            return ["test", fact, op, [_scalar_out(each) for each in value] if isinstance(value, tuple) else _scalar_out(value)]
        case Not(part):
            return ["not", _condition_out(part)]
        case All(parts):
            return ["all", *map(_condition_out, parts)]
        case Any_(parts):
            return ["any", *map(_condition_out, parts)]


def _condition_in(data: Sequence[Any]) -> Condition:
    match data[0]:
        case "test":
            value = data[3]
            return FactTest(data[1], data[2], tuple(map(_scalar_in, value)) if isinstance(value, list) else _scalar_in(value))
        case "not":
            return Not(_condition_in(data[1]))
        case "all":
            return All(tuple(map(_condition_in, data[1:])))
        case _:
            return Any_(tuple(map(_condition_in, data[1:])))


def _scalar_out(value: Scalar) -> Any:
    """Dates and instants as an object, so that they come back as what they were."""
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    return {"on": value.isoformat()} if isinstance(value, date) else value


def _scalar_in(value: Any) -> Scalar:
    if not isinstance(value, dict):
        found: Scalar = value
        return found
    return datetime.fromisoformat(value["at"]) if "at" in value else date.fromisoformat(value["on"])


def _calendar_out(spec: CalendarSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "zone": spec.zone,
        "always": spec.always,
        "hours": [[day, [list(each) for each in intervals]] for day, intervals in spec.hours.items()],
        "holidays": [[day.isoformat(), name] for day, name in spec.holidays.items()],
        "yearly": [[month, day, name] for (month, day), name in spec.yearly.items()],
        "open_days": [[day.isoformat(), [list(each) for each in intervals]] for day, intervals in spec.open_days.items()],
    }


def _calendar_in(data: Mapping[str, Any]) -> CalendarSpec:
    return CalendarSpec(
        name=data["name"],
        zone=data["zone"],
        hours={day: _intervals(intervals) for day, intervals in data["hours"]},
        holidays={date.fromisoformat(day): name for day, name in data["holidays"]},
        yearly={(month, day): name for month, day, name in data["yearly"]},
        open_days={date.fromisoformat(day): _intervals(intervals) for day, intervals in data["open_days"]},
        always=data["always"],
    )


def _intervals(data: Sequence[Sequence[int]]) -> tuple[tuple[int, int], ...]:
    return tuple((start, end) for start, end in data)
