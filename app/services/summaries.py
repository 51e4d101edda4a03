"""What a silence leaves behind: when it, or one of its windows, is over, each channel it kept quiet hears once what is still broken.

Where each notice belongs to an incident or a record of its own, nothing is summed up: an incident of many breaches would end with none of
them. There each breach is told by itself.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app.delivery import digests
from app.rules.evaluate import evaluate
from app.rules.silences import Silence
from app.schemas.events_out import SilenceOut
from app.services.configuration import Current, LiveConfig
from app.services.routes import routes
from app.services.silencing import facts_of, load, silence_of
from app.store import outbox, silences, tickets
from app.store.database import Connection, Database
from app.store.folding import COMMON
from app.timesource import Now

_REASON_MAX = 500  # characters

Rows = Sequence[Mapping[Any, Any]]


async def tell_what_is_left(db: Database, live: LiveConfig, now: Now) -> int:
    """Tell the summaries that are due, each in a transaction of its own; how many channels heard of it. Safe to run anywhere, any time."""
    async with db.read() as conn:  # there is hardly ever one
        at = await db.now(conn, now)
        ahead = await silences.next_summary_at(conn)
    told = 0
    while ahead is not None and ahead <= at:
        async with db.begin(aside=True) as conn:
            row = await silences.due(conn, at)
            if row is None:  # in the hands of another process
                break
            told += await _summarise(conn, live.current, silence_of(row._mapping), at)
            ahead = await silences.next_summary_at(conn)
    return told


async def _summarise(conn: Connection, current: Current, silence: Silence, at: datetime) -> int:
    rows = await _still_broken(conn, current, silence)
    left = await _still_silenced(conn, current, silence, rows, at)
    by_channel: dict[str, list[Mapping[Any, Any]]] = {}
    for row in rows:
        if row["ticket_id"] not in left and row["channel"] in current.loaded.channels:
            by_channel.setdefault(row["channel"], []).append(row)
    for channel, mine in by_channel.items():
        if current.loaded.channels[channel].groups:
            await _tell(conn, current, silence, channel, mine, at)
        else:
            await _tell_each(conn, current, channel, mine, at)
    await silences.plan(conn, silence.id, silence.next_end(at))
    return len(by_channel)


async def _still_broken(conn: Connection, current: Current, silence: Silence) -> Rows:
    """What is left to tell. Where it will be told breach by breach, the tickets are in our hands: none is answered until we have committed,
    so that whatever is told hears its all-clear, too."""
    rows = await silences.still_broken(conn, silence.id)
    channels = current.loaded.channels
    singly = {row.ticket_id for row in rows if row.channel in channels and not channels[row.channel].groups}
    if singly:
        await tickets.lock_ids(conn, sorted(singly))
        rows = await silences.still_broken(conn, silence.id)
    return [row._mapping for row in rows]


async def _tell(conn: Connection, current: Current, silence: Silence, channel: str, rows: Rows, at: datetime) -> None:
    broken = list({row["breach_id"]: {**row, "type": "sla.breached"} for row in reversed(rows)}.values())[::-1]
    said = SilenceOut(id=silence.id, author=silence.author, reason=silence.reason[:_REASON_MAX])
    counts = {"sla.breached": len(broken)}
    digest_id = await digests.announce(conn, channel, "silence", counts, _common(broken), broken, routes(current), at, silence=said)
    await silences.note_told(conn, {row["id"]: digest_id for row in rows})


async def _tell_each(conn: Connection, current: Current, channel: str, rows: Rows, at: datetime) -> None:
    """Of each breach one notice goes by itself after all, that of the breach if there is one; the others count as told by it."""
    by_breach: dict[str, list[Mapping[Any, Any]]] = {}
    for row in rows:
        by_breach.setdefault(row["breach_id"], []).append(row)
    chosen = {breach: max(mine, key=lambda row: (row["type"] == "sla.breached", row["id"]))["id"] for breach, mine in by_breach.items()}
    ways = routes(current)
    ready_at = ways.ready_at(channel, at)
    await outbox.let_go(conn, list(chosen.values()), ready_at, ways.fallback_at(channel, "sla.breached", ready_at))
    others = {row["id"]: chosen[row["breach_id"]] for row in rows if row["id"] != chosen[row["breach_id"]]}
    await silences.note_told(conn, others)


def _common(rows: Rows) -> dict[str, str]:
    first = rows[0]
    return {name: first[name] for name in COMMON if first[name] and all(row[name] == first[name] for row in rows)}


async def _still_silenced(conn: Connection, current: Current, silence: Silence, rows: Rows, at: datetime) -> set[str]:
    """The tickets that another silence keeps quiet about from now on: its own summary will tell of them."""
    hush = await load(conn, at)
    others = [other for other in hush.silences if other.id != silence.id and other.holds_at(at) and not other.channels]
    found: set[str] = set()
    if not others:
        return found
    for ticket in await tickets.lock_ids(conn, sorted({row["ticket_id"] for row in rows})):
        facts = facts_of(ticket, evaluate(ticket.timeline, current.book, at), None)
        keeper = next((other for other in others if other.is_about(facts)), None)
        if keeper is not None:
            found.add(ticket.id)
            await silences.hand_over(conn, silence.id, ticket.id, keeper.id)
    return found
