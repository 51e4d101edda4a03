"""Many rows by one statement: what is written is what is read, whatever it holds, and an index is touched only where it must be."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.errors import Unavailable
from app.store import bulk
from app.store.database import Connection, Database
from app.store.sqlite import SqliteConnection
from app.store.tables import events, inbox, tickets

if TYPE_CHECKING:
    import sqlite3

AT = datetime(2026, 3, 2, 9, 0, 0, 123_457, tzinfo=UTC)


def message(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"inb_{number}", "source": "desk", "via": "webhook", "delivery_id": None, "received_at": AT, "method": "POST", "url": "/x",
        "headers": {}, "body": None, "outcome": "applied", "reason": None, "tickets": [], **more,
    }  # fmt: skip


def ticket(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"tkt_{number}", "source": "desk", "external_id": str(number), "stored_at": AT, "deleted": False, "timeline": b"[]",
        "revision": 1, "version": 1, "requester": "zoe", "group": None, **more,
    }  # fmt: skip


def told(number: int, key: str, inbox_id: str) -> dict[str, Any]:
    return {
        "ticket_id": f"tkt_{number}", "key": key, "at": AT, "order": None, "kind": "created", "body": {}, "received_at": AT,
        "inbox_id": inbox_id,
    }  # fmt: skip


def hear(conn: Connection, said: list[str]) -> None:
    """Note each statement that writes from now on."""

    def note(*heard: Any) -> None:
        said.extend(sql for sql in heard if isinstance(sql, str) and sql.startswith(("INSERT", "UPDATE", "WITH")))

    if isinstance(conn, SqliteConnection):
        cast("sqlite3.Connection", conn.sync_connection.connection.dbapi_connection).set_trace_callback(note)
    else:
        event.listen(conn.sync_connection, "before_cursor_execute", note)


@pytest.mark.parametrize(
    "value",
    [
        {"body": b"\x00\xff\\x41 {\"a\": 'b'}"},
        {"reason": 'it\'s a "quote", a back\\slash, {braces}, a line\nand a tab\t, \u00fc \U0001f600'},
        {"headers": {"x": "\u2028", "n": 1.5, "none": None}, "tickets": ["tkt_1", "tkt_2"]},
        {"delivery_id": "", "body": b""},
    ],
)
async def test_what_is_written_is_what_is_read(database: Database, value: dict[str, Any]) -> None:
    row = message(1, **value)
    async with database.begin() as conn:
        await bulk.write(conn, inbox, "insert", [row])
        stored = (await conn.execute(select(inbox))).one()._mapping

    assert row == {name: stored[name] for name in row}


async def test_of_rows_with_one_key_the_last_counts_and_known_ones_are_replaced(database: Database) -> None:
    async with database.begin() as conn:
        await bulk.write(conn, inbox, "insert", [message(1, reason="a"), message(2, reason="b")])
        await bulk.write(conn, inbox, "replace", [message(3, reason="c"), message(1, reason="d"), message(1, reason="e")])
        await bulk.write(conn, inbox, "insert_new", [message(2, reason="f"), message(4, reason="g")])
        found = (await conn.execute(select(inbox.c.id, inbox.c.reason).order_by(inbox.c.id))).all()

    assert [("inb_1", "e"), ("inb_2", "b"), ("inb_3", "c"), ("inb_4", "g")] == [tuple(row) for row in found]


async def test_an_update_writes_all_that_has_changed_whatever_is_known_of_the_row_before(database: Database) -> None:
    before = [ticket(number) for number in (1, 2, 3)]
    after = [ticket(1, group="second line"), ticket(2, requester="max", version=2), ticket(3, revision=2, group="third line")]
    async with database.begin() as conn:
        await bulk.write(conn, tickets, "insert", before)
        sheaf = bulk.Sheaf(conn)
        sheaf.update(tickets, after, {row["id"]: row for row in before[:2]})
        await sheaf.write()
        columns = [tickets.c[name] for name in ("id", "requester", "group", "revision", "version")]
        found = (await conn.execute(select(*columns).order_by(tickets.c.id))).all()

    assert [tuple(row[column.name] for column in columns) for row in after] == [tuple(row) for row in found]


async def test_on_sqlite_a_column_of_an_index_is_written_only_where_it_has_changed(sqlite_url: str) -> None:
    db = Database(sqlite_url, database_time=False)
    await db.open()
    said: list[str] = []
    async with db.begin() as conn:
        await bulk.write(conn, tickets, "insert", [ticket(1), ticket(2)])
        hear(conn, said)
        sheaf = bulk.Sheaf(conn)
        sheaf.update(tickets, [ticket(1, group="b"), ticket(2, requester="max")], {f"tkt_{n}": ticket(n) for n in (1, 2)})
        await sheaf.write()
    await db.close()

    assert [False, True] == ["requester = " in sql for sql in said]
    assert all('"group" = ' in sql for sql in said)


async def test_a_sheaf_writes_all_at_once_parents_and_children_and_is_empty_afterwards(database: Database) -> None:
    said: list[str] = []
    async with database.begin() as conn:
        await bulk.write(conn, tickets, "insert", [ticket(1)])
        hear(conn, said)
        sheaf = bulk.Sheaf(conn)
        sheaf.add(inbox, "insert", [message(1), message(2)])
        sheaf.add(tickets, "insert", [ticket(2)])
        sheaf.add(events, "insert_new", [told(1, "a", "inb_1"), told(2, "b", "inb_2")])
        sheaf.update(tickets, [ticket(1, version=2)], {})
        sheaf.add(inbox, "insert_new", [])
        before = len(said)
        counts = [await sheaf.write(), await sheaf.write()]
        found = (await conn.execute(select(tickets.c.id, tickets.c.version, events.c.inbox_id).join(events).order_by(tickets.c.id))).all()

    assert [("tkt_1", 2, "inb_1"), ("tkt_2", 1, "inb_2")] == [tuple(row) for row in found]
    assert (0, [1, 0]) == (before, counts)
    assert len(said) == {"postgresql": 1, "sqlite": 6}[database.dialect]  # SQLite says each row for itself


async def test_a_sheaf_in_which_a_row_cannot_be_written_writes_nothing(database: Database) -> None:
    async def work() -> None:
        async with database.begin() as conn:
            sheaf = bulk.Sheaf(conn)
            sheaf.add(tickets, "insert", [ticket(1)])
            sheaf.add(events, "insert", [told(7, "a", "inb_1")])
            await sheaf.write()

    with pytest.raises(IntegrityError):
        await work()
    async with database.read() as conn:
        found = (await conn.execute(select(tickets))).all()

    assert [] == found


async def test_many_rows_cannot_be_written_where_one_only_reads(database: Database) -> None:
    with pytest.raises(DBAPIError, match=r"readonly|read-only"):
        async with database.read() as conn:
            await bulk.write(conn, tickets, "insert", [ticket(1)])


async def test_a_write_that_fails_for_want_of_room_is_unavailable_and_the_next_one_is_written(sqlite_url: str) -> None:
    db = Database(sqlite_url, database_time=False)
    await db.open()
    async with db.begin() as conn:
        pages = (await conn.execute(text("PRAGMA page_count"))).scalar_one()
        await conn.execute(text(f"PRAGMA max_page_count = {pages}"))
    with pytest.raises(Unavailable):
        async with db.begin() as conn:
            await bulk.write(conn, inbox, "insert", [message(number, body=b"x" * 5000) for number in range(100)])
    async with db.begin() as conn:
        await conn.execute(text(f"PRAGMA max_page_count = {pages + 1000}"))
        await bulk.write(conn, inbox, "insert", [message(1, body=b"x" * 5000)])
    async with db.read() as conn:
        found = (await conn.execute(select(inbox.c.id))).scalars().all()
    await db.close()

    assert ["inb_1"] == found


async def test_postgresql_looks_up_the_few_rows_of_an_update_instead_of_reading_the_table(postgresql_url: str) -> None:
    db = Database(postgresql_url)
    rows = [ticket(number) for number in range(3000)]
    said: list[tuple[str, Any]] = []
    async with db.begin() as conn:
        await bulk.write(conn, tickets, "insert", rows)
        await conn.exec_driver_sql("ANALYZE tickets")
        event.listen(conn.sync_connection, "before_cursor_execute", lambda _c, _k, sql, given, *_rest: said.append((sql, given)))
        await bulk.write(conn, tickets, "update", [ticket(7, requester="max")])
        plan = "\n".join((await conn.exec_driver_sql(f"EXPLAIN {said[0][0]}", said[0][1])).scalars())
    await db.close()

    assert "Index Scan using pk_tickets" in plan
    assert "Seq Scan" not in plan
