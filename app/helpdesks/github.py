"""GitHub issues: webhooks of a repository, an organization or an app.

https://docs.github.com/en/webhooks/webhook-events-and-payloads

* `issues` repeats the whole issue after each change; `issue_comment` brings the issue and what was said. Pull requests are no tickets.
* Who spoke is the comment's `author_association`: owners, members and collaborators are agents, everybody else is a customer.
  Who *changed* an issue has no association in the payload: unknown, unless it is an outsider who changes their own issue, or a bot.
* GitHub tells no time of an event: comments have theirs, changes are dated by the issue's `updated_at` (whole seconds).
* Signed with X-Hub-Signature-256 (HMAC-SHA256 of the body), no freshness; SHA-1 alone is refused. Nothing is retried by itself;
  X-GitHub-Delivery stays the same when a delivery is repeated by hand.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import ClassVar, Final, Literal
from urllib.parse import unquote_to_bytes

from pydantic import Field

from app.exchange import HttpRequest
from app.helpdesks import Reading, _common, _json, _labels, _signed, _verify, _words
from app.helpdesks._json import Node
from app.helpdesks.writing import github as writing
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, TicketEvent

SIGNATURE: Final = "x-hub-signature-256"
DELIVERY: Final = "x-github-delivery"
EVENT: Final = "x-github-event"

_REPOSITORY_MAX: Final = 160
"""Characters of `owner/repository`; GitHub allows 39 and 100."""

_INSIDERS: Final = ("OWNER", "MEMBER", "COLLABORATOR")
_FORM: Final = b"payload="

_KINDS: Final = {
    "opened": EventKind.TICKET_CREATED,
    "closed": EventKind.TICKET_STATUS_CHANGED,
    "reopened": EventKind.TICKET_REOPENED,
    "assigned": EventKind.TICKET_ASSIGNED,
    "unassigned": EventKind.TICKET_ASSIGNED,
    "deleted": EventKind.TICKET_DELETED,
    "transferred": EventKind.TICKET_DELETED,
}


class Config(_signed.SignedConfig):
    """A GitHub source: one secret for all its repositories."""

    built_in_statuses: ClassVar[Mapping[str, str]] = {"closed": "solved", "not_planned": "closed", "duplicate": "closed"}
    built_in_priorities: ClassVar[Mapping[str, str]] = _labels.PRIORITIES

    kind: Literal["github"]
    write_back: writing.Config | None = Field(default=None, description="How breaches are marked here.")

    @cached_property
    def signature(self) -> _verify.Hmac | None:
        """GitHub's own scheme; None without a secret."""
        return _verify.Hmac(header=SIGNATURE, secret=self.secret, prefix="sha256=") if self.secret else None


def verify(request: HttpRequest, config: Config, now: datetime) -> None:
    """Returns if the SHA-256 signature over the body is ours and `verify` holds; else InvalidSignature."""
    _signed.check(request, config, config.signature, now)


def parse(request: HttpRequest, config: Config, received_at: datetime) -> Reading:
    """The one event of a delivery; ignored when it is not about an issue. Unreadable when it is, but does not name it."""
    body = _json.read(_payload(request.body))
    delivery = request.headers.get(DELIVERY, "").strip()[: _json.ID_MAX] or None
    name, action = _event_name(request, body), body.look("action").word() or ""
    if (reason := _why_ignored(name, action, body)) is not None:
        return Reading("ignored", reason=reason, delivery_id=delivery)
    ticket = _ticket(body, body.at("issue", "number"))
    key = delivery or _common.digest(config.name, name, ticket, request.body)
    change = _Change(body, config, action, ticket, key, received_at)
    event = change.comment() if name == "issue_comment" else change.change()
    return Reading("applied", (event,), _common.remark(change.remarks), delivery)


def _payload(body: bytes) -> bytes:
    """The JSON of a webhook, also of one that was left at GitHub's default, `application/x-www-form-urlencoded`."""
    return unquote_to_bytes(body[len(_FORM) :].replace(b"+", b" ")) if body.startswith(_FORM) else body


def _event_name(request: HttpRequest, body: Node) -> str:
    """What GitHub calls the event; told from the body where the header got lost."""
    told = request.headers.get(EVENT, "").strip()
    if told or isinstance(body.look("zen").value, str):
        return told or "ping"
    return "issues" if body.look("comment").is_blank else "issue_comment"


def _why_ignored(name: str, action: str, body: Node) -> str | None:
    """The sentence that says why a delivery touches no promise; None when it does."""
    if name not in ("issues", "issue_comment"):
        return f"{_words.shown(name)} is not about an issue."
    if not body.look("issue", "pull_request").is_blank:
        return "A pull request is no ticket."
    if name == "issue_comment" and action != "created":
        return f"A comment that is {action or 'changed'} afterwards does not touch any promise."
    return None


def _ticket(body: Node, number: Node, repository: str = "repository") -> str:
    """`owner/repo#number`."""
    told, named = number.id(), body.at(repository, "full_name").word()
    if told is None or named is None:
        (number if told is None else body.at(repository, "full_name")).refuse("does not name the issue")
    return f"{named[:_REPOSITORY_MAX]}#{told}"[: _json.ID_MAX]


@dataclass(slots=True)
class _Change:
    """One delivery about one issue."""

    body: Node
    config: Config
    action: str
    ticket: str
    key: str
    received_at: datetime
    remarks: list[str] = field(default_factory=list)

    def change(self) -> TicketEvent:
        """The event of a delivery of `issues`."""
        issue, sender = self.body.at("issue"), self.body.at("sender")
        told = "created_at" if self.action == "opened" else "updated_at"
        at = issue.at(told).instant()
        return self._event(_KINDS.get(self.action, EventKind.TICKET_UPDATED), at, self._changer(), sender, self._changed())

    def comment(self) -> TicketEvent:
        """The event of a new comment: what was said, and the issue beside it."""
        comment = self.body.at("comment")
        user = comment.at("user") if comment.at("user").is_told else self.body.at("sender")
        kind = _speaker(user, comment.at("author_association").word(), self.config)
        message = Message(kind, public=True, id=comment.at("id").id())
        actor = Actor(ActorKind.SYSTEM if kind is ActorKind.BOT else kind, user.at("login").word())
        said_at, updated_at = comment.at("created_at").instant(), self.body.at("issue", "updated_at").instant()
        facts = _common.as_of(said_at, updated_at, self._facts())
        return self._event(_common.message_kind(message), said_at or updated_at, actor, user, facts, message)

    def _event(
        self,
        kind: EventKind,
        at: datetime | None,
        actor: Actor,
        user: Node,
        facts: dict[str, FactValue],
        message: Message | None = None,
    ) -> TicketEvent:
        if at is None:
            self.remarks.append("the body tells no readable time; the time of receipt is used")
        return TicketEvent(
            source=self.config.name,
            ticket=self.ticket,
            key=self.key,
            at=at or self.received_at,
            kind=kind,
            set=facts,
            message=message,
            actor=actor,
            echo=self.config.is_ours(actor.id, user.at("id").id()),
        )

    def _changer(self) -> Actor:
        """Who changed the issue; somebody inside is not told from somebody outside, but for an outsider's own issue."""
        sender, issue = self.body.at("sender"), self.body.at("issue")
        login, author = sender.at("login").word(), issue.at("user", "login").word()
        kind = self.config.actor_kind(login, sender.at("id").id())
        if kind is None and _is_bot(sender):
            kind = ActorKind.SYSTEM
        association = issue.at("author_association").word()
        if kind is None and login is not None and login == author and association is not None and association.upper() not in _INSIDERS:
            kind = ActorKind.CUSTOMER
        return Actor(kind or ActorKind.UNKNOWN, login)

    def _changed(self) -> dict[str, FactValue]:
        """The issue's facts, and what the action says beside them."""
        facts = self._facts()
        if self.action == "deleted":
            facts["deleted"] = True
        elif self.action == "transferred":
            facts["merged_into"] = self._moved_to()
        elif self.action == "unlabeled" and "priority" not in facts and self._was_a_priority():
            facts["priority"] = None
        return facts

    def _moved_to(self) -> str:
        new = self.body.at("changes")
        if new.at("new_issue", "number").id() is None or new.at("new_repository", "full_name").word() is None:
            return _common.SOMEWHERE
        return _ticket(new, new.at("new_issue", "number"), "new_repository")

    def _was_a_priority(self) -> bool:
        label = self.body.at("label", "name").word()
        return label is not None and _labels.priority((label,), self.config) is not None

    def _facts(self) -> dict[str, FactValue]:
        issue, facts = self.body.at("issue"), dict[str, FactValue]()
        labels = _common.names(issue.at("labels"), "name")
        if (word := self._status_word(issue, labels)) is not None:
            facts |= _common.status_facts(word, self.config.status_words, self.remarks)
        if (priority := _labels.priority(labels, self.config)) is not None:
            facts["priority"] = priority
        if issue.at("labels").is_told:
            facts["tags"] = labels
        facts |= _assignee(issue)
        for fact, place in (
            ("requester", issue.at("user", "login")), ("subject", issue.at("title")), ("number", issue.at("number")),
            ("repository", self.body.at("repository", "full_name")), ("milestone", issue.at("milestone", "title")),
            ("type", Node(_common.name_of(issue.at("type"), "name"))),
        ):  # fmt: skip
            if (told := place.word()) is not None:
                facts[fact] = told
        if (url := _json.web_address(issue.at("html_url").word())) is not None:
            facts["url"] = url
        if (created_at := issue.at("created_at").instant()) is not None:
            facts["created_at"] = created_at
        return facts

    def _status_word(self, issue: Node, labels: tuple[str, ...]) -> str | None:
        """The issue's state; a closed one's reason and an open one's label, where the maps know them."""
        state, reason = issue.at("state").word(), issue.at("state_reason").word()
        if state is None:
            return None
        if state.casefold() == "open":
            return _labels.status(labels, self.config) or state
        return reason if reason is not None and self.config.status_words.get(reason) is not None else state


def _assignee(issue: Node) -> dict[str, FactValue]:
    """Who is assigned, by login; None for nobody; nothing when the body does not say."""
    one, all_of_them = issue.at("assignee"), issue.at("assignees")
    if one.is_told and one.value is not None:
        return {"assignee": one.at("login").word()}
    logins = _common.names(all_of_them, "login")
    return {"assignee": logins[0] if logins else None} if one.is_told or all_of_them.is_told else {}


def _is_bot(user: Node) -> bool:
    return user.at("type").value == "Bot" or (user.at("login").word() or "").endswith("[bot]")


def _speaker(user: Node, association: str | None, config: Config) -> ActorKind:
    """Who somebody is who commented."""
    told = config.actor_kind(user.at("login").word(), user.at("id").id())
    if told is not None:
        return told
    if _is_bot(user):
        return ActorKind.BOT
    if association is None:
        return ActorKind.UNKNOWN
    return ActorKind.AGENT if association.upper() in _INSIDERS else ActorKind.CUSTOMER
