"""What is told of each signal: since when, until when, by which threshold, and the sentences and events that show it."""

from datetime import timedelta

import pytest

from app.rules.conditions import parse_condition
from app.rules.durations import parse_target
from app.rules.policy import Book
from app.rules.signals import Contacts, Count, Evidence, Grace, Knobs, Matching, Raised, Related, Score, SignalRule, Silence
from app.rules.timeline import Timeline
from tests.rules.builders import OFFICE, at, book, event, timeline
from tests.rules.signals.watching import QUIET_BOOK, raised

WRITTEN = ("09:00 created", "09:10 customer asks", "09:20 customer asks")
ASKED = event("09:10 =k1 customer asks", escalation_requested=True)
MISSED = book(first_response="1h", resolution="1000h")


def told(line: Timeline, name: str, knobs: Knobs, *, by: Book = QUIET_BOOK, related: tuple[Related, ...] = ()) -> Raised:
    """The last time that the signal was raised by noon."""
    return raised(line, SignalRule(name, knobs), "12:00", by=by, related=related)[-1]


@pytest.mark.parametrize(
    ("line", "knobs", "expected"),
    [
        pytest.param(
            timeline("09:00 created and assigned anna", "09:10 assigned bert", "09:20 assigned anna"), Count(1, 7200),
            Raised("agent_switching", at("09:20"), at("09:20"), at("11:10"), None, "more than 1 within 2h", Evidence(
                ("2 transfers between 2 agents within 2h: anna, bert.", "2026-03-02 09:10 UTC: from anna to bert.",
                 "2026-03-02 09:20 UTC: from bert to anna."), ("09:10 assigned bert", "09:20 assigned anna"))),
            id="switching agents",
        ),
        pytest.param(
            timeline("09:00 created", ASKED, event("10:00 open", escalation_requested=False)), Grace(900),
            Raised("customer_request", at("09:25"), at("09:25"), at("10:00"), None, "asked for, 15m ago (calendar always)", Evidence(
                ("Asked for a supervisor at 2026-03-02 09:10 UTC, not withdrawn within 15m.",
                 "2026-03-02 09:10 UTC: escalation_requested is true."), ("k1",))),
            id="a wish for a supervisor",
        ),
        pytest.param(
            timeline("09:00 created", ASKED), Grace(0, OFFICE),
            Raised("customer_request", at("09:10"), at("09:10"), None, None, "asked for, 0s ago (calendar test)", Evidence(
                ("Asked for a supervisor at 2026-03-02 09:10 UTC, to be granted at once.",
                 "2026-03-02 09:10 UTC: escalation_requested is true."), ("k1",))),
            id="a wish that is to be granted at once",
        ),
        pytest.param(
            timeline("09:00 created", "09:10 #1 customer asks", event("09:10 #2 =k1 open", csat=2), event("09:20 open", csat=4)), Score(3),
            Raised("low_csat", at("09:10"), at("09:10"), at("09:20"), None, "below 3", Evidence(
                ("2026-03-02 09:10 UTC: the satisfaction score is 2, below 3.",), ("k1",))),
            id="a low score",
        ),
        pytest.param(
            timeline("09:00 created", event("09:10 #1 =k1 customer asks", sentiment=-0.75), "09:10 #2 agent replies"), Score(-0.5),
            Raised("sentiment_drop", at("09:10"), at("09:10"), None, None, "below -0.5", Evidence(
                ("2026-03-02 09:10 UTC: the sentiment is -0.75 (below -0.5).",), ("k1",))),
            id="a bad mood",
        ),
        pytest.param(
            timeline("09:00 created", event("09:05 open", sentiment=0.5), event("09:10 =k1 customer asks", sentiment=-0.25)),
            Score(-0.5, 0.75),
            Raised("sentiment_drop", at("09:10"), at("09:10"), None, None, "below -0.5 or a drop of 0.75", Evidence(
                ("2026-03-02 09:10 UTC: the sentiment is -0.25, down from 0.5 (below -0.5 or a drop of 0.75).",), ("k1",))),
            id="a mood that fell",
        ),
        pytest.param(
            timeline("09:00 =k0 created"), Count(0),
            Raised("repeat_ticket", at("09:00"), at("09:00"), None, None, "more than 0", Evidence(
                ("1 earlier ticket of the same kind.", "2026-03-02 08:00 UTC: A-1 (same organization)."), ("k0",))),
            id="a repeated ticket",
        ),
        pytest.param(
            timeline(*WRITTEN, "09:30 agent replies"), Contacts(1, 3600),
            Raised("repeated_contact", at("09:20"), at("09:20"), at("09:30"), None, "more than 1 without an answer within 1h", Evidence(
                ("2 messages of the customer without an answer.", "2026-03-02 09:10 UTC: the customer wrote.",
                 "2026-03-02 09:20 UTC: the customer wrote."), WRITTEN[1:])),
            id="repeated contact",
        ),
        pytest.param(
            timeline("09:00 created", "09:05 agent replies", *WRITTEN[1:]), Contacts(1, None, after_answer=True),
            Raised("repeated_contact", at("09:20"), at("09:20"), None, None, "more than 1 after an answer", Evidence(
                ("2 messages of the customer after an answer.", "2026-03-02 09:10 UTC: the customer wrote.",
                 "2026-03-02 09:20 UTC: the customer wrote."), WRITTEN[1:])),
            id="repeated contact after an answer",
        ),
        pytest.param(
            timeline("09:00 created", "09:10 solved", "09:20 reopened", "09:30 solved", "09:40 reopened"), Count(1),
            Raised("reopened", at("09:40"), at("09:40"), None, None, "more than 1", Evidence(
                ("Reopened 2 times after it had been solved.", "2026-03-02 09:20 UTC: reopened.", "2026-03-02 09:40 UTC: reopened."),
                ("09:20 reopened", "09:40 reopened"))),
            id="reopened",
        ),
        pytest.param(
            timeline("09:00 created", "09:10 #1 agent replies", "09:10 #2 open", "11:30 agent replies"),
            Silence(parse_target("1h"), OFFICE),
            Raised("silence", at("10:10"), at("10:10"), at("11:30"), None, "longer than 1h (calendar test)", Evidence(
                ("No public message of an agent since 2026-03-02 09:10 UTC, longer than 1h (calendar test).",), ("09:10 #2 open",))),
            id="silence",
        ),
        pytest.param(
            timeline("09:00 created", "09:10 pending"), Matching(parse_condition({"priority": {"not": "low"}})),
            Raised("impact", at("09:00"), at("09:00"), None, None, "the condition of the document holds", Evidence(
                ("2026-03-02 09:00 UTC: the condition holds.",))),
            id="a condition over what nobody said",
        ),
        pytest.param(
            timeline("09:00 created"), Count(0),
            Raised("missed_promise", at("10:00"), at("10:00"), None, None, "more than 0", Evidence(
                ("1 promise was broken.", "2026-03-02 10:00 UTC: first response."))),
            id="a missed promise",
        ),
    ],
)  # fmt: skip
def test_a_signal_tells_all_there_is_to_it(line: Timeline, knobs: Knobs, expected: Raised) -> None:
    by = MISSED if expected.name == "missed_promise" else QUIET_BOOK

    assert expected == told(line, expected.name, knobs, by=by, related=(Related("t", "A-1", at("08:00"), "organization"),))


def test_several_missed_promises_are_named_in_the_order_of_time() -> None:
    line = timeline(event("09:00 created", promised_update_at=at("09:30") + timedelta(seconds=1)))
    found = told(line, "missed_promise", Count(1), by=MISSED)

    assert (
        "2 promises were broken.",
        "2026-03-02 09:30 UTC: promised update.",
        "2026-03-02 10:00 UTC: first response.",
    ) == found.evidence.sentences
