"""`slawatch inbox`: what arrived and what became of it; read again what could not be read."""

from typing import Annotated, Any, Final

import typer

from app.cli._database import DatabaseUrl, Form, show, with_database, with_service
from app.cli._instants import instant
from app.services import replay as replaying
from app.services.configuration import LiveConfig
from app.services.ingest import Ingest
from app.services.replay import Replayed, Wanted
from app.store.cursors import Signer
from app.store.database import Database
from app.store.listings import INBOX
from app.store.lists import Row, read_ask, read_page
from app.timesource import utc_now

app = typer.Typer(add_completion=False, no_args_is_help=True, help="What arrived and what became of it, straight in the database.")

_BY: Final = "command line"
_COLUMNS: Final = ("id", "received_at", "source", "via", "outcome", "reason")


@app.command("list")
def list_messages(
    outcome: Annotated[str | None, typer.Option(help="applied, duplicate, ignored or quarantined")] = None,
    source: Annotated[str | None, typer.Option(help="Only of this source")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many, the newest first")] = 50,
    output: Form = "table",
    database_url: DatabaseUrl = None,
) -> None:
    """List messages, the newest first; --outcome quarantined are those that could not be read."""
    asked = [("limit", str(limit)), *[(name, word) for name, word in (("outcome", outcome), ("source", source)) if word is not None]]

    async def read(db: Database) -> list[Row]:
        async with db.read() as conn:
            return (await read_page(conn, INBOX, read_ask(INBOX, asked, utc_now(), Signer(b"")))).rows

    show(with_database(database_url, read), output, _COLUMNS)


@app.command()
def replay(
    source: Annotated[str, typer.Argument(help="The source's name in the configuration")],
    outcome: Annotated[str, typer.Option(help="quarantined, ignored or applied")] = "quarantined",
    since: Annotated[
        str | None, typer.Option(help="Only what came at this instant or later: 2026-11-21T09:30:00Z, or 2h ago as `2h`")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Only what came before this instant")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many, the oldest first")] = 1000,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would become of them")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Read stored messages again, by the source as it is configured now: after a mapping was repaired. Twice is harmless.

    Exit code 0: none of them is in quarantine any more; 1: some are still, with their reasons.
    """
    if outcome not in ("quarantined", "ignored", "applied"):
        raise typer.BadParameter("is quarantined, ignored or applied", param_hint="--outcome")
    wanted = Wanted(source, outcome, instant(since, "--since"), instant(until, "--until"), limit)

    async def work(db: Database, live: LiveConfig) -> Replayed:
        ingest = Ingest(db, live, utc_now)
        await ingest.start()
        try:
            return await replaying.replay(ingest, db, live, utc_now, wanted, dry_run=dry_run, by=_BY)
        finally:
            await ingest.stop()

    _tell(with_service(database_url, work), dry_run=dry_run)


def _tell(done: Replayed, *, dry_run: bool) -> None:
    typer.echo(f"{done.matched} messages, {done.replayed} {'would be' if dry_run else 'were'} read again.")
    rows: list[dict[str, Any]] = [{"outcome": name, "messages": count} for name, count in sorted(done.outcomes.items())]
    if rows:
        show(rows, "table", ("outcome", "messages"))
    for reason, count in done.reasons.items():
        typer.echo(f"{count} in quarantine still: {reason}")
    if done.outcomes.get("quarantined"):
        raise typer.Exit(1)
