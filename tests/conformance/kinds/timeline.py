"""A policy and events -> what holds at checkpoints. Everything is put into policies and ticket events of ours, and judged by the engine."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from app.rules.conditions import holds, parse_condition
from app.rules.evaluate import Clock, evaluate
from app.rules.events import Actor, ActorKind, EventKind, Facts, FactValue, Message, TicketEvent
from app.rules.policy import Book
from app.rules.timeline import Timeline
from tests.conformance.case_files import Case, instant
from tests.conformance.kinds._documents import METRICS, Document, Statuses, plain

_MICROSECONDS = 60_000_000  # of a minute
_AUTHORS = {
    "first_response_recorded": ActorKind.AGENT,
    "agent_contact_recorded": ActorKind.AGENT,
    "agent_message": ActorKind.AGENT,
    "customer_contact_recorded": ActorKind.CUSTOMER,
    "customer_message": ActorKind.CUSTOMER,
}
_FACTS = {"owner": "assignee"}
_NO_POLICY: Case = {"targets": {}}


def answer(case: Case) -> Mapping[str, Any]:
    return {"checkpoints": [_checkpoint(case, asked) for asked in case["expect"]["checkpoints"]]}


def _checkpoint(case: Case, asked: Case) -> Mapping[str, Any]:
    """What the engine says of what a checkpoint asks."""
    events = case["events"][: asked["after"] + 1] if "after" in asked else case["events"]
    at = instant(asked["at"]) if "at" in asked else max(map(_when, events))
    desk = _Desk(case)
    for index, event in enumerate(events):
        if _when(event) <= at:
            desk.take(index, event)
    said = dict(desk.answers(at, asked))
    return {name: value for name, value in said.items() if name in asked}


def _when(event: Case) -> datetime:
    return instant(event["value"] if "value" in event else event["at"])


class _Desk:
    """The ticket of a case, the documents it is judged by, and the levels that have fired."""

    def __init__(self, case: Case) -> None:
        changes = {kind: [e for e in case["events"] if e["type"] == kind] for kind in ("policy_changed", "policy_added")}
        replacing = [event["policy"] or _NO_POLICY for event in changes["policy_changed"]]
        added = [event["policy"] for event in changes["policy_added"]]
        self._changes = changes
        self._statuses = Statuses([case["policy"], *replacing, *added])
        self._documents = [Document(case, "policy 0", [case["policy"], *replacing], self._statuses)]
        self._documents += [Document(case, f"policy {number}", [policy], self._statuses) for number, policy in enumerate(added, 1)]
        self._events: list[TicketEvent] = []
        self._fired: list[str] = []

    def take(self, index: int, event: Case) -> None:
        """The next event in the order of the list. `evaluate` is a run of the detector: levels that are due fire, each at most once."""
        at = _when(event)
        if event["type"] != "evaluate":
            self._events.append(self._translated(index, event))
            return
        for level, due in [entry for document in self._documents for entry in document.levels(document.clocks(self._events, at))]:
            if due <= at and level["name"] not in self._fired and self._holds(level.get("when")):
                self._fired.append(level["name"])
                self._events.append(_event(f"{index:04} {level['name']}", at, index, _facts(level.get("set") or {})))

    def _holds(self, when: Case | None) -> bool:
        return not when or holds(parse_condition(plain(when)), self._known())

    def _known(self) -> Facts:
        ticket = evaluate(Timeline().extend(self._events), Book(1, ()), self._events[-1].at).ticket
        return ticket.facts if ticket else {}

    def _translated(self, index: int, event: Case) -> TicketEvent:
        facts = _facts(self._stated(event))
        if "status" in facts:
            facts["status"] = self._statuses.ours(str(facts["status"]))
        author = _AUTHORS.get(event["type"])
        actor = ActorKind(event.get("actor", "customer")) if event["type"] == "created" else author or ActorKind.SYSTEM
        kind = EventKind.TICKET_CREATED if event["type"] == "created" else EventKind.TICKET_UPDATED
        return _event(f"{index:04}", _when(event), index, facts, kind, actor, author)

    def _stated(self, event: Case) -> Mapping[str, Any]:
        """The facts of an event, in the words of the case; the fact `policy N` has the number of the policy in force in document N."""
        match event["type"]:
            case "created":
                return {name: value for name, value in event.items() if name not in {"at", "type", "actor"}} | {"policy 0": 0}
            case "status":
                return {"status": event["to"]}
            case "closed_recorded":
                return {"status": self._statuses.final}
            case "field_changed":
                return dict(event["set"])
            case "policy_changed":
                return {"policy 0": 1 + self._changes["policy_changed"].index(event)}
            case "policy_added":
                return {f"policy {1 + self._changes['policy_added'].index(event)}": 0}
            case kind if kind in _AUTHORS:
                return {}
            case kind:
                raise ValueError(f"{kind} is no event that is known here")

    def answers(self, at: datetime, asked: Case) -> Iterator[tuple[str, Any]]:
        """Every name that a checkpoint may hold, with its value at an instant."""
        judged = [(document, document.clocks(self._events, at)) for document in self._documents]
        clocks = [clock for _, of_document in judged for clock in of_document]
        of_metric = {metric: [clock for clock in clocks if clock.cycle.metric == ours] for metric, ours in METRICS.items()}
        levels = [entry for document, of_document in judged for entry in document.levels(of_document)]
        next_due = min((clock.due_at for clock in clocks if _is_armed(clock) and clock.due_at is not None), default=None)
        yield from ((place, asked.get(place)) for place in ("after", "at"))
        yield from ((metric, _metric(found, asked.get(metric) or {})) for metric, found in of_metric.items())
        yield from (("next_due", next_due), ("due", next_due), ("overall", _overall(clocks)), ("ticket", self._known()))
        yield "breach_count", {metric: sum(clock.breached_at is not None for clock in found) for metric, found in of_metric.items()}
        yield "levels", {level["name"]: when for level, when in levels}
        yield "level_times", sorted(when for _, when in levels)
        yield "fired", list(self._fired)
        yield "pending_level", next((level["name"] for level, _ in levels if level["name"] not in self._fired), None)


def _event(
    key: str, at: datetime, order: int, facts: Facts, kind: EventKind = EventKind.TICKET_UPDATED,
    actor: ActorKind = ActorKind.SYSTEM, author: ActorKind | None = None,
) -> TicketEvent:  # fmt: skip
    message = None if author is None else Message(author, public=True)
    return TicketEvent("case", "1", key, at, kind, facts, message, Actor(actor), order)


def _facts(stated: Mapping[str, Any]) -> dict[str, FactValue]:
    return {_FACTS.get(name, name): tuple(value) if isinstance(value, list) else value for name, value in stated.items()}


def _metric(clocks: Sequence[Clock], asked: Case) -> Mapping[str, Any]:
    """What is asked of a metric: of its newest clock, and of the worst. A null due asks whether it is armed, an instant when it was due."""
    clock = clocks[-1] if clocks else None
    asks_armed = asked.get("due", ...) is None
    spent = [clock.consumed / _MICROSECONDS for clock in clocks]
    left = [clock.remaining / _MICROSECONDS for clock in clocks if clock.remaining is not None]
    said = {
        "state": _state(clock) if clock else "none",
        "due": None if clock is None or (asks_armed and not _is_armed(clock)) else clock.due_at,
        "dues": sorted(clock.due_at for clock in clocks if clock.due_at is not None),
        "met_at": clock.cycle.stopped_at if clock and clock.state == "stopped" else None,
        "elapsed_minutes": spent[-1] if spent else None,
        "diff_minutes": left[-1] if left else None,
        "worst_elapsed_minutes": max(spent, default=None),
        "worst_diff_minutes": min(left, default=None),
        "paused_business_seconds": _paused_seconds(clock) if clock else None,
    }
    return {name: value for name, value in said.items() if name in asked}


def _is_armed(clock: Clock) -> bool:
    return clock.state == "running"


def _state(clock: Clock) -> str:
    if clock.breached_at is not None:
        return "breached"
    return {"stopped": "met", "cancelled": "none"}.get(clock.state, clock.state)


def _paused_seconds(clock: Clock) -> float:
    hours = clock.cycle.terms.calendar
    ended = [(stretch.start, stretch.end) for stretch in clock.cycle.stretches if stretch.kind == "paused" and stretch.end is not None]
    return sum(hours.open_microseconds_between(start, end) for start, end in ended) / 1_000_000


def _overall(clocks: Sequence[Clock]) -> str:
    is_over = not any(clock.cycle.is_open for clock in clocks)
    is_broken = any(clock.breached_at is not None for clock in clocks)
    if is_over:
        return "missed" if is_broken else "hit"
    return "active_with_misses" if is_broken else "active"
