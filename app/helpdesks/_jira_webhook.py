"""Jira's webhooks (`webhookEvent`): one change of one issue, with the issue as it was after it.

https://developer.atlassian.com/cloud/jira/platform/webhooks/

* What happened is told by the changelog; `issue_event_type_name` says `issue_generic` of most things.
* `comment_created` brings a few fields of the issue (Cloud) or no issue at all (Data Center, which tells the same comment in a
  `jira:issue_updated`). A comment told in two webhooks has one id.
* An issue that moves to another project gets another key: the old one is told as merged into the new one.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from app.exchange import HttpRequest
from app.helpdesks import Reading, _common, _json, _words
from app.helpdesks._jira_issue import Issue, is_done, status_of, user_ids
from app.helpdesks._json import Node
from app.rules.events import Actor, EventKind, FactValue, Message, Status, TicketEvent

if TYPE_CHECKING:
    from app.helpdesks.jira import Config

IDENTIFIER: Final = "x-atlassian-webhook-identifier"

_READ: Final = frozenset({"issue_created", "issue_updated", "issue_deleted", "comment_created"})
_EDITS: Final = frozenset({"issue_comment_edited", "issue_comment_deleted"})
_KINDS: Final = {"priority": EventKind.TICKET_PRIORITY_CHANGED, "assignee": EventKind.TICKET_ASSIGNED}


def is_one(body: Node) -> bool:
    """Whether a body is a webhook of the administration."""
    return not body.look("webhookEvent").is_blank


def read(body: Node, request: HttpRequest, config: Config, received_at: datetime) -> Reading:
    """One event, two when the issue moved; ignored when the webhook is about something else than an issue or a new comment."""
    name = body.at("webhookEvent").word() or ""
    delivery = request.headers.get(IDENTIFIER, "").strip()[: _json.ID_MAX] or None
    what = name.removeprefix("jira:")
    if what not in _READ:
        return Reading("ignored", reason=f"{_words.shown(name)} does not touch any promise.", delivery_id=delivery)
    if what == "comment_created" and body.look("issue", "key").is_blank:
        return Reading("ignored", reason="The comment does not name its issue; Jira tells it with the issue too.", delivery_id=delivery)
    return _Webhook(body, what, delivery, request.body, config, received_at).reading()


class _Webhook:
    def __init__(self, body: Node, what: str, delivery: str | None, raw: bytes, config: Config, received_at: datetime) -> None:
        self.body, self.what, self.delivery, self.config = body, what, delivery, config
        self.remarks: list[str] = []
        self.issue = Issue(body.at("issue"), config, self.remarks)
        self.ticket = self.issue.key
        told_at = body.at("timestamp").instant() or self.issue.updated_at
        self.at = told_at or received_at
        self.changes = _changes(body.look("changelog"))
        self.named = _json.plain(body.look("issue_event_type_name").value)
        self.key = delivery or self._content_key(raw, "" if told_at else _common.window(received_at))

    def reading(self) -> Reading:
        if self.ticket is None:
            self.issue.place.at("key").refuse("does not name the issue")
        events = [self._event(self.ticket)]
        moved_from = self.changes.get("key", Node(None)).look("fromString").id()
        if moved_from is not None and moved_from != self.ticket:
            events.append(self._gone(moved_from, self.ticket))
        return Reading("applied", tuple(events), _common.remark(self.remarks), self.delivery)

    def _event(self, ticket: str) -> TicketEvent:
        facts = dict(self.issue.facts)
        user = self._user()
        actor, message, at = self.issue.actor(user), None, self.at
        if (comment := self._comment()) is not None:
            user = comment.at("author")
            actor, message = self.issue.spoken(comment)
            at = comment.at("created").instant() or at
        if self.what == "issue_deleted":
            facts["deleted"] = True
        return TicketEvent(
            source=self.config.name,
            ticket=ticket,
            key=self.key,
            at=at,
            kind=self._kind(facts, message),
            set=facts,
            message=message,
            actor=actor,
            echo=self.config.is_ours(*user_ids(user)),
        )

    def _gone(self, old: str, new: str) -> TicketEvent:
        actor = Actor(self.issue.actor(self._user()).kind, self.issue.actor(self._user()).id)
        gone: dict[str, FactValue] = {"merged_into": new}
        return TicketEvent(self.config.name, old, f"{self.key}:moved", self.at, EventKind.TICKET_UPDATED, gone, None, actor)

    def _user(self) -> Node:
        user = self.body.at("user")
        return self.issue.creator if user.is_blank and self.what == "issue_created" else user

    def _comment(self) -> Node | None:
        """The comment that is told for the first time; None when there is none, or an old one was edited."""
        comment = self.body.look("comment")
        if not isinstance(comment.value, dict) or comment.at("id").is_blank or self.what in ("issue_created", "issue_deleted"):
            return None
        if self.named in _EDITS:
            return None
        if self.what == "issue_updated" and _is_edited(comment):
            return None
        return comment

    def _kind(self, facts: dict[str, FactValue], message: Message | None) -> EventKind:
        if self.what == "issue_created":
            return EventKind.TICKET_CREATED
        if message is not None:
            return _common.message_kind(message)
        if facts.get("deleted"):
            return EventKind.TICKET_DELETED
        if self._reopens(facts):
            return EventKind.TICKET_REOPENED
        if "status" in self.changes:
            return EventKind.TICKET_STATUS_CHANGED
        return next((kind for name, kind in _KINDS.items() if name in self.changes), EventKind.TICKET_UPDATED)

    def _reopens(self, facts: dict[str, FactValue]) -> bool:
        """From done back to work: by the status before, or because the resolution was taken away."""
        if is_done(facts.get("status")):
            return False
        if self.named == "issue_reopened":
            return True
        resolution, status = self.changes.get("resolution"), self.changes.get("status")
        if resolution is not None and resolution.look("to").is_blank and not resolution.look("from").is_blank:
            return True
        before = status.look("fromString").word() if status is not None else None
        was_done = before is not None and is_done(status_of(before, None, self.config))
        return was_done and facts.get("status") in (Status.NEW, Status.OPEN)

    def _content_key(self, raw: bytes, once: str) -> str:
        """Of a webhook without identifier: what happened to what and when, the same over retries."""
        body = self.body
        places = (("timestamp",), ("issue_event_type_name",), ("issue", "id"), ("issue", "key"), ("changelog", "id"), ("comment", "id"))
        parts = [_json.plain(place.value) if (place := body.look(*path)).is_told else "" for path in places]
        return _common.digest(self.config.name, self.what, *parts, once, raw if once else b"")


def _changes(changelog: Node) -> dict[str, Node]:
    """The changed fields by their lower-case names and ids: `status`, `key`, `customfield_10020`, ..."""
    items = changelog.look("items")
    found = [Node(item, f"{items.pointer}/{i}") for i, item in enumerate(items.value)] if isinstance(items.value, list) else []
    return {
        str(place.value).casefold(): item for item in found for place in (item.look("field"), item.look("fieldId")) if not place.is_blank
    }


def _is_edited(comment: Node) -> bool:
    created, updated = comment.at("created").instant(), comment.at("updated").instant()
    return created is not None and updated is not None and updated > created
