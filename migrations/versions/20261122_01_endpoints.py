"""What is known of the channels' endpoints."""

from typing import Final

revision: Final = "20261122_01"
down_revision: Final = "20261121_01"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
