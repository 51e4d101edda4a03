"""Every story of this folder, as it is written (the form stands in `tests.scenarios.stage`)."""

from pathlib import Path

import pytest

from app.store.database import Database
from tests.scenarios.stage import load, play

STORIES = sorted(Path(__file__).parent.glob("*.yaml"))


@pytest.mark.parametrize("file", STORIES, ids=lambda file: file.stem)
async def test_a_story_goes_as_it_is_told(file: Path, sqlite_url: str, tmp_path: Path) -> None:
    db = Database(sqlite_url, database_time=False)
    await db.open()
    try:
        await play(load(file), db, tmp_path)
    finally:
        await db.close()
