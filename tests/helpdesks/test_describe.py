"""What a preview shows of an event."""

import json
from datetime import UTC, datetime

from app.helpdesks._describe import event_as_json
from app.rules.events import Actor, ActorKind, EventKind, Message, TicketEvent

AT = datetime(2026, 11, 21, 9, 30, 4, 123_999, tzinfo=UTC)


def test_an_event_is_shown_as_plain_json() -> None:
    event = TicketEvent(
        source="acme",
        ticket="811",
        key="evt-1",
        at=AT,
        kind=EventKind.MESSAGE_CUSTOMER,
        set={"tags": ("vip",), "created_at": AT, "assignee": None, "csat": 4.5},
        message=Message(ActorKind.CUSTOMER, public=True, id="c1"),
        actor=Actor(ActorKind.CUSTOMER, "501"),
        order=7,
        echo=True,
    )

    assert json.loads(json.dumps(event_as_json(event))) == {
        "kind": "message.customer",
        "ticket": "811",
        "key": "evt-1",
        "at": "2026-11-21T09:30:04.123Z",
        "actor": {"kind": "customer", "id": "501"},
        "set": {"tags": ["vip"], "created_at": "2026-11-21T09:30:04.123Z", "assignee": None, "csat": 4.5},
        "message": {"author": "customer", "public": True, "id": "c1"},
    }


def test_an_event_without_message_shows_none() -> None:
    shown = event_as_json(TicketEvent(source="acme", ticket="1", key="k", at=AT))

    assert (shown["message"], shown["actor"], shown["set"]) == (None, {"kind": "unknown", "id": None}, {})
