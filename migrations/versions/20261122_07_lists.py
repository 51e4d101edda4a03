"""One index for the lists of clocks, with what they are filtered by, instead of two without."""

from typing import Final

from alembic import op

revision: Final = "20261122_07"
down_revision: Final = "20261122_06"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    op.create_index("ix_clocks_lists", "clocks", ["state", "due_at", "id", "priority", "tier", "assignee", "health"])
    op.drop_index("ix_clocks_state_due_at_id", "clocks")
    op.drop_index("ix_clocks_due_at_id", "clocks")


def downgrade() -> None:
    op.create_index("ix_clocks_due_at_id", "clocks", ["due_at", "id"])
    op.create_index("ix_clocks_state_due_at_id", "clocks", ["state", "due_at", "id"])
    op.drop_index("ix_clocks_lists", "clocks")
