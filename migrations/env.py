"""How Alembic runs our migrations. Called by `app.store.migrations`, which hands the connection (or, for SQL only, the dialect) over."""

from typing import Final

from alembic import context
from sqlalchemy import Connection, text

from app.store.tables import metadata

# Two releases that start at once take turns by this number; it belongs to the transaction, so a dead process never keeps it.
TURN: Final = 7_345_012_611


def run(connection: Connection) -> None:
    """Migrate in one transaction, so that a failed migration leaves nothing behind, on SQLite too (we say BEGIN ourselves)."""
    sqlite = connection.dialect.name == "sqlite"
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=sqlite, transactional_ddl=True)
    with context.begin_transaction():
        if sqlite:
            context.run_migrations()
            check_references(connection)
        else:
            wait_for_turn(connection)
            context.run_migrations()


def wait_for_turn(connection: Connection) -> None:
    """Wait while another process migrates; after that no table is waited for longer than five seconds.

    A migration that queues for a table's lock makes everybody behind it wait too: better to fail and be run again.
    """
    connection.execute(text("SET LOCAL lock_timeout = '60s'"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": TURN})
    connection.execute(text("SET LOCAL lock_timeout = '5s'"))


def check_references(connection: Connection) -> None:
    """Foreign keys are off while SQLite's tables are rebuilt: see that none dangles before the commit."""
    dangling = connection.execute(text("PRAGMA foreign_key_check")).all()
    if dangling:
        raise RuntimeError(f"{len(dangling)} rows refer to rows that do not exist, first in table {dangling[0][0]}")


if context.is_offline_mode():
    context.configure(
        dialect_name=context.config.attributes["dialect"], target_metadata=metadata, literal_binds=True, transactional_ddl=True
    )
    with context.begin_transaction():
        context.run_migrations()
else:
    run(context.config.attributes["connection"])
