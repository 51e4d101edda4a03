"""Silences, and what they kept quiet."""

from typing import Final

revision: Final = "20261122_03"
down_revision: Final = "20261122_02"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
