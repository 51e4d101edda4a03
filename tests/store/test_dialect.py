"""Statements that each database spells its own way: they find what is meant, and by an index."""

from sqlalchemy import Select, select
from sqlalchemy.dialects import sqlite

from app.store import bulk
from app.store.database import Database
from app.store.dialect import among, named_among, named_among_pairs
from app.store.tables import tickets
from tests.store.test_bulk import ticket

BY_ID = select(tickets.c.id).where(named_among(tickets.c.id, "ids")).order_by(tickets.c.id)
BY_REF = select(tickets.c.id).where(named_among_pairs(tickets.c.source, tickets.c.external_id, "refs")).order_by(tickets.c.id)


async def test_rows_are_found_by_one_of_many_values_and_by_pairs(database: Database) -> None:
    async with database.begin() as conn:
        await bulk.write(conn, tickets, "insert", [ticket(number) for number in (1, 2, 3)])
        by_id = (await conn.execute(BY_ID, {"ids": ["tkt_3", "tkt_1", "tkt_1", "it's"]})).scalars().all()
        by_ref = (await conn.execute(BY_REF, {"refs": [("desk", "2"), ("shop", "1"), ("desk", '"3"')]})).scalars().all()
        nothing = (await conn.execute(BY_ID, {"ids": []})).scalars().all()
        others = (await conn.execute(select(tickets.c.id).where(~among(tickets.c.id, ["tkt_1"])).order_by(tickets.c.id))).scalars().all()

    assert (["tkt_1", "tkt_3"], ["tkt_2"], []) == (by_id, by_ref, nothing)
    assert ["tkt_2", "tkt_3"] == others


async def test_sqlite_goes_by_an_index(sqlite_url: str) -> None:
    db = Database(sqlite_url, database_time=False)
    await db.open()
    plans = [await _plan(db, query) for query in (BY_ID, BY_REF)]
    await db.close()

    assert ["SEARCH", "SEARCH"] == [plan.split()[0] for plan in plans]


async def _plan(db: Database, query: Select[tuple[str]]) -> str:
    async with db.begin() as conn:
        await bulk.write(conn, tickets, "insert_new", [ticket(number) for number in range(300)])
        await conn.exec_driver_sql("ANALYZE")
        sql = str(query.compile(dialect=sqlite.dialect()))
        return str((await conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", ("[]",))).mappings().all()[0]["detail"])
