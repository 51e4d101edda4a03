"""What Zendesk would send: the bodies of its event subscriptions and their signature, written from its documentation. Pure and seeded.

https://developer.zendesk.com/api-reference/webhooks/event-types/ticket-events/ and
https://developer.zendesk.com/documentation/webhooks/verifying/
"""

import base64
import hashlib
import hmac
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from app.cli._demo.scenario import REPEATED, Act, Story, Ticket

_GROUPS: Final = ("7001", "7002")
_AGENTS: Final = ("810001", "810002", "810003")
_RETRY: Final = (0.3, 1.2)
"""Seconds after which a webhook that is delivered twice comes again."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook on its way: `due` in seconds after the start. `repeat`: the same was sent before."""

    due: float
    ticket: str
    type: str
    body: bytes
    repeat: bool = False


def deliveries(story: Story, start: datetime) -> list[Delivery]:
    """Every webhook of the story, in the order in which the helpdesk sends them. `start` is when the story begins, in UTC."""
    rng = random.Random(story.seed + 1)
    return sorted((one for ticket in story.tickets for one in _of_ticket(ticket, start, rng)), key=lambda each: each.due)


def signed_headers(secret: str, body: bytes, at: datetime) -> dict[str, str]:
    """The headers of one attempt: base64(HMAC-SHA256(secret, timestamp + body))."""
    stamp = at.isoformat(timespec="seconds").replace("+00:00", "Z")
    digest = hmac.new(secret.encode(), stamp.encode() + body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Zendesk Webhook",
        "X-Zendesk-Webhook-Signature": base64.b64encode(digest).decode(),
        "X-Zendesk-Webhook-Signature-Timestamp": stamp,
    }


def _of_ticket(ticket: Ticket, start: datetime, rng: random.Random) -> Iterator[Delivery]:
    record = _Record(ticket, start + timedelta(seconds=ticket.opened), rng)
    for act in ticket.fate.acts:
        due = ticket.opened + act.at + act.delay
        for kind, body in record.apply(act):
            yield Delivery(due, ticket.id, kind, body)
            if rng.random() < REPEATED:
                yield Delivery(due + rng.uniform(*_RETRY), ticket.id, kind, body, repeat=True)


class _Record:
    """One ticket as Zendesk knows it; every act changes it and yields the notifications about that."""

    def __init__(self, ticket: Ticket, opened: datetime, rng: random.Random) -> None:
        self._id, self._requester, self._opened, self._rng = ticket.id, ticket.requester, opened, rng
        self._detail: dict[str, Any] = {
            "id": ticket.id,
            "subject": ticket.subject,
            "description": ticket.subject,
            "status": "NEW",
            "priority": ticket.priority.upper(),
            "type": "QUESTION",
            "tags": ["gold"] if ticket.gold else [],
            "via": {"channel": "email"},
            "requester_id": ticket.requester,
            "submitter_id": ticket.requester,
            "actor_id": ticket.requester,
            "assignee_id": None,
            "group_id": _GROUPS[0],
            "organization_id": None,
            "external_id": None,
            "is_public": True,
            "created_at": _seconds(opened),
        }

    def apply(self, act: Act) -> Iterator[tuple[str, bytes]]:
        """The act's notifications: (type, body), all of one instant."""
        at = self._opened + timedelta(seconds=act.at)
        agent = self._detail["assignee_id"] or self._rng.choice(_AGENTS)
        self._detail["updated_at"] = _seconds(at)
        self._detail["actor_id"] = self._requester if act.name in ("created", "asked") else agent
        match act.name:
            case "created":
                yield self._tell("created", at, {})
            case "asked":
                yield self._comment(at, self._requester, is_staff=False)
            case "replied":
                yield self._comment(at, agent, is_staff=True)
                if self._detail["status"] == "NEW":
                    yield self._change("status", "status_changed", at, "OPEN")
            case "assigned":
                others = [each for each in _AGENTS if each != self._detail["assignee_id"]]
                yield self._change("assignee_id", "agent_assignment_changed", at, self._rng.choice(others))
            case "moved":
                yield self._change("group_id", "group_assignment_changed", at, _GROUPS[1])
            case "urgent":
                yield self._change("priority", "priority_changed", at, "URGENT")
            case "pending" | "open" | "solved":
                yield self._change("status", "status_changed", at, act.name.upper())

    def _comment(self, at: datetime, author: str, *, is_staff: bool) -> tuple[str, bytes]:
        comment = {
            "id": str(self._rng.randint(10**12, 10**13)),
            "body": "Thank you for your patience." if is_staff else "Any news?",
            "is_public": True,
            "author": {"id": author, "is_staff": is_staff, "name": "Sam" if is_staff else "Kim"},
        }
        return self._tell("comment_added", at, {"comment": comment})

    def _change(self, name: str, kind: str, at: datetime, value: str) -> tuple[str, bytes]:
        previous, self._detail[name] = self._detail[name], value
        return self._tell(kind, at, {"current": value, "previous": previous})

    def _tell(self, kind: str, at: datetime, event: dict[str, Any]) -> tuple[str, bytes]:
        body = {
            "account_id": 22_243_063,
            "id": str(uuid.UUID(int=self._rng.getrandbits(128), version=4)),
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "type": f"zen:event-type:ticket.{kind}",
            "subject": f"zen:ticket:{self._id}",
            "zendesk_event_version": "2022-11-06",
            "detail": self._detail,
            "event": event,
        }
        return f"ticket.{kind}", orjson.dumps(body)


def _seconds(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
