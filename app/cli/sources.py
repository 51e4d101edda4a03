"""`slawatch sources`: work with the helpdesks a document names."""

import json
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from app.helpdesks._learn import NothingToLearn, learn
from app.helpdesks._learn.trial import what_they_say
from app.timesource import utc_now

app = typer.Typer(help="Work with the helpdesks a document names.", no_args_is_help=True)

SAMPLES_MAX = 1000
UNREADABLE = 2


@app.callback()
def sources() -> None:
    """Work with the helpdesks a document names."""


@app.command("learn")
def learn_source(
    file: Annotated[Path, typer.Argument(help="A webhook's body as JSON, a JSON array or lines of several; - is standard input")],
    name: Annotated[str, typer.Option(help="What the source is to be called")] = "learned",
) -> None:
    """Propose a source of the kind generic from sample webhooks: YAML on standard output.

    Comments name what it was not sure of, and what the samples would say with this proposal. It is a beginning: correct it, try other
    payloads with POST /v1/sources/NAME:preview, and say how requests are verified.

    Exit code 0: proposed; 1: the samples do not show a ticket; 2: the file cannot be read.
    """
    payloads = _payloads(file)
    try:
        proposal = learn(payloads)
    except NothingToLearn as error:
        typer.echo(f"{file}: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"# Learned from {len(payloads)} sample{'s' if len(payloads) > 1 else ''}. Look for UNSURE.")
    typer.echo(proposal.as_yaml(name), nl=False)
    typer.echo("# What the samples say with this:")
    for line in what_they_say(proposal, name, payloads, utc_now()):
        typer.echo(f"#   {_printable(line)}")


def _printable(line: str) -> str:
    """One line, without anything that would end a comment or steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in line)


def _payloads(file: Path) -> list[Any]:
    """The samples in the file; ends the command when there are none."""
    try:
        data = typer.get_binary_stream("stdin").read() if str(file) == "-" else file.read_bytes()
        payloads = _decoded(data.decode("utf-8-sig"))
    except OSError as error:
        _leave(file, error.strerror or "unreadable")
    except UnicodeDecodeError as error:
        _leave(file, f"no UTF-8 text (byte {error.start})")
    except (ValueError, RecursionError) as error:
        _leave(file, f"no JSON: {error}")
    if not payloads or not all(isinstance(payload, dict) for payload in payloads):
        _leave(file, "no JSON object, array of objects or lines of objects")
    return payloads[:SAMPLES_MAX]


def _decoded(text: str) -> list[Any]:
    """One payload, an array of them, or one a line. ValueError for none of these."""
    try:
        whole = json.loads(text)
    except ValueError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise
        return [json.loads(line) for line in lines]
    return whole if isinstance(whole, list) else [whole]


def _leave(file: Path, reason: str) -> NoReturn:
    typer.echo(f"{file}: cannot be read: {reason}", err=True)
    raise typer.Exit(UNREADABLE)
