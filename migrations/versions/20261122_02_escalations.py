"""Escalations, their steps and acknowledgement links."""

from typing import Final

revision: Final = "20261122_02"
down_revision: Final = "20261122_01"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
