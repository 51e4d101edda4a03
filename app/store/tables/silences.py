"""Silences, and how often the channels that group were spoken to."""

from sqlalchemy import Column, Index, Integer, Table, Text

from app.store.tables._base import ID, NAME, metadata
from app.store.types import JsonBytes, UtcDateTime

silences = Table(
    "silences",
    metadata,
    Column("id", ID, primary_key=True),
    Column("match", JsonBytes, nullable=False, comment="The condition over facts, as it was written"),
    Column("channels", JsonBytes, nullable=False, comment="Names of the only channels it is for; empty = all that people read"),
    Column("weekly", JsonBytes, comment="timezone and hours of the windows in which it holds; null = all the time"),
    Column("reason", Text, nullable=False),
    Column("author", NAME, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False, comment="As it was asked for"),
    Column("ended_at", UtcDateTime, comment="When somebody ended it before; null = nobody did"),
    Column("ended_by", NAME),
    Column("over_at", UtcDateTime, nullable=False, comment="When it is over: ended_at, else ends_at"),
    Column("next_summary_at", UtcDateTime, comment="When what is still broken is told next; null = never again"),
)
Index("ix_silences_over_at", silences.c.over_at)
Index("ix_silences_starts_at_id", silences.c.starts_at, silences.c.id)
_TOLD = silences.c.next_summary_at.is_not(None)
Index("ix_silences_next_summary_at", silences.c.next_summary_at, postgresql_where=_TOLD, sqlite_where=_TOLD)

grouping_spans = Table(
    "grouping_spans",
    metadata,
    Column("channel", NAME, primary_key=True),
    Column("since", UtcDateTime, nullable=False, comment="When the span began in which notices are counted"),
    Column("said", Integer, nullable=False, comment="How many went by themselves in it"),
)
