"""What SQLite alone promises: one writer at a time, in turn, durable."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app.errors import Unavailable
from app.store.database import Database
from tests.store.jobs import add


@pytest.fixture
async def sqlite(sqlite_url: str) -> AsyncIterator[Database]:
    opened = Database(sqlite_url, patience=timedelta(milliseconds=50))
    await opened.open()
    yield opened
    await opened.close()


async def test_sqlite_takes_the_write_lock_before_the_first_statement(sqlite: Database, sqlite_url: str) -> None:
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), timeout=0, isolation_level=None)
    try:
        async with sqlite.begin():
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")
    finally:
        other.close()


async def test_sqlite_locked_by_another_process_is_unavailable(sqlite: Database, sqlite_url: str) -> None:
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(Unavailable) as caught:
            async with sqlite.begin():
                pass
    finally:
        other.close()
    async with sqlite.begin() as connection:
        await add(connection, "digest")

    assert caught.value.headers == {"Retry-After": "1"}


async def test_sqlite_writers_take_turns_in_order(sqlite_url: str) -> None:
    order: list[str] = []
    patient = Database(sqlite_url, patience=timedelta(seconds=60))

    async def write(name: str) -> None:
        async with patient.begin() as connection:
            order.append(f"{name} begins")
            await add(connection, name)
            order.append(f"{name} ends")

    await asyncio.gather(write("a"), write("b"), write("c"))
    await patient.close()

    assert order == [f"{name} {what}" for name in "abc" for what in ("begins", "ends")]


async def test_sqlite_waits_for_its_turn_only_so_long(sqlite: Database) -> None:
    async def other() -> None:
        async with sqlite.begin():
            pass

    async with sqlite.begin():
        with pytest.raises(Unavailable):
            await asyncio.create_task(other())


async def test_a_transaction_inside_a_transaction_is_refused_rather_than_waiting_for_itself(sqlite: Database) -> None:
    async with sqlite.begin():
        with pytest.raises(RuntimeError, match="itself"):
            async with sqlite.begin():
                pass


async def test_sqlite_is_durable_and_checks_references(sqlite: Database) -> None:
    async with sqlite.begin() as connection:
        found = [
            (await connection.execute(text(f"PRAGMA {name}"))).scalar_one() for name in ("journal_mode", "synchronous", "foreign_keys")
        ]

    assert found == ["wal", 2, 1]


async def test_sqlite_makes_the_folder_of_its_file(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/a/b/slawatch.db")
    await database.open()
    await database.close()

    assert (tmp_path / "a/b/slawatch.db").is_file()


async def test_a_file_that_is_no_database_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("Dear diary, today I was mistaken for a database. " * 100)
    database = Database(f"sqlite:///{tmp_path}/notes.db")
    try:
        with pytest.raises(Unavailable, match="file is not a database"):
            await database.open()
    finally:
        await database.close()
