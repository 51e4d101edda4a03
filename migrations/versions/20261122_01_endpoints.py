"""What is known of the channels' endpoints; deliveries that wait for another, step aside for live ones, or go to a fallback.

The index by which deliveries are claimed begins with the channel now, so that one channel's backlog hides nothing of the others.
"""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision: Final = "20261122_01"
down_revision: Final = "20261121_01"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    create_endpoints()
    extend_notices()
    extend_deliveries()
    index_deliveries()


def downgrade() -> None:
    for name in ("waits_for", "ticket_id", "state_expires_at", "fallback_at", "escalation_id", "channel_lane_next_attempt_at"):
        op.drop_index(f"ix_deliveries_{name}", "deliveries")
    _partial("next_attempt_at", ["next_attempt_at"], "next_attempt_at")
    op.drop_index("ix_notices_escalation_id", "notices")
    with op.batch_alter_table("deliveries") as deliveries:
        for name in ("escalation_id", "lane", "withdrawn", "waits_for", "waits_if", "earlier_attempts", "fallback_at"):
            deliveries.drop_column(name)
    with op.batch_alter_table("notices") as notices:
        notices.drop_column("escalation_id")
    op.drop_table("endpoints")


def create_endpoints() -> None:
    op.create_table(
        "endpoints",
        sa.Column("channel", sa.String(200), nullable=False),
        sa.Column("failing_since", sa.BigInteger(), comment="The first failure since it last accepted; null = it accepts"),
        sa.Column("failures", sa.Integer(), nullable=False, comment="Attempts that failed since then"),
        sa.Column("transport_failures", sa.Integer(), nullable=False, comment="Of these, how many in a row without any answer"),
        sa.Column("open_until", sa.BigInteger(), comment="The breaker is open: the next probe may go then; null = closed"),
        sa.Column("last_failed_at", sa.BigInteger()),
        sa.Column("error_class", sa.String(40)),
        sa.Column("detail", sa.Text()),
        sa.Column("warned", sa.Integer(), nullable=False, comment="How many warnings were sent since it began to fail"),
        sa.Column("delivered_at", sa.BigInteger(), comment="When it last accepted, to the minute"),
        sa.Column("disabled_at", sa.BigInteger(), comment="Null = it is in use"),
        sa.Column("disabled_by", sa.String(200), comment="Null = by the service itself"),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_endpoints")),
    )


def extend_notices() -> None:
    op.add_column("notices", sa.Column("escalation_id", sa.String(40)))
    _partial("escalation_id", ["escalation_id"], "escalation_id", table="notices")


def extend_deliveries() -> None:
    columns: tuple[sa.Column[Any], ...] = (
        sa.Column("escalation_id", sa.String(40)),
        sa.Column(
            "lane", sa.Integer(), nullable=False, server_default=sa.text("0"), comment="0 live, 1 replayed: goes after the live ones"
        ),
        sa.Column(
            "withdrawn",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
            comment="Taken back while on its way: superseded unless that attempt was accepted",
        ),
        sa.Column("waits_for", sa.String(40), comment="The delivery whose end decides about this one"),
        sa.Column("waits_if", sa.String(20), comment="The end that lets this one go: delivered, superseded"),
        sa.Column(
            "earlier_attempts",
            sa.Integer(),
            nullable=False,
            server_default=sa.text("0"),
            comment="Made before it was last revived: the schedule counts from there",
        ),
        sa.Column("fallback_at", sa.BigInteger(), comment="When the fallback channel is told unless this one has accepted"),
    )
    for column in columns:
        op.add_column("deliveries", column)


def index_deliveries() -> None:
    op.drop_index("ix_deliveries_next_attempt_at", "deliveries")
    _partial("channel_lane_next_attempt_at", ["channel", "lane", "next_attempt_at"], "next_attempt_at")
    _partial("ticket_id", ["ticket_id"], "next_attempt_at")
    _partial("escalation_id", ["escalation_id"], "escalation_id")
    _partial("waits_for", ["waits_for"], "waits_for")
    _partial("fallback_at", ["fallback_at"], "fallback_at")
    _partial("state_expires_at", ["state", "expires_at"], "expires_at")


def _partial(name: str, columns: list[str], present: str, *, table: str = "deliveries") -> None:
    """An index over the rows in which a column is not null."""
    where = sa.text(f"{present} IS NOT NULL")
    op.create_index(f"ix_{table}_{name}", table, columns, postgresql_where=where, sqlite_where=where)
