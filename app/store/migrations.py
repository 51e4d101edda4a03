"""Alembic, run from code: no ini file, the same tree for both databases, found next to this package.

Revision ids begin with their date, so they sort, and the names of the files with their revision ids. A database whose revision we do
not know and that sorts after our head was migrated by a newer release. Migrations are written so that the previous release works
under them, so that is no error.

All functions are synchronous and wait for the database; from a coroutine call them through `asyncio.to_thread`.
"""

import asyncio
import io
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Final, Literal, TypeVar

from sqlalchemy import Connection, inspect, text

from app.errors import SlaError
from app.store import sqlite
from app.store.addresses import Address, make_folder, parse
from app.store.database import Connection as AnyConnection

TREE: Final = Path(__file__).resolve().parents[2] / "migrations"
PATIENCE: Final = timedelta(seconds=60)
GLANCE: Final = timedelta(seconds=5)
_ID_LENGTH: Final = len("20261121_01")
T = TypeVar("T")
_one_at_a_time = threading.Lock()


class UnknownSchema(SlaError):
    """The database has a schema that this release does not know."""


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database up to `revision`, in one transaction; processes that start together take turns.

    To "head" it does nothing when the database is there already, or further because a newer release was here. UnknownSchema
    for a revision that is neither ours nor newer. Unavailable when the database cannot be reached.
    """
    if revision != "head" or is_behind(url):
        _command(url, "upgrade", revision)


def downgrade(url: str, revision: str) -> None:
    """Take the database back down to `revision` ("base": empty). Data of columns and tables that go is lost."""
    _known(current(url))
    _command(url, "downgrade", revision)


def current(url: str) -> str | None:
    """The revision of the database; None for one that was never migrated. Waits for no writer."""
    return _on_connection(url, _revision, writes=False)


async def current_on(connection: AnyConnection) -> str | None:
    """As `current`, over a connection that is open already: cheap enough for a health check."""
    return await connection.run_sync(_revision)


def head() -> str:
    """The newest revision of this release."""
    return _revisions()[-1]


def is_behind(url: str) -> bool:
    """Whether the database still needs `upgrade` for this release. UnknownSchema as for `upgrade`."""
    return needs_upgrade(current(url))


def needs_upgrade(revision: str | None) -> bool:
    """Whether a database at this revision needs `upgrade` for this release. UnknownSchema as for `upgrade`."""
    return not is_newer(revision) and revision != head()


def is_newer(revision: str | None) -> bool:
    """Whether a revision of the database comes from a newer release. UnknownSchema when it is neither ours nor newer."""
    if revision is not None and revision > head():
        return True
    _known(revision)
    return False


def script(url: str) -> str:
    """The SQL that `upgrade` would run on an empty database of this kind; connects to nothing."""
    out = io.StringIO()
    _alembic("upgrade", "head", out, dialect=parse(url).dialect)
    return out.getvalue()


def _known(revision: str | None) -> None:
    if revision is not None and revision not in _revisions():
        raise UnknownSchema(f"The database is at revision {revision}, which this release does not know (its own: {head()}).")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


@cache
def _revisions() -> tuple[str, ...]:
    """All revisions of this release, the oldest first."""
    return tuple(sorted(file.stem[:_ID_LENGTH] for file in (TREE / "versions").glob("[0-9]*.py")))


def _command(url: str, name: Literal["upgrade", "downgrade"], revision: str) -> None:
    # Alembic keeps the migration that runs in global names; between processes env.py and the database's own lock give the turn.
    with _one_at_a_time:
        _on_connection(url, lambda connection: _alembic(name, revision, connection=connection), writes=True)


def _alembic(name: Literal["upgrade", "downgrade"], revision: str, out: io.StringIO | None = None, **attributes: object) -> None:
    """Have Alembic run its command of that name; `attributes` are for env.py. With `out` it writes SQL there and runs nothing."""
    # Here, because nearly every start finds the database up to date: a tenth of a second and six megabytes for nothing.
    from alembic import command
    from alembic.config import Config

    config = Config(output_buffer=out, attributes=attributes)
    config.set_main_option("script_location", str(TREE).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    getattr(command, name)(config, revision, sql=out is not None)


def _on_connection(url: str, work: Callable[[Connection], T], *, writes: bool) -> T:
    address = parse(url)
    patience = PATIENCE if writes else GLANCE
    if address.dialect == "postgresql":
        return _wait_for(_on_server(address, work, patience))
    make_folder(address)
    engine = sqlite.engine(address.location, "migration" if writes else "reader", patience=patience)
    try:
        with sqlite.connected(engine) as connection:
            return work(connection)
    finally:
        engine.dispose()


async def _on_server(address: Address, work: Callable[[Connection], T], patience: timedelta) -> T:
    from app.store import postgresql

    engine = postgresql.engine(address, pool=0, patience=patience)
    try:
        async with postgresql.connected(engine) as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def _wait_for(work: Coroutine[object, object, T]) -> T:
    # In a thread of its own: asyncio.run refuses to start inside a running loop.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(work)).result()
