"""What `sla.retargeted` tells beside the clock as it is now: when it was due before, and what has changed."""

from typing import Literal

from pydantic import Field

from app.schemas.context_out import Instant, Out

Changed = Literal["revision", "tier", "priority", "policy", "calendar", "target"]


class ChangeOut(Out):
    """One thing that differs from the promise before. Absent: there was none, or there is none now."""

    what: Changed = Field(description="revision: of the document; alone, it says that what stands in the document has changed.")
    before: str | None = None
    after: str | None = None


class RetargetOut(Out):
    """Another due instant for a running clock."""

    due_before: Instant | None = Field(default=None, description="None: it was not due by itself.")
    due_after: Instant | None = Field(default=None, description="As in `clock.due_at`; None: it is not due by itself any more.")
    changes: list[ChangeOut] = Field(description="What differs from the promise before; more than one may have moved the due instant.")
