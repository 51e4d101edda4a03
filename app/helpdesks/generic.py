"""Any helpdesk that can post JSON: the document says, in JMESPath, where in the body the facts are.

One object is in reach of every expression: `{body, headers, item, received_at}`; header names are lower-case, `item` is the element of
`each`, `received_at` is RFC 3339 in UTC. See docs/helpdesks/generic.md for the rules and for what such helpdesks do.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from app.exchange import HttpRequest
from app.helpdesks import Reading, SourceConfig, _common, _json, _verify
from app.helpdesks._expressions import Expression
from app.helpdesks._lookup import Lookup
from app.helpdesks._mapping import EventRule
from app.helpdesks._reading import Scene
from app.helpdesks.writing import generic as writing
from app.rules.events import TicketEvent
from app.schemas.events_out import rfc3339

EVENTS_MAX: Final = 2000
"""Elements one `each` may have: a delivery that repeats a ticket's whole history stays far below."""

_KEPT_FROM_MAPPINGS: Final = ("authorization", "cookie", "proxy-authorization")


class Config(SourceConfig):
    """A source of any kind of JSON."""

    kind: Literal["generic"]
    write_back: writing.Config | None = Field(default=None, description="How breaches are marked here.")
    verify: _verify.Verification = Field(description="How requests prove where they come from; `none` has to be written.")
    timezone: _common.ZoneName = Field(default="UTC", description="The zone of times that name none.")
    delivery_id: Expression | None = Field(default=None, description="The helpdesk's own id of the delivery, the same over its retries.")
    events: list[EventRule] = Field(min_length=1, max_length=100, description="What a delivery may say; one may yield several events.")


def verify(request: HttpRequest, config: Config, now: datetime) -> None:
    """Returns if everything under `verify` holds; else InvalidSignature."""
    _verify.check(request, config.verify, now)


def parse(request: HttpRequest, config: Config, received_at: datetime) -> Reading:
    """The events of all rules, in the order of the document. Unreadable names the rule, the expression and the word that is in the way;
    one such place quarantines the delivery whole.
    """
    body = _json.read(request.body).value
    headers = {name: value for name, value in request.headers.items() if name not in _KEPT_FROM_MAPPINGS}
    context = {"body": body, "headers": headers, "item": None, "received_at": rfc3339(received_at)}
    delivery_id = _delivery_id(config, context)
    fallback = delivery_id or _common.digest(request.body, _common.window(received_at))
    zone = ZoneInfo(config.timezone)
    scenes = (
        Scene(rule, Lookup(place, over, zone), config, received_at, fallback)
        for index, rule in enumerate(config.events)
        for place, over in _contexts(rule, f"events[{index}]", context)
    )
    events = _once(scene.event() for scene in scenes)
    if not events:
        return Reading("ignored", reason="No rule of this source's `events` holds for this delivery.", delivery_id=delivery_id)
    return Reading("applied", events, delivery_id=delivery_id)


def _contexts(rule: EventRule, place: str, context: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if rule.each is None:
        yield place, context
        return
    items = _value(f"{place}.each", rule.each, context)
    if items is None or items is False:
        return
    if not isinstance(items, list):
        raise _json.unreadable(f"{place}.each: {rule.each} does not yield a list.", rule.each.pointer)
    if len(items) > EVENTS_MAX:
        raise _json.unreadable(f"{place}.each: {rule.each} yields {len(items)} elements; at most {EVENTS_MAX} are read.", rule.each.pointer)
    for index, item in enumerate(items):
        yield f"{place} (item {index})", {**context, "item": item}


def _delivery_id(config: Config, context: Mapping[str, Any]) -> str | None:
    """The source's own id, or the first of a rule's; None when there is none."""
    for expression in (config.delivery_id, *(rule.delivery_id for rule in config.events)):
        if expression is not None:
            found = _json.Node(_value("delivery_id", expression, context), expression.pointer).id()
            if found is not None:
                return found
    return None


def _value(place: str, expression: Expression, context: Mapping[str, Any]) -> Any:
    try:
        return expression(context)
    except ValueError as error:
        raise _json.unreadable(f"{place}: {expression} {error}.", expression.pointer) from None


def _once(events: Iterator[TicketEvent | None]) -> tuple[TicketEvent, ...]:
    """Without the empty ones, and each (ticket, key) once: the first counts."""
    found: dict[tuple[str, str], TicketEvent] = {}
    for event in events:
        if event is not None:
            found.setdefault((event.ticket, event.key), event)
    return tuple(found.values())
