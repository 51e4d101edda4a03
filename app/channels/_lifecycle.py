"""What channels with incidents or threads need to know of an event: which incident it belongs to, and where in its life it stands."""

from collections.abc import Mapping
from typing import Any, Final, Literal

KEY_MAX: Final = 255  # characters; the least of the limits there are (PagerDuty's `dedup_key`)

Phase = Literal["trigger", "acknowledge", "resolve", "inform"]
"""`trigger` opens or renews the incident, `acknowledge` and `resolve` say so, `inform` has no incident of its own (a test, a digest)."""

_PHASES: Final[Mapping[str, Phase]] = {
    "sla.warning": "trigger",
    "sla.breached": "trigger",
    "sla.recovered": "resolve",
    "sla.met_late": "resolve",
    "sla.retracted": "resolve",
    "escalation.opened": "trigger",
    "escalation.step": "trigger",
    "escalation.exhausted": "trigger",
    "escalation.acknowledged": "acknowledge",
    "escalation.deescalated": "resolve",
    "signal.raised": "trigger",
    "endpoint.failing": "trigger",
    "endpoint.disabled": "trigger",
    "endpoint.recovered": "resolve",
    "source.silent": "trigger",
    "source.recovered": "resolve",
}


def phase(event_type: str) -> Phase:
    """Where in the life of its incident an event stands; `inform` for one that we do not know."""
    return _PHASES.get(event_type, "inform")


def key(event: Mapping[str, Any]) -> str:
    """What all events of one incident share: `sla:<clock id>` for whatever is about a clock (its breach, the ladder that answers it, the
    all-clear), else `escalation:<id>`, `signal:<ticket id>:<name>`,
    `digest:<id>`, `endpoint:<channel>`, `source:<source>`; else the event's type.
    At most `KEY_MAX` characters."""
    data = event.get("data")
    found = _subject(data) if isinstance(data, Mapping) else None
    return (found or f"event:{event.get('type')}")[:KEY_MAX]


def thread(event: Mapping[str, Any]) -> str:
    """What all events about one ticket share: `ticket:<id>`; without a ticket, the incident's key. At most `KEY_MAX` characters."""
    data = event.get("data")
    ticket = _part(data, "ticket", "id") if isinstance(data, Mapping) else None
    return f"ticket:{ticket}"[:KEY_MAX] if ticket else key(event)


def _subject(data: Mapping[str, Any]) -> str | None:
    ticket, signal = _part(data, "ticket", "id"), _part(data, "signal", "name")
    candidates = (
        ("digest", _text(data.get("id")) if "counts" in data else None),
        ("sla", _part(data, "clock", "id")),
        ("escalation", _part(data, "escalation", "id")),
        ("signal", f"{ticket}:{signal}" if ticket and signal else None),
        ("endpoint", _text(data.get("channel")) if "failures" in data else None),
        ("source", _text(data.get("source"))),
    )
    return next((f"{kind}:{name}" for kind, name in candidates if name), None)


def _part(data: Mapping[str, Any], *path: str) -> str | None:
    value: Any = data
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return _text(value)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
