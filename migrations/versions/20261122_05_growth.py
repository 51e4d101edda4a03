"""Indexes and columns for large stores."""

from typing import Final

revision: Final = "20261122_05"
down_revision: Final = "20261122_04"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
