"""`slawatch import`: load the tickets a helpdesk has already, from a file or over its API."""
# ruff: noqa: N999  the file is named like its verb

import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from app.cli._database import DatabaseUrl, with_service
from app.cli._instants import instant
from app.delivery.client import DeliveryClient
from app.delivery.proxy import Proxy
from app.errors import InvalidRequest, SourceNotFound
from app.guard import GuardPolicy
from app.helpdesks import SourceConfig
from app.services import importing
from app.services.configuration import Current, LiveConfig
from app.services.dump import Dump
from app.services.fetching import LIMITS, Tools
from app.services.ingest import Ingest
from app.store.database import Database
from app.store.sources import Job
from app.timesource import utc_now

EVENTS: Final = "events"
"""The kind of a file of canonical events."""


def command(
    kind: Annotated[str, typer.Argument(help="The source's kind (zendesk, jira, ...), or `events` for a file of canonical events")],
    source: Annotated[str, typer.Option(help="The source's name in the configuration; of canonical events any name")],
    file: Annotated[
        Path | None, typer.Option(help="NDJSON or JSON: webhook bodies or canonical events; - is standard input. Left out: over the API")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="INSTANT|SPAN", help="Over the API: only what changed since; 90d is 90 days ago")
    ] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Load the tickets a helpdesk has already. What was broken before now is recorded as a breach, and nobody is told of it; what breaks
    from now on is told as always.

    It may run beside the service. Broken off (Ctrl-C, a lost connection), the same command goes on where it was; doing it twice changes
    nothing. Over the API it keeps to a fifth of what the helpdesk allows (`per_minute` of the source's `api` says otherwise) and waits when
    it is told to. Records of a file that cannot be read go to quarantine (`slawatch inbox list`).
    """
    begin = instant(since, "--since")
    if file is not None and since is not None:
        raise typer.BadParameter("is for imports over the API; a file is read whole", param_hint="--since")

    async def work(db: Database, live: LiveConfig) -> dict[str, int]:
        config = _configured(live, kind, source, is_file=file is not None)
        ingest = Ingest(db, live, utc_now)
        await ingest.start()
        try:
            if file is not None:
                return await _file(db, ingest, source, config, file)
            assert config is not None
            return await _api(db, live, ingest, config, begin)
        finally:
            await ingest.stop()

    counts = with_service(database_url, work)
    typer.echo(", ".join(f"{count} {name}" for name, count in counts.items() if count) or "There was nothing to import.")


def _configured(live: LiveConfig, kind: str, name: str, *, is_file: bool) -> SourceConfig | None:
    """The source; None for a file of canonical events. SourceNotFound; InvalidRequest when it is of another kind."""
    if kind == EVENTS:
        if not is_file:
            raise InvalidRequest("Canonical events are imported from a file: say which with --file.")
        return None
    config = live.current.loaded.sources.get(name)
    if config is None:
        raise SourceNotFound(f"There is no source {name!r} in the configuration.")
    if config.kind != kind:
        raise InvalidRequest(f"The source {name} is of the kind {config.kind}, not {kind}.")
    return config


async def _file(db: Database, ingest: Ingest, source: str, config: SourceConfig | None, file: Path) -> dict[str, int]:
    with _readable(file) as path:
        dump = Dump(path)
        try:
            with _bar() as progress:
                bar = progress.add_task("records", total=len(dump))

                def step(done: int, total: int, counts: Counter[str]) -> None:
                    progress.update(bar, completed=done, total=total, description=f"{counts['tickets']} tickets")

                return await importing.from_file(db, ingest, utc_now, source, config, dump, step)
        finally:
            dump.close()


async def _api(db: Database, live: LiveConfig, ingest: Ingest, config: SourceConfig, since: datetime | None) -> dict[str, int]:
    async with DeliveryClient(_policy(live.current), limits=LIMITS) as client:
        await client.set_policy(_policy(live.current), proxy=_proxy(live.current))
        with _bar() as progress:
            bar = progress.add_task("tickets", total=None)

            def report(job: Job) -> None:
                progress.update(bar, completed=job.progress.get("tickets", 0), description=f"{job.progress.get('events', 0)} events")

            return await importing.from_api(Tools(db, live, utc_now, ingest, client, asyncio.sleep), config, since, report)


def _policy(current: Current) -> GuardPolicy:
    return GuardPolicy(current.loaded.delivery.allow_networks)


def _proxy(current: Current) -> Proxy | None:
    address = current.loaded.delivery.egress_proxy
    return Proxy.of(address.get_secret_value() if address is not None else None)


def _bar() -> Progress:
    """A bar on standard error where that is a terminal; else nothing is drawn."""
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, disable=not console.is_terminal)


@contextmanager
def _readable(file: Path) -> Iterator[Path]:
    """The file; standard input is put into one for as long."""
    if str(file) != "-":
        yield file
        return
    with tempfile.NamedTemporaryFile(prefix="slawatch-import-") as copy:
        while part := typer.get_binary_stream("stdin").read(1 << 20):
            copy.write(part)
        copy.flush()
        yield Path(copy.name)
