"""An event in words, for channels that people read: what happened, to which ticket, whose it is, how late, what comes next.

Nothing here is escaped: how to write it is the channel's own business. Texts from outside (subjects, names) are attacker's
choice: they come cleaned of control characters and line breaks, and cut.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import ValidationError

from app.schemas.events_out import SlaData, TestData

SUBJECT_MAX: Final = 200  # characters
NAME_MAX: Final = 100  # characters

_SLA: Final = {  # icon, word, what to do when no ladder says what comes next; the icon alone must tell them apart, without colour
    "sla.warning": ("◔", "SLA at risk", "act before it is due"),
    "sla.breached": ("✖", "SLA breached", "act now"),
    "sla.recovered": ("✔", "SLA recovered", "nothing to do"),
    "sla.met_late": ("✔", "SLA met late", "nothing to do"),
    "sla.retracted": ("↺", "SLA breach retracted", "nothing to do: the promise was kept"),
}
_BLANKS: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Story:
    """One event. `line` says it all; `sla` holds the facts of an `sla.*` event, None for others."""

    headline: str
    """Icon and words of ours: `✖ SLA breached: first response`."""
    details: tuple[str, ...]
    """The rest of the line, each a part of its own."""
    sla: SlaData | None = None

    @property
    def line(self) -> str:
        return " · ".join((self.headline, *self.details))


def tell(event: Mapping[str, Any]) -> Story:
    """The story of an event as parsed from its body. A type or shape we do not know is told by its type."""
    kind, data = str(event.get("type", "event")), event.get("data")
    try:
        if kind.startswith("sla."):
            return _tell_sla(kind, SlaData.model_validate(data))
        if kind == "test.ping":
            test = TestData.model_validate(data)
            return Story("✔ Test", (clean(test.message), f"channel {clean(test.channel)}", "nothing to do"))
    except ValidationError:
        pass
    return Story(f"• {_words(clean(kind))}", ("see the dashboard or the API for details",))


def ticket_title(sla: SlaData) -> str:
    """`#4711 Checkout fails with 502`."""
    number = clean(sla.ticket.external_id)
    return f"{'#' if number.isdigit() else ''}{number} {clean(sla.ticket.subject or '', SUBJECT_MAX)}".rstrip()


def assignee(sla: SlaData) -> str:
    """`assigned to Jane`, or the group, or that it is nobody's."""
    return f"assigned to {clean(name)}" if (name := sla.ticket.assignee or sla.ticket.group) else "nobody assigned"


def lateness(kind: str, sla: SlaData) -> str | None:
    """`4 min late`, `due in 30 min` (open time of the policy's calendar); None for a promise that was kept."""
    if kind == "sla.retracted":
        return None
    if sla.late_seconds:
        return f"{duration(sla.late_seconds)} late"
    left = sla.clock.remaining_seconds
    return f"due in {duration(left)}" if left is not None and left > 0 else "due now"


def duration(seconds: int) -> str:
    """`45 s`, `12 min`, `3 h 20 min`: the two greatest units; hours do not become days, because a day of open time is nobody's day."""
    if seconds < 60:
        return f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "") if part)


def instant(at: datetime) -> str:
    """`2026-11-21 09:30 UTC`."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def clean(text: str, limit: int = NAME_MAX) -> str:
    """One line without control, direction-changing and broken characters, at most `limit` characters long."""
    plain = _BLANKS.sub(" ", text)
    plain = "".join(char for char in plain if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")).strip()
    return plain if len(plain) <= limit else plain[: limit - 1].rstrip() + "…"


def _tell_sla(kind: str, sla: SlaData) -> Story:
    icon, word, advice = _SLA.get(kind, ("•", _words(clean(kind)), "see the ticket"))
    late = lateness(kind, sla)
    due = f"due {instant(sla.clock.due_at)}, " if sla.clock.due_at else ""
    upcoming = sla.step.next if sla.step and sla.step.next else None
    details = (
        ticket_title(sla),
        assignee(sla),
        f"{late or 'kept'} ({due}policy {clean(sla.why.policy)})",
        f"next: {clean(upcoming, SUBJECT_MAX)}" if upcoming else advice,
    )
    return Story(f"{icon} {word}: {_words(clean(sla.clock.metric))}", details, sla)


def _words(name: str) -> str:
    return re.sub(r"[._]", " ", name)
