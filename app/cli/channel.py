"""`slawatch channel`: how the channels do; switch one off and on, test one, check where one may go."""

from datetime import datetime
from typing import Annotated, Any, Final

import typer

from app.cli._check_url import check_url
from app.cli._database import DatabaseUrl, Form, show, with_service
from app.delivery.client import DeliveryClient
from app.delivery.proxy import Proxy
from app.guard import GuardPolicy
from app.services import endpoints
from app.services.channel_test import TestResult, send_test
from app.services.configuration import LiveConfig
from app.store.database import Database
from app.timesource import utc_now

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="The channels that alerts go out by: how they do, switching them off and on, testing them. Works on the database and the "
    "configuration stored there, and needs the secrets of that configuration in its environment.",
)
app.command("check-url")(check_url)

Name = Annotated[str, typer.Argument(help="The channel's name in the configuration")]
_BY: Final = "command line"
_COLUMNS: Final = ("name", "kind", "state", "failing_since", "failures", "error_class", "breaker", "held", "delivered_at")


@app.command("list")
def list_channels(output: Form = "table", database_url: DatabaseUrl = None) -> None:
    """List the channels and how their endpoints do, in the order of the configuration."""
    rows = with_service(database_url, endpoints.overview)
    show(rows, output, _COLUMNS)


@app.command()
def disable(name: Name, database_url: DatabaseUrl = None) -> None:
    """Switch a channel off: what is meant for it is held until it is enabled. The running service notices within a second."""

    async def work(db: Database, live: LiveConfig) -> dict[str, Any]:
        await endpoints.disable(db, live, utc_now, name, by=_BY)
        return await endpoints.one(db, live, name)

    row = with_service(database_url, work)
    since: datetime = row["disabled_at"]
    typer.echo(f"{name} is disabled since {since:%Y-%m-%d %H:%M} UTC; {row['held']} deliveries are held.")


@app.command()
def enable(
    name: Name,
    replay: Annotated[bool, typer.Option(help="Send what was held, behind live traffic; else it stays held.")] = True,
    database_url: DatabaseUrl = None,
) -> None:
    """Switch a channel on again, its failures forgotten and its breaker closed."""

    async def work(db: Database, live: LiveConfig) -> int:
        return await endpoints.enable(db, live, utc_now, name, by=_BY, replay=replay)

    count = with_service(database_url, work)
    typer.echo(f"{name} is enabled; {count} held deliveries go out now.")


@app.command("test")
def send(name: Name, database_url: DatabaseUrl = None) -> None:
    """Send a message marked TEST to a channel, from here, and say what came of it. Exit code 1: it was not accepted."""

    async def work(db: Database, live: LiveConfig) -> TestResult:  # noqa: ARG001
        delivery = live.current.loaded.delivery
        async with DeliveryClient(GuardPolicy(delivery.allow_networks)) as client:
            proxy = delivery.egress_proxy.get_secret_value() if delivery.egress_proxy else None
            await client.set_policy(GuardPolicy(delivery.allow_networks), proxy=Proxy.of(proxy))
            return await send_test(live, client, name, utc_now)

    result = with_service(database_url, work)
    answered = f", status {result.status}" if result.status is not None else ""
    typer.echo(f"{name}: {result.error_class}{answered}, {result.latency_ms:.0f} ms. {result.detail}")
    if not result.ok:
        raise typer.Exit(1)
