"""Overdue metrics and runs of the detector -> which breaches each run says.

The ticket has targets that ran out long before the first run for every metric that is overdue, and targets far ahead for the others. A
run judges, and says each passed breach that was not said before; the suppression window of a case is not needed for that.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from app.rules.deadline import BREACH
from app.rules.evaluate import evaluate
from app.rules.policy import Book, OpenTime, Policy, Terms
from app.rules.timeline import Timeline
from tests.conformance.case_files import Case, calendar
from tests.conformance.kinds._documents import METRICS
from tests.rules.builders import event

_CREATED = event("09:00 created")
_FIRST_RUN = datetime(2026, 3, 16, 12, tzinfo=UTC)
_OVERDUE = OpenTime(60)
_AHEAD = OpenTime(30 * 24 * 3600)


def answer(case: Case) -> Mapping[str, Any]:
    hours = calendar(case["calendar"])
    terms = [Terms(METRICS[name], hours, {"default": _OVERDUE if state == "overdue" else _AHEAD}) for name, state in case["state"].items()]
    book = Book(1, (Policy("case", None, {promise.metric: promise for promise in terms}),))
    ticket = Timeline().extend([_CREATED])
    said: set[str] = set()
    runs: list[list[str]] = []
    for number, _ in enumerate(case["runs"]):
        clocks = evaluate(ticket, book, _FIRST_RUN + timedelta(minutes=number)).clocks
        fresh = {c.cycle.metric for c in clocks for mark in c.passed if mark.name == BREACH} - said
        said |= fresh
        runs.append([f"{name}.escalated" for name, ours in METRICS.items() if ours in fresh])
    return {"events_per_run": runs}
