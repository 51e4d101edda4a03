"""What is known of sources: their rhythm and silence, how far they were read, and breaches that broke while a source was silent."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "20261122_04"
down_revision: Final = "20261122_03"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    create_states()
    create_jobs()
    op.add_column(
        "breaches",
        sa.Column(
            "source_stale",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
            comment="Recorded while its source was silent: what was done there may not be known",
        ),
    )


def downgrade() -> None:
    with op.batch_alter_table("breaches") as breaches:
        breaches.drop_column("source_stale")
    op.drop_table("source_jobs")
    op.drop_table("source_states")


def create_states() -> None:
    op.create_table(
        "source_states",
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("watched_since", sa.BigInteger(), nullable=False),
        sa.Column("seen_id", sa.String(40), comment="The newest message of the inbox that is in the rhythm; null = none"),
        sa.Column("rhythm", sa.LargeBinary(), nullable=False, comment="first_at, last_at, gaps, usual, longest, steps"),
        sa.Column("silent_since", sa.BigInteger(), comment="The last word before the silence that was told; null = it is not silent"),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_source_states")),
    )


def create_jobs() -> None:
    op.create_table(
        "source_jobs",
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("job", sa.String(100), nullable=False, comment="reconcile, enrich, import or import:FILE"),
        sa.Column("cursor", sa.Text(), comment="Where to go on; null = from the beginning"),
        sa.Column("progress", sa.LargeBinary(), nullable=False, comment="What was read and what became of it, counted"),
        sa.Column("next_at", sa.BigInteger(), comment="Not before this; null = at once"),
        sa.Column("held_until", sa.BigInteger(), comment="A process is at it until then at the latest; null = none is"),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), comment="When it was last read to the end; null = never"),
        sa.Column("error", sa.Text(), comment="Why it did not get on; null = it did"),
        sa.PrimaryKeyConstraint("source", "job", name=op.f("pk_source_jobs")),
    )
