"""Which incident an event belongs to, and where in its life it stands."""

from typing import Any

import pytest

from app.channels._lifecycle import KEY_MAX, key, phase, thread
from app.schemas.events_out import event_types
from tests.channels.notices import notice


def test_every_event_but_a_test_a_digest_and_a_new_due_time_stands_somewhere_in_the_life_of_an_incident() -> None:
    assert {name for name in event_types() if phase(name) == "inform"} == {"test.ping", "sla.digest", "sla.retargeted"}


def test_a_breach_its_ladder_and_its_all_clear_are_one_incident() -> None:
    told = ("sla.warning", "sla.breached", "escalation.step", "escalation.acknowledged", "escalation.deescalated", "sla.recovered")

    assert {key(notice(name).event) for name in told} == {"sla:clk_1"}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (notice("escalation.opened", clock=None).event, "escalation:esc_1"),
        (notice("signal.raised").event, "signal:tkt_1:agent_switching"),
        (notice("endpoint.disabled").event, "endpoint:support-chat"),
        (notice("source.silent").event, "source:acme-zendesk"),
        (notice("test.ping").event, "event:test.ping"),
        ({"type": "sla.breached", "data": 7}, "event:sla.breached"),
    ],
)
def test_what_is_about_no_clock_has_a_key_of_its_own(event: dict[str, Any], expected: str) -> None:
    assert key(event) == expected


def test_a_key_is_never_too_long() -> None:
    assert len(key({"type": "sla.breached", "data": {"clock": {"id": "c" * 500}}})) == KEY_MAX


def test_all_that_concerns_a_ticket_is_one_thread() -> None:
    assert thread(notice("sla.breached").event) == thread(notice("signal.raised").event) == "ticket:tkt_1"
    assert thread(notice("source.silent").event) == "source:acme-zendesk"
