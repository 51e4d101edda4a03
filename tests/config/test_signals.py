"""The sections `signals` and `guidance` as the values the engine works with."""

import re
from typing import cast

import pytest

from app.config.signals import Signals
from app.rules import signals
from app.rules.calendar import ALWAYS
from app.rules.conditions import parse_condition
from app.rules.guidance import Guidance, GuidanceBook
from app.rules.policy import BusinessDays, OpenTime
from tests.config.support import ROOT, loaded, said

OFFICE = "calendars: {office: {timezone: UTC, hours: {mon-fri: '09:00-17:00'}}}\n"
LADDER = "escalations: {l: {steps: [{at: breach, notify: []}]}}\n"


def rule(text: str) -> signals.SignalRule:
    """The one rule of a section."""
    (found,) = loaded(OFFICE + LADDER + "tiers: [{name: Gold, match: {tags: g}}, {name: rest}]\n" + text).signals
    return found


def test_the_document_knows_each_signal_and_no_other() -> None:
    assert signals.names() == tuple(sorted(Signals.model_fields))


def test_a_tier_inherits_what_it_does_not_say() -> None:
    made = rule("signals: {agent_switching: {more_than: 3, within: 7d, tiers: {Gold: {more_than: 2}}}}\n")

    assert signals.Count(3, 7 * 86_400) == made.knobs_for("rest") == made.knobs_for(None)
    assert signals.Count(2, 7 * 86_400) == made.knobs_for("gold")


def test_what_follows_and_when_else() -> None:
    made = rule("signals: {severity: {match: {priority: urgent}, escalate: l, immediate: true, cooldown: 1h, dwell: 5m, if: {group: a}}}\n")

    assert signals.Matching(parse_condition({"priority": "urgent"})) == made.knobs
    assert ("l", True, 3600, 300, parse_condition({"group": "a"})) == (made.escalate, made.immediate, made.cooldown, made.dwell, made.only)


def test_silence_runs_on_its_calendar_and_a_tier_may_have_another() -> None:
    made = rule("signals: {silence: {longer_than: 1bd, calendar: office, tiers: {Gold: {longer_than: 4h, calendar: always}}}}\n")
    office, gold = cast(signals.Silence, made.knobs), made.knobs_for("Gold")

    assert (BusinessDays(1), "office") == (office.longer_than, office.calendar.name)
    assert signals.Silence(OpenTime(4 * 3600), ALWAYS) == gold


def test_a_wish_for_a_supervisor_waits_a_quarter_of_an_hour_and_for_some_not_at_all() -> None:
    made = rule("signals: {customer_request: {calendar: office, tiers: {Gold: {grace: 0s}}}}\n")
    rest, gold = cast(signals.Grace, made.knobs), cast(signals.Grace, made.knobs_for("Gold"))

    assert (900, "office", signals.REQUESTED) == (rest.seconds, rest.calendar.name, rest.match)
    assert (0, "office") == (gold.seconds, gold.calendar.name)


@pytest.mark.parametrize(
    ("text", "knobs"),
    [
        ("{repeated_contact: {more_than: 2, after_answer: true}}", signals.Contacts(2, None, after_answer=True)),
        ("{low_csat: {below: 3}}", signals.Score(3.0)),
        ("{sentiment_drop: {below: -0.5, drop: 0.8}}", signals.Score(-0.5, 0.8)),
        ("{reopened: {more_than: 0}}", signals.Count(0)),
    ],
)
def test_thresholds_of_each_kind(text: str, knobs: signals.Knobs) -> None:
    assert knobs == rule(f"signals: {text}\n").knobs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("signals: {silence: {longer_than: 2d}}\n", []),
        ("signals: {silence: {longer_than: 2d, calendar: office}}\n", ["2:34 ambiguous-days"]),
        ("signals: {silence: {longer_than: 2h, calendar: office, tiers: {a: {longer_than: 2d}}}}\n", ["2:81 ambiguous-days"]),
        ("signals: {customer_request: {grace: soon, calendar: office}}\n", ["2:37 bad-duration"]),
        ("signals: {reopened: {more_than: 1, escalate: nobody}}\n", ["2:46 unknown-name"]),
        ("guidance: {texts: {silense: {en: {customer: Hm.}}}}\n", ["2:20 unknown-name"]),
        ("guidance: {texts: {silence: {en: {customer: 'Dear {name},'}}}}\n", ["2:45 bad-value"]),
    ],
)
def test_what_is_wrong_is_told(text: str, expected: list[str]) -> None:
    found = [one for one in said(OFFICE + text) if "unused" not in one]

    assert expected == found


def test_guidance_is_by_subject_and_language() -> None:
    book = loaded(
        "guidance: {language: de, update_within: 2h, texts: {silence: {de-AT: {advice: Servus.}, de: {customer: 'Bis {next_update}.'}}}}\n"
    ).guidance

    assert GuidanceBook(True, "de", 7200, {"silence": {"de-at": Guidance(("Servus.",)), "de": Guidance((), "Bis {next_update}.")}}) == book


def test_the_page_of_signals_has_each_with_an_example_that_is_right() -> None:
    page = (ROOT / "docs" / "signals.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    ladder = LADDER.replace("{l:", "{wake-somebody:")
    document = (
        OFFICE.replace("office:", "office-berlin:") + ladder + "tiers: [{name: platinum, match: {tags: p}}, {name: rest}]\nsignals:\n"
    )
    made = loaded(document + "".join(f"  {line}\n" for block in blocks for line in block.splitlines())).signals

    assert (
        set(signals.names())
        == {rule.name for rule in made}
        == set(re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^### .*$", page, re.MULTILINE))))
    )
