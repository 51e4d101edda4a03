"""The command line: `slawatch VERB`, one file per verb.

Every module of this package whose name does not begin with `_` is a verb under the file's name (underscores become hyphens). It has
`command` (a function with typer's annotations and a docstring) or `app` (a `typer.Typer`: a group of commands). Only the verb that is
called is imported; the list of verbs shows the first line of each module's docstring, read without running it.

Exit codes: 0 done; 1 it failed, and a sentence says why; 2 the command line is wrong; 78 the configuration or a setting is wrong;
130 interrupted.
"""

import ast
import gc
import importlib
import pkgutil
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from app import __version__
from app.errors import InvalidConfiguration, SlaError

NAME: Final = "slawatch"
FAILED: Final = 1
WRONG_CONFIGURATION: Final = 78
"""EX_CONFIG of sysexits.h: starting again without a change will not help."""


class Verbs(TyperGroup):
    """The verbs, each imported when it is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name in verbs():
            self.add_command(TyperCommand(name, help=_summary(name)))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The verb itself instead of the line about it."""
        name, found, rest = super().resolve_command(ctx, args)
        verb = None if found is None or name is None else load(name)
        if not gc.isenabled():
            gc.freeze()  # what was imported stays for good; the collector need never walk it
            gc.enable()
        return name, verb, rest

    def invoke(self, ctx: Any) -> Any:
        """Run the verb. What goes wrong in the domain is a sentence and an exit code, not a traceback."""
        try:
            return super().invoke(ctx)
        except SlaError as error:
            raise typer.Exit(tell(error)) from error


def verbs() -> list[str]:
    """The names of all verbs, sorted."""
    return sorted(_word(module.name) for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def load(verb: str) -> Any:
    """The verb as a command that can be run."""
    module = importlib.import_module(f"{__name__}.{_file(verb)}")
    if hasattr(module, "app"):
        group = typer.main.get_group(module.app)
        group.name = verb
        return group
    single = typer.Typer(add_completion=False)
    single.command(verb)(module.command)
    return typer.main.get_command(single)


def tell(error: SlaError) -> int:
    """Say on standard error what is wrong, each fault of an input on a line of its own; returns the exit code."""
    from app.settings import InvalidSettings  # here, because a verb that fails has loaded it and `--help` need not

    typer.echo(f"{NAME}: {error.detail}", err=True)
    for fault in error.errors:
        typer.echo(f"{fault.pointer} {fault.detail}".strip(), err=True)
    return WRONG_CONFIGURATION if isinstance(error, InvalidConfiguration | InvalidSettings) else FAILED


def _word(module: str) -> str:
    return module.replace("_", "-")


def _file(verb: str) -> str:
    return verb.replace("-", "_")


def _summary(verb: str) -> str:
    """The first line of the module's docstring, without the name of the verb in front."""
    text = (Path(__path__[0]) / f"{_file(verb)}.py").read_text(encoding="utf-8")
    line = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
    said = line.removeprefix(f"`{NAME} {verb}`").lstrip(": ")
    return said[:1].upper() + said[1:]


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{NAME} {__version__}")
        raise typer.Exit


cli = typer.Typer(cls=Verbs, name=NAME, no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})


@cli.callback()
def _slawatch(
    version: Annotated[bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version and leave.")] = False,
) -> None:
    """SLA clocks for any helpdesk: ticket webhooks in, signed breach callbacks out."""


def main() -> None:
    """The program `slawatch`. Ends the process."""
    gc.disable()  # until the verb is loaded: imports make next to no garbage, and looking for it would take a sixth of their time
    typer.main.get_command(cli)(prog_name=NAME)
