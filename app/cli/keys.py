"""`slawatch keys`: make, list and revoke API keys, straight in the database."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from app.errors import NotFound
from app.rules.durations import parse_duration
from app.rules.problems import InvalidDuration
from app.schemas.events_out import rfc3339
from app.services import keys
from app.settings import load_settings
from app.store.addresses import parse
from app.store.database import Database
from app.store.keys import KeyRow
from app.store.listings import KEYS
from app.store.lists import Row, read_all
from app.timesource import utc_now

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Make, list and revoke API keys, straight in the database.")

T = TypeVar("T")
DatabaseUrl = Annotated[str | None, typer.Option(help="Default: SLAWATCH_DATABASE_URL")]
Form = Annotated[Literal["table", "json"], typer.Option("--output", "-o", help="A table for people, JSON for programs")]
_BY: Final = "command line"
_WIDTH: Final = 132
"""Columns of the table where there is no terminal to ask."""


class NoDatabase(NotFound):
    """There is no database yet."""


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose key it is, for people")],
    scope: Annotated[
        Literal["ingest", "read", "operate", "admin"], typer.Option(help="operate includes read, admin includes all")
    ] = "read",
    expires: Annotated[str | None, typer.Option(metavar="DURATION", help="Ends after this long, such as 90d; default: never")] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a key and print it: the only time it can be seen."""
    if not 1 <= len(name) <= 200 or not name.isprintable():
        raise typer.BadParameter("a name has 1 to 200 printable characters", param_hint="NAME")
    ends = None if expires is None else _from_now(expires)

    async def make(db: Database) -> str:
        _, text = await keys.create(db, utc_now, name=name, scope=scope, expires_at=ends, by=_BY)
        return text

    typer.echo(_with_database(database_url, make))


@app.command("list")
def show(output: Form = "table", database_url: DatabaseUrl = None) -> None:
    """List all keys, the newest first. Their texts are not stored anywhere."""

    async def read(db: Database) -> list[Row]:
        async with db.read() as conn:
            return await read_all(conn, KEYS)

    rows = [
        {name: rfc3339(value) if hasattr(value, "tzinfo") else value for name, value in row.items()}
        for row in _with_database(database_url, read)
    ]
    if output == "json":
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    _print(rows)


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="key_...")], database_url: DatabaseUrl = None) -> None:
    """End a key for good. It stops within seconds in every process."""

    async def end(db: Database) -> KeyRow:
        return await keys.revoke(db, utc_now, key_id, by=_BY)

    row = _with_database(database_url, end)
    typer.echo(f"{row.id} ({row.name}) is revoked.")


def _with_database(url: str | None, work: Callable[[Database], Awaitable[T]]) -> T:
    """What `work` returns, on an open database. NoDatabase instead of making an empty file; Unavailable."""
    url = load_settings(database_url=url).database_url
    address = parse(url)
    if address.dialect == "sqlite" and not Path(address.location).exists():
        raise NoDatabase(f"There is no database {address.location}; `slawatch serve` or `slawatch migrate` makes it.")

    async def run() -> T:
        db = Database(url, pool=1)
        await db.open()
        try:
            return await work(db)
        finally:
            await db.close()

    return asyncio.run(run())


def _from_now(text: str) -> datetime:
    try:
        return utc_now() + timedelta(seconds=parse_duration(text, days_allowed=True))
    except (InvalidDuration, OverflowError) as error:
        raise typer.BadParameter(str(error), param_hint="--expires") from error


def _print(rows: list[dict[str, Any]]) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    table = Table(box=None, header_style="bold")
    columns = ("id", "name", "scope", "hint", "created_at", "expires_at", "last_used_at", "revoked_at")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(row[column] or "-" for column in columns))
    console.print(table)
