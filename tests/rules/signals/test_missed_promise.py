"""Promised updates: when one is missed, and what keeps or lifts it."""

from datetime import datetime

import pytest

from app.rules.events import FactValue, TicketEvent
from app.rules.signals import Count, SignalRule
from tests.rules.builders import at, event, timeline
from tests.rules.signals.watching import instants, raised

MISSED = SignalRule("missed_promise", Count(0))


def promised(when: str, until: FactValue) -> TicketEvent:
    """A note that promises an update."""
    return event(f"{when} agent notes", promised_update_at=until)


def missed(*told: str | TicketEvent) -> list[datetime]:
    return instants(timeline("09:00 created", *told), MISSED, "13:00")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param((), ["11:00"], id="nobody writes"),
        pytest.param(("11:00 agent replies",), [], id="somebody writes at the last moment"),
        pytest.param(("11:00:01 agent replies",), ["11:00"], id="somebody writes too late"),
        pytest.param(
            ("10:00 agent notes", "10:10 bot replies", "10:20 customer asks"), ["11:00"], id="notes, bots and customers keep nothing"
        ),
        pytest.param(("11:00 solved",), [], id="it is solved at that moment"),
        pytest.param(("11:00 solved", "11:30 reopened"), [], id="nor is it missed when it comes back"),
        pytest.param(("10:00 deleted",), [], id="it is gone by then"),
        pytest.param(("10:00 deleted", "12:00 undeleted"), [], id="and back after it"),
        pytest.param(("10:00 merged into 2",), [], id="it is merged by then"),
        pytest.param((promised("10:00", None),), [], id="the promise is taken back"),
    ],
)
def test_a_promised_update_is_missed_unless_somebody_writes_or_nobody_has_to(
    told: tuple[str | TicketEvent, ...], expected: list[str]
) -> None:
    assert [at(when) for when in expected] == missed(promised("09:30", at("11:00")), *told)


@pytest.mark.parametrize("until", [at("09:30"), at("09:00")])
def test_an_update_that_is_promised_for_the_past_is_none(until: datetime) -> None:
    assert [] == missed(promised("09:30", until))


def test_a_reply_before_the_promise_does_not_keep_it() -> None:
    assert [at("11:00")] == missed("09:20 agent replies", promised("09:30", at("11:00")))


def test_each_promise_is_looked_at() -> None:
    kept = (promised("09:10", "soon"), promised("09:30", at("10:00")), "09:40 agent replies")
    line = timeline("09:00 created", *kept, promised("10:00", at("11:00")), "11:30 agent replies")
    [one] = raised(line, MISSED, "13:00")

    assert ("1 promise was broken.", "2026-03-02 11:00 UTC: promised update.") == one.evidence.sentences


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        ("2026-03-02T11:00:00Z", ["11:00"]),
        ("2026-03-02T12:00:00+02:00", ["10:00"]),
        ("2026-03-02T11:00:00", ["11:00"]),
        (datetime.fromisoformat("2026-03-02T12:00:00+02:00"), ["10:00"]),
        ("tomorrow", []),
        (7, []),
    ],
)
def test_an_instant_without_an_offset_is_read_as_utc_and_what_is_none_is_no_promise(until: FactValue, expected: list[str]) -> None:
    assert [at(when) for when in expected] == missed(promised("09:30", until))
