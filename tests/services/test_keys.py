"""API keys: known by their digest, believed for moments, ended for good."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.errors import InvalidBody, KeyNotFound
from app.services import keys
from app.services.keys import KeyRing, Scope
from app.store.database import Database
from app.store.tables import api_keys, audit_log
from tests.support.clock import FakeClock


async def made(database: Database, clock: FakeClock, scope: Scope = "read", days: int | None = None) -> tuple[str, str]:
    """Id and text of a new key."""
    expires_at = None if days is None else clock() + timedelta(days=days)
    row, text = await keys.create(database, clock, name="dashboard", scope=scope, expires_at=expires_at, by="test")
    return row.id, text


async def stored(database: Database, column: str) -> object:
    async with database.read() as conn:
        return (await conn.execute(select(api_keys.c[column]))).scalar_one()


async def test_a_key_is_known_by_its_text_and_stored_as_a_digest_only(database: Database, clock: FakeClock) -> None:
    key_id, text = await made(database, clock)
    caller = await KeyRing(database, clock).authenticate(text)
    async with database.read() as conn:
        row = (await conn.execute(select(api_keys))).one()

    assert ("dashboard", "read", key_id) == (caller.name, caller.scope, caller.key_id) if caller else None
    assert text.startswith("slaw_r_")
    assert text not in str(row)
    assert keys.digest_of(text) == row.digest


@pytest.mark.parametrize("wrong", ["", "slaw_r_", "x" * 201, "slaw_a_\ud800", "\x00", "slaw_r_" + "A" * 43])
async def test_an_unknown_key_is_nobody(wrong: str, sqlite_url: str, clock: FakeClock) -> None:
    database = Database(sqlite_url)
    await database.open()

    assert await KeyRing(database, clock, "an admin key that always holds").authenticate(wrong) is None
    await database.close()


async def test_an_expired_key_is_nobody_from_that_instant_on(database: Database, clock: FakeClock) -> None:
    _, text = await made(database, clock, days=1)
    ring = KeyRing(database, clock)
    clock.advance(days=1, seconds=-0.001)
    before = await ring.authenticate(text)
    clock.advance(seconds=0.001)

    assert before is not None
    assert await ring.authenticate(text) is None


async def test_a_revoked_key_stops_within_five_seconds_in_other_processes_too(database: Database, clock: FakeClock) -> None:
    key_id, text = await made(database, clock)
    other = KeyRing(database, clock)
    await other.authenticate(text)
    await keys.revoke(database, clock, key_id, by="test")
    clock.advance(seconds=5)

    assert await other.authenticate(text) is None


async def test_a_key_that_is_new_is_known_within_five_seconds_where_it_was_tried_before(database: Database, clock: FakeClock) -> None:
    ring = KeyRing(database, clock)
    _, text = await made(database, clock)
    ring.forget()

    assert await ring.authenticate(text) is not None


async def test_revoking_twice_is_once_and_an_unknown_id_is_not_found(database: Database, clock: FakeClock) -> None:
    key_id, _ = await made(database, clock)
    first = await keys.revoke(database, clock, key_id, by="test")
    clock.advance(hours=1)
    second = await keys.revoke(database, clock, key_id, by="test")
    async with database.read() as conn:
        noted = list((await conn.execute(select(audit_log.c.action).order_by(audit_log.c.id))).scalars())

    assert first.revoked_at == second.revoked_at is not None
    assert ["key.created", "key.revoked"] == noted
    with pytest.raises(KeyNotFound):
        await keys.revoke(database, clock, "key_nobody", by="test")


async def test_a_key_that_would_be_expired_already_is_not_made(database: Database, clock: FakeClock) -> None:
    with pytest.raises(InvalidBody):
        await made(database, clock, days=0)


async def test_the_last_use_is_written_once_a_minute_and_only_by_flush(database: Database, clock: FakeClock) -> None:
    _, text = await made(database, clock)
    ring = KeyRing(database, clock)
    await ring.authenticate(text)
    unwritten = await stored(database, "last_used_at")
    await ring.flush()
    first = clock()
    written = await stored(database, "last_used_at")
    clock.advance(seconds=59)
    await ring.authenticate(text)
    await ring.flush()
    still = await stored(database, "last_used_at")
    clock.advance(seconds=1)
    await ring.authenticate(text)
    await ring.flush()

    assert [None, first, first, clock()] == [unwritten, written, still, await stored(database, "last_used_at")]


async def test_the_first_admin_key_is_made_once_and_again_when_none_holds_any_more(database: Database, clock: FakeClock) -> None:
    text = await keys.ensure_admin_key(database, clock)
    again = await keys.ensure_admin_key(database, clock)
    caller = await KeyRing(database, clock).authenticate(text or "")
    assert caller is not None
    await keys.revoke(database, clock, caller.key_id or "", by="test")

    assert ("admin", None) == (caller.scope, again)
    assert await keys.ensure_admin_key(database, clock) not in (None, text)


async def test_the_key_of_the_environment_is_an_admin(sqlite_url: str, clock: FakeClock) -> None:
    database = Database(sqlite_url)
    caller = await KeyRing(database, clock, "k" * 32).authenticate("k" * 32)

    assert caller == keys.Caller("environment", "admin", None)


@pytest.mark.parametrize(
    ("scope", "may"),
    [("ingest", {"ingest"}), ("read", {"read"}), ("operate", {"read", "operate"}), ("admin", {"ingest", "read", "operate", "admin"})],
)
def test_what_each_scope_may_do(scope: Scope, may: set[str]) -> None:
    assert may == {each for each in keys.SCOPES if keys.Caller("x", scope, None).may(each)}


async def test_all_replicas_sign_cursors_alike_without_a_setting(database: Database, clock: FakeClock) -> None:
    await keys.ensure_admin_key(database, clock)
    await made(database, clock)
    secrets = [await keys.cursor_secret(database, None, admin) for admin in (None, "k" * 32)]

    assert secrets[0] == secrets[1]
    assert await keys.cursor_secret(database, "given", None) == b"given"
