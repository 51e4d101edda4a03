"""A copy of the database, put in the place of the lost one: the same clocks, and nothing is said a second time."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.store.database import Database
from tests.routers.api import Api, running
from tests.support.clock import FakeClock
from tests.support.postgres import Postgres

Copy = Callable[[str, Path], str]


def copy_of_sqlite(url: str, folder: Path) -> str:
    """What `sqlite3 FILE ".backup COPY"` does, while others write; the URL of the copy."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as one, closing(sqlite3.connect(folder / "copy.db")) as other:
        one.backup(other)
    return f"sqlite:///{shutil.move(folder / 'copy.db', folder / 'restored.db')}"


@pytest.fixture(params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest) -> Iterator[tuple[str, Copy]]:
    """A migrated database and how it is copied, by the commands of docs/operations.md."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url"), copy_of_sqlite
        return
    server: Postgres = request.getfixturevalue("postgres")
    url: str = request.getfixturevalue("postgresql_url")
    yield url, lambda source, _: server.url(server.copy(source.partition("?")[0].rpartition("/")[2]))


async def test_after_a_restore_every_clock_is_as_it_was_and_nothing_is_said_again(
    kept: tuple[str, Copy], clock: FakeClock, tmp_path: Path
) -> None:
    url, copy = kept
    async with running(Database(url, database_time=False), url, clock, tmp_path) as api:
        for ticket in ("answered", "late", "open"):
            await api.send({"ticket": ticket, "set": {"status": "new", "tags": ["gold"]}})
        clock.advance(minutes=30)
        await api.send({"ticket": "answered", "message": {"author": "agent", "public": True, "id": "1"}, "actor": {"kind": "agent"}})
        clock.advance(hours=1)
        await api.tick()
        before = await everything(api)
        restored = copy(url, tmp_path)
        await api.send({"ticket": "after the copy", "set": {"status": "new"}})
    async with running(Database(restored, database_time=False), restored, clock, tmp_path) as api:
        at_once = await everything(api)
        await api.tick()
        after = await everything(api)

    assert [row["metric"] for row in before["breaches"]] == ["first_response"] * 2
    assert before["deliveries"]
    assert at_once == before
    assert after == before


async def everything(api: Api) -> dict[str, list[dict[str, Any]]]:
    return {name: (await api.ok(f"/v1/{name}"))["items"] for name in ("tickets", "clocks", "breaches", "deliveries")}
