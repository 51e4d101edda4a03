"""Which revision of the document judged as one does: the first of those in a row that promise the same. Old ones judge as themselves."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "20261122_08"
down_revision: Final = "20261122_07"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    with op.batch_alter_table("config_revisions") as batch:
        batch.add_column(sa.Column("judges_as", sa.Integer, comment="The first revision of those in a row that promise the same"))


def downgrade() -> None:
    with op.batch_alter_table("config_revisions") as batch:
        batch.drop_column("judges_as")
