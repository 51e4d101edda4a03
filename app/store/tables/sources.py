"""What is known of sources: how often they speak, whether they are silent, and how far it was read in them by ourselves."""

from sqlalchemy import Column, String, Table, Text

from app.store.tables._base import ID, NAME, metadata
from app.store.types import JsonBytes, UtcDateTime

source_states = Table(
    "source_states",
    metadata,
    Column("source", NAME, primary_key=True),
    Column("watched_since", UtcDateTime, nullable=False),
    Column("seen_id", ID, comment="The newest message of the inbox that is in the rhythm; null = none"),
    Column("rhythm", JsonBytes, nullable=False, comment="first_at, last_at, gaps, usual, longest, steps"),
    Column("silent_since", UtcDateTime, comment="The last word before the silence that was told; null = it is not silent"),
)

source_jobs = Table(
    "source_jobs",
    metadata,
    Column("source", NAME, primary_key=True),
    Column("job", String(100), primary_key=True, comment="reconcile, enrich, import or import:FILE"),
    Column("cursor", Text, comment="Where to go on; null = from the beginning"),
    Column("progress", JsonBytes, nullable=False, comment="What was read and what became of it, counted"),
    Column("next_at", UtcDateTime, comment="Not before this; null = at once"),
    Column("held_until", UtcDateTime, comment="A process is at it until then at the latest; null = none is"),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime, comment="When it was last read to the end; null = never"),
    Column("error", Text, comment="Why it did not get on; null = it did"),
)
