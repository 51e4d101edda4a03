"""The one migration tree on both databases: up, down, up; equal to the models; safe to start twice."""

import ast
import asyncio
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from app.errors import Unavailable
from app.store import migrations
from app.store.database import Database
from app.store.tables import metadata
from tests.support.postgres import Postgres

VERSIONS = sorted((migrations.TREE / "versions").glob("*.py"))


async def ask(url: str, question: Callable[[Connection], Any]) -> Any:
    """Put a synchronous question to the database in a transaction that writes."""
    database = Database(url)
    try:
        async with database.begin() as connection:
            return await connection.run_sync(question)
    finally:
        await database.close()


async def tables(url: str) -> set[str]:
    return set(await ask(url, lambda connection: inspect(connection).get_table_names())) - {"alembic_version"}


async def test_up_down_up(blank_url: str) -> None:
    seen = [await tables(blank_url)]
    for step in (migrations.upgrade, lambda url: migrations.downgrade(url, "base"), migrations.upgrade):
        step(blank_url)
        seen.append(await tables(blank_url))

    assert seen == [set(), set(metadata.tables), set(), set(metadata.tables)]


async def test_the_models_are_the_schema(database_url: str) -> None:
    def differences(connection: Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_server_default": True}), metadata))

    assert await ask(database_url, differences) == []


@pytest.mark.parametrize(("database_url", "blank_url"), [("sqlite", "sqlite"), ("postgresql", "postgresql")], indirect=True)
async def test_checks_types_and_partial_indexes_are_those_of_the_models(database_url: str, blank_url: str) -> None:
    await ask(blank_url, metadata.create_all)

    assert await ask(database_url, catalogue) == await ask(blank_url, catalogue)


def catalogue(connection: Connection) -> list[tuple[str, str]]:
    """Everything the database itself says about tables, in its own words, whatever the order of columns and constraints."""
    if connection.dialect.name == "sqlite":
        made = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
        return sorted((name, part.strip()) for name, sql in made if name != "alembic_version" for part in parts(sql))
    words = """
        SELECT table_name || '.' || column_name, concat_ws(' ', data_type, character_maximum_length, is_nullable, column_default)
            FROM information_schema.columns WHERE table_schema = 'public'
        UNION ALL SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    """
    return sorted((name, str(definition)) for name, definition in connection.execute(text(words)) if "alembic_version" not in name)


def parts(sql: str) -> list[str]:
    """What stands between the outermost commas of a CREATE TABLE; any other statement whole."""
    if not sql.startswith("CREATE TABLE"):
        return [sql]
    return re.split(r",(?![^()]*\))", sql.partition("(")[2].rpartition(")")[0])


def test_processes_that_start_together_take_turns(blank_url: str) -> None:
    upgrade = [sys.executable, "-c", f"from app.store.migrations import upgrade; upgrade({blank_url!r})"]
    running = [subprocess.Popen(upgrade, cwd=migrations.TREE.parent, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[1] for process in running]

    assert said == ["", ""]
    assert migrations.current(blank_url) == migrations.head()


def test_threads_that_start_together_take_turns(blank_url: str) -> None:
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(migrations.upgrade, [blank_url] * 3))

    assert migrations.current(blank_url) == migrations.head()


async def test_a_migration_that_fails_leaves_nothing_behind(blank_url: str) -> None:
    await ask(blank_url, lambda connection: connection.execute(text("CREATE TABLE deliveries (note text)")))
    with pytest.raises(Exception, match="already exists"):
        migrations.upgrade(blank_url)

    assert await tables(blank_url) == {"deliveries"}
    assert migrations.current(blank_url) is None


async def test_where_a_database_stands_can_be_seen_while_another_writes(database: Database, database_url: str) -> None:
    async with database.begin(), database.read() as connection:
        behind = await asyncio.to_thread(migrations.is_behind, database_url)
        revision = await migrations.current_on(connection)

    assert (behind, revision) == (False, migrations.head())


async def test_a_database_of_a_newer_release_is_left_as_it_is(database_url: str) -> None:
    await ask(database_url, lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '29991231_01'")))
    migrations.upgrade(database_url)

    assert migrations.current(database_url) == "29991231_01"
    assert not migrations.is_behind(database_url)


async def test_a_database_of_something_else_is_refused(sqlite_url: str) -> None:
    await ask(sqlite_url, lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '0a1b2c3d'")))

    for each in (migrations.upgrade, migrations.is_behind, lambda url: migrations.downgrade(url, "base")):
        with pytest.raises(migrations.UnknownSchema, match="0a1b2c3d"):
            each(sqlite_url)


def test_rows_that_refer_to_nothing_stop_a_migration(sqlite_url: str) -> None:
    raw = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
    raw.execute(
        "INSERT INTO events (ticket_id, key, at, kind, body, received_at, inbox_id) VALUES ('tkt_none', 'k', 0, 'set', x'7b7d', 0, 'inb_1')"
    )
    raw.commit()
    raw.close()

    with pytest.raises(RuntimeError, match="1 rows refer to rows that do not exist, first in table events"):
        migrations.upgrade(sqlite_url, migrations.head())


def test_an_unreachable_database_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        migrations.upgrade("postgresql://u@127.0.0.1:1/sla")


async def test_the_script_for_postgresql_makes_the_same_schema(postgres: Postgres, postgresql_url: str) -> None:
    name = postgres.create()
    postgres.sql(migrations.script(postgresql_url), name)
    made = await ask(postgres.url(name), catalogue)
    postgres.drop(name)

    assert made == await ask(postgresql_url, catalogue)


async def test_the_script_for_sqlite_makes_the_same_schema(sqlite_url: str, tmp_path: Path) -> None:
    raw = sqlite3.connect(tmp_path / "scripted.db")
    raw.executescript(migrations.script(sqlite_url))
    raw.close()

    assert await ask(f"sqlite:///{tmp_path}/scripted.db", catalogue) == await ask(sqlite_url, catalogue)


@pytest.mark.parametrize("file", VERSIONS, ids=lambda file: file.stem)
def test_every_migration_says_what_it_does_and_is_named_by_its_date(file: Path) -> None:
    module = ast.parse(file.read_text(encoding="utf-8"))
    revision = ScriptDirectory(str(migrations.TREE)).get_revision(file.stem[:11])

    assert ast.get_docstring(module)
    assert revision is not None
    assert Path(revision.path) == file


def test_there_is_one_line_of_migrations_and_it_sorts_by_date() -> None:
    line = [each.revision for each in ScriptDirectory(str(migrations.TREE)).walk_revisions()]

    assert len(line) == len(VERSIONS)
    assert line == sorted(line, reverse=True)
    assert line[0] == migrations.head()
