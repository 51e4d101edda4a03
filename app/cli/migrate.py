"""`slawatch migrate`: bring the database's schema up to this release."""

from typing import Annotated

import typer

from app.settings import load_settings
from app.store import migrations


def command(
    database_url: Annotated[str | None, typer.Option(help="sqlite:///FILE or postgresql://...; default: SLAWATCH_DATABASE_URL")] = None,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit code 1 when the database is behind this release")] = False,
    down: Annotated[
        str | None, typer.Option(metavar="REVISION", help="Go down to this revision instead; 'base' removes every table")
    ] = None,
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL for an empty database, connect to nothing")] = False,
) -> None:
    """Bring the database's schema up to this release. `slawatch serve` does it by itself at the start.

    A database that a newer release has migrated already is left as it is: this release works with it.
    """
    if check + sql + (down is not None) > 1:
        raise typer.BadParameter("--check, --down and --sql exclude one another")
    url = load_settings(database_url=database_url).database_url
    if sql:
        typer.echo(migrations.script(url), nl=False)
    elif check:
        raise typer.Exit(_say(url))
    elif down is not None:
        migrations.downgrade(url, down)
        _say(url)
    else:
        migrations.upgrade(url)
        _say(url)


def _say(url: str) -> int:
    """Print where the database stands; 1 when it is behind this release, else 0."""
    found, head = migrations.current(url) or "empty", migrations.head()
    behind = migrations.is_behind(url)
    word = "behind" if behind else "up to date" if found == head else "newer than this release"
    typer.echo(f"database: {found} ({word}); this release: {head}")
    return int(behind)
