"""`slawatch signature`: make and check signatures of webhooks, for those who write receivers."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from app import signing
from app.timesource import utc_now

app = typer.Typer(help="Sign and verify webhooks (Standard Webhooks 1.0).", no_args_is_help=True)

_NOW_MAX = 253_402_300_799  # the last second of the year 9999
_Body = Annotated[typer.FileBinaryRead, typer.Argument(metavar="BODYFILE", help="The raw body; - reads standard input.")]
_Id = Annotated[str, typer.Option("--id", help="The header webhook-id.")]


@app.command()
def sign(
    body: _Body,
    secret: Annotated[list[str], typer.Option(help="whsec_... or whsk_...; repeat it, newest first, as in a rotation.")],
    timestamp: Annotated[int, typer.Option(help="The header webhook-timestamp: unix seconds.", min=0)],
    message_id: _Id,
) -> None:
    """Print the value of the header webhook-signature."""
    try:
        typer.echo(signing.sign(secret, id=message_id, timestamp=timestamp, body=body.read()))
    except signing.SignatureRefused as error:
        _refuse(error)


@app.command()
def verify(
    body: _Body,
    secret: Annotated[str, typer.Option(help="whsec_..., bare base64, or an ed25519 key whpk_...")] = "",
    message_id: _Id = "",
    timestamp: Annotated[str, typer.Option(help="The header webhook-timestamp, as received.")] = "",
    signature: Annotated[str, typer.Option(help="The header webhook-signature, as received.")] = "",
    now: Annotated[int | None, typer.Option(help="Judge at this time (unix seconds) instead of the present.", min=0, max=_NOW_MAX)] = None,
    tolerance: Annotated[int, typer.Option(help="Seconds the timestamp may be off, either way.", min=0, max=_NOW_MAX)] = 300,
) -> None:
    """Print `valid` (exit code 0), or `refused: ` and the reason (exit code 1). An empty or absent header counts as missing."""
    try:
        signing.verify(
            secret,
            id=message_id,
            timestamp=timestamp,
            body=body.read(),
            signature=signature,
            now=utc_now() if now is None else datetime.fromtimestamp(now, UTC),
            tolerance=timedelta(seconds=tolerance),
        )
    except signing.SignatureRefused as error:
        _refuse(error)
    typer.echo("valid")


@app.command()
def new(ed25519: Annotated[bool, typer.Option("--ed25519", help="A key pair: the receiver gets only the public key.")] = False) -> None:
    """Print a new signing secret; with --ed25519 the private key and, in a second line, the public one."""
    for line in signing.new_key_pair() if ed25519 else (signing.new_secret(),):
        typer.echo(line)


def _refuse(error: signing.SignatureRefused) -> None:
    typer.echo(f"refused: {error.reason}")
    raise typer.Exit(1)
