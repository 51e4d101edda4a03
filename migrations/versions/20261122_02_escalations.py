"""Escalations, their logs, and the keys by which the service signs for itself."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "20261122_02"
down_revision: Final = "20261122_01"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    create_escalations()
    create_escalation_log()
    create_service_keys()


def downgrade() -> None:
    for table in ("service_keys", "escalation_log", "escalations"):
        op.drop_table(table)


def create_escalations() -> None:
    op.create_table(
        "escalations",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("ticket_id", sa.String(40), nullable=False),
        sa.Column("clock_id", sa.String(40), comment="Null: no clock is its cause"),
        sa.Column("breach_id", sa.String(40), comment="Null while nothing is broken"),
        sa.Column("generation", sa.Integer(), nullable=False, comment="Of the clock: raised when a breach is retracted"),
        sa.Column("cause", sa.String(20), nullable=False, comment="breach, warning, signal, manual"),
        sa.Column("type", sa.String(20), nullable=False, comment="Of the rung that spoke last: automatic, functional, hierarchical"),
        sa.Column("ladder", sa.String(200), comment="Null: opened by hand for a channel"),
        sa.Column("target", sa.String(200), comment="Opened by hand: the channel or ladder that was named"),
        sa.Column("signal", sa.String(200), comment="Name of the signal that opened it"),
        sa.Column("reason", sa.Text()),
        sa.Column("snapshot", sa.LargeBinary(), nullable=False, comment="The ladder and its calendar as they were at the opening"),
        sa.Column("state", sa.String(20), nullable=False, comment="pending, active, snoozed, acknowledged, resolved, exhausted, cancelled"),
        sa.Column("step", sa.Integer(), nullable=False, comment="The rung that was reached, from 1; 0 = none yet"),
        sa.Column("steps", sa.Integer(), nullable=False, comment="How many rungs the ladder has"),
        sa.Column("loop", sa.Integer(), nullable=False, comment="How often that rung was said again"),
        sa.Column("paused", sa.Boolean(), nullable=False, comment="The ticket is paused, and the ladder with it"),
        sa.Column("next_step_at", sa.BigInteger(), comment="When it next has something to do; null = not by itself"),
        sa.Column("waits_until", sa.BigInteger(), comment="End of the acknowledgement or snooze"),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("opened_by", sa.String(200), comment="Null: the service"),
        sa.Column("acknowledged_at", sa.BigInteger(), comment="The last time somebody did"),
        sa.Column("acknowledged_by", sa.String(200)),
        sa.Column(
            "acknowledge_seconds", sa.BigInteger(), comment="Real seconds from the opening to the first acknowledgement; null = none"
        ),
        sa.Column("exhausted_at", sa.BigInteger()),
        sa.Column("closed_at", sa.BigInteger(), comment="When the cause was gone; null = it lasts"),
        sa.Column("closed_because", sa.String(200)),
        sa.Column("resolve_seconds", sa.BigInteger(), comment="Real seconds from the opening until it was closed; null = open"),
        sa.Column("owner", sa.String(200), comment="Whom it was given to"),
        sa.Column("policy", sa.String(200)),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("tier", sa.String(200)),
        sa.Column("priority", sa.String(200)),
        sa.Column("group", sa.String(200)),
        sa.Column("assignee", sa.String(200)),
        sa.Column("fence", sa.Integer(), nullable=False, comment="Lines of its log; whoever has read another number may not write"),
        sa.Column(
            "woken", sa.Boolean(), server_default=sa.false(), nullable=False, comment="A delivery of it is dead: look who was reached"
        ),
        sa.CheckConstraint(
            "state in ('pending', 'active', 'snoozed', 'acknowledged', 'resolved', 'exhausted', 'cancelled')",
            name=op.f("ck_escalations_state"),
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_escalations_ticket_id")),
        sa.ForeignKeyConstraint(["clock_id"], ["clocks.id"], name=op.f("fk_escalations_clock_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalations")),
        sa.UniqueConstraint("clock_id", "generation", "cause", name=op.f("uq_escalations_clock_id_generation_cause")),
    )
    _index("ix_escalations_next_step_at", ["next_step_at", "ticket_id"], where="next_step_at IS NOT NULL")
    _index("ix_escalations_open_ticket_id", ["ticket_id"], where="closed_at IS NULL")
    op.create_index("ix_escalations_ticket_id", "escalations", ["ticket_id"])
    op.create_index("ix_escalations_breach_id", "escalations", ["breach_id"])
    op.create_index("ix_escalations_state_opened_at_id", "escalations", ["state", "opened_at", "id"])
    op.create_index("ix_escalations_opened_at_id", "escalations", ["opened_at", "id"])


def _index(name: str, columns: list[str], *, where: str) -> None:
    op.create_index(name, "escalations", columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where))


def create_escalation_log() -> None:
    op.create_table(
        "escalation_log",
        sa.Column("escalation_id", sa.String(40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False, comment="From 1, without gaps"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("actor", sa.String(200), comment="Null: the service"),
        sa.Column("note", sa.Text()),
        sa.Column("detail", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["escalation_id"], ["escalations.id"], name=op.f("fk_escalation_log_escalation_id")),
        sa.PrimaryKeyConstraint("escalation_id", "number", name=op.f("pk_escalation_log")),
    )


def create_service_keys() -> None:
    op.create_table(
        "service_keys",
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_service_keys")),
    )
