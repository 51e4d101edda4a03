"""The whole application over SQLite, with a clock that the test moves."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.store.database import Database
from tests.routers.api import Api, running
from tests.support.clock import FakeClock


@pytest.fixture
async def api(sqlite_url: str, clock: FakeClock, tmp_path: Path) -> AsyncIterator[Api]:
    """The application on SQLite."""
    async with running(Database(sqlite_url, database_time=False), sqlite_url, clock, tmp_path) as made:
        yield made


@pytest.fixture
async def both(database: Database, database_url: str, clock: FakeClock, tmp_path: Path) -> AsyncIterator[Api]:
    """The application on both databases, one after the other."""
    async with running(database, database_url, clock, tmp_path) as made:
        yield made
