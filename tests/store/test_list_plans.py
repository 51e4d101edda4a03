"""Lists of clocks walk along their index: the databases say so themselves."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event

from app.store.cursors import Cursor, Signer
from app.store.database import Connection, Database
from app.store.listings import CLOCK_STATES, CLOCKS
from app.store.lists import Pairs, read_ask, read_page

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SIGNER = Signer(b"secret")
WALK = re.compile(
    r"SEARCH clocks USING (?:COVERING )?INDEX ix_clocks_lists \(state=\? AND due_at>\?"
    r"|Index (?:Only )?Scan (?:Backward )?using ix_clocks_lists"
)
WHOLE = re.compile(r"SCAN clocks\b|Seq Scan on clocks")


async def asked(db: Database, pairs: Pairs) -> list[tuple[str, Any]]:
    """The statements behind the first page of a list, with their parameters."""
    said: list[tuple[str, Any]] = []
    async with db.read() as conn:
        assert conn.sync_connection is not None
        event.listen(
            conn.sync_connection,
            "before_cursor_execute",
            lambda _conn, _cursor, statement, parameters, _context, _many: said.append((statement, parameters)),
        )
        await read_page(conn, CLOCKS, read_ask(CLOCKS, pairs, AT, SIGNER))
    return said


async def plan(conn: Connection, statement: str, parameters: Any) -> str:
    """How the database would go about it if there were very many clocks."""
    explain = "EXPLAIN QUERY PLAN"
    if conn.dialect.name == "postgresql":
        for name in ("enable_seqscan", "enable_bitmapscan"):
            await conn.exec_driver_sql(f"SET LOCAL {name} = off")
        explain = "EXPLAIN"
    rows = await conn.exec_driver_sql(f"{explain} {statement}", parameters)
    return "\n".join(row[-1] for row in rows)


WALKS: list[tuple[str, int]] = [
    ("state=running", 1),
    ("state=running&priority=high", 1),
    ("state=running&tier=gold&assignee=7", 1),
    ("state=running&sort=-due_at&tier=none", 1),
    ("health=overdue&priority=urgent", 1),
    ("due_within=30m&tier=gold", 1),
    ("state=running&state=paused&priority=urgent", 2),
    ("health=missed", 2),
    ("state=paused&state=stopped&health=met", 1),
    ("priority=urgent", len(CLOCK_STATES)),
    ("", len(CLOCK_STATES)),
]


@pytest.mark.parametrize(("query", "walks"), WALKS)
async def test_a_list_in_the_order_of_what_is_due_walks_once_for_each_state_it_may_hold(database: Database, query: str, walks: int) -> None:
    pairs = [(key, value) for key, _, value in (pair.partition("=") for pair in query.split("&") if pair)]
    [statement, *_] = await asked(database, pairs)
    async with database.read() as conn:
        said = await plan(conn, *statement)

    assert (walks, None) == (len(WALK.findall(said)), WHOLE.search(said)), said


async def test_what_is_filtered_most_is_judged_by_the_index_alone(postgresql_url: str) -> None:
    db = Database(postgresql_url)
    await db.open()
    pairs = [("state", "running"), ("priority", "urgent"), ("tier", "gold"), ("assignee", "7"), ("health", "overdue")]
    [statement, *_] = await asked(db, pairs)
    async with db.read() as conn:
        said = await plan(conn, *statement)
    await db.close()
    [judged] = [line for line in said.splitlines() if "Index Cond: (" in line and "state" in line]

    assert all(name in judged for name in ("priority", "tier", "assignee", "health")), said


async def test_a_deep_page_begins_where_the_cursor_says(database: Database) -> None:
    cursor = SIGNER.sign(Cursor(AT, AT, "clk_1"), read_ask(CLOCKS, [("state", "running")], AT, SIGNER).binding)
    [statement, *_] = await asked(database, [("state", "running"), ("cursor", cursor)])
    async with database.read() as conn:
        said = await plan(conn, *statement)

    assert re.search(r"state=\? AND \(?due_at,id\)?>\(\?,\?\)|Index Cond: \(.*ROW\(due_at, \(id\)::text\) > ROW", said), said
