"""Custom metrics: open while a condition over facts holds, from the moment it began to hold (or from creation)."""

from datetime import datetime
from typing import ClassVar

from app.rules.conditions import Condition, facts_named, holds
from app.rules.guidance import Guidance
from app.rules.policy import CustomMetric, Terms
from app.rules.ticket import TicketAt


class Custom:
    """A metric of the document."""

    __slots__ = ("definition",)

    PAUSE: ClassVar[Condition | None] = None
    GUIDANCE: ClassVar[Guidance] = Guidance(
        ("Say who takes care of it now, and what comes next.", "Tell the customer before they have to ask."),
        "{ticket} is taking longer than it should, and we are sorry. You will hear from us by {next_update}.",
    )

    def __init__(self, definition: CustomMetric) -> None:
        self.definition = definition

    @property
    def WATCHES(self) -> frozenset[str]:  # noqa: N802
        return facts_named(self.definition.open_while)

    def anchor(self, ticket: TicketAt, terms: Terms, opened: datetime | None) -> datetime | None:  # noqa: ARG002
        if ticket.is_gone or not holds(self.definition.open_while, ticket.facts):
            return None
        if self.definition.anchor == "created":
            return ticket.created_at
        return opened or ticket.at

    def fulfilled(self, ticket: TicketAt, terms: Terms, anchor: datetime) -> bool:  # noqa: ARG002
        return not ticket.is_gone
