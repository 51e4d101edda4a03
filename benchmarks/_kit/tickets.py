"""Webhooks as a helpdesk would send them, by the thousand: signed, about 1.5 kB each, four for each ticket."""

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from app.cli._demo.zendesk import signed_headers
from app.timesource import utc_now
from benchmarks._kit.load import request

SECRET: Final = "the-signing-secret-of-the-benchmark"
PATH: Final = "/v1/sources/desk/webhook"
DOCUMENT: Final = """\
version: 1
policies:
  - name: everyone
    calendar: office
    targets: {first_response: 4h, next_response: 8h, resolution: {within: 24h, pause_while: {status: pending}}}
    warn_at: [50%]
calendars:
  office: {timezone: Europe/Berlin, hours: {mon-fri: "09:00-17:00"}}
sources:
  desk: {kind: zendesk, secret: "${env:DESK}"}
"""
ENVIRON: Final = {"DESK": SECRET}
_TEXT: Final = "The printer on the second floor is on fire again, and nobody seems to mind. " * 10

_ACTS: Final[tuple[tuple[str, dict[str, Any], dict[str, Any]], ...]] = (
    ("created", {"status": "NEW"}, {}),
    ("comment_added", {"status": "OPEN"}, {"comment": {"is_public": True, "author": {"id": "810001", "is_staff": True}}}),
    ("comment_added", {"status": "OPEN"}, {"comment": {"is_public": True, "author": {"id": "77", "is_staff": False}}}),
    ("status_changed", {"status": "PENDING"}, {"current": "PENDING", "previous": "OPEN"}),
)


def bodies(count: int, *, prefix: str = "", start: datetime | None = None) -> Iterator[bytes]:
    """The bodies: ticket by ticket in time, but the acts of many tickets interleaved, as they come in life."""
    opened = (start or utc_now()) - timedelta(minutes=30)
    window = 200
    made = 0
    for block in itertools.count():
        for number, act in enumerate(_ACTS):
            for ticket in range(block * window, (block + 1) * window):
                if made >= count:
                    return
                made += 1
                yield _body(f"{prefix}{ticket + 1}", act, opened, opened + timedelta(minutes=5 * number, milliseconds=ticket % 1000))


def signed(count: int, host: str, *, path: str = PATH, prefix: str = "") -> list[bytes]:
    """Whole requests."""
    now = utc_now()
    return [request(host, path, signed_headers(SECRET, body, now), body) for body in bodies(count, prefix=prefix, start=now)]


def _body(ticket: str, act: tuple[str, dict[str, Any], dict[str, Any]], opened: datetime, at: datetime) -> bytes:
    name, facts, told = act
    stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    made = opened.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    key = f"{ticket}-{name}-{at:%H%M%S%f}"
    event = {**told, "comment": {**told["comment"], "id": key, "body": _TEXT}} if "comment" in told else told
    detail = {
        "id": ticket, "subject": "Printer on fire",
        "description": _TEXT if name == "created" else _TEXT[:400], "priority": "NORMAL",
        "requester_id": "77", "submitter_id": "77", "actor_id": "77",
        "assignee_id": "810001", "group_id": "7001", "organization_id": "9001",
        "created_at": made, "updated_at": stamp, "via": {"channel": "email"}, "tags": ["printer", "fire", "floor-2"], "type": "INCIDENT",
        "brand_id": "1", "form_id": "2", "is_public": True, "external_id": None, **facts,
    }  # fmt: skip
    return orjson.dumps(
        {
            "id": key,
            "time": stamp,
            "account_id": 1234567,
            "subject": f"zen:ticket:{ticket}",
            "type": f"zen:event-type:ticket.{name}",
            "zendesk_event_version": "2022-11-06",
            "detail": detail,
            "event": event,
        }
    )
