"""Many notices in one: too many at once for a channel that people read, or what a silence leaves behind."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson

from app.delivery.routes import Group, Routes
from app.ids import DELIVERY, MESSAGE, new_id
from app.schemas.events_out import DigestData, DigestItemOut, DigestLinksOut, SilenceOut, SlaDigest
from app.store import folding, outbox
from app.store.database import Connection
from app.telemetry import metrics

LISTED: Final = 60
"""How many notices a digest tells of one by one, so that its body stays below what receivers take."""
TYPE: Final = "sla.digest"
_SUBJECT_MAX: Final = 80  # characters
_BODY_MAX: Final = 20_000  # bytes, as Standard Webhooks advises
_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "sla.warning": ("warning", "warnings"),
    "sla.breached": ("breach", "breaches"),
    "sla.recovered": ("recovery", "recoveries"),
    "sla.met_late": ("promise met late", "promises met late"),
    "sla.retracted": ("breach retracted", "breaches retracted"),
    "sla.retargeted": ("due time changed", "due times changed"),
    "escalation.opened": ("escalation", "escalations"),
    "escalation.step": ("escalation step", "escalation steps"),
    "escalation.acknowledged": ("acknowledgement", "acknowledgements"),
    "escalation.deescalated": ("escalation over", "escalations over"),
    "escalation.exhausted": ("escalation nobody acted on", "escalations nobody acted on"),
    "signal.raised": ("signal", "signals"),
}


async def fold_ready(conn: Connection, channel: str, group: Group, routes: Routes, at: datetime) -> None:
    """Look at what is ready for a channel that groups.

    So many as the group allows in a span go by themselves, the oldest first. The rest waits until the span is over and is then told by one
    digest, as far as it is still true; a single one goes by itself after all. A digest counts as one notice of the next span.
    """
    since, said = await folding.span(conn, channel, at)
    if not since <= at < since + group.per:
        since, said = at, 0
        said += await _tell(conn, channel, routes, at)
    said += await folding.let_go(conn, channel, at, room=group.more_than - said)
    if said >= group.more_than:
        await folding.put_off(conn, channel, at, routes.ready_at(channel, since + group.per))
    await folding.count(conn, channel, since, said)


async def _tell(conn: Connection, channel: str, routes: Routes, at: datetime) -> int:
    """Fold what has waited into a digest, if it is more than one; how many notices go out."""
    counts = await folding.waiting(conn, channel, at)
    if sum(counts.values()) < 2:
        await folding.release(conn, channel, at)
        return sum(counts.values())
    rows = await folding.first(conn, channel, at, limit=LISTED)
    shared = await folding.common(conn, channel, at)
    digest_id = await announce(conn, channel, "storm", counts, shared, [row._mapping for row in rows], routes, at)
    folded = await folding.fold(conn, channel, at, digest_id, f"told by the digest {digest_id}")
    metrics.SUPPRESSED.labels("digest").inc(folded)
    return 1


async def announce(
    conn: Connection, channel: str, cause: Any, counts: Mapping[str, int], common: Mapping[str, str], rows: Sequence[Mapping[Any, Any]],
    routes: Routes, at: datetime, *, silence: SilenceOut | None = None,
) -> str:  # fmt: skip
    """Enqueue a digest for one channel; the id of its delivery.

    `cause`: storm or silence. `rows` are what it tells of one by one, with the columns of `app.store.folding.first`.
    """
    notice_id, delivery_id = new_id(MESSAGE), new_id(DELIVERY)
    root = f"{routes.public_url.rstrip('/')}/v1" if routes.public_url else None
    data = DigestData(
        id=delivery_id,
        channel=channel,
        cause=cause,
        title=title(counts, common),
        count=sum(counts.values()),
        counts=dict(counts),
        common=dict(common),
        silence=silence,
        items=[_item(row, root) for row in rows[:LISTED]],
        links=DigestLinksOut(all=f"{root}/deliveries?digest={delivery_id}" if root else None),
        truncated=len(rows) > LISTED or sum(counts.values()) > len(rows),
    )
    notice = {"id": notice_id, "type": TYPE, "milestone": cause, "body": _body(data, at), "created_at": at}
    ready_at = routes.ready_at(channel, at)
    fallback_at = routes.fallback_at(channel, TYPE, ready_at)
    delivery = outbox.fresh(notice_id, TYPE, channel, f"{notice_id}:{channel}", at, fallback_at=fallback_at, grouping=folding.ALONE)
    await outbox.add(conn, [notice], [{**delivery, "id": delivery_id, "next_attempt_at": ready_at}])
    return delivery_id


def title(counts: Mapping[str, int], common: Mapping[str, str]) -> str:
    """`37 breaches, 4 warnings: tier gold, group EU`."""
    order = sorted(counts, key=lambda type_: (list(_WORDS).index(type_) if type_ in _WORDS else len(_WORDS), type_))
    order.sort(key=lambda type_: -counts[type_])
    said = ", ".join(f"{counts[type_]} {_word(type_, counts[type_])}" for type_ in order)
    where = ", ".join(f"{name} {value}" for name, value in common.items())
    return f"{said}: {where}" if where else said


def _word(type_: str, count: int) -> str:
    one, many = _WORDS.get(type_, (type_, type_))
    return one if count == 1 else many


def _item(row: Mapping[Any, Any], root: str | None) -> DigestItemOut:
    subject = row["subject"]
    about = f"breaches/{row['breach_id']}" if row["breach_id"] else f"tickets/{row['ticket_id']}"
    return DigestItemOut(
        **{name: row[name] for name in ("type", "ticket_id", "tier", "metric", "breach_id")},
        source=row["source"] or "",
        external_id=row["external_id"] or "",
        subject=subject if subject is None or len(subject) <= _SUBJECT_MAX else f"{subject[: _SUBJECT_MAX - 1]}…",
        due_at=row["breached_at"] or row["due_at"],
        link=f"{root}/{about}" if root else None,
    )


def _body(data: DigestData, at: datetime) -> bytes:
    """The bytes of the event; items at the end go where it would be too long."""
    while True:
        raw = orjson.dumps(SlaDigest(timestamp=at, data=data).model_dump(mode="json", exclude_none=True))
        if len(raw) <= _BODY_MAX or not data.items:
            return raw
        data = data.model_copy(update={"items": data.items[: len(data.items) * 3 // 4], "truncated": True})
