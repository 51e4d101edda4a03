"""`slawatch explain`: why a ticket's clocks stand as they do, with every span of time and what it counted."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.config.compile import Loaded, compile_document
from app.config.document import parse as parse_document
from app.config.parts import read_parts
from app.config.secrets import Resolver
from app.errors import InvalidConfiguration, NotFound, TicketNotFound
from app.rules.explain import as_json, explain
from app.schemas.instants import read_instant, rfc3339
from app.services.signalling import shown
from app.settings import Settings, environment, load_settings
from app.store import config_revisions, reads
from app.store.addresses import parse as parse_address
from app.store.config_revisions import Revision
from app.store.database import Database
from app.timesource import utc_now

_WIDTH = 132
"""Columns of the tables where there is no terminal to ask."""


class NoDatabase(NotFound):
    """There is no database yet."""


def command(
    ticket: Annotated[str, typer.Argument(help="Our id (tkt_...), or source:id as in acme-zendesk:4711")],
    at: Annotated[str | None, typer.Option(metavar="INSTANT", help="As it stood then, such as 2026-11-21T09:30:00Z; default: now")] = None,
    output: Annotated[Literal["table", "json"], typer.Option("--output", "-o", help="Tables for people, JSON for programs")] = "table",
    database_url: Annotated[str | None, typer.Option(help="Default: SLAWATCH_DATABASE_URL")] = None,
) -> None:
    """Explain a ticket: its policy and why no other, each clock's target, every span of time and what it counted.

    Reads the database directly, by the configuration stored there, and may run beside the service. It asks the very functions
    that decide, so the counted times add up to what a clock has used.
    """
    settings = load_settings(database_url=database_url)
    _require_database(settings.database_url)
    found = asyncio.run(_explain(settings, ticket, _instant(at)))
    if output == "json":
        typer.echo(json.dumps(found, default=_plain, indent=2, ensure_ascii=False))
        return
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    _show(console, found)


def _instant(text: str | None) -> datetime | None:
    try:
        return None if text is None else read_instant(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--at") from error


def _require_database(url: str) -> None:
    """NoDatabase instead of making an empty file."""
    address = parse_address(url)
    if address.dialect == "sqlite" and not Path(address.location).exists():
        raise NoDatabase(f"There is no database {address.location}; `slawatch serve` makes it.")


async def _explain(settings: Settings, reference: str, at: datetime | None) -> dict[str, Any]:
    """The explanation with the ticket's own columns under `ticket`. TicketNotFound; Unavailable."""
    db = Database(settings.database_url, pool=1)
    await db.open()
    try:
        async with db.read() as conn:
            newest = await config_revisions.newest(conn)
            ticket = await reads.ticket(conn, reference)
            if newest is None or ticket is None:
                raise TicketNotFound(f"There is no ticket {reference}.")
            timeline = await reads.timeline(conn, ticket["id"])
            now = await db.now(conn, utc_now)
            loaded = _loaded(newest, settings, now)
            book = loaded.book(newest.number)
            if at is not None:
                timeline = timeline.until(at)
            signals = await shown(conn, ticket["id"], ticket["source"], timeline, loaded, book, at or now)
    finally:
        await db.close()
    return {"ticket": ticket, "revision": newest.number, **as_json(explain(timeline, book, at or now)), "signals": signals}


def _loaded(newest: Revision, settings: Settings, at: datetime) -> Loaded:
    """The document of a stored revision. It was checked when it was stored; secrets, which this shell need not have, promise nothing."""
    base = settings.config.parent if settings.config else Path()
    tree, flaws = parse_document(newest.body)
    if tree is None:
        raise InvalidConfiguration(f"Revision {newest.number} of the configuration cannot be read: {flaws[0].message}.")
    parts = read_parts(tree, Resolver(environment(), base), at.date(), base)
    try:
        return compile_document(newest.body, parts)
    except KeyError as error:
        raise InvalidConfiguration(
            f"Revision {newest.number} of the configuration lacks {error} here: set SLAWATCH_CONFIG, so that files beside it are found."
        ) from error


def _plain(value: object) -> str:
    return rfc3339(value) if isinstance(value, datetime) else str(value)


def _show(console: Console, found: Mapping[str, Any]) -> None:
    ticket = found["ticket"]
    console.print(Text(f"{ticket['source']}:{ticket['external_id']}  {ticket['subject'] or ''}", style="bold"))
    console.print(_pairs({"id": ticket["id"], "as of": found["at"], "status": ticket["status"], "priority": ticket["priority"]}))
    console.print(_pairs({"tier": found["tier"], "policy": found["policy"], "revision of the configuration": found["revision"]}))
    for rejected in found["rejected_policies"]:
        console.print(Text(f"  not {rejected['policy']}: {rejected['because']}"))
    if not found["clocks"]:
        console.print("No clock: nothing is promised for this ticket.")
    for clock in found["clocks"]:
        console.print()
        _show_clock(console, clock)
    if found["signals"]:
        console.print()
        _show_signals(console, found["signals"])


def _show_signals(console: Console, signals: Iterable[Mapping[str, Any]]) -> None:
    """Each signal that is watched; of those that were raised, what shows it."""
    console.print(Text("signals", style="bold"))
    for signal in signals:
        state = "raised" if any(raised["stands"] for raised in signal["raised"]) else "not raised now"
        threshold = signal["threshold"] or "not watched for this tier"
        ahead = f"; next at {signal['next_at']}" if signal["next_at"] else ""
        console.print(Text(f"  {signal['signal']}: {state} ({threshold}{ahead})"))
        for raised in signal["raised"]:
            until = f" until {raised['ended_at']}" if raised["ended_at"] else ""
            console.print(Text(f"    {raised['raised_at']}{until}: {raised['threshold']}"))
            for sentence in raised["evidence"]:
                console.print(Text(f"      {sentence}"))


def _show_clock(console: Console, clock: Mapping[str, Any]) -> None:
    console.print(Text(f"{clock['metric']} {clock['cycle']}: {clock['health'].replace('_', ' ')}", style="bold"))
    source = f"{clock['target']} ({clock['target_from']})"
    console.print(_pairs({"target": source, "calendar": f"{clock['calendar']} ({clock['time_zone']})", "state": clock["state"]}))
    instants = ("started_at", "stopped_at", "due_at", "breached_at")
    console.print(_pairs({name.removesuffix("_at"): clock[name] for name in instants} | {"because": clock["cause"]}))
    console.print(_spans(clock))
    marks = ", ".join(f"{mark['name']} at {mark['at']}{' (passed)' if mark['passed'] else ''}" for mark in clock["milestones"])
    if marks:
        console.print(Text(f"  milestones: {marks}"))


def _spans(clock: Mapping[str, Any]) -> Table:
    """What has counted and its sum, then what will count until it is due."""
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 2))
    for name in ("from", "to", "counted", "why"):
        table.add_column(name, justify="right" if name == "counted" else "left")
    _add(table, clock["spans"])
    table.add_row("", "elapsed", _seconds(clock["elapsed_seconds"]), "", style="bold")
    if clock["ahead"]:
        _add(table, clock["ahead"])
        table.add_row("", "until due", _seconds(clock["remaining_seconds"]), "", style="bold")
    return table


def _add(table: Table, spans: Iterable[Mapping[str, Any]]) -> None:
    for span in spans:
        table.add_row(span["from"], span["to"], _seconds(span["counted_seconds"]), Text(span["why"]))


def _seconds(seconds: float | None) -> str:
    """`1:02:03.456789`, exact to the microsecond, so that a column can be added up."""
    if seconds is None:
        return "-"
    whole = Decimal(str(abs(seconds))).quantize(Decimal("0.000001"))
    hours, rest = divmod(whole, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{'-' if seconds < 0 else ''}{hours:.0f}:{minutes:02.0f}:{rest:09.6f}"


def _pairs(values: Mapping[str, Any]) -> Text:
    """`name value` for everything that has one, in one line."""
    return Text("  " + "   ".join(f"{name}: {value}" for name, value in values.items() if value is not None))
