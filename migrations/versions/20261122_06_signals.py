"""Signals that tickets have raised; what is looked up to find repeat tickets; escalations opened by hand too early."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "20261122_06"
down_revision: Final = "20261122_05"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    create_signals()
    op.add_column("tickets", sa.Column("category", sa.String(300)))
    for name in ("requester", "organization"):
        present = sa.text(f"{name} IS NOT NULL")
        op.create_index(
            f"ix_tickets_source_{name}_created_at",
            "tickets",
            ["source", name, "created_at"],
            postgresql_where=present,
            sqlite_where=present,
        )
    op.add_column(
        "escalations",
        sa.Column("premature", sa.Boolean(), nullable=False, server_default=sa.false(), comment="Opened by hand early, without any signal"),
    )


def downgrade() -> None:
    with op.batch_alter_table("escalations") as escalations:
        escalations.drop_column("premature")
    for name in ("organization", "requester"):
        op.drop_index(f"ix_tickets_source_{name}_created_at", "tickets")
    with op.batch_alter_table("tickets") as tickets:
        tickets.drop_column("category")
    op.drop_table("signals")


def create_signals() -> None:
    op.create_table(
        "signals",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("ticket_id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(200), nullable=False, comment="Such as agent_switching"),
        sa.Column("status", sa.String(20), nullable=False, comment="raised; withdrawn = an event that came late proved that it never was"),
        sa.Column("raised_at", sa.BigInteger(), nullable=False, comment="When it became true, not when it was noticed"),
        sa.Column("held_since", sa.BigInteger(), nullable=False, comment="Since when the behaviour lasted"),
        sa.Column("ended_at", sa.BigInteger(), comment="When the behaviour ends, perhaps ahead; null = it lasts"),
        sa.Column("detected_at", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger()),
        sa.Column("suppressed", sa.String(200), comment="Why nobody was told; null = told"),
        sa.Column("escalation_id", sa.String(40), comment="The escalation it opened; null = none"),
        sa.Column("tier", sa.String(200)),
        sa.Column("threshold", sa.String(200), nullable=False, comment="In words, as it was then"),
        sa.Column("evidence", sa.LargeBinary(), nullable=False, comment="Sentences, and the keys of the events they tell of"),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.CheckConstraint("status in ('raised', 'withdrawn')", name=op.f("ck_signals_status")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_signals_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signals")),
    )
    op.create_index("ix_signals_ticket_id_name", "signals", ["ticket_id", "name"])
    op.create_index("ix_signals_raised_at_id", "signals", ["raised_at", "id"])
