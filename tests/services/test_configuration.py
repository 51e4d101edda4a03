"""The configuration in force: imported, stored, replaced, shared, and never replaced by a bad one."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.errors import InvalidConfiguration, PreconditionFailed, PreconditionRequired
from app.services.configuration import Current, LiveConfig, etag_of
from app.store.database import Database
from app.store.tables import audit_log, config_revisions
from app.telemetry import metrics
from tests.support.clock import FakeClock

ONE = "version: 1\npolicies:\n  - {name: one, targets: {resolution: 1h}}\n"
TWO = "version: 1\npolicies:\n  - {name: two, targets: {resolution: 2h}}\n"
BROKEN = "version: 1\npolcies: []\n"
SECRET = 'version: 1\nchannels:\n  up: {kind: webhook, url: "https://example.com/x", secret: "${env:HOOK}"}\n'
HOOK = {"HOOK": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}


def replica(database: Database, clock: FakeClock, folder: Path, environ: Mapping[str, str] | None = None) -> LiveConfig:
    return LiveConfig(database, clock, environ or {}, folder)


def written(folder: Path, text: str) -> Path:
    file = folder / "slawatch.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def policies(current: Current) -> list[str]:
    return [policy.name for policy in current.book.policies]


async def revisions(database: Database) -> list[tuple[int, str]]:
    async with database.read() as conn:
        rows = await conn.execute(select(config_revisions.c.number, config_revisions.c.author).order_by(config_revisions.c.number))
        return [(row.number, row.author) for row in rows]


async def test_without_a_file_the_starter_policy_holds_and_is_the_first_revision(
    database: Database, clock: FakeClock, tmp_path: Path
) -> None:
    live = replica(database, clock, tmp_path)
    await live.start(None)

    assert (1, "", etag_of(""), 1) == (live.current.revision, live.current.text, live.current.etag, live.current.book.revision)
    assert ["default"] == policies(live.current)
    assert [(1, "slawatch")] == await revisions(database)


async def test_a_file_is_imported_when_it_says_something_new_and_only_then(database: Database, clock: FakeClock, tmp_path: Path) -> None:
    for text in (ONE, ONE, TWO, TWO):
        live = replica(database, clock, tmp_path)
        await live.start(written(tmp_path, text))

    assert ["two"] == policies(live.current)
    assert [(1, "file"), (2, "file")] == await revisions(database)


async def test_what_was_put_over_the_api_outlives_a_restart_with_the_same_file(
    database: Database, clock: FakeClock, tmp_path: Path
) -> None:
    live = replica(database, clock, tmp_path)
    await live.start(written(tmp_path, ONE))
    await live.put(TWO, author="ops", if_match="*")
    again = replica(database, clock, tmp_path)
    await again.start(tmp_path / "slawatch.yaml")

    assert (2, ["two"]) == (again.current.revision, policies(again.current))


async def test_a_broken_file_stops_the_start_and_names_file_line_and_column(database: Database, clock: FakeClock, tmp_path: Path) -> None:
    file = written(tmp_path, BROKEN)
    with pytest.raises(InvalidConfiguration) as caught:
        await replica(database, clock, tmp_path).start(file)

    assert caught.value.errors[0].detail.startswith(f"{file}:2:1 unknown-key")
    assert "policies" in caught.value.errors[0].detail
    assert [] == await revisions(database)


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
async def test_a_file_that_cannot_be_read_stops_the_start_with_a_sentence(
    sqlite_url: str, clock: FakeClock, tmp_path: Path, content: bytes | None
) -> None:
    database = Database(sqlite_url)
    file = tmp_path / "other.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidConfiguration, match=r"other\.yaml"):
        await replica(database, clock, tmp_path).start(file)
    await database.close()


async def test_a_put_needs_the_etag_that_was_seen(database: Database, clock: FakeClock, tmp_path: Path) -> None:
    live = replica(database, clock, tmp_path)
    await live.start(written(tmp_path, ONE))
    with pytest.raises(PreconditionRequired):
        await live.put(TWO, author="ops", if_match=None)
    with pytest.raises(PreconditionFailed):
        await live.put(TWO, author="ops", if_match='"something else"')
    stored = await live.put(TWO, author="ops", if_match=f'"nothing", "{live.current.etag}"')

    assert (2, etag_of(TWO), TWO) == (stored.revision, stored.etag, stored.text)
    assert [(1, "file"), (2, "ops")] == await revisions(database)
    async with database.read() as conn:
        assert ["file", "ops"] == list((await conn.execute(select(audit_log.c.actor).order_by(audit_log.c.id))).scalars())


async def test_a_bad_document_never_replaces_a_good_one(database: Database, clock: FakeClock, tmp_path: Path) -> None:
    live = replica(database, clock, tmp_path)
    await live.start(written(tmp_path, ONE))
    with pytest.raises(InvalidConfiguration) as caught:
        await live.put(BROKEN, author="ops", if_match="*")

    assert caught.value.errors[0].detail.startswith("2:1 unknown-key")
    assert (1, ["one"]) == (live.current.revision, policies(live.current))
    assert [(1, "file")] == await revisions(database)


async def test_a_dry_run_says_what_would_come_and_the_same_text_changes_nothing(
    database: Database, clock: FakeClock, tmp_path: Path
) -> None:
    live = replica(database, clock, tmp_path)
    await live.start(written(tmp_path, ONE))
    would = await live.put(TWO, author="ops", if_match="*", dry_run=True)
    same = await live.put(ONE, author="ops", if_match="*")

    assert (2, ["two"], 1, 1) == (would.revision, policies(would), same.revision, live.current.revision)
    assert [(1, "file")] == await revisions(database)


async def test_another_replica_takes_over_what_was_put_and_tells_its_listeners(
    database: Database, clock: FakeClock, tmp_path: Path
) -> None:
    first, second = replica(database, clock, tmp_path), replica(database, clock, tmp_path)
    heard: list[int] = []
    for live in (first, second):
        await live.start(written(tmp_path, ONE))
        live.on_change(lambda current: heard.append(current.revision))
    await first.put(TWO, author="ops", if_match="*")
    changed = await second.refresh()

    assert (True, False) == (changed, await second.refresh())
    assert (["two"], [2, 2]) == (policies(second.current), heard)


async def test_a_put_against_an_etag_that_another_replica_has_replaced_is_refused(
    database: Database, clock: FakeClock, tmp_path: Path
) -> None:
    first, second = replica(database, clock, tmp_path), replica(database, clock, tmp_path)
    for live in (first, second):
        await live.start(written(tmp_path, ONE))
    seen = second.current.etag
    await first.put(TWO, author="ops", if_match="*")

    with pytest.raises(PreconditionFailed):
        await second.put(ONE + "# mine\n", author="ops", if_match=f'"{seen}"')


async def test_a_revision_that_cannot_be_loaded_here_leaves_the_one_before_in_force(
    database: Database, clock: FakeClock, tmp_path: Path
) -> None:
    knowing, ignorant = replica(database, clock, tmp_path, HOOK), replica(database, clock, tmp_path)
    for live in (knowing, ignorant):
        await live.start(written(tmp_path, ONE))
    await knowing.put(SECRET, author="ops", if_match="*")
    changed = await ignorant.refresh()
    shown = metrics.value("slawatch_config_last_reload_successful")
    await knowing.put(TWO, author="ops", if_match="*")
    recovered = await ignorant.refresh()

    assert (False, 0, True, 1) == (changed, shown, recovered, metrics.value("slawatch_config_last_reload_successful"))
    assert ["two"] == policies(ignorant.current)


async def test_nothing_holds_before_the_start(sqlite_url: str, clock: FakeClock, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="start"):
        _ = replica(Database(sqlite_url), clock, tmp_path).current


async def test_a_revision_that_promises_the_same_judges_as_the_one_before_also_after_a_restart(
    database: Database, clock: FakeClock, tmp_path: Path
) -> None:
    live = replica(database, clock, tmp_path)
    await live.start(written(tmp_path, ONE))
    seen = []
    for text in (ONE + "retention: {messages: 30d}\n", ONE + "retention: {messages: 60d}\n", TWO, ONE):
        await live.put(text, author="ops", if_match="*")
        again = replica(database, clock, tmp_path)
        await again.start(None)
        assert (live.current.revision, live.current.judges_as) == (again.current.revision, again.current.judges_as)
        seen.append((live.current.revision, live.current.judges_as, live.current.book.revision))

    assert [(2, 1, 1), (3, 1, 1), (4, 4, 4), (5, 5, 5)] == seen


async def test_a_revision_of_a_former_release_judges_as_itself(database: Database, clock: FakeClock, tmp_path: Path) -> None:
    live = replica(database, clock, tmp_path)
    await live.start(written(tmp_path, ONE))
    await live.put(ONE + "retention: {messages: 30d}\n", author="ops", if_match="*")
    async with database.begin() as conn:
        await conn.execute(update(config_revisions).values(judges_as=None))
    again = replica(database, clock, tmp_path)
    await again.start(None)
    put = await again.put(ONE + "retention: {messages: 90d}\n", author="ops", if_match="*")

    assert (2, 2) == (put.revision - 1, put.judges_as)
