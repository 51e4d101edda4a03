"""Zendesk's webhooks connected to triggers: the body is whatever the admin templated.

Our own template is `slawatch.zendesk.v1` (docs/helpdesks/zendesk.md): its triggers say in plain words who spoke and whether the
customer sees it. Other templates are read as far as their names are the usual ones. Zendesk fills a placeholder it does not know, or that
has no value, with nothing: an empty value asserts nothing, except where our own template says that nobody is assigned.
"""

from datetime import datetime
from typing import Final

from app.exchange import HttpRequest
from app.helpdesks import Reading, SourceConfig, _common, _json
from app.helpdesks._json import Node
from app.helpdesks._words import fold
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, TicketEvent

SCHEMA: Final = "slawatch.zendesk.v1"
INVOCATION: Final = "x-zendesk-webhook-invocation-id"

Paths = tuple[tuple[str, ...], ...]


def _names(*names: str) -> Paths:
    """Where each name may stand, best name first: with `ticket_` before it, within an object `ticket`, at the top."""
    return tuple(path for name in names for path in ((f"ticket_{name}",), ("ticket", name), (name,)))


_TICKET: Final = _names("id")
_FACT_WORDS: Final[dict[str, Paths]] = {
    "group": (("ticket", "group", "name"), *_names("group", "group_name", "group_id")),
    "assignee": (("ticket", "assignee", "id"), *_names("assignee_id", "assignee_email", "assignee", "assignee_name")),
    "requester": (("ticket", "requester", "email"), *_names("requester_email", "requester", "requester_id", "requester_name")),
    "organization": (("ticket", "organization", "name"), *_names("organization", "organization_name", "organization_id")),
    "organization_external_id": (("org_external_id",),),
    "subject": _names("subject", "title"),
}
_STATUS: Final = _names("status")
_PRIORITY: Final = _names("priority")
_TAGS: Final = _names("tags")
_CHANNEL: Final = _names("via", "channel")
_URL: Final = _names("url", "link")
_CREATED: Final = _names("created_at_with_timestamp", "created_at")
_UPDATED: Final = _names("updated_at_with_timestamp", "updated_at")
_REQUESTER_IDS: Final = (*_names("requester_id", "requester_email"), ("ticket", "requester", "id"), ("ticket", "requester", "email"))
_NOBODY: Final = ("assignee", "organization", "group")

_ACTOR_IDS: Final = (
    ("actor_id",), ("current_user_id",), ("current_user", "id"), ("currentUser", "id"), ("comment_author_id",),
    ("actor_email",), ("current_user_email",), ("current_user", "email"), ("currentUser", "email"),
)  # fmt: skip
_ACTOR_ROLES: Final = (
    ("actor_role",), ("current_user_role",), ("current_user", "role"), ("currentUser", "role"), ("author_role",), ("comment_author_role",),
)  # fmt: skip
_COMMENT_FLAGS: Final = (
    ("latest_comment_is_public",), ("comment_is_public",), ("is_public",), ("comment", "is_public"), ("latest_comment", "is_public"),
    ("ticket", "latest_comment", "is_public"), ("ticket", "latest_comment_is_public"),
)  # fmt: skip
_COMMENT_IDS: Final = (
    ("comment_id",), ("latest_comment_id",), ("comment", "id"), ("latest_comment", "id"), ("ticket", "latest_comment", "id"),
)  # fmt: skip
_COMMENT_TEXTS: Final = (
    ("latest_comment",), ("latest_public_comment",), ("comment_body",), ("comment_text",), ("latest_comment_text",), ("comment", "body"),
    ("comment",), ("ticket", "latest_comment"),
)  # fmt: skip

_ROLES: Final = {
    "agent": ActorKind.AGENT, "admin": ActorKind.AGENT, "administrator": ActorKind.AGENT, "owner": ActorKind.AGENT,
    "light agent": ActorKind.AGENT, "team member": ActorKind.AGENT, "staff": ActorKind.AGENT,
    "end user": ActorKind.CUSTOMER, "enduser": ActorKind.CUSTOMER, "customer": ActorKind.CUSTOMER, "requester": ActorKind.CUSTOMER,
    "bot": ActorKind.BOT, "system": ActorKind.SYSTEM, "automation": ActorKind.SYSTEM, "trigger": ActorKind.SYSTEM,
}  # fmt: skip


def read(body: Node, request: HttpRequest, config: SourceConfig, received_at: datetime) -> Reading:
    """The one event of a delivery. Without an invocation id the key is a hash of source, ticket and body; of a body that tells no time
    within a window of ten minutes.
    """
    ours = _is_ours(body)
    ticket = _first(body, _TICKET).id()
    if ticket is None:
        body.refuse("is neither a notification of a Zendesk event nor a template that names the ticket (`ticket_id`)")
    remarks: list[str] = []
    told_at = _updated_at(body, remarks)
    facts = _facts(body, config, ours, remarks)
    actor, message = _who_said_what(body, config, facts, ours)
    delivery = request.headers.get(INVOCATION, "").strip()[: _json.ID_MAX] or None
    event = TicketEvent(
        source=config.name,
        ticket=ticket,
        key=delivery or _common.digest(config.name, ticket, request.body, "" if told_at else _common.window(received_at)),
        at=told_at or received_at,
        kind=_kind(body, message, facts),
        set=facts,
        message=message,
        actor=actor,
        echo=config.is_ours(*_texts(body, _ACTOR_IDS)),
    )
    return Reading("applied", (event,), _common.remark(remarks), delivery)


def _is_ours(body: Node) -> bool:
    schema = body.look("schema")
    if isinstance(schema.value, str) and schema.value.startswith("slawatch.") and schema.value != SCHEMA:
        schema.refuse(f"is not {SCHEMA}")
    return bool(schema.value == SCHEMA)


def _first(body: Node, paths: Paths) -> Node:
    """The first of these places that holds a scalar; else the first that is told at all; else nothing."""
    places = [body.look(*path) for path in paths]
    scalars = [p for p in places if p.is_told and not isinstance(p.value, dict | list)]
    return next((p for p in scalars if not p.is_blank), scalars[0] if scalars else Node(_json.MISSING))


def _texts(body: Node, paths: Paths) -> list[str]:
    places = [body.look(*path) for path in paths]
    return [text for p in places if not isinstance(p.value, dict | list) and (text := p.word()) is not None]


def _updated_at(body: Node, remarks: list[str]) -> datetime | None:
    at = _first(body, _UPDATED).instant()
    if at is None:
        remarks.append("the body tells no readable time (use {{ticket.updated_at_with_timestamp}}); the time of receipt is used")
    return at


def _facts(body: Node, config: SourceConfig, ours: bool, remarks: list[str]) -> dict[str, FactValue]:
    facts: dict[str, FactValue] = {}
    if (status := _first(body, _STATUS).word()) is not None:
        facts |= _common.status_facts(status, config.status_words, remarks)
    if (priority := _first(body, _PRIORITY).word()) not in (None, "-"):
        facts |= _common.priority_facts(str(priority), config.priority_words, remarks)
    for fact, paths in _FACT_WORDS.items():
        place = _first(body, paths)
        if (word := place.word()) is not None or (ours and place.is_told and fact in _NOBODY):
            facts[fact] = word
    facts |= _plain_facts(body)
    return facts


def _plain_facts(body: Node) -> dict[str, FactValue]:
    facts: dict[str, FactValue] = {}
    tags = next((p for path in _TAGS if (p := body.look(*path)).is_told and not isinstance(p.value, dict)), None)
    if tags is not None:
        facts["tags"] = tags.words()
    if (channel := _first(body, _CHANNEL).word()) is not None:
        facts["channel"] = channel.lower()
    if (url := _json.web_address(_first(body, _URL).word())) is not None:
        facts["url"] = url
    if (created_at := _first(body, _CREATED).instant()) is not None:
        facts["created_at"] = created_at
    return facts


def _who_said_what(body: Node, config: SourceConfig, facts: dict[str, FactValue], ours: bool) -> tuple[Actor, Message | None]:
    ids = _texts(body, _ACTOR_IDS)
    kind = config.actor_kind(*ids) or _role(body, ids)
    public = _told_public(body, ours, kind)
    text = None if ours else _first(body, _COMMENT_TEXTS).word()
    if public and kind is ActorKind.UNKNOWN and not ours and text and facts.get("status") == "pending":
        kind = ActorKind.AGENT  # a customer's word would have opened the ticket: only an agent leaves it waiting for the customer
    actor = Actor(ActorKind.SYSTEM if kind is ActorKind.BOT else kind, ids[0] if ids else None)
    if public is None:
        return actor, None
    message_id = _first(body, (*_COMMENT_IDS, ("comment_public",)) if ours else _COMMENT_IDS).id()
    if message_id is None and text:
        message_id = "text:" + _common.digest(text)  # templates repeat the latest comment with every later change
    return actor, Message(kind, public, message_id)


def _role(body: Node, ids: list[str]) -> ActorKind:
    word = _first(body, _ACTOR_ROLES).word()
    kind = _ROLES.get(fold(word), ActorKind.UNKNOWN) if word else ActorKind.UNKNOWN
    requesters = {text.casefold() for text in _texts(body, _REQUESTER_IDS)}
    is_requester = any(user.casefold() in requesters for user in ids)
    return ActorKind.CUSTOMER if is_requester and kind in (ActorKind.UNKNOWN, ActorKind.AGENT) else kind


def _told_public(body: Node, ours: bool, kind: ActorKind) -> bool | None:
    """Whether the comment of this change is public; None when there is none, or the body does not say."""
    if not ours:
        return _first(body, _COMMENT_FLAGS).flag()
    word = fold(_first(body, (("comment",),)).word() or "")
    if word in ("public", "private"):
        return word == "public"
    if word or kind is ActorKind.UNKNOWN:
        return None
    return None if body.look("comment_public").is_blank else True


def _kind(body: Node, message: Message | None, facts: dict[str, FactValue]) -> EventKind:
    if _first(body, (("event",),)).word() == "created":
        return EventKind.TICKET_CREATED
    if message is not None:
        return _common.message_kind(message)
    return EventKind.TICKET_DELETED if facts.get("deleted") else EventKind.TICKET_UPDATED
