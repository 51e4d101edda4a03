"""The one place that wires: settings become a running application."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI

from app import __version__
from app.delivery.client import DeliveryClient
from app.delivery.proxy import Proxy
from app.delivery.relay import Relay
from app.guard import GuardPolicy
from app.routers import (
    acknowledge,
    breaches,
    channels,
    clocks,
    config,
    deliveries,
    escalations,
    health,
    inbound,
    inbox,
    keys,
    openapi,
    pages,
    problems,
    signals,
    silences,
    sources,
    tickets,
)
from app.routers.deps import Parts
from app.routers.middleware import Bodies, Edge
from app.routers.shortcut import Service, Webhooks
from app.scheduler import Loops
from app.services.auditor import Auditor
from app.services.configuration import Current, LiveConfig
from app.services.errands import Errands
from app.services.fetching import LIMITS, Tools
from app.services.ingest import Ingest
from app.services.keys import KeyRing
from app.services.reads import Reader
from app.services.retention import Sweeper
from app.services.routes import routes
from app.services.silence import Watch
from app.services.summaries import tell_what_is_left
from app.settings import Settings, environment
from app.store.database import Database
from app.telemetry import logs
from app.timesource import Now, utc_now

log = logs.get_logger(__name__)

_RESOURCES: Final[tuple[APIRouter, ...]] = tuple(
    module.router
    for module in (inbound, sources, inbox, tickets, clocks, breaches, escalations, signals, silences, deliveries, channels, config, keys)
)


def create_app(
    settings: Settings,
    *,
    now: Now = utc_now,
    environ: Mapping[str, str] | None = None,
    db: Database | None = None,
    background: bool = True,
) -> FastAPI:
    """The application of one process. Everything is opened when it starts (ASGI lifespan) and closed when it stops.

    `now` is this machine's clock (where the database is PostgreSQL, that one's decides); `environ` resolves `${env:NAME}` in the document
    (None: the process's environment); `db` takes the place of the settings' database; without `background` no loop runs, so that a
    simulated clock holds. The database must be migrated. Starting raises InvalidConfiguration when the document has errors, Unavailable
    when the database is not there.
    """
    parts, loops = _make(settings, now, environment() if environ is None else environ, db)
    app = Service(
        title="slawatch",
        version=__version__,
        lifespan=lambda _: _running(parts, loops if background else None),
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
    )
    app.state.parts = parts
    for router in (*(() if settings.role == "worker" else (*_RESOURCES, pages.router, acknowledge.router)), health.router):
        # Not `include_router`: it makes every route a second time, at the first request, for options that none of them is given.
        app.router.routes.extend(router.routes)
    problems.install(app)
    openapi.install(app)
    bodies = Bodies(limit=settings.max_body_bytes, seconds=settings.body_timeout.total_seconds())
    app.add_middleware(Edge, bodies=bodies)
    if settings.role != "worker":
        app.hot = Edge(Webhooks(parts), bodies)
    return app


def _make(settings: Settings, now: Now, environ: Mapping[str, str], db: Database | None) -> tuple[Parts, Loops]:
    """The parts and the loops, not opened yet."""
    db = db or Database(settings.database_url, pool=settings.database_pool)
    now = db.clock(now)
    base = settings.config.parent if settings.config else Path()
    live = LiveConfig(db, now, environ, base, public_url=settings.public_url)
    admin_key = settings.admin_key.get_secret_value() if settings.admin_key else None
    cursor_key = settings.cursor_secret.get_secret_value() if settings.cursor_secret else None
    keyring = KeyRing(db, now, admin_key)
    client = DeliveryClient(GuardPolicy())
    ingest = Ingest(db, live, now, queue_limit=settings.queue_limit)
    errands = Errands(Tools(db, live, now, ingest, DeliveryClient(GuardPolicy(), limits=LIMITS), asyncio.sleep))
    loops = _loops(settings, now, db, live, client, keyring, errands)
    parts = Parts(
        settings=settings,
        now=now,
        db=db,
        live=live,
        ingest=ingest,
        client=client,
        keys=keyring,
        reader=Reader(db, live, now, cursor_key=cursor_key, admin_key=admin_key),
        errands=errands,
        auditor=Auditor(Database(settings.database_url, pool=1), client, now, loops.lag_seconds, settings.heartbeat_url),
        since_detection=loops.lag_seconds,
    )
    return parts, loops


def _loops(
    settings: Settings, now: Now, db: Database, live: LiveConfig, client: DeliveryClient, keyring: KeyRing, errands: Errands
) -> Loops:
    """What runs beside the requests: detection and delivery if this process is a worker, and its upkeep."""

    sweeper, watch = Sweeper(db, live, now), Watch(db, live, now)

    async def upkeep() -> None:
        await live.refresh()
        await keyring.flush()
        if settings.role != "api":
            await sweeper.run()
            await tell_what_is_left(db, live, now)
            await watch.run()
            errands.start()

    relay = Relay(db, client, lambda: routes(live.current), now)
    return Loops(db, live, relay, now, upkeep, worker=settings.role != "api")


@asynccontextmanager
async def _running(parts: Parts, loops: Loops | None) -> AsyncIterator[None]:
    """Open and start the parts in the order in which they need each other; stop them in the opposite one."""
    async with AsyncExitStack() as stack:
        await parts.db.open()
        stack.push_async_callback(parts.db.close)
        stack.push_async_callback(parts.client.close)
        stack.push_async_callback(parts.auditor.stop)
        stack.push_async_callback(parts.errands.tools.client.close)
        await parts.live.start(parts.settings.config)
        await _guard(parts)
        await parts.ingest.start()
        stack.push_async_callback(parts.ingest.stop)
        stack.push_async_callback(parts.errands.stop)
        if loops is not None:
            parts.ingest.on_commit(loops.committed)
            parts.live.on_change(lambda _: loops.rejudge.nudge())
            await loops.start()
            stack.push_async_callback(loops.stop)
            if parts.settings.role != "api":
                await parts.auditor.start()
        yield


async def _guard(parts: Parts) -> None:
    """Keep the delivery client's address guard at what the document in force allows."""
    await _set_policy(parts, parts.live.current)
    changing: set[asyncio.Task[None]] = set()

    def change(current: Current) -> None:
        task = asyncio.create_task(_set_policy(parts, current))
        changing.add(task)
        task.add_done_callback(changing.discard)

    parts.live.on_change(change)


async def _set_policy(parts: Parts, current: Current) -> None:
    proxy = current.loaded.delivery.egress_proxy
    for client in (parts.client, parts.errands.tools.client):
        await client.set_policy(_policy(parts.settings, current), proxy=Proxy.of(proxy.get_secret_value() if proxy else None))


def _policy(settings: Settings, current: Current) -> GuardPolicy:
    """What the document allows, but never this service itself."""
    ours = [(settings.host, settings.port)] if settings.port and _is_address(settings.host) else []
    return GuardPolicy(current.loaded.delivery.allow_networks, own_addresses=frozenset(ours))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
