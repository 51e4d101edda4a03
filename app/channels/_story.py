"""An event in words, for channels that people read: what happened, to which ticket, whose it is, how late, what comes next.

Nothing here is escaped: how to write it is the channel's own business. Texts from outside (subjects, names) are attacker's
choice: they come cleaned of control characters and line breaks, and cut.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from app.channels._shape import Fact, Link, Story, Tone
from app.channels._text import clean, duration, instant, web_link, words
from app.schemas.context_out import ContextOut
from app.schemas.events_out import (
    ClockOut,
    DigestData,
    DigestItemOut,
    EndpointData,
    EscalationData,
    LinksOut,
    SignalData,
    SignalOut,
    SlaData,
    SourceData,
    StepOut,
    TestData,
    TicketOut,
    WhyOut,
)
from app.schemas.retarget_out import ChangeOut, RetargetOut

__all__ = ["Fact", "Link", "Story", "Tone", "tell"]

SUBJECT_MAX: Final = 200  # characters
METRIC_MAX: Final = 40  # characters
PERSON_MAX: Final = 50  # characters
EVIDENCE_MAX: Final = 300  # characters
FACTS_MAX: Final = 9
ITEMS_MAX: Final = 10  # of a digest, one by one

_AHEAD: Final = frozenset({"sla.warning", "sla.retargeted"})  # told before the clock is due

_Kind = tuple[str, str, Tone, str]  # icon, words, tone, what to do when nothing says what comes next
_KINDS: Final[Mapping[str, _Kind]] = {
    "sla.warning": ("◔", "SLA at risk", "warning", "act before it is due"),
    "sla.breached": ("✖", "SLA breached", "bad", "act now"),
    "sla.recovered": ("✔", "SLA recovered", "good", "nothing to do"),
    "sla.met_late": ("✔", "SLA met late", "good", "nothing to do"),
    "sla.retracted": ("↺", "SLA breach retracted", "good", "nothing to do: the promise was kept"),
    "sla.retargeted": ("↻", "SLA due time changed", "neutral", "nothing to do before it is due"),
    "sla.digest": ("✖", "Digest", "bad", "act now"),
    "escalation.opened": ("▲", "Escalated", "bad", "acknowledge it or act"),
    "escalation.step": ("▲", "Escalation goes on", "bad", "acknowledge it or act"),
    "escalation.acknowledged": ("◉", "Acknowledged", "neutral", "somebody takes care; the clock goes on"),
    "escalation.deescalated": ("✔", "Escalation over", "good", "nothing to do"),
    "escalation.exhausted": ("‼", "Nobody has acted", "bad", "act now: nobody else will be told"),
    "signal.raised": ("⚑", "Signal", "warning", "look at the ticket"),
    "endpoint.failing": ("◔", "Channel fails", "warning", "it is still tried; see what it answers"),
    "endpoint.disabled": ("✖", "Channel switched off", "bad", "mend it, then recover it; until then nobody hears it"),
    "endpoint.recovered": ("✔", "Channel works again", "good", "nothing to do"),
    "source.silent": ("✖", "Helpdesk is silent", "bad", "see whether it still sends webhooks; what happens there is not known"),
    "source.recovered": ("✔", "Helpdesk is heard again", "good", "nothing to do"),
    "test.ping": ("✔", "Test", "neutral", "nothing to do"),
}
_DIGESTS: Final[Mapping[Tone, tuple[str, str]]] = {  # by the worst that is in it: icon, what to do
    "bad": ("✖", "act now"),
    "warning": ("◔", "look at the list"),
    "good": ("✔", "nothing to do"),
    "neutral": ("•", "look at the list"),
}


def tell(event: Mapping[str, Any]) -> Story:
    """The story of an event as parsed from its body. A type or shape we do not know is told by its type."""
    kind = str(event.get("type", "event"))
    teller = next((teller for family, teller in _TELLERS.items() if kind.startswith(family)), None)
    try:
        if teller is not None:
            return teller(kind, event.get("data"))
    except ValidationError:
        pass
    return Story(f"• {words(clean(kind))}", upcoming="see the dashboard or the API for details")


def ticket_title(ticket: TicketOut) -> str:
    """`#4711 Checkout fails with 502`."""
    number = clean(ticket.external_id)
    return f"{'#' if number.isdigit() else ''}{number} {clean(ticket.subject or '', SUBJECT_MAX)}".rstrip()


def assignee(ticket: TicketOut) -> str:
    """`assigned to Jane`, or the group, or that it is nobody's."""
    return f"assigned to {clean(name)}" if (name := ticket.assignee or ticket.group) else "nobody assigned"


def lateness(kind: str, late_seconds: int | None, clock: ClockOut) -> str | None:
    """`4 min late`, `due in 30 min` (open time of the policy's calendar), `not due yet` (of a target in business days); None for a promise
    that was kept."""
    if kind == "sla.retracted":
        return None
    if late_seconds:
        return f"{duration(late_seconds)} late"
    left = clock.remaining_seconds
    if left is not None and left > 0:
        return f"due in {duration(left)}"
    if clock.due_at is None:
        return "not due by itself"
    return "not due yet" if left is None and kind in _AHEAD else "due now"


def _tell_sla(kind: str, data: Any) -> Story:
    sla = SlaData.model_validate(data)
    late = lateness(kind, sla.late_seconds, sla.clock)
    return Story(
        *_headed(kind, words(clean(sla.clock.metric, METRIC_MAX))),
        title=ticket_title(sla.ticket),
        owner=assignee(sla.ticket),
        said=(_promise(late, sla.clock, sla.why), *_former(sla.retargeted)),
        upcoming=_upcoming(kind, sla.step),
        people=_people(sla.ticket),
        facts=_with_help((*_clock_facts(late, sla.clock, sla.why), *_former_facts(sla.retargeted)), sla),
        links=_links(kind, sla.ticket, sla.links),
        ids=_ids(("breach", sla.breach_id), ("clock", sla.clock.id), step=sla.step),
        ticket=sla.ticket,
        clock=sla.clock,
        why=sla.why,
        step=sla.step,
    )


def _tell_escalation(kind: str, data: Any) -> Story:
    told = EscalationData.model_validate(data)
    clock, run = told.clock, told.escalation
    late = lateness(kind, told.late_seconds, clock) if clock else None
    promise = _promise(late, clock, told.why) if clock else ""
    return Story(
        *_headed(kind, _concern(told), told.step),
        title=ticket_title(told.ticket),
        owner=assignee(told.ticket),
        said=tuple(part for part in (promise, _evidence(told.signal), *_by_hand(told)) if part),
        upcoming=_going_on(kind, told),
        people=_people(told.ticket),
        facts=_with_help(
            (*(_clock_facts(late, clock, told.why) if clock else ()), *_escalation_facts(told), *_signal_facts(told.signal)), told
        ),
        links=_links(kind, told.ticket, told.links),
        ids=_ids(("escalation", run.id), ("breach", told.breach_id), ("clock", clock.id if clock else None), step=told.step),
        ticket=told.ticket,
        clock=clock,
        why=told.why,
        step=told.step,
    )


def _tell_signal(kind: str, data: Any) -> Story:
    told = SignalData.model_validate(data)
    return Story(
        *_headed(kind, words(clean(told.signal.name, METRIC_MAX))),
        title=ticket_title(told.ticket),
        owner=assignee(told.ticket),
        said=(_evidence(told.signal),),
        upcoming="next: a ladder has begun to run" if told.escalation_id else _kind(kind)[3],
        people=_people(told.ticket),
        facts=_with_help((*_signal_facts(told.signal), Fact("Raised", told.signal.raised_at)), told),
        links=_links(kind, told.ticket, told.links),
        ids=_ids(("escalation", told.escalation_id), ("ticket", told.ticket.id)),
        ticket=told.ticket,
    )


def _tell_endpoint(kind: str, data: Any) -> Story:
    told = EndpointData.model_validate(data)
    reason = clean(told.detail or words(told.error_class or ""), EVIDENCE_MAX)
    held = f"{told.held} notices are held for it" if told.held else ""
    failed = f"{told.failures} attempts have failed since {instant(told.since)}"
    facts = (Fact("Failed attempts", str(told.failures)), Fact("Since", told.since), Fact("It says", reason), Fact("Held", str(told.held)))
    return Story(
        *_headed(kind, f"{clean(told.channel)} ({clean(told.kind)})"),
        said=tuple(part for part in (failed, reason, held) if part),
        upcoming=_kind(kind)[3],
        facts=tuple(fact for fact in facts if fact.value),
    )


def _tell_source(kind: str, data: Any) -> Story:
    told = SourceData.model_validate(data)
    last, gap = told.last_delivery_at, told.usual_gap_seconds
    usual = f"usually one comes every {duration(gap)}" if gap else ""
    heard = f"its last webhook came {instant(last)}" if last else "no webhook has come yet"
    facts = (Fact("Last webhook", last or "none yet"), Fact("Usual gap", duration(gap) if gap else ""))
    return Story(
        *_headed(kind, f"{clean(told.source)} ({clean(told.kind)})"),
        said=tuple(part for part in (heard, usual) if part),
        upcoming=_kind(kind)[3],
        facts=tuple(fact for fact in facts if fact.value),
    )


def _tell_digest(kind: str, data: Any) -> Story:  # noqa: ARG001  every teller is called alike
    told = DigestData.model_validate(data)
    tones = {_kind(type_)[2] for type_, count in told.counts.items() if count}
    tone: Tone = next((tone for tone in _DIGESTS if tone in tones), "neutral")
    icon, advice = _DIGESTS[tone]
    after = f"after the silence of {clean(told.silence.author)}: {clean(told.silence.reason, SUBJECT_MAX)}" if told.silence else ""
    shown = told.items[:ITEMS_MAX]
    more = f"and {told.count - len(shown)} more" if told.count > len(shown) else ""
    everything = web_link(told.links.all)
    return Story(
        f"{icon} {clean(told.title, SUBJECT_MAX)}",
        tone,
        said=tuple(part for part in (after, *map(_item, shown), more) if part),
        upcoming=advice,
        facts=tuple(Fact(words(name).capitalize(), clean(value)) for name, value in told.common.items()),
        links=(Link("Show all", "show_all", everything),) if everything is not None else (),
    )


def _item(item: DigestItemOut) -> str:
    """`#4711 Checkout fails with 502 (first response due 2026-11-21 09:30 UTC)`."""
    number = clean(item.external_id, PERSON_MAX)
    title = f"{'#' if number.isdigit() else ''}{number} {clean(item.subject or '', PERSON_MAX)}".rstrip()
    due = f" due {instant(item.due_at)}" if item.due_at else ""
    return f"{title} ({words(clean(item.metric, METRIC_MAX))}{due})" if item.metric else title


def _tell_test(kind: str, data: Any) -> Story:
    test = TestData.model_validate(data)
    icon, word, tone, advice = _kind(kind)
    return Story(f"{icon} {word}", tone, said=(clean(test.message), f"channel {clean(test.channel)}"), upcoming=advice)


_TELLERS: Final[Mapping[str, Callable[[str, Any], Story]]] = {
    "sla.digest": _tell_digest,
    "sla.": _tell_sla,
    "escalation.": _tell_escalation,
    "signal.": _tell_signal,
    "endpoint.": _tell_endpoint,
    "source.": _tell_source,
    "test.ping": _tell_test,
}


def _headed(kind: str, concern: str, step: StepOut | None = None) -> tuple[str, Tone]:
    icon, word, tone, _ = _kind(kind)
    if kind == "escalation.step" and step is not None:
        word = f"Escalation step {step.step}"
    return f"{icon} {word}: {concern}", tone


def _kind(kind: str) -> _Kind:
    return _KINDS.get(kind, ("•", words(clean(kind)), "neutral", "see the ticket"))


def _promise(late: str | None, clock: ClockOut, why: WhyOut | None) -> str:
    """`4 s late (due 2026-11-21 09:30 UTC, policy Gold 24x7)`."""
    due = f"due {instant(clock.due_at)}" if clock.due_at else ""
    policy = f"policy {clean(why.policy)}" if why else ""
    around = ", ".join(part for part in (due, policy) if part)
    return f"{late or 'kept'} ({around})" if around else late or "kept"


def _former(moved: RetargetOut | None) -> Iterable[str]:
    """`was due 2026-11-21 09:30 UTC`, `priority normal → high, target 4h → 1h`."""
    if moved is not None:
        yield f"was due {instant(moved.due_before)}" if moved.due_before else "was not due by itself"
        if moved.changes:
            yield ", ".join(map(_change, moved.changes))


def _change(one: ChangeOut) -> str:
    before, after = (clean(value, PERSON_MAX) if value else "none" for value in (one.before, one.after))
    return f"{one.what} {before} → {after}"


def _upcoming(kind: str, step: StepOut | None) -> str:
    """What the ladder says comes next, while there is something to do; else what to do."""
    return f"next: {clean(step.next, SUBJECT_MAX)}" if step and step.next and _asks(kind) else _kind(kind)[3]


def _asks(kind: str) -> bool:
    """Whether somebody has to act."""
    return _kind(kind)[2] in ("bad", "warning")


def _going_on(kind: str, told: EscalationData) -> str:
    until = told.escalation.acknowledged_until
    if kind == "escalation.acknowledged" and until is not None:
        return f"next: the ladder goes on at {instant(until)} unless it is renewed"
    return _upcoming(kind, told.step)


def _concern(told: EscalationData) -> str:
    """What an escalation is about: the promise, the signal, or that somebody asked for it."""
    if told.clock is not None:
        return words(clean(told.clock.metric, METRIC_MAX))
    if told.signal is not None:
        return words(clean(told.signal.name, METRIC_MAX))
    return "by hand" if told.escalation.cause == "manual" else words(clean(told.escalation.cause, METRIC_MAX))


def _by_hand(told: EscalationData) -> Iterable[str]:
    """Who did what, and why."""
    run = told.escalation
    if run.opened_by:
        yield f"opened by {clean(run.opened_by)}"
    if run.reason:
        yield f"reason: {clean(run.reason, SUBJECT_MAX)}"
    if run.acknowledged_by:
        yield f"acknowledged by {clean(run.acknowledged_by)}"
    if run.closed_because:
        yield f"because: {clean(run.closed_because)}"


def _evidence(signal: SignalOut | None) -> str:
    return clean(" ".join(signal.evidence), EVIDENCE_MAX) if signal else ""


def _people(ticket: TicketOut) -> str:
    priority = f"priority {ticket.priority}" if ticket.priority else None
    tier = f"tier {ticket.tier}" if ticket.tier else None
    named = [clean(part, PERSON_MAX) for part in (ticket.organization, priority, tier) if part]
    return " · ".join([*named, assignee(ticket)])


def _clock_facts(late: str | None, clock: ClockOut, why: WhyOut | None) -> tuple[Fact, ...]:
    due: str | datetime = clock.due_at or ""
    facts = (
        Fact("Policy", clean(why.policy) if why else ""),
        Fact("Target", clean(clock.target)),
        Fact("Due", due),
        Fact("State", late or ""),
    )
    return tuple(fact for fact in facts if fact.value)


def _former_facts(moved: RetargetOut | None) -> tuple[Fact, ...]:
    if moved is None:
        return ()
    facts = (Fact("Was due", moved.due_before or ""), Fact("Changed", ", ".join(map(_change, moved.changes))))
    return tuple(fact for fact in facts if fact.value)


def _escalation_facts(told: EscalationData) -> tuple[Fact, ...]:
    run = told.escalation
    facts = (
        Fact("Ladder", clean(run.ladder or "by hand")),
        Fact("Acknowledged by", clean(run.acknowledged_by or "")),
        Fact("Acknowledged until", run.acknowledged_until or ""),
        Fact("Reason", clean(run.closed_because or run.reason or "", SUBJECT_MAX)),
    )
    return tuple(fact for fact in facts if fact.value)


def _signal_facts(signal: SignalOut | None) -> tuple[Fact, ...]:
    return (Fact("Evidence", _evidence(signal)),) if _evidence(signal) else ()


def _with_help(facts: tuple[Fact, ...], told: ContextOut) -> tuple[Fact, ...]:
    """The facts, and where there is room what was tried, what helps, and what may be said to the customer."""
    tried = told.tried
    done = f"replies: {tried.replies}, notes: {tried.notes}, transfers: {tried.transfers}" if tried and told.guidance else ""
    more = (
        Fact("Advice", clean(" ".join(told.guidance), EVIDENCE_MAX)),
        Fact("For the customer", clean(told.customer_text or "", EVIDENCE_MAX)),
        Fact("Tried", done),
    )
    return (*facts, *[fact for fact in more if fact.value][: max(0, FACTS_MAX - len(facts))])


def _links(kind: str, ticket: TicketOut, links: LinksOut) -> tuple[Link, ...]:
    """The helpdesk's own page of the ticket, or ours; a page to acknowledge on only while there is something to acknowledge."""
    named = (
        ("Open ticket", "open_ticket", web_link(ticket.url) or web_link(links.ticket)),
        ("Acknowledge", "acknowledge", web_link(links.acknowledge) if _asks(kind) else None),
        ("Escalation", "open_escalation", web_link(links.escalation)),
        ("Breach", "open_breach", web_link(links.breach)),
        ("Why", "explain", web_link(links.explain)),
    )
    return tuple(Link(label, action, url) for label, action, url in named if url is not None)


def _ids(*named: tuple[str, str | None], step: StepOut | None = None) -> tuple[str, ...]:
    parts = tuple(f"{name} {clean(id_)}" for name, id_ in named if id_)
    return parts if step is None else (*parts, f"step {step.step} of ladder {clean(step.ladder)}")
