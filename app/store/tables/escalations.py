"""Runs of ladders, what happened to them, and the keys by which the service signs for itself."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from app.store.tables._base import ID, NAME, metadata
from app.store.types import JsonBytes, UtcDateTime

escalations = Table(
    "escalations",
    metadata,
    Column("id", ID, primary_key=True),
    Column("ticket_id", ID, ForeignKey("tickets.id"), nullable=False),
    Column("clock_id", ID, ForeignKey("clocks.id"), comment="Null: no clock is its cause"),
    Column("breach_id", ID, comment="Null while nothing is broken"),
    Column("generation", Integer, nullable=False, comment="Of the clock: raised when a breach is retracted"),
    Column("cause", String(20), nullable=False, comment="breach, warning, signal, manual"),
    Column("type", String(20), nullable=False, comment="Of the rung that spoke last: automatic, functional, hierarchical"),
    Column("ladder", NAME, comment="Null: opened by hand for a channel"),
    Column("target", NAME, comment="Opened by hand: the channel or ladder that was named"),
    Column("signal", NAME, comment="Name of the signal that opened it"),
    Column("reason", Text),
    Column("snapshot", JsonBytes, nullable=False, comment="The ladder and its calendar as they were at the opening"),
    Column("state", String(20), nullable=False, comment="pending, active, snoozed, acknowledged, resolved, exhausted, cancelled"),
    Column("step", Integer, nullable=False, comment="The rung that was reached, from 1; 0 = none yet"),
    Column("steps", Integer, nullable=False, comment="How many rungs the ladder has"),
    Column("loop", Integer, nullable=False, comment="How often that rung was said again"),
    Column("paused", Boolean, nullable=False, comment="The ticket is paused, and the ladder with it"),
    Column("next_step_at", UtcDateTime, comment="When it next has something to do; null = not by itself"),
    Column("waits_until", UtcDateTime, comment="End of the acknowledgement or snooze"),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("opened_by", NAME, comment="Null: the service"),
    Column("acknowledged_at", UtcDateTime, comment="The last time somebody did"),
    Column("acknowledged_by", NAME),
    Column("acknowledge_seconds", BigInteger, comment="Real seconds from the opening to the first acknowledgement; null = none"),
    Column("exhausted_at", UtcDateTime),
    Column("closed_at", UtcDateTime, comment="When the cause was gone; null = it lasts"),
    Column("closed_because", NAME),
    Column("resolve_seconds", BigInteger, comment="Real seconds from the opening until it was closed; null = open"),
    Column("owner", NAME, comment="Whom it was given to"),
    Column("policy", NAME),
    Column("revision", Integer, nullable=False),
    Column("source", NAME, nullable=False),
    Column("tier", NAME),
    Column("priority", NAME),
    Column("group", NAME),
    Column("assignee", NAME),
    Column("fence", Integer, nullable=False, comment="Lines of its log; whoever has read another number may not write"),
    Column("premature", Boolean, nullable=False, server_default=false(), comment="Opened by hand early, without any signal"),
    Column("woken", Boolean, nullable=False, server_default=false(), comment="A delivery of it is dead: look who was reached"),
    UniqueConstraint("clock_id", "generation", "cause"),
    CheckConstraint("state in ('pending', 'active', 'snoozed', 'acknowledged', 'resolved', 'exhausted', 'cancelled')", name="state"),
)
_OPEN = escalations.c.closed_at.is_(None)
_DUE = escalations.c.next_step_at.is_not(None)
Index("ix_escalations_next_step_at", escalations.c.next_step_at, escalations.c.ticket_id, postgresql_where=_DUE, sqlite_where=_DUE)
Index("ix_escalations_open_ticket_id", escalations.c.ticket_id, postgresql_where=_OPEN, sqlite_where=_OPEN)
Index("ix_escalations_ticket_id", escalations.c.ticket_id)
Index("ix_escalations_breach_id", escalations.c.breach_id)
Index("ix_escalations_state_opened_at_id", escalations.c.state, escalations.c.opened_at, escalations.c.id)
Index("ix_escalations_opened_at_id", escalations.c.opened_at, escalations.c.id)

escalation_log = Table(
    "escalation_log",
    metadata,
    Column("escalation_id", ID, ForeignKey("escalations.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False, comment="From 1, without gaps"),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("actor", NAME, comment="Null: the service"),
    Column("note", Text),
    Column("detail", JsonBytes, nullable=False),
)

service_keys = Table(
    "service_keys",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("secret", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
