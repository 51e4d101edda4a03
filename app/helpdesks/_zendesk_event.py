"""Zendesk's event subscriptions: one notification tells one change and repeats the ticket as it was after it.

https://developer.zendesk.com/api-reference/webhooks/event-types/ticket-events/

* `detail` is asserted whole: what it lacks is not asserted; a null group, assignee or organization is nobody. A null status or priority is
  not asserted.
* One action of an agent yields several notifications with one `meta.sequence.id`. Their `position` is not guaranteed by Zendesk, so it is
  not used as an order: notifications of one instant are applied together, and instants are cut to milliseconds so that they meet.
* Making a comment private later takes nothing back (the customer has got the mail), so it asserts only facts.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from app.helpdesks import Reading, SourceConfig, _common, _json, _times, _words
from app.helpdesks._json import Node
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, Status, TicketEvent

_PREFIX: Final = "zen:event-type:"
_FAMILIES: Final = ("ticket", "messaging_ticket")
_SYSTEM_USER: Final = "-1"

_OWNERS: Final = {"group": "group_id", "assignee": "assignee_id", "organization": "organization_id"}
_IDS: Final = {
    "requester": "requester_id", "brand": "brand_id", "form": "form_id", "custom_status": "custom_status", "external_id": "external_id",
}  # fmt: skip

_NO_MEANING: Final = frozenset({"attachment_linked_to_comment", "attachment_redacted_from_comment", "comment_redacted"})

_PLAIN_UPDATES: Final = frozenset(
    {
        "brand_changed", "comment_made_private", "description_changed", "email_ccs_changed", "external_id_changed",
        "followers_changed", "form_changed", "problem_link_changed", "subject_changed", "submitter_changed", "tags_changed",
        "task_due_at_changed", "type_changed",
    }
)  # fmt: skip

_CHANGED_IDS: Final = {
    "agent_assignment_changed": ("assignee", EventKind.TICKET_ASSIGNED),
    "group_assignment_changed": ("group", EventKind.TICKET_ASSIGNED),
    "organization_changed": ("organization", EventKind.TICKET_UPDATED),
    "requester_changed": ("requester", EventKind.TICKET_UPDATED),
}

_GONE: Final = {"soft_deleted": True, "permanently_deleted": True, "marked_as_spam": True, "undeleted": False}


@dataclass(slots=True)
class _Said:
    """What a notification says beside the ticket's `detail`."""

    kind: EventKind = EventKind.TICKET_SNAPSHOT
    facts: dict[str, FactValue] = field(default_factory=dict)
    message: Message | None = None
    actor: Actor | None = None


def is_one(body: Node) -> bool:
    """Whether a body is a notification of an event subscription."""
    kind = body.look("type").value
    return isinstance(kind, str) and kind.startswith(_PREFIX)


def read(body: Node, config: SourceConfig, received_at: datetime) -> Reading:
    """The one event of a notification; ignored when it is about something else or without meaning for promises."""
    event_id = body.id_at("id")
    if event_id is None:
        body.at("id").refuse("is missing")
    name = str(body.at("type").value).removeprefix(_PREFIX)
    family, _, what = name.partition(".")
    if family not in _FAMILIES:
        return Reading("ignored", reason=f"{_words.shown(name)} is not about a ticket.", delivery_id=event_id)
    if what in _NO_MEANING:
        return Reading("ignored", reason=f"{name} does not touch any promise.", delivery_id=event_id)
    remarks: list[str] = []
    event = _event(body, what, event_id, config, received_at, remarks)
    return Reading("applied", (event,), _common.remark(remarks), event_id)


def _event(body: Node, what: str, event_id: str, config: SourceConfig, received_at: datetime, remarks: list[str]) -> TicketEvent:
    detail = body.at("detail")
    facts = _detail_facts(detail, config, remarks)
    said = _said(what, body, config, remarks)
    actor = said.actor or _actor_of(detail, config)
    return TicketEvent(
        source=config.name,
        ticket=_ticket(body),
        key=event_id,
        at=_instant(body, received_at, remarks),
        kind=said.kind,
        set=facts | said.facts,
        message=said.message,
        actor=actor,
        echo=config.is_ours(actor.id),
    )


def _ticket(body: Node) -> str:
    told = body.at("detail", "id")
    subject = body.look("subject").value
    ticket = told.id() or (subject.removeprefix("zen:ticket:") if isinstance(subject, str) and subject.startswith("zen:ticket:") else "")
    if not ticket or len(ticket) > _json.ID_MAX:
        told.refuse("does not name the ticket")
    return ticket


def _instant(body: Node, received_at: datetime, remarks: list[str]) -> datetime:
    told = body.look("time")
    at = told.instant()
    if at is None:
        at = body.look("detail", "updated_at").instant()
        instead = "the ticket's updated_at" if at else "the time of receipt"
        remarks.append(f"/time {'cannot be read' if told.is_told else 'is missing'}; {instead} is used")
    return _times.cut_to_milliseconds(at or received_at)


def _detail_facts(detail: Node, config: SourceConfig, remarks: list[str]) -> dict[str, FactValue]:
    facts: dict[str, FactValue] = {}
    if (status := detail.word_at("status")) is not None:
        facts |= _common.status_facts(status, config.status_words, remarks)
    if (priority := detail.word_at("priority")) is not None:
        facts |= _common.priority_facts(priority, config.priority_words, remarks)
    facts |= {fact: told.id() for fact, name in _OWNERS.items() if (told := detail.at(name)).is_told}
    facts |= {fact: id_ for fact, name in _IDS.items() if (id_ := detail.id_at(name)) is not None}
    if (tags := detail.at("tags")).is_told:
        facts["tags"] = tags.words()
    if (created_at := detail.at("created_at").instant()) is not None:
        facts["created_at"] = created_at
    if (subject := detail.word_at("subject")) is not None:
        facts["subject"] = subject
    for fact, place in (("channel", detail.look("via", "channel")), ("type", detail.at("type"))):
        if (word := place.word()) is not None:
            facts[fact] = word.lower()
    return facts


def _said(what: str, body: Node, config: SourceConfig, remarks: list[str]) -> _Said:
    if what in _PLAIN_UPDATES:
        return _Said(EventKind.TICKET_UPDATED)
    if what in _CHANGED_IDS:
        fact, kind = _CHANGED_IDS[what]
        current = body.at("event", "current")
        return _Said(kind, {fact: current.id()} if current.is_told else {})
    if what in _GONE:
        return _Said(EventKind.TICKET_DELETED if _GONE[what] else EventKind.TICKET_UPDATED, {"deleted": _GONE[what]})
    reader = _READERS.get(what)
    return reader(body, config, remarks) if reader else _Said()


def _created(body: Node, config: SourceConfig, remarks: list[str]) -> _Said:  # noqa: ARG001
    return _Said(EventKind.TICKET_CREATED, actor=_creator(body.at("detail"), config))


def _creator(detail: Node, config: SourceConfig) -> Actor:
    """Who created a ticket. The notification names no role, so an agent is inferred only where nothing else fits: who made, submitted and
    got the ticket is one person, or it was entered in the agent's own form for somebody else. Over the API "for somebody else" proves
    nothing: web forms work like that.
    """
    made_by, submitter, requester = (detail.id_at(name) for name in ("actor_id", "submitter_id", "requester_id"))
    creator = made_by or submitter or requester
    if (known := _known(config, creator)) is not None:
        return known
    kind = ActorKind.UNKNOWN
    if submitter and submitter in (made_by, None) and submitter == detail.id_at("assignee_id"):
        kind = ActorKind.AGENT
    elif submitter and requester and submitter != requester:
        kind = ActorKind.AGENT if detail.look("via", "channel").value == "web" else ActorKind.UNKNOWN
    elif requester and creator == requester:
        kind = ActorKind.CUSTOMER
    return Actor(kind, creator)


def _actor_of(detail: Node, config: SourceConfig) -> Actor:
    actor = detail.id_at("actor_id")
    return _known(config, actor) or Actor(ActorKind.UNKNOWN, actor)


def _known(config: SourceConfig, user: str | None) -> Actor | None:
    """Who the document, or Zendesk's numbering, says somebody is; None when neither does."""
    if (kind := config.actor_kind(user)) is not None:
        return Actor(kind, user)
    return Actor(ActorKind.SYSTEM, user) if user == _SYSTEM_USER else None


def _status_changed(body: Node, config: SourceConfig, remarks: list[str]) -> _Said:
    current, previous = (body.at("event").word_at(name) for name in ("current", "previous"))
    if current is None:
        return _Said(EventKind.TICKET_STATUS_CHANGED)
    facts = _common.status_facts(current, config.status_words, remarks)
    if facts.get("deleted"):
        return _Said(EventKind.TICKET_DELETED, facts)
    was_solved = previous is not None and config.status_words.get(previous) == Status.SOLVED
    reopened = was_solved and facts["status"] in (Status.NEW, Status.OPEN)
    return _Said(EventKind.TICKET_REOPENED if reopened else EventKind.TICKET_STATUS_CHANGED, facts)


def _custom_status_changed(body: Node, config: SourceConfig, remarks: list[str]) -> _Said:  # noqa: ARG001
    """`current` is the id of a custom status; the status it belongs to is in the detail."""
    current = body.at("event").id_at("current")
    return _Said(EventKind.TICKET_STATUS_CHANGED, {"custom_status": current} if current else {})


def _priority_changed(body: Node, config: SourceConfig, remarks: list[str]) -> _Said:
    told = body.at("event", "current")
    facts: dict[str, FactValue] = {"priority": None} if told.is_told else {}
    if (word := told.word()) is not None:
        facts = _common.priority_facts(word, config.priority_words, remarks)
    return _Said(EventKind.TICKET_PRIORITY_CHANGED, facts)


def _custom_field_changed(body: Node, config: SourceConfig, remarks: list[str]) -> _Said:  # noqa: ARG001
    """The detail never holds custom fields, so a change is the only time they are told: the fact `field_<id>`."""
    field_id = body.at("event", "custom_field").id_at("id")
    told = body.at("event", "current")
    value = told.at("value") if isinstance(told.value, dict) else told
    if field_id is None or not value.is_told:
        return _Said(EventKind.TICKET_UPDATED)
    fact = value.words() if isinstance(value.value, list) else value.word()
    return _Said(EventKind.TICKET_UPDATED, {f"field_{field_id}": fact})


def _merged(body: Node, config: SourceConfig, remarks: list[str]) -> _Said:  # noqa: ARG001
    target = body.at("event").id_at("target_ticket_id")
    if target is None:
        remarks.append("the ticket this one was merged into is not named")
        target = _common.SOMEWHERE
    return _Said(EventKind.TICKET_UPDATED, {"merged_into": target})


def _comment_added(body: Node, config: SourceConfig, remarks: list[str]) -> _Said:  # noqa: ARG001
    comment = body.at("event", "comment")
    if not comment.is_told or comment.value is None:
        comment.refuse("is missing")
    public = comment.at("is_public").flag()
    if public is None:
        comment.at("is_public").refuse("does not say whether the customer sees the comment")
    author = _author(comment.at("author"), body.at("detail").id_at("requester_id"), config)
    return _spoken(Message(author.kind, public, comment.id_at("id")), author)


def _author(author: Node, requester: str | None, config: SourceConfig) -> Actor:
    user = author.id_at("id")
    if (known := _known(config, user)) is not None:
        return known
    is_staff = author.at("is_staff").flag()
    if user is not None and user == requester:
        return Actor(ActorKind.CUSTOMER, user)  # staff who ask for themselves are customers
    if is_staff is None:
        return Actor(ActorKind.UNKNOWN, user)
    return Actor(ActorKind.AGENT if is_staff else ActorKind.CUSTOMER, user)


def _message_added(body: Node, config: SourceConfig, remarks: list[str]) -> _Said:  # noqa: ARG001
    """Messaging: everything said there is public; the bot speaks as an agent whose id begins with `zd:`."""
    speaker = body.at("event", "actor")
    user = speaker.id_at("id")
    kind = {"end_user": ActorKind.CUSTOMER, "agent": ActorKind.AGENT, "system": ActorKind.BOT}.get(
        (speaker.word_at("type") or "").casefold(), ActorKind.UNKNOWN
    )
    if user is not None and user.startswith("zd:"):
        kind = ActorKind.BOT
    kind = config.actor_kind(user) or kind
    message = Message(kind, public=True, id=body.at("event", "message").id_at("id"))
    return _spoken(message, Actor(ActorKind.SYSTEM if kind is ActorKind.BOT else kind, user))


def _spoken(message: Message, author: Actor) -> _Said:
    return _Said(_common.message_kind(message), message=message, actor=author)


_READERS: Final[dict[str, Callable[[Node, SourceConfig, list[str]], _Said]]] = {
    "created": _created,
    "status_changed": _status_changed,
    "custom_status_changed": _custom_status_changed,
    "priority_changed": _priority_changed,
    "custom_field_changed": _custom_field_changed,
    "merged": _merged,
    "comment_added": _comment_added,
    "message_added": _message_added,
}
