"""Indexes that keep what is asked all the time independent of how much there is."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "20261122_05"
down_revision: Final = "20261122_04"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    dated = sa.text("rejudge_at IS NOT NULL")
    op.create_index("ix_tickets_rejudge_at", "tickets", ["rejudge_at"], postgresql_where=dated, sqlite_where=dated)
    op.create_index("ix_notices_ticket_id", "notices", ["ticket_id"])
    op.create_index("ix_deliveries_notice_id", "deliveries", ["notice_id"])


def downgrade() -> None:
    op.drop_index("ix_deliveries_notice_id", "deliveries")
    op.drop_index("ix_notices_ticket_id", "notices")
    op.drop_index("ix_tickets_rejudge_at", "tickets")
