"""Silences, what they kept quiet, and digests in the place of many notices."""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision: Final = "20261122_03"
down_revision: Final = "20261122_02"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    create_silences()
    create_grouping_spans()
    extend_deliveries()


def downgrade() -> None:
    op.drop_index("ix_deliveries_silence_id", "deliveries")
    with op.batch_alter_table("deliveries") as deliveries:
        for name in ("immediate", "grouping", "silence_id"):
            deliveries.drop_column(name)
    for table in ("grouping_spans", "silences"):
        op.drop_table(table)


def create_silences() -> None:
    op.create_table(
        "silences",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("match", sa.LargeBinary(), nullable=False, comment="The condition over facts, as it was written"),
        sa.Column(
            "channels", sa.LargeBinary(), nullable=False, comment="Names of the only channels it is for; empty = all that people read"
        ),
        sa.Column("weekly", sa.LargeBinary(), comment="timezone and hours of the windows in which it holds; null = all the time"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.String(200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False, comment="As it was asked for"),
        sa.Column("ended_at", sa.BigInteger(), comment="When somebody ended it before; null = nobody did"),
        sa.Column("ended_by", sa.String(200)),
        sa.Column("over_at", sa.BigInteger(), nullable=False, comment="When it is over: ended_at, else ends_at"),
        sa.Column("next_summary_at", sa.BigInteger(), comment="When what is still broken is told next; null = never again"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silences")),
    )
    op.create_index("ix_silences_over_at", "silences", ["over_at"])
    op.create_index("ix_silences_starts_at_id", "silences", ["starts_at", "id"])
    _partial("silences", "next_summary_at")


def create_grouping_spans() -> None:
    op.create_table(
        "grouping_spans",
        sa.Column("channel", sa.String(200), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False, comment="When the span began in which notices are counted"),
        sa.Column("said", sa.Integer(), nullable=False, comment="How many went by themselves in it"),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_grouping_spans")),
    )


def extend_deliveries() -> None:
    columns: tuple[sa.Column[Any], ...] = (
        sa.Column("immediate", sa.Boolean(), server_default=sa.false(), nullable=False, comment="Heeds neither quiet hours nor grouping"),
        sa.Column(
            "grouping",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="0 not looked at, 1 goes by itself, 2 waits to be folded into a digest",
        ),
        sa.Column("silence_id", sa.String(40), comment="The silence that suppressed it"),
    )
    for column in columns:
        op.add_column("deliveries", column)
    _partial("deliveries", "silence_id")


def _partial(table: str, column: str) -> None:
    """An index over the rows in which a column is not null."""
    where = sa.text(f"{column} IS NOT NULL")
    op.create_index(f"ix_{table}_{column}", table, [column], postgresql_where=where, sqlite_where=where)
