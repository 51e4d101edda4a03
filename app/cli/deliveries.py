"""`slawatch deliveries`: what was sent to whom; try one again, make good what a channel has missed."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from app.cli._database import DatabaseUrl, Form, show, with_database
from app.cli._instants import instant
from app.errors import DeliveryNotFound
from app.services import deliveries
from app.store import reads
from app.store.cursors import Signer
from app.store.database import Database
from app.store.listings import DELIVERIES
from app.store.lists import Row, read_ask, read_page
from app.timesource import utc_now

app = typer.Typer(add_completion=False, no_args_is_help=True, help="What was sent to whom, straight in the database.")

_BY: Final = "command line"
_COLUMNS: Final = ("id", "created_at", "channel", "type", "state", "attempts", "next_attempt_at", "error_class")
_ATTEMPTS: Final = ("number", "started_at", "method", "url", "status", "error_class", "detail", "timing")


@app.command("list")
def list_deliveries(
    state: Annotated[str | None, typer.Option(help="pending, delivered, superseded, expired, suppressed, dead or paused")] = None,
    channel: Annotated[str | None, typer.Option(help="Only of this channel")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many, the newest first")] = 50,
    output: Form = "table",
    database_url: DatabaseUrl = None,
) -> None:
    """List deliveries, the newest first."""
    asked = [("limit", str(limit)), *[(name, word) for name, word in (("state", state), ("channel", channel)) if word is not None]]

    async def read(db: Database) -> list[Row]:
        async with db.read() as conn:
            return (await read_page(conn, DELIVERIES, read_ask(DELIVERIES, asked, utc_now(), Signer(b"")))).rows

    show(with_database(database_url, read), output, _COLUMNS)


@app.command("show")
def show_delivery(
    delivery_id: Annotated[str, typer.Argument(help="dlv_...")], output: Form = "table", database_url: DatabaseUrl = None
) -> None:
    """Show one delivery with every try."""

    async def read(db: Database) -> tuple[Row, list[Mapping[str, Any]]]:
        async with db.read() as conn:
            row = await reads.delivery(conn, delivery_id)
            if row is None:
                raise DeliveryNotFound(f"There is no delivery {delivery_id}.")
            return row, [dict(each) for each in await reads.attempts_of(conn, delivery_id)]

    row, tries = with_database(database_url, read)
    history = [{name: each[name] for name in _ATTEMPTS} for each in tries]
    if output == "json":
        show([{**row, "history": history}], output, _COLUMNS)
        return
    show([row], output, (*_COLUMNS, "detail"))
    show(history, output, _ATTEMPTS)


@app.command()
def retry(delivery_id: Annotated[str, typer.Argument(help="dlv_...")], database_url: DatabaseUrl = None) -> None:
    """Try a delivery again now, under the same id; the running service sends it."""

    async def work(db: Database) -> None:
        await deliveries.retry(db, utc_now, delivery_id, by=_BY)

    with_database(database_url, work)
    typer.echo(f"{delivery_id} is ready to be sent.")


@app.command()
def recover(
    channel: Annotated[str, typer.Argument(help="The channel's name")],
    since: Annotated[str | None, typer.Option(help="Made at this instant or later: 2026-11-21T09:30:00Z, or 2h ago as `2h`")] = None,
    until: Annotated[str | None, typer.Option(help="Made before this instant")] = None,
    only_missing: Annotated[
        bool, typer.Option("--only-missing/--all", help="--all: also what was accepted, again under the same ids")
    ] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many there are")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Replay what a channel has missed (held or dead), behind its live traffic; the running service sends it."""
    first, last = instant(since, "--since"), instant(until, "--until")

    async def work(db: Database) -> int:
        return await deliveries.recover(db, utc_now, channel, since=first, until=last, only_missing=only_missing, dry_run=dry_run, by=_BY)

    count = with_database(database_url, work)
    typer.echo(f"{count} deliveries {'would be' if dry_run else 'are'} ready to be sent.")
