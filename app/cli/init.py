"""`slawatch init`: write a commented configuration to begin with."""

from pathlib import Path
from typing import Annotated

import typer

from app.config.starter import starter_text

FAILED = 1


def command(
    file: Annotated[Path, typer.Argument(help="Where to write it")] = Path("slawatch.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there")] = False,
) -> None:
    """Write a commented configuration to begin with: tiers platinum, gold, silver and bronze; resolution within 6 hours by default."""
    try:
        with file.open("w" if force else "x", encoding="utf-8") as stream:
            stream.write(starter_text())
    except FileExistsError:
        typer.echo(f"{file} is there already; --force overwrites it", err=True)
        raise typer.Exit(FAILED) from None
    except OSError as error:
        typer.echo(f"{file} cannot be written: {error.strerror}", err=True)
        raise typer.Exit(FAILED) from None
    typer.echo(f"{file} written. Next: slawatch check {file}, then slawatch serve --config {file}")
