"""The shape of what channels say: one for all events, so that a channel renders a breach, a ladder and a dead endpoint alike."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from app.channels._text import cut, instant
from app.schemas.events_out import ClockOut, StepOut, TicketOut, WhyOut

NUMBER_MIN: Final = 24  # characters of a ticket's number and subject that stay however short the line must be

Tone = Literal["bad", "warning", "good", "neutral"]
"""What a colour or a priority may add to the icon; it is never the only thing that tells."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and its value. An instant is for channels that can show it in the reader's own zone; `shown` is it in UTC."""

    name: str
    value: str | datetime

    @property
    def shown(self) -> str:
        return self.value if isinstance(self.value, str) else instant(self.value)


@dataclass(frozen=True, slots=True)
class Link:
    """A button or a link: `Open ticket`, `open_ticket`, and a URL as `web_link` makes it, safe in Markdown and in HTML attributes."""

    label: str
    action: str
    url: str


@dataclass(frozen=True, slots=True)
class Story:
    """One event. `line` says it all; from `people` on it is the same at more length, empty where there is no more to say."""

    headline: str
    """Icon and words of ours: `✖ SLA breached: first response`. The icon alone tells good news from bad, without colour."""
    tone: Tone = "neutral"
    title: str | None = None
    """`#4711 Checkout fails with 502`; None where no ticket is concerned."""
    owner: str | None = None
    """`assigned to Jane`, `nobody assigned`; None without a ticket."""
    said: tuple[str, ...] = ()
    """What else there is to say, a part each: `4 s late (due 2026-11-21 09:30 UTC, policy Gold 24x7)`."""
    upcoming: str = ""
    """What comes next, or what to do: `next: team lead in 15 min`, `act now`."""
    people: str = ""
    """`Acme GmbH · priority urgent · tier gold · assigned to Jane`."""
    facts: tuple[Fact, ...] = ()
    """At most nine; texts of at most `EVIDENCE_MAX` characters."""
    links: tuple[Link, ...] = ()
    """The most useful first: the ticket, then the page to acknowledge on where there is one. At most five."""
    ids: tuple[str, ...] = ()
    """`breach brc_1`, `step 1 of ladder wake-somebody`: for whoever looks further."""
    ticket: TicketOut | None = None
    clock: ClockOut | None = None
    why: WhyOut | None = None
    step: StepOut | None = None

    @property
    def line(self) -> str:
        """All of it in one line of at most 2 000 characters, mostly far fewer."""
        return _joined(self.headline, self.title, self.owner, *self.said, self.upcoming)

    @property
    def footer(self) -> str:
        """The ids, and what comes next."""
        return _joined(*self.ids, self.upcoming)

    def brief(self, limit: int) -> str:
        """The line in at most `limit` characters (100 or more). What comes next goes first, then the owner, then the end of the
        subject, then what else is said from its end: what happened, the ticket's number and the due time stay."""
        for owner, upcoming in ((self.owner, self.upcoming), (self.owner, ""), (None, "")):
            whole = _joined(self.headline, self.title, owner, *self.said, upcoming)
            if len(whole) <= limit:
                return whole
        rest = len(_joined(self.headline, "?", *self.said)) - 1
        title = cut(self.title, max(limit - rest, NUMBER_MIN)) if self.title else None
        return cut(_joined(self.headline, title, *self.said), limit)


def _joined(*parts: str | None) -> str:
    return " · ".join(part for part in parts if part)
