"""From the document in force to where notices go."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any

from app.config.compile import Loaded
from app.delivery.express import Express, Handed
from app.delivery.routes import Fallback, Group, Quiet, Routes
from app.helpdesks.writing import PREFIX, config_of
from app.services.configuration import Current
from app.store import outbox
from app.store.database import Connection


def routes(current: Current) -> Routes:
    """The channels of the revision in force."""
    return _routes(_Same(current.loaded), current.public_url)


async def enqueue(
    conn: Connection,
    current: Current,
    notice_rows: Sequence[Mapping[str, Any]],
    delivery_rows: Sequence[Mapping[str, Any]],
    express: Express | None = None,
) -> Handed | None:
    """Store what must be said, and when the fallbacks of its channels hear it too (`app.store.outbox.add`).

    `express`: what can go at once is claimed by it, and for the caller to hand over (`Express.go`) when the transaction has committed.
    """
    ways = routes(current)
    rows = [row if row["next_attempt_at"] is None else _timed(row, ways) for row in delivery_rows]
    if express is not None:
        return await express.add(conn, notice_rows, rows, ways)
    await outbox.add(conn, notice_rows, rows)
    return None


def _timed(row: Mapping[str, Any], ways: Routes) -> dict[str, Any]:
    """A delivery that waits for the end of the quiet hours of its channel, and for its fallback from then on."""
    ready_at = ways.ready_at(row["channel"], row["next_attempt_at"], immediate=row["immediate"])
    return {**row, "next_attempt_at": ready_at, "fallback_at": ways.fallback_at(row["channel"], row["type"], ready_at)}


class _Same:
    """A document, equal to itself alone: a key that costs nothing."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded

    def __hash__(self) -> int:
        return id(self.loaded)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.loaded is self.loaded


@lru_cache(maxsize=4)
def _routes(of: _Same, public_url: str | None) -> Routes:
    loaded = of.loaded
    fallbacks = {
        name: Fallback(manners.fallback.channel, timedelta(seconds=manners.fallback.after))
        for name, manners in loaded.manners.items()
        if manners.fallback is not None
    }
    sources = {f"{PREFIX}{name}": source for name, source in loaded.sources.items() if config_of(source) is not None}
    return Routes(
        channels=loaded.channels,
        ordered=frozenset({*(name for name, manners in loaded.manners.items() if manners.ordered), *sources}),
        fallbacks=fallbacks,
        operations=loaded.delivery.operations,
        quiets=_quiets(loaded),
        groups=_groups(loaded),
        public_url=public_url,
        sources=sources,
    )


def _quiets(loaded: Loaded) -> dict[str, Quiet]:
    return {
        name: Quiet(loaded.calendars[manners.quiet.outside], manners.quiet.override == "immediate")
        for name, manners in loaded.manners.items()
        if manners.quiet is not None
    }


def _groups(loaded: Loaded) -> dict[str, Group]:
    return {
        name: Group(manners.group.more_than, timedelta(seconds=manners.group.per))
        for name, manners in loaded.manners.items()
        if manners.group is not None and loaded.channels[name].groups
    }
