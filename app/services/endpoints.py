"""The configured channels and how their endpoints do; switching one off and on."""

from typing import Any

from app.delivery import breaker
from app.delivery.operations import announce
from app.errors import ChannelNotFound
from app.services.configuration import LiveConfig
from app.services.routes import routes
from app.store import audit, endpoints, outbox
from app.store.database import Database
from app.store.endpoints import Endpoint
from app.timesource import Now

Row = dict[str, Any]


async def overview(db: Database, live: LiveConfig) -> list[Row]:
    """Every configured channel, in the order of the document, then the sources that are written back to (`source:NAME`); instants are
    datetimes."""
    ways = routes(live.current)
    return await _described(db, live, [*ways.channels, *ways.sources])


async def one(db: Database, live: LiveConfig, name: str) -> Row:
    """One channel. ChannelNotFound."""
    _require(live, name)
    return (await _described(db, live, [name]))[0]


async def disable(db: Database, live: LiveConfig, now: Now, name: str, *, by: str) -> None:
    """Switch a channel off: nothing more is sent to it, what is meant for it is held. Again changes nothing. ChannelNotFound."""
    _require(live, name)
    async with db.begin(aside=True) as conn:
        at = await db.now(conn, now)
        endpoint = (await endpoints.lock(conn, [name]))[name]
        if endpoint.disabled_at is not None:
            return
        changed = breaker.disabled(endpoint, at, by)
        await endpoints.save(conn, [changed])
        held = await outbox.hold(conn, name, at)
        await announce(conn, "disabled", changed, routes(live.current), at, held=held)
        await audit.record(conn, at, by, "channel.disabled", name, {"held": held})


async def enable(db: Database, live: LiveConfig, now: Now, name: str, *, by: str, replay: bool) -> int:
    """Switch a channel on again, as one that has never failed; how many held deliveries go out now, behind live ones.

    Without `replay` what was held stays so until it is recovered. One that is not disabled loses its failures and its breaker.
    ChannelNotFound.
    """
    _require(live, name)
    async with db.begin(aside=True) as conn:
        at = await db.now(conn, now)
        endpoint = (await endpoints.lock(conn, [name]))[name]
        await endpoints.save(conn, [breaker.enabled(endpoint)])
        count = 0
        if replay:
            count = await outbox.replay(conn, name, at, since=None, until=None, only_missing=True, states=[outbox.PAUSED])
        if endpoint.disabled_at is not None or endpoint.warned:
            await announce(conn, "recovered", endpoint, routes(live.current), at)
        await audit.record(conn, at, by, "channel.enabled", name, {"replayed": count})
    return count


def _require(live: LiveConfig, name: str) -> None:
    ways = routes(live.current)
    if name not in ways.channels and name not in ways.sources:
        raise ChannelNotFound(f"There is no channel {name!r} in the configuration.")


async def _described(db: Database, live: LiveConfig, names: list[str]) -> list[Row]:
    async with db.read() as conn:
        known = await endpoints.known(conn)
        held = await outbox.held(conn)
    return [_row(live, known.get(name) or Endpoint(name), held.get(name, 0)) for name in names]


def _row(live: LiveConfig, endpoint: Endpoint, held: int) -> Row:
    ways = routes(live.current)
    config, fallback = ways.channels.get(endpoint.channel), ways.fallbacks.get(endpoint.channel)
    return {
        "name": endpoint.channel,
        "kind": ways.kind_of(endpoint.channel),
        "events": config.events if config is not None else [],
        "state": _state(endpoint),
        "failing_since": endpoint.failing_since,
        "failures": endpoint.failures,
        "error_class": endpoint.error_class,
        "detail": endpoint.detail,
        "breaker": "closed" if endpoint.open_until is None else "open",
        "next_probe_at": endpoint.open_until,
        "disabled_at": endpoint.disabled_at,
        "disabled_by": endpoint.disabled_by,
        "delivered_at": endpoint.delivered_at,
        "held": held,
        "ordered": endpoint.channel in ways.ordered,
        "fallback": fallback.channel if fallback is not None else None,
    }


def _state(endpoint: Endpoint) -> str:
    if endpoint.disabled_at is not None:
        return "disabled"
    return "failing" if endpoint.failing_since is not None else "ok"
