"""When the fact of an event became true, for channels that date their alerts."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def happened_at(event: Mapping[str, Any], at: datetime) -> datetime:
    """The event's timestamp in UTC, never after `at` (aware); `at` itself when the event has none that can be read."""
    stamp = event.get("timestamp")
    try:
        moment = datetime.fromisoformat(stamp) if isinstance(stamp, str) else at
    except ValueError:
        moment = at
    return min(moment if moment.tzinfo is not None else at, at).astimezone(UTC)
