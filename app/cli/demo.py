"""`slawatch demo`: see it work, with a simulated helpdesk and a receiver that verifies every callback."""

import asyncio
import importlib.util
import json
import signal
from typing import Annotated, Final

import typer

from app.settings import environment

_TERMINATED: Final = 128 + signal.SIGTERM


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print nothing but one JSON object with the result")] = False,
    seconds: Annotated[float, typer.Option(min=16, max=600, help="How long the story goes on; more seconds, more tickets")] = 22,
    seed: Annotated[int, typer.Option(min=0, help="Another number, another story")] = 1,
) -> None:
    """Start the service in a temporary directory, let a simulated helpdesk post signed Zendesk webhooks, verify what comes back.

    The service, the helpdesk and the receiver are separate and speak real HTTP; hours are seconds. Ends by itself after about half
    a minute: with exit code 0 when warnings, breaches and recoveries were delivered and verified and everything that was sent is
    accounted for, with 1 and the reasons when not. Leaves nothing behind.
    """
    if importlib.util.find_spec("standardwebhooks") is None:
        typer.echo("slawatch: The demo verifies callbacks with a package of others: pip install 'slawatch[demo]'", err=True)
        raise typer.Exit(1)
    try:
        raise typer.Exit(asyncio.run(_run(as_json=as_json, seconds=seconds, seed=seed)))
    except asyncio.CancelledError:  # by SIGTERM; Ctrl-C is dealt with by the frame
        raise typer.Exit(_TERMINATED) from None


async def _run(*, as_json: bool, seconds: float, seed: int) -> int:
    """Play it and say how it went; the exit code."""
    from rich.console import Console

    from app.cli._demo import display, stage
    from app.cli._demo.ledger import summary

    console = Console()
    shown: display.Display = display.Silent() if as_json else display.Board(console) if console.is_terminal else display.Lines(console)
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    ending = await stage.run(shown, environment(), seed=seed, seconds=seconds)
    figures = summary(ending.books, ok=not ending.problems, seconds=ending.seconds)
    if as_json:
        typer.echo(json.dumps(figures | {"problems": ending.problems}))
    else:
        console.print(display.result(figures, ending.problems))
    return 1 if ending.problems else 0
