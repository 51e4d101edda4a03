"""What verbs that work on the database share: opening it, the configuration in it, rows as a table or as JSON."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from app.errors import NotFound
from app.schemas.instants import rfc3339
from app.services.configuration import LiveConfig
from app.settings import Settings, environment, load_settings
from app.store.addresses import parse
from app.store.database import Database
from app.timesource import utc_now

DatabaseUrl = Annotated[str | None, typer.Option(help="Default: SLAWATCH_DATABASE_URL")]
Form = Annotated[Literal["table", "json"], typer.Option("--output", "-o", help="A table for people, JSON for programs")]

T = TypeVar("T")
_WIDTH: Final = 160
"""Columns of the table where there is no terminal to ask."""


class NoDatabase(NotFound):
    """There is no database yet."""


def with_database(url: str | None, work: Callable[[Database], Awaitable[T]]) -> T:
    """What `work` returns, on an open database. NoDatabase instead of making an empty file; Unavailable."""
    return asyncio.run(_opened(_settings(url), work))


def with_service(url: str | None, work: Callable[[Database, LiveConfig], Awaitable[T]]) -> T:
    """The same, with the configuration in force. InvalidConfiguration when it cannot be loaded here (a secret is missing)."""
    settings = _settings(url)
    base = settings.config.parent if settings.config else Path()

    async def loaded(db: Database) -> T:
        live = LiveConfig(db, utc_now, environment(), base, public_url=settings.public_url)
        await live.start(None)
        return await work(db, live)

    return asyncio.run(_opened(settings, loaded))


def show(rows: Iterable[Mapping[str, Any]], form: str, columns: Sequence[str]) -> None:
    """Print rows: as JSON whole, as a table these columns."""
    plain = [{name: rfc3339(value) if isinstance(value, datetime) else value for name, value in row.items()} for row in rows]
    if form == "json":
        typer.echo(json.dumps(plain, indent=2, ensure_ascii=False))
        return
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    table = Table(box=None, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in plain:
        table.add_row(*("-" if row[column] is None else str(row[column]) for column in columns))
    console.print(table)


def _settings(url: str | None) -> Settings:
    settings = load_settings(database_url=url)
    address = parse(settings.database_url)
    if address.dialect == "sqlite" and not Path(address.location).exists():
        raise NoDatabase(f"There is no database {address.location}; `slawatch serve` or `slawatch migrate` makes it.")
    return settings


async def _opened(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    db = Database(settings.database_url, pool=1)
    await db.open()
    try:
        return await work(db)
    finally:
        await db.close()
