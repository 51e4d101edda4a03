"""The demo's books: what was sent, what the service says came of it, what the receiver got; and whether all of that agrees. Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from app.cli._demo.helpdesk import Post
from app.cli._demo.receiver import Callback
from app.cli._demo.scenario import Story

Row = Mapping[str, Any]
_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Service:
    """What the service says: rows of `GET /v1/breaches`, `/v1/clocks`, `/v1/deliveries` and `/v1/escalations`."""

    breaches: Sequence[Row] = ()
    clocks: Sequence[Row] = ()
    deliveries: Sequence[Row] = ()
    escalations: Sequence[Row] = ()


@dataclass(slots=True)
class Books:
    """Everything the demo has seen so far."""

    story: Story
    planned: int
    """Webhooks the helpdesk means to send, repeats included."""
    posts: list[Post] = field(default_factory=list)
    callbacks: list[Callback] = field(default_factory=list)
    service: Service = Service()

    def count(self, type_: str) -> int:
        """Verified callbacks of a type, each id once."""
        return len({callback.id for callback in self.callbacks if callback.refused is None and callback.type == type_})


def problems(books: Books) -> list[str]:
    """Every reason why the demo has not succeeded (yet); empty when all is accounted for."""
    return [
        problem
        for check in (_sent, _promises, _authentic, _breaches_told, _nothing_invented, _recoveries, _ladders, _outbox, _something_happened)
        for problem in check(books)
    ]


def summary(books: Books, *, ok: bool, seconds: float) -> dict[str, Any]:
    """The result as `--json` prints it. Lags in milliseconds, None without a sample; the detection lag is that of breaches."""
    detected, delivered = lags(books)
    return {
        "ok": ok,
        "events_sent": sum(not post.repeat for post in books.posts),
        "duplicates_sent": sum(post.repeat for post in books.posts),
        "tickets": len(books.story.tickets),
        "clocks": len(books.service.clocks),
        "breaches": len(books.service.breaches),
        "warnings": books.count("sla.warning"),
        "recoveries": books.count("sla.recovered"),
        "retractions": books.count("sla.retracted"),
        "escalations": len(books.service.escalations),
        "steps": books.count("escalation.step"),
        "acknowledgements": books.count("escalation.acknowledged"),
        "all_clears": books.count("escalation.deescalated"),
        "callbacks_received": len(books.callbacks),
        "callbacks_verified": sum(callback.refused is None for callback in books.callbacks),
        "detection_lag_ms": percentiles(detected),
        "delivery_lag_ms": percentiles(delivered),
        "seconds": round(seconds, 1),
    }


def lags(books: Books) -> tuple[list[float], list[float]]:
    """Milliseconds from due to detected of each breach that came by time alone, and from detected to received of each that was told."""
    first: dict[str, datetime] = {}
    for callback in books.callbacks:
        if callback.refused is None and callback.type == "sla.breached":
            first.setdefault(str(callback.data.get("breach_id")), callback.received_at)
    detected, delivered = [], []
    for breach in books.service.breaches:
        noticed = instant(breach["detected_at"])
        if not breach["detected_late"]:
            detected.append(_milliseconds(instant(breach["breached_at"]), noticed))
        if breach["id"] in first:
            delivered.append(_milliseconds(noticed, first[breach["id"]]))
    return detected, delivered


def percentiles(values: Iterable[float]) -> dict[str, float | None]:
    """p50 and p99 (nearest rank)."""
    ordered = sorted(values)

    def at(part: float) -> float | None:
        return round(ordered[max(0, math.ceil(part * len(ordered)) - 1)], 1) if ordered else None

    return {"p50": at(0.50), "p99": at(0.99)}


def instant(text: str) -> datetime:
    """An instant of the API."""
    return datetime.fromisoformat(text)


def _milliseconds(start: datetime, end: datetime) -> float:
    return max(0.0, (end - start).total_seconds() * 1000)


def _sent(books: Books) -> Iterator[str]:
    """Every webhook is answered 202; each is applied once, and its repeat is known as one."""
    if len(books.posts) < books.planned:
        yield f"{books.planned - len(books.posts)} webhooks are not sent yet"
        return
    yield from _listed(f"{p.type} of ticket {p.ticket} was answered {p.status} {p.outcome}" for p in books.posts if p.status != 202)
    outcomes = Counter(post.outcome for post in books.posts if post.status == 202)
    distinct = sum(not post.repeat for post in books.posts)
    retried = any(post.attempts > 1 for post in books.posts)
    if outcomes["applied"] != distinct and not (retried and outcomes["applied"] <= distinct):
        yield f"{distinct} distinct events were sent and {outcomes['applied']} applied ({dict(outcomes)})"
    if set(outcomes) - {"applied", "duplicate"}:
        yield f"not every event was understood: {dict(outcomes)}"


def _promises(books: Books) -> Iterator[str]:
    """The promises the story breaks, and no others, are broken."""
    expected = books.story.broken()
    found = {(row["external_id"], row["metric"]): row["status"] for row in books.service.breaches if row["status"] != "retracted"}
    for key in sorted(expected.keys() | found.keys()):
        if expected.get(key) != found.get(key):
            yield f"ticket {key[0]}: the breach of {key[1]} should be {expected.get(key, 'none')} and is {found.get(key, 'none')}"


def _authentic(books: Books) -> Iterator[str]:
    """Every callback verifies, and an id never comes with another content."""
    yield from _listed(f"callback {c.id or '(no id)'} was refused: {c.refused}" for c in books.callbacks if c.refused is not None)
    bodies: dict[str, bytes] = {}
    for callback in books.callbacks:
        if bodies.setdefault(callback.id, callback.body) != callback.body:
            yield f"callback {callback.id} came twice with different content"


def _breaches_told(books: Books) -> Iterator[str]:
    """Each breach is told under exactly one id: as a breach, or as met late when it was answered before it could be told."""
    told = _ids_by(books, "breach_id", "sla.breached")
    late = _ids_by(books, "breach_id", "sla.met_late")
    for breach in books.service.breaches:
        ids, instead = told.get(breach["id"], set()), late.get(breach["id"], set())
        if len(ids) != 1 and not (not ids and (len(instead) == 1 or breach["status"] == "retracted")):
            which = f"breach {breach['id']} ({breach['metric']} of ticket {breach['external_id']})"
            yield f"{which} was told under {len(ids)} ids instead of one"


def _nothing_invented(books: Books) -> Iterator[str]:
    """No callback speaks of a breach that the service does not have, and no warning comes twice."""
    known = {breach["id"] for breach in books.service.breaches}
    unknown = sorted(_ids_by(books, "breach_id", "sla.breached").keys() - known)
    yield from _listed(f"a callback tells of the unknown breach {id_}" for id_ in unknown)
    warned: Counter[tuple[str, str]] = Counter()
    for callback in {c.id: c for c in books.callbacks if c.type == "sla.warning"}.values():
        warned[(callback.data["clock"]["id"], callback.data["why"]["milestone"])] += 1
    yield from _listed(f"the warning {name} of clock {clock} came {n} times" for (clock, name), n in warned.items() if n > 1)


def _recoveries(books: Books) -> Iterator[str]:
    """Whoever heard of a breach hears, once, that it was answered or taken back.

    A breach that was answered while its callback was on its way may be told and then told as met late.
    """
    told = _ids_by(books, "breach_id", "sla.breached")
    for state, types in (("answered", ("sla.recovered", "sla.met_late")), ("retracted", ("sla.retracted",))):
        heard = [_ids_by(books, "breach_id", type_) for type_ in types]
        for breach in books.service.breaches:
            if breach["status"] == state and breach["id"] in told and not breach["detected_late"]:
                count = sum(len(ids.get(breach["id"], ())) for ids in heard)
                if count != 1:
                    yield f"breach {breach['id']} is {state} and {types[0]} came {count} times"


def _ladders(books: Books) -> Iterator[str]:
    """No rung of an escalation is said under two ids, and each one that is over has had its one all-clear."""
    said: dict[tuple[str, str], set[str]] = {}
    for callback in books.callbacks:
        if callback.refused is None and callback.type.startswith("escalation."):
            which = (callback.data["escalation"]["id"], f"{callback.type} {callback.data.get('why', {}).get('milestone')}")
            said.setdefault(which, set()).add(callback.id)
    yield from _listed(f"{what} of {run} was said under {len(ids)} ids" for (run, what), ids in said.items() if len(ids) > 1)
    cleared = {run for run, what in said if what.startswith("escalation.deescalated")}
    over = {row["id"] for row in books.service.escalations if row["closed_at"] is not None}
    yield from _listed(f"escalation {run} is over and nobody heard so" for run in sorted(over - cleared))
    yield from _listed(f"escalation {run} is not over and somebody heard it is" for run in sorted(cleared - over))


def _outbox(books: Books) -> Iterator[str]:
    """Nothing waits, nothing is dead, and what counts as delivered has arrived."""
    states = Counter(row["state"] for row in books.service.deliveries)
    for state in ("pending", "dead", "paused"):
        if states[state]:
            yield f"{states[state]} deliveries are {state}"
    arrived = {callback.id for callback in books.callbacks if callback.refused is None}
    sent = {row["notice_id"] for row in books.service.deliveries if row["state"] == "delivered"}
    yield from _listed(f"{id_} counts as delivered and never arrived" for id_ in sorted(sent - arrived))
    yield from _listed(f"{id_} arrived and does not count as delivered" for id_ in sorted(arrived - sent))


def _something_happened(books: Books) -> Iterator[str]:
    for type_ in ("sla.breached", "sla.warning", "sla.recovered", "escalation.step", "escalation.acknowledged", "escalation.deescalated"):
        if not books.count(type_):
            yield f"no {type_} was delivered and verified"


def _ids_by(books: Books, field_: str, type_: str) -> dict[str, set[str]]:
    """The ids of the verified callbacks of a type, by a field of their data."""
    found: dict[str, set[str]] = {}
    for callback in books.callbacks:
        if callback.refused is None and callback.type == type_:
            found.setdefault(str(callback.data.get(field_)), set()).add(callback.id)
    return found


def _listed(lines: Iterable[str]) -> Iterator[str]:
    """At most a dozen lines, then how many more there are."""
    every = list(lines)
    yield from every[:_SHOWN]
    if len(every) > _SHOWN:
        yield f"... and {len(every) - _SHOWN} more like it"
