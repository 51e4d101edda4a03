"""A world on both databases."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.store.database import Database
from tests.services.world import World, world
from tests.support.clock import FakeClock


@pytest.fixture
async def desk(database: Database, clock: FakeClock, tmp_path: Path) -> AsyncIterator[World]:
    """The world of `tests.services.world.DOCUMENT`."""
    async with world(database, clock, tmp_path) as made:
        yield made


@pytest.fixture
async def sqlite_desk(sqlite_url: str, clock: FakeClock, tmp_path: Path) -> AsyncIterator[World]:
    """The same on SQLite alone, where one writes at a time."""
    db = Database(sqlite_url, database_time=False)
    await db.open()
    async with world(db, clock, tmp_path) as made:
        yield made
    await db.close()


@pytest.fixture
async def postgresql_desk(postgresql_url: str, clock: FakeClock, tmp_path: Path) -> AsyncIterator[World]:
    """The same on PostgreSQL alone, where rows are locked one by one."""
    db = Database(postgresql_url, database_time=False)
    await db.open()
    async with world(db, clock, tmp_path) as made:
        yield made
    await db.close()
