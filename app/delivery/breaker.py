"""How an endpoint does, after each attempt. Pure: values in, values out; the state is kept in the store, the same for all processes.

The breaker opens after ten attempts in a row without an answer; then one probe a minute may go. An endpoint that has
accepted nothing for hours is warned of, and disabled in the end. What goes wrong on our side says nothing of the endpoint.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from app.store.endpoints import Endpoint

Step = Literal["failing", "disabled", "recovered"]

TRANSPORT: Final = frozenset(
    ["dns_error", "dns_timeout", "connect_refused", "connect_timeout", "connection_reset", "tls_error", "timeout", "protocol_error"]
)
"""Error classes of attempts that got no answer."""
NOT_ITS_FAULT: Final = frozenset({"internal", "payload_too_large"})
"""Error classes that say nothing of the endpoint: our own faults, and a body it will not have."""
OPENS_AFTER: Final = 10
PROBE: Final = timedelta(seconds=60)
WARN_AFTER: Final = (timedelta(hours=6), timedelta(days=3))
DISABLE_AFTER: Final = timedelta(days=5)
DISABLE_FAILURES: Final = 10
"""An endpoint that is hardly used is not switched off."""
_TOUCH: Final = timedelta(minutes=1)
_DETAIL_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt. `error_class` is `ok` when it was accepted; `gone`: the endpoint says that it will not come back (410)."""

    at: datetime
    error_class: str
    detail: str | None = None
    gone: bool = False

    @property
    def accepted(self) -> bool:
        return self.error_class == "ok"


def is_news(endpoint: Endpoint | None, tries: Iterable[Tried]) -> bool:
    """Whether these attempts change what is known of an endpoint; so that one that does well need not be written each time."""
    if any(not tried.accepted and tried.error_class not in NOT_ITS_FAULT for tried in tries):
        return True
    accepted = [tried.at for tried in tries if tried.accepted]
    if not accepted:
        return False
    if endpoint is None or endpoint.failing_since is not None or endpoint.open_until is not None or endpoint.delivered_at is None:
        return True
    return accepted[-1] - endpoint.delivered_at >= _TOUCH


def after(endpoint: Endpoint, tries: Iterable[Tried]) -> tuple[Endpoint, list[tuple[Step, Endpoint]]]:
    """The endpoint after these attempts, and the steps on the way that people should hear of, each with the endpoint as it was then."""
    steps: list[tuple[Step, Endpoint]] = []
    for tried in tries:
        if tried.accepted:
            if endpoint.warned and endpoint.disabled_at is None:
                steps.append(("recovered", endpoint))
            endpoint = _accepting(endpoint, tried.at)
        elif tried.error_class not in NOT_ITS_FAULT:
            endpoint, step = _failed(endpoint, tried)
            steps += [(step, endpoint)] if step is not None else []
    return endpoint, steps


def disabled(endpoint: Endpoint, at: datetime, by: str | None) -> Endpoint:
    """Switched off, by a person or by the service itself (None)."""
    return replace(endpoint, disabled_at=at, disabled_by=by)


def enabled(endpoint: Endpoint) -> Endpoint:
    """Switched on, with a clean slate."""
    return Endpoint(endpoint.channel, delivered_at=endpoint.delivered_at)


def _accepting(endpoint: Endpoint, at: datetime) -> Endpoint:
    return Endpoint(endpoint.channel, delivered_at=at, disabled_at=endpoint.disabled_at, disabled_by=endpoint.disabled_by)


def _failed(endpoint: Endpoint, tried: Tried) -> tuple[Endpoint, Step | None]:
    silent = endpoint.transport_failures + 1 if tried.error_class in TRANSPORT else 0
    endpoint = replace(
        endpoint,
        failing_since=endpoint.failing_since or tried.at,
        failures=endpoint.failures + 1,
        transport_failures=silent,
        open_until=tried.at + PROBE if silent >= OPENS_AFTER else None,
        last_failed_at=tried.at,
        error_class=tried.error_class,
        detail=(tried.detail or "")[:_DETAIL_MAX] or None,
    )
    if endpoint.disabled_at is not None:
        return endpoint, None
    if tried.gone or _is_hopeless(endpoint, tried.at):
        return disabled(endpoint, tried.at, None), "disabled"
    due = sum(_lasted(endpoint, tried.at) >= limit for limit in WARN_AFTER)
    return (replace(endpoint, warned=due), "failing") if due > endpoint.warned else (endpoint, None)


def _lasted(endpoint: Endpoint, at: datetime) -> timedelta:
    return at - (endpoint.failing_since or at)


def _is_hopeless(endpoint: Endpoint, at: datetime) -> bool:
    return endpoint.failures >= DISABLE_FAILURES and _lasted(endpoint, at) >= DISABLE_AFTER
