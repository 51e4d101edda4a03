"""Front's events: what happened in a conversation, and the conversation as it was then.

* Inbound messages are the customer's. Outbound ones are a teammate's where they name an author; a null author is a rule (auto-reply), an
  author that is not told (previews) is who the document says (`others_are`). Comments and mentions are notes.
* The message's own id is told by every event about it: a mention and its comment are one note.
* A merge tells which conversations it gave up: they go quiet, merged into the one the event is about.
* Who reopened a conversation stays unknown: a reply reopens an archived one as well.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from app.helpdesks import Reading, SourceConfig, _common
from app.helpdesks._json import ID_MAX, Node
from app.helpdesks._words import fold
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, TicketEvent

STATUSES: Final = {
    "unassigned": "new", "assigned": "open", "archived": "solved", "deleted": "closed", "spam": "closed", "trashed": "closed",
    "snoozed": "pending", "waiting": "pending", "resolved": "solved",
}  # fmt: skip
"""Front's status words, its ticket status categories, and `snoozed`, which Front shows as archived with a reminder."""

JUST_BEGUN: Final = timedelta(seconds=10)
"""How far an inbound message may lie from the creation of the conversation it begins."""
DRAFTED: Final = timedelta(hours=1)
"""How long somebody may write on the message that begins a conversation."""

_GONE: Final = ("deleted", "spam", "trashed")
_CATEGORIES: Final = ("waiting", "resolved")
_NOT_YET: Final = "invisible"
"""The status of a conversation whose first message is still a draft."""

_API_NAMES: Final = {
    "inbound_received": "inbound", "outbound_sent": "outbound", "conversation_archived": "archive",
    "conversation_reopened": "reopen", "conversation_deleted": "trash", "conversation_restored": "restore",
    "conversation_snoozed": "snooze", "conversation_snooze_expired": "reminder", "new_comment_added": "comment",
    "assignee_changed": "assign", "tag_added": "tag", "tag_removed": "untag", "conversation_moved": "move",
    "message_delivery_failed": "sending_error",
}  # fmt: skip
"""Names of applications' webhooks -> names of the API, which rules' webhooks use."""

_KINDS: Final = {
    "archive": EventKind.TICKET_STATUS_CHANGED, "snooze": EventKind.TICKET_STATUS_CHANGED, "reminder": EventKind.TICKET_STATUS_CHANGED,
    "reopen": EventKind.TICKET_REOPENED, "restore": EventKind.TICKET_REOPENED, "trash": EventKind.TICKET_DELETED,
    "assign": EventKind.TICKET_ASSIGNED, "unassign": EventKind.TICKET_ASSIGNED,
    "tag": EventKind.TICKET_UPDATED, "untag": EventKind.TICKET_UPDATED, "move": EventKind.TICKET_UPDATED,
    "forward": EventKind.TICKET_UPDATED, "link_added": EventKind.TICKET_UPDATED, "link_removed": EventKind.TICKET_UPDATED,
    "sending_error": EventKind.TICKET_UPDATED, "message_bounce_error": EventKind.TICKET_UPDATED,
    "conversations_merged": EventKind.TICKET_UPDATED,
}  # fmt: skip
_OUTBOUND: Final = ("outbound", "out_reply")
_NOTES: Final = ("comment", "mention")

_MACHINES: Final = ("rule", "api", "integration", "csat", "reminder", "shared rule")


def read(body: Node, raw: bytes, config: SourceConfig, others: ActorKind, received_at: datetime) -> Reading:
    """The events of one delivery. `others` is who wrote an outbound message whose author is not told."""
    event = body.at("payload") if body.at("payload").is_told else body
    told = event.at("type").word() or ""
    if told not in (*_KINDS, *_OUTBOUND, *_NOTES, "inbound"):
        told = body.at("type").word() or told
    webhook = _Webhook(_API_NAMES.get(told, told), event, config, others, received_at, raw)
    return Reading("applied", webhook.events(), _common.remark(webhook.remarks), event.at("id").id())


@dataclass(slots=True)
class _Webhook:
    """One event. `name` is the API's name for it."""

    name: str
    event: Node
    config: SourceConfig
    others: ActorKind
    received_at: datetime
    raw: bytes
    remarks: list[str] = field(default_factory=list)

    @property
    def conversation(self) -> Node:
        return self.event.at("conversation")

    def events(self) -> tuple[TicketEvent, ...]:
        at = self.event.at("emitted_at").instant()
        if at is None:
            self.remarks.append("/emitted_at cannot be read; the time of receipt is used")
        message, actor, ids = self._message() or (None, *self._doer())
        kind = _common.message_kind(message) if message else _KINDS.get(self.name, EventKind.TICKET_SNAPSHOT)
        facts = self._facts(at or self.received_at)
        happened = TicketEvent(
            source=self.config.name,
            ticket=self._ticket(),
            key=self.event.at("id").id() or _common.digest(self.config.name, self.raw, "" if at else _common.window(self.received_at)),
            at=at or self.received_at,
            kind=kind,
            set=facts,
            message=message,
            actor=actor,
            echo=self.config.is_ours(*ids),
        )
        begun_at = self._begun_at(at)
        merged = tuple(self._merged(happened, gone) for gone in self._given_up() if gone != happened.ticket)
        return (happened, *merged) if begun_at is None else (happened, self._creation(happened, begun_at))

    def _ticket(self) -> str:
        told = self.conversation.at("id").id()
        link = self.conversation.look("_links", "self").value
        if told is None and isinstance(link, str):
            told = Node(link.partition("?")[0].rpartition("/")[2], self.conversation.pointer).id()
        if told is None:
            self.conversation.at("id").refuse("does not name the conversation")
        return told

    def _creation(self, first: TicketEvent, begun_at: datetime) -> TicketEvent:
        lasting = {name: fact for name, fact in first.set.items() if name in ("created_at", "requester", "subject", "url")}
        key = f"{first.ticket}:created"
        return TicketEvent(first.source, first.ticket, key, begun_at, EventKind.TICKET_CREATED, lasting, actor=first.actor, echo=first.echo)

    def _merged(self, merge: TicketEvent, gone: str) -> TicketEvent:
        return replace(merge, ticket=gone, kind=EventKind.TICKET_DELETED, set={"merged_into": merge.ticket})

    def _given_up(self) -> tuple[str, ...]:
        """The conversations a merge leaves nothing of: ids, alone or in objects."""
        if self.name != "conversations_merged":
            return ()
        told = self.event.look("target", "data")
        lists = [told] if isinstance(told.value, list) else [told.look(name) for name in told.value] if isinstance(told.value, dict) else []
        ids = (one for place in lists if isinstance(place.value, list) for one in _common.names(place, "id") if len(one) <= ID_MAX)
        return tuple(dict.fromkeys(ids))

    def _begun_at(self, at: datetime | None) -> datetime | None:
        """When the conversation was created, where this is the message that begins it."""
        begun_at = self.conversation.at("created_at").instant()
        if begun_at is None or at is None:
            return None
        if self.name == "inbound":
            return begun_at if abs(at - begun_at) <= JUST_BEGUN else None
        answers = not self.event.look("target", "data", "_links", "related", "message_replied_to").is_blank
        return begun_at if self.name == "outbound" and not answers and abs(at - begun_at) <= DRAFTED else None

    def _message(self) -> tuple[Message, Actor, tuple[str, ...]] | None:
        """What was said, by whom, and the names of who said it; None when nothing was."""
        said = self.event.look("target", "data")
        message_id = said.look("id").id()
        if self.name == "inbound":
            handle = _sender(said) or self.conversation.look("recipient", "handle").word()
            kind = self.config.actor_kind(handle) or ActorKind.CUSTOMER
            return Message(kind, public=True, id=message_id), _actor(kind, handle), ()
        if self.name not in (*_OUTBOUND, *_NOTES):
            return None
        author = said.look("author")
        kind, user, ids = self._author(author)
        return Message(kind, public=self.name in _OUTBOUND, id=message_id), _actor(kind, user), ids

    def _author(self, author: Node) -> tuple[ActorKind, str | None, tuple[str, ...]]:
        """Who wrote an outbound message or a comment."""
        if not author.is_told or (author.value is None and self.name in _NOTES):
            doer, ids = self._doer()
            return self.others if doer.kind is ActorKind.UNKNOWN and self.name in _OUTBOUND else doer.kind, doer.id, ids
        if author.value is None:
            return ActorKind.BOT, None, ()
        ids = _names(author)
        is_machine = fold(author.look("type").word() or "") in _MACHINES
        kind = self.config.actor_kind(*ids) or (ActorKind.BOT if is_machine else ActorKind.AGENT)
        return kind, ids[0] if ids else None, ids

    def _doer(self) -> tuple[Actor, tuple[str, ...]]:
        """Who caused the event, and their names."""
        source = self.event.look("source")
        ids = _names(source.look("data"))
        kind, told = fold(source.look("_meta", "type").word() or ""), self.config.actor_kind(*ids)
        if told is None and kind in _MACHINES:
            told = ActorKind.SYSTEM
        elif told is None and kind == "teammate" and self.name != "reopen":
            told = ActorKind.AGENT
        return _actor(told or ActorKind.UNKNOWN, ids[0] if ids else None), ids

    def _facts(self, at: datetime) -> dict[str, FactValue]:
        place, facts = self.conversation, dict[str, FactValue]()
        if (word := self._status_word(at)) is not None:
            is_gone = fold(word) in _GONE
            facts |= {"deleted": is_gone} | _common.status_facts(word, self.config.status_words, self.remarks)
        if place.at("assignee").is_told:
            facts["assignee"] = place.look("assignee", "id").id()
        if place.at("tags").is_told:
            facts["tags"] = _common.names(place.at("tags"), "name")
        for fact, told in (("requester", place.look("recipient", "handle")), ("subject", place.at("subject"))):
            if (told_word := told.word()) is not None:
                facts[fact] = told_word
        if (inbox := self._inbox()) is not None:
            facts["group"] = inbox
        if (created_at := place.at("created_at").instant()) is not None:
            facts["created_at"] = created_at
        facts["url"] = f"https://app.frontapp.com/open/{self._ticket()}"
        return facts | _common.field_facts(place.look("custom_fields"))

    def _status_word(self, at: datetime) -> str | None:
        """Front's word for how the conversation stands at this instant; None when the body does not tell."""
        place = self.conversation
        status, category, own = (place.at(name).word() for name in ("status", "status_category", "status_id"))
        if status in _GONE:
            return status
        if own is not None and fold(own) in {fold(word) for word in self.config.status_map}:
            return own
        if self.name == "snooze" or (status == "archived" and _has_reminder(place, at)):
            return "snoozed"
        if category in _CATEGORIES:
            return category
        return None if status == _NOT_YET else status

    def _inbox(self) -> str | None:
        """The one inbox the event came through or was moved to; None when there are several, or none is told."""
        place = self.event.look("target" if self.name == "move" else "source")
        if fold(place.look("_meta", "type").word() or "") not in ("inboxes", "inbox"):
            return None
        data = place.look("data")
        inboxes = _common.each(data) if isinstance(data.value, list) else [data]
        return _common.name_of(inboxes[0], "name", "address", "id") if len(inboxes) == 1 else None


def _has_reminder(conversation: Node, at: datetime) -> bool:
    """Whether the conversation comes back by itself."""
    reminders = conversation.at("scheduled_reminders")
    return any((due := place.look("scheduled_at").instant()) is not None and due > at for place in _common.each(reminders))


def _sender(message: Node) -> str | None:
    """The address a message came from."""
    found = (place.look("handle").word() for place in _common.each(message.look("recipients")) if place.look("role").value == "from")
    return next((handle for handle in found if handle is not None), None)


def _actor(kind: ActorKind, user: str | None) -> Actor:
    return Actor(ActorKind.SYSTEM if kind is ActorKind.BOT else kind, user)


def _names(user: Node) -> tuple[str, ...]:
    """What somebody may be called in `our_user_ids` and `actor_map`, the id first."""
    return tuple(word for name in ("id", "email", "username") if (word := user.look(name).word()) is not None)
