"""`slawatch serve`: run the service."""

import asyncio
import contextlib
import ipaddress
import json
import signal
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer
import uvicorn
import uvloop

from app import __version__
from app.cli import _collector
from app.cli._one_write import OneWrite
from app.cli._sole import sole_service
from app.errors import SlaError
from app.main import create_app
from app.routers.deps import Parts
from app.schemas.events_out import rfc3339
from app.services.keys import ensure_admin_key
from app.settings import InvalidSettings, Settings, load_settings
from app.store import keys as stored_keys
from app.store import migrations
from app.telemetry import logs

KEEP_ALIVE: Final = 65
"""Seconds an idle connection is kept: longer than the minute after which common proxies drop theirs."""
DRAIN: Final = 15
"""Seconds that requests under way may take after the signal to stop."""
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class CannotListen(SlaError):
    """The address cannot be listened on."""


def command(
    config: Annotated[Path | None, typer.Option("--config", "-c", help="The configuration document; default: SLAWATCH_CONFIG")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 = any free one [default: 8000]")] = None,
    role: Annotated[
        Literal["all", "api", "worker"] | None, typer.Option(help="api answers HTTP, worker detects and delivers [default: all]")
    ] = None,
    database_url: Annotated[str | None, typer.Option(help="sqlite:///FILE or postgresql://... [default: sqlite:///slawatch.db]")] = None,
) -> None:
    """Run the service: bring the database up to date, check the configuration, listen.

    Every option may be set in the environment as SLAWATCH_<NAME> instead. Without a configuration the stored one holds, at first the
    built-in starter policy (resolution within 6 h). The first start prints an admin key, once. SIGTERM and Ctrl-C end it after
    everything under way is finished, with exit code 0. Exit code 78: the configuration or a setting is wrong. On an SQLite file one
    service runs at a time.
    """
    settings = load_settings(config=config, host=host, port=port, role=role, database_url=database_url)
    logs.configure(settings.log_format, settings.log_level)
    with sole_service(settings.database_url), _bind(settings.host, settings.port) as listener:
        migrations.upgrade(settings.database_url)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings, listener))


async def _serve(settings: Settings, listener: socket.socket) -> None:
    """Start everything, answer until a signal comes, stop everything."""
    app = create_app(settings)
    # Not uvicorn's lifespan: it would turn what is wrong with the configuration into a traceback.
    async with app.router.lifespan_context(app):
        lines = await _welcome(settings, app.state.parts, listener)
        config = uvicorn.Config(
            app, lifespan="off", log_config=None, access_log=False, server_header=False, proxy_headers=False, ws="none", loop="none",
            http=OneWrite, timeout_keep_alive=KEEP_ALIVE, timeout_graceful_shutdown=DRAIN,
        )  # fmt: skip
        await _Server(config, lambda: typer.echo("\n".join(lines))).serve(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn, except that a signal means: end well."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            _collector.begin()
            self._announce()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn's own raises the signal again, which would end the process before everything else has stopped."""
        for name in _SIGNALS:
            asyncio.get_running_loop().add_signal_handler(name, self.handle_exit, name, None)
        yield


def _bind(host: str, port: int) -> socket.socket:
    """A bound socket that does not listen yet. CannotListen."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotListen(f"{host} cannot be listened on: {error.strerror or error}.") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise CannotListen(f"{host} port {port} cannot be listened on: {error.strerror}.") from error
    return listener


async def _welcome(settings: Settings, parts: Parts, listener: socket.socket) -> list[str]:
    """What to say once it runs. Makes the first admin key; InvalidSettings when others could reach a service that has none."""
    url = _url(listener)
    database = "PostgreSQL" if parts.db.dialect == "postgresql" else "SQLite"
    last = f"slawatch {__version__} listens on {url} (role {settings.role}, {database})"
    if settings.role == "worker":
        return [last]
    if settings.admin_key is not None:
        return ["The admin key is the one of SLAWATCH_ADMIN_KEY.", last]
    if not _is_loopback(listener):
        async with parts.db.read() as conn:
            if not await stored_keys.any_admin(conn, parts.now()):
                raise InvalidSettings(
                    f"SLAWATCH_HOST: others can reach {settings.host}, and there is no API key yet. Start once on 127.0.0.1, which prints "
                    "one, or set SLAWATCH_ADMIN_KEY."
                )
    key = await ensure_admin_key(parts.db, parts.now)
    if key is None:
        return ["There is an admin key already; `slawatch keys create` makes another one.", last]
    return [*_first_steps(settings.public_url or url, key, parts), "", last]


def _first_steps(url: str, key: str, parts: Parts) -> Iterator[str]:
    """The key and three commands to paste. The ticket is seven hours old, so that the starter policy's six are over."""
    event = {
        "source": "quickstart",
        "ticket": "1001",
        "at": rfc3339(parts.now() - timedelta(hours=7)),
        "set": {"status": "new", "priority": "high", "subject": "Where is my order?"},
        "message": {"author": "customer", "public": True, "id": "m-1"},
        "actor": {"kind": "customer"},
    }
    body = json.dumps(event, separators=(",", ":"))
    authorization = f"-H 'authorization: Bearer {key}'"
    yield f"Admin key, shown this once: {key}"
    yield ""
    yield "Send an event (a ticket opened seven hours ago), list the clocks, list the breaches:"
    yield ""
    yield f"curl -sS {url}/v1/events {authorization} -H 'content-type: application/json' -d '{body}'"
    yield f"curl -sS {url}/v1/clocks {authorization}"
    yield f"curl -sS {url}/v1/breaches {authorization}"


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _is_loopback(listener: socket.socket) -> bool:
    address: Any = listener.getsockname()[0]
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback
