"""Signals that tickets have raised."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, String, Table

from app.store.tables._base import ID, NAME, metadata
from app.store.types import JsonBytes, UtcDateTime

signals = Table(
    "signals",
    metadata,
    Column("id", ID, primary_key=True),
    Column("ticket_id", ID, ForeignKey("tickets.id"), nullable=False),
    Column("name", NAME, nullable=False, comment="Such as agent_switching"),
    Column("status", String(20), nullable=False, comment="raised; withdrawn = an event that came late proved that it never was"),
    Column("raised_at", UtcDateTime, nullable=False, comment="When it became true, not when it was noticed"),
    Column("held_since", UtcDateTime, nullable=False, comment="Since when the behaviour lasted"),
    Column("ended_at", UtcDateTime, comment="When the behaviour ends, perhaps ahead; null = it lasts"),
    Column("detected_at", UtcDateTime, nullable=False),
    Column("withdrawn_at", UtcDateTime),
    Column("suppressed", NAME, comment="Why nobody was told; null = told"),
    Column("escalation_id", ID, comment="The escalation it opened; null = none"),
    Column("tier", NAME),
    Column("threshold", NAME, nullable=False, comment="In words, as it was then"),
    Column("evidence", JsonBytes, nullable=False, comment="Sentences, and the keys of the events they tell of"),
    Column("revision", Integer, nullable=False),
    Column("source", NAME, nullable=False),
    CheckConstraint("status in ('raised', 'withdrawn')", name="status"),
)
Index("ix_signals_ticket_id_name", signals.c.ticket_id, signals.c.name)
Index("ix_signals_raised_at_id", signals.c.raised_at, signals.c.id)
