"""Stores with very many running clocks: one ticket is taken in as always, and its rows are copied by the database itself."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from app.exchange import HttpRequest
from app.rules.events import Actor, ActorKind, EventKind, Message, TicketEvent
from app.services.configuration import LiveConfig
from app.services.ingest import Arrival, Ingest
from app.store import migrations
from app.store.database import Connection, Database
from app.timesource import Now

DOCUMENT: Final = """\
version: 1
calendars:
  office: {timezone: Europe/Berlin, hours: {mon-fri: "09:00-17:00"}}
policies:
  - name: everyone
    calendar: always
    targets: {resolution: 4h}
"""
_DIGITS: Final = 26
_SECOND: Final = 1_000_000


async def opened(url: str) -> Database:
    """The migrated database."""
    migrations.upgrade(url)
    db = Database(url, database_time=False)
    await db.open()
    return db


async def configured(db: Database, document: str, now: Now, environ: Mapping[str, str] | None = None) -> LiveConfig:
    """The document in force."""
    live = LiveConfig(db, now, environ or {}, Path())
    with TemporaryDirectory() as folder:
        file = Path(folder) / "slawatch.yaml"
        file.write_text(document)
        await live.start(file)
    return live


async def seed(db: Database, live: LiveConfig, now: Now, count: int, *, spread: timedelta | None = None, since: int = 0) -> None:
    """`count` more tickets like one that was opened at `now`. `spread`: their clocks are due one after the other over this time from when
    the first one is (then nobody may judge them: their timelines know nothing of it); None: all at one instant."""
    event = TicketEvent(
        "desk", f"template-{since}", "created", now(), EventKind.TICKET_CREATED, {"status": "open", "priority": "high", "subject": "A"},
        message=Message(ActorKind.CUSTOMER, public=True, id="m1"), actor=Actor(ActorKind.CUSTOMER, "zoe"),
    )  # fmt: skip
    ingest = Ingest(db, live, now)
    await ingest.start()
    receipt = await ingest.submit(Arrival("desk", "events", HttpRequest("POST", "/v1/events", {}), now(), (event,)))
    await ingest.stop()
    step = int(spread.total_seconds() * _SECOND) // count if spread else 0
    for start in range(since + 1, since + count + 1, 250_000):
        last = min(start + 249_999, since + count)
        async with db.begin() as conn:
            for table, changed in _copied(step).items():
                await _copy(conn, table, changed, receipt.tickets[0].id, start, last)
    async with db.begin() as conn:
        await conn.exec_driver_sql("ANALYZE")


def _copied(step: int) -> dict[str, dict[str, str]]:
    number = f"substr('{'0' * _DIGITS}' || n, -{_DIGITS})"
    later = {name: f"{name} + CAST(n AS BIGINT) * {step}" for name in ("due_at", "next_check_at")} if step else {}
    return {
        "tickets": {"id": f"'tkt_' || {number}", "external_id": "'t' || n"},
        "events": {"ticket_id": f"'tkt_' || {number}"},
        "clocks": {"id": f"'clk_' || substr(id, -2) || substr({number}, 3)", "ticket_id": f"'tkt_' || {number}", **later},
    }


async def _copy(conn: Connection, table: str, changed: dict[str, str], ticket: str, first: int, last: int) -> None:
    postgresql = conn.dialect.name == "postgresql"
    columns = await _columns(conn, table)
    quoted = [f'"{name}"' for name in columns]
    values = [_spelled(changed[name], postgresql=postgresql) if name in changed else f'"{name}"' for name in columns]
    numbers = (
        f"generate_series({first}, {last}) AS numbers(n)"
        if postgresql
        else f"(WITH RECURSIVE up(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM up WHERE n < {last}) SELECT n FROM up)"
    )
    key = "id" if table == "tickets" else "ticket_id"
    await conn.exec_driver_sql(
        f"INSERT INTO {table} ({', '.join(quoted)}) SELECT {', '.join(values)} FROM {table}, {numbers} WHERE {key} = '{ticket}'"
    )


def _spelled(expression: str, *, postgresql: bool) -> str:
    """SQLite counts from the end with a negative start; PostgreSQL has `right`."""
    if not postgresql:
        return expression
    return expression.replace(f"substr('{'0' * _DIGITS}' || n, -{_DIGITS})", f"lpad(n::text, {_DIGITS}, '0')").replace(
        "substr(id, -2)", "right(id, 2)"
    )


async def _columns(conn: Connection, table: str) -> list[str]:
    result: Any = await conn.exec_driver_sql(f"SELECT * FROM {table} LIMIT 0")
    return list(result.keys())


def fixed(at: datetime) -> Now:
    """A clock that stands still."""
    return lambda: at
