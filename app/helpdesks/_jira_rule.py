"""What Jira sends by rules: automation's "Send web request", and workflow functions. Such bodies tell no kind of event.

Our own template is `slawatch.jira.v1` (docs/helpdesks/jira.md): the rule says in plain words what happened. Everything else is the issue as
it is (automation's "Issue data", in Jira's format or automation's, and the body of a workflow function), read as a snapshot together with
the comments it brings along, each at its own instant. Automation fills what it does not know with nothing: an empty value asserts nothing,
except that our own template's empty assignee is nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final

from app.exchange import HttpRequest
from app.helpdesks import Reading, _common, _json
from app.helpdesks._jira_issue import Issue, status_facts, user_ids
from app.helpdesks._json import Node
from app.helpdesks._words import fold
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, TicketEvent

if TYPE_CHECKING:
    from app.helpdesks.jira import Config

SCHEMA: Final = "slawatch.jira.v1"

_ROLES: Final = {
    "agent": ActorKind.AGENT, "atlassian": ActorKind.AGENT, "customer": ActorKind.CUSTOMER,
    "app": ActorKind.BOT, "bot": ActorKind.BOT, "automation": ActorKind.BOT,
}  # fmt: skip
_WORDS: Final = {
    "requester": "reporter", "requester_email": "reporter_email", "organization": "organization", "project": "project",
    "type": "type", "request_type": "request_type",
}  # fmt: skip
_KINDS: Final = {"created": EventKind.TICKET_CREATED, "deleted": EventKind.TICKET_DELETED}


def read(body: Node, request: HttpRequest, config: Config, received_at: datetime) -> Reading:
    """The event of our template, or the snapshot and its comments. Unreadable when no issue is named."""
    schema = body.look("schema")
    if isinstance(schema.value, str) and schema.value.startswith("slawatch."):
        if schema.value != SCHEMA:
            schema.refuse(f"is not {SCHEMA}")
        return _Template(body, request.body, config, received_at).reading()
    return _snapshot(body, request.body, config, received_at)


def _snapshot(body: Node, raw: bytes, config: Config, received_at: datetime) -> Reading:
    remarks: list[str] = []
    issue = Issue(body.at("issue") if body.look("issue").is_told else body, config, remarks)
    ticket = issue.key
    if ticket is None:
        body.refuse("is neither a webhook of Jira nor names an issue")
    told_at = body.look("timestamp").instant() or issue.updated_at
    key = _common.digest(config.name, ticket, raw, "" if told_at else _common.window(received_at))
    user = body.look("user")
    state = TicketEvent(
        source=config.name,
        ticket=ticket,
        key=key,
        at=told_at or received_at,
        kind=EventKind.TICKET_STATUS_CHANGED if body.look("transition").is_told else EventKind.TICKET_SNAPSHOT,
        set=issue.facts,
        actor=issue.actor(user),
        echo=config.is_ours(*user_ids(user)),
    )
    told = (_comment_event(comment, issue, ticket, config) for comment in issue.comments())
    return Reading("applied", (state, *(event for event in told if event is not None)), _common.remark(remarks))


def _comment_event(comment: Node, issue: Issue, ticket: str, config: Config) -> TicketEvent | None:
    """A comment as an event of its own, the same whenever it is told again; None without id or time."""
    comment_id, at = comment.at("id").id(), comment.at("created").instant()
    if comment_id is None or at is None:
        return None
    actor, message = issue.spoken(comment)
    return TicketEvent(
        source=config.name,
        ticket=ticket,
        key=f"comment:{comment_id}",
        at=at,
        kind=_common.message_kind(message),
        message=message,
        actor=actor,
        echo=config.is_ours(*user_ids(comment.at("author"))),
    )


@dataclass(frozen=True)
class _Template:
    """A body of our own template."""

    body: Node
    raw: bytes
    config: Config
    received_at: datetime

    def reading(self) -> Reading:
        remarks: list[str] = []
        ticket = self.body.at("issue").id()
        if ticket is None:
            self.body.at("issue").refuse("does not name the issue")
        facts = self._facts(remarks)
        actor, message = self._who_said_what(facts)
        event = TicketEvent(
            source=self.config.name,
            ticket=ticket,
            key=_common.digest(self.config.name, ticket, self.raw, "" if self._told_at else _common.window(self.received_at)),
            at=self._told_at or self.received_at,
            kind=self._kind(message, facts),
            set=facts,
            message=message,
            actor=actor,
            echo=self.config.is_ours(actor.id),
        )
        return Reading("applied", (event,), _common.remark(remarks))

    @cached_property
    def _told_at(self) -> datetime | None:
        """When the comment was made, else when the issue was changed; None when neither can be read."""
        comment = self.body.at("comment_created") if self._is("comment") else Node(None)
        return comment.instant() or self.body.at("updated").instant()

    def _is(self, event: str) -> bool:
        return fold(self.body.at("event").word() or "") == event

    def _facts(self, remarks: list[str]) -> dict[str, FactValue]:
        body = self.body
        facts = status_facts(body.at("status").word(), body.at("status_category").word(), self.config, remarks)
        if (priority := body.at("priority").word()) is not None:
            facts |= _common.priority_facts(priority, self.config.priority_words, remarks)
        facts |= {fact: word for fact, name in _WORDS.items() if (word := body.at(name).word()) is not None}
        if (assignee := body.at("assignee")).is_told:
            facts["assignee"] = assignee.id()
        if (labels := body.at("labels")).is_told:
            facts["tags"] = labels.words()
        if (created_at := body.at("created").instant()) is not None:
            facts["created_at"] = created_at
        if (url := _json.web_address(body.at("url").word())) is not None:
            facts["url"] = url
        return facts | ({"deleted": True} if self._is("deleted") else {})

    def _who_said_what(self, facts: dict[str, FactValue]) -> tuple[Actor, Message | None]:
        """The author of the comment where there is one, else who set off the rule."""
        spoken = self._is("comment")
        author = self.body.at("comment_author").id() if spoken else None
        user = author or self.body.at("actor").id()
        kind = self._role(user, facts)
        actor = Actor(ActorKind.SYSTEM if kind is ActorKind.BOT else kind, user)
        if not spoken:
            return actor, None
        internal = self.body.at("comment_internal").flag()
        if internal is None:
            if self.config.untold_comments is None:
                self.body.at("comment_internal").refuse("does not say whether the comment is internal")
            internal = self.config.untold_comments == "private"
        return actor, Message(kind, not internal, self.body.at("comment").id())

    def _role(self, user: str | None, facts: dict[str, FactValue]) -> ActorKind:
        if (known := self.config.actor_kind(user)) is not None:
            return known
        kind = _ROLES.get(fold(self.body.at("actor_role").word() or ""))
        if kind is None and self.config.others_are == "agent" and user is not None:
            kind = ActorKind.AGENT
        is_reporter = user is not None and user == facts.get("requester")
        if is_reporter and (kind is ActorKind.AGENT or (kind is None and self._is("comment"))):
            return ActorKind.CUSTOMER
        return kind or ActorKind.UNKNOWN

    def _kind(self, message: Message | None, facts: dict[str, FactValue]) -> EventKind:
        if message is not None:
            return _common.message_kind(message)
        told = next((kind for word, kind in _KINDS.items() if self._is(word)), EventKind.TICKET_UPDATED)
        return EventKind.TICKET_DELETED if facts.get("deleted") else told
