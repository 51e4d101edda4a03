"""The log of a run of a ladder: what happened to it, in order. Its state is nothing but this log, told (`app.rules.escalation_run`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal[
    "opened",
    "breached",
    "spoke",
    "passed",
    "unheard",
    "unreached",
    "last_resort",
    "write_back",
    "held",
    "went_on",
    "acknowledged",
    "snoozed",
    "lapsed",
    "assigned",
    "exhausted",
    "resolved",
    "cancelled",
]
"""What can happen to a run:

| kind | means |
|---|---|
| `opened` | it began; `why` = breach, warning, signal or manual; `due_at` = the instant the ladder counts from, None before the breach |
| `breached` | the promise it warned of was broken; `due_at` = the instant the ladder counts from |
| `spoke` | rung `step` was said to `channels`; `loop` > 0: said again; `due_at` = when it was due |
| `passed` | rung `step` was passed over, `why` says for what reason |
| `unheard` | some of the rung's `channels` cannot hear it, others can |
| `unreached` | the rung reached nobody, `why` says for what reason: the next one comes at once |
| `last_resort` | nothing followed a rung that reached nobody; `channels` heard it, none: there is nobody left to tell |
| `write_back` | what the rung wants written to the ticket; `why` tells it in words |
| `held`, `went_on` | the ticket is paused (or a silence holds), and is not any more, since `due_at` |
| `acknowledged`, `snoozed` | by somebody, until `until` |
| `lapsed` | the acknowledgement or snooze ended at `due_at` |
| `assigned` | given to `to` |
| `exhausted` | the last rung was passed and nobody had acted |
| `resolved`, `cancelled` | the cause is gone, `why` says how; `by`: somebody closed it by hand |
"""


@dataclass(frozen=True)
class Entry:
    """One line of the log. `at` is when it was noted (never before the line above), `due_at` the instant it is dated by; all in UTC."""

    kind: Kind
    at: datetime
    due_at: datetime | None = None
    step: int | None = None
    """The rung, from 0."""
    loop: int = 0
    """0 = said for the first time."""
    until: datetime | None = None
    by: str | None = None
    """Who did it; None: the service."""
    why: str | None = None
    channels: tuple[str, ...] = ()
    to: str | None = None
    """Whom it was given to; None with `assigned`: to nobody."""
    link: str | None = None
    """The one-time link by which it was acknowledged."""
    notice: str | None = None
    """Id of the notice that was sent; None: none was."""

    @property
    def instant(self) -> datetime:
        """What it is dated by."""
        return self.due_at or self.at
