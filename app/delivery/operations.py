"""What is said of an endpoint itself: that it fails, was disabled, has recovered. It goes out over other channels than its own."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import orjson

from app.delivery.breaker import Step
from app.delivery.routes import Routes
from app.ids import MESSAGE, new_id
from app.schemas.events_out import EndpointData, EndpointDisabled, EndpointFailing, EndpointRecovered
from app.store import outbox
from app.store.database import Connection
from app.store.endpoints import Endpoint

_EVENTS: Final[Mapping[Step, type[EndpointFailing | EndpointDisabled | EndpointRecovered]]] = {
    "failing": EndpointFailing,
    "disabled": EndpointDisabled,
    "recovered": EndpointRecovered,
}


async def announce(conn: Connection, step: Step, endpoint: Endpoint, routes: Routes, at: datetime, *, held: int = 0) -> int:
    """Enqueue the event of a step, for those who hear of such things; how many hear it. `held`: deliveries held back."""
    event = _EVENTS[step](timestamp=at, data=_data(step, endpoint, routes, at, held))
    hearers = routes.operators(event.type, about=endpoint.channel)
    if not hearers:
        return 0
    notice_id = new_id(MESSAGE)
    body = orjson.dumps(event.model_dump(mode="json", exclude_none=True))
    row = {"id": notice_id, "type": event.type, "milestone": step, "body": body, "created_at": at}
    rows = []
    for channel in hearers:
        ready_at = routes.ready_at(channel, at)
        times = {"next_attempt_at": ready_at, "fallback_at": routes.fallback_at(channel, event.type, ready_at)}
        rows.append(outbox.fresh(notice_id, event.type, channel, f"{notice_id}:{channel}", at) | times)
    await outbox.add(conn, [row], rows)
    return len(hearers)


def _data(step: Step, endpoint: Endpoint, routes: Routes, at: datetime, held: int) -> EndpointData:
    return EndpointData(
        channel=endpoint.channel,
        kind=routes.kind_of(endpoint.channel),
        state=step,
        since=endpoint.failing_since or endpoint.disabled_at or at,
        failures=endpoint.failures,
        error_class=endpoint.error_class,
        detail=endpoint.detail,
        held=held,
    )
