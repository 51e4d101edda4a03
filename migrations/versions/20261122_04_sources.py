"""What is known of sources; write-back and import."""

from typing import Final

revision: Final = "20261122_04"
down_revision: Final = "20261122_03"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
