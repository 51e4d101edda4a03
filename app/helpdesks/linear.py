"""Linear: webhooks for issues and comments of a workspace.

https://linear.app/developers/webhooks

* An issue webhook repeats the whole issue; `updatedFrom` has the former values of what changed. Older webhooks leave out what is null.
* A status is known by the *type* of its workflow state; `status_map` may name a state (`In Review`) or a type (`started`).
* Comments are internal, unless they belong to a thread that is synced with a customer's (Slack, Intercom, e-mail): what an external user
  writes is the customer's, what a teammate writes there is an answer.
* Signed with Linear-Signature (hex HMAC-SHA256 of the body); `webhookTimestamp` in the body says when, and Linear's own SDK refuses what is
  more than a minute away. Retried after 1 minute, 1 hour and 6 hours; Linear-Delivery is the webhook's id.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import ClassVar, Final, Literal

from pydantic import Field

from app.errors import InvalidSignature, Unreadable
from app.exchange import HttpRequest
from app.helpdesks import Reading, _common, _json, _linear_issue, _signed, _verify, _words
from app.helpdesks._json import Node
from app.helpdesks.writing import linear as writing
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, TicketEvent

SIGNATURE: Final = "linear-signature"
DELIVERY: Final = "linear-delivery"

_ISSUES: Final = {"Issue": "data", "IssueSLA": "issueData"}
"""Type of a webhook -> where its issue is."""


class Config(_signed.SignedConfig):
    """A Linear source."""

    built_in_statuses: ClassVar[Mapping[str, str]] = _linear_issue.STATUSES
    built_in_priorities: ClassVar[Mapping[str, str]] = _linear_issue.PRIORITIES

    kind: Literal["linear"]
    write_back: writing.Config | None = Field(default=None, description="How breaches are marked here.")
    tolerance: _verify.Tolerance = Field(
        default=timedelta(minutes=1), description="How far `webhookTimestamp` may lie from our clock, either way; `off` = any."
    )
    comments: Literal["internal", "public"] = Field(
        default="internal", description="What teammates' comments are outside of threads that are synced with a customer's."
    )

    @cached_property
    def signature(self) -> _verify.Hmac | None:
        """Linear's own scheme; None without a secret."""
        return _verify.Hmac(header=SIGNATURE, secret=self.secret) if self.secret else None


def verify(request: HttpRequest, config: Config, now: datetime) -> None:
    """Returns if the signature over the body is ours, the time it tells is near `now`, and `verify` holds; else InvalidSignature."""
    _signed.check(request, config, config.signature, now)
    if config.signature is None or config.tolerance == timedelta.max:
        return
    sent_at = _sent_at(request.body)
    if sent_at is not None and abs(now - sent_at) > config.tolerance:
        raise InvalidSignature("The signed time is too old." if sent_at < now else "The signed time is in the future.")


def _sent_at(body: bytes) -> datetime | None:
    """The time in a body whose signature is known to be right; None where it tells none, as Linear's SDK has it."""
    try:
        return _json.read(body).look("webhookTimestamp").instant()
    except Unreadable:
        return None


def parse(request: HttpRequest, config: Config, received_at: datetime) -> Reading:
    """The one event of a delivery; ignored when it is not about an issue. Unreadable when it is, but does not name it."""
    body = _json.read(request.body)
    told = body.at("type").word()
    if told is None:
        body.at("type").refuse("is missing")
    delivery = request.headers.get(DELIVERY, "").strip()[: _json.ID_MAX] or None
    if (reason := _why_ignored(told, body)) is not None:
        return Reading("ignored", reason=reason, delivery_id=delivery)
    webhook = _Webhook(body, config, delivery, received_at)
    event = webhook.comment() if told == "Comment" else webhook.issue(told)
    return Reading("applied", (event,), _common.remark(webhook.remarks), delivery)


def _why_ignored(told: str, body: Node) -> str | None:
    """The sentence that says why a delivery touches no promise; None when it does."""
    if told not in (*_ISSUES, "Comment"):
        return f"{_words.shown(told)} is not about an issue."
    if told != "Comment":
        return None
    if body.at("data", "issueId").is_blank and body.at("data", "issue", "id").is_blank:
        return "The comment is not on an issue."
    action = body.at("action").word()
    return None if action == "create" else f"A comment that is changed ({action}) afterwards does not touch any promise."


@dataclass(slots=True)
class _Webhook:
    """One delivery about one issue."""

    body: Node
    config: Config
    delivery: str | None
    received_at: datetime
    remarks: list[str] = field(default_factory=list)

    def issue(self, told: str) -> TicketEvent:
        """The event of a change of an issue, or of Linear's own SLA (which says how the issue stands)."""
        issue = self.body.at(_ISSUES[told])
        kind = _linear_issue.kind_of(self.body) if told == "Issue" else EventKind.TICKET_SNAPSHOT
        facts = _linear_issue.facts(issue, self.config, self.remarks) | _linear_issue.changed_facts(self.body, issue)
        user = issue.at("creatorId").id() if kind is EventKind.TICKET_CREATED else None
        return self._event(issue.at("id"), kind, self._doer(user), facts, issue.at("url"))

    def comment(self) -> TicketEvent:
        """The event of a new comment."""
        comment = self.body.at("data")
        author, user = self._author(comment)
        synced = author is ActorKind.CUSTOMER or _linear_issue.is_synced(comment)
        message = Message(author, synced or self.config.comments == "public", comment.at("id").id())
        actor = Actor(ActorKind.SYSTEM if author is ActorKind.BOT else author, user)
        place = comment.at("issueId") if not comment.at("issueId").is_blank else comment.at("issue", "id")
        facts = _linear_issue.facts(comment.at("issue"), self.config, self.remarks)
        return self._event(place, _common.message_kind(message), actor, facts, comment.at("issue", "url"), message)

    def _event(
        self, ticket: Node, kind: EventKind, actor: Actor, facts: dict[str, FactValue], url: Node, message: Message | None = None
    ) -> TicketEvent:
        issue_id = ticket.id()
        if issue_id is None:
            ticket.refuse("does not name the issue")
        link = _json.web_address(url.word()) or _json.web_address((self.body.at("url").word() or "").partition("#")[0])
        return TicketEvent(
            source=self.config.name,
            ticket=issue_id,
            key=self.delivery or self._key(issue_id),
            at=self._instant(),
            kind=kind,
            set=facts | ({"url": link} if link else {}),
            message=message,
            actor=actor,
            echo=self.config.is_ours(actor.id, self.body.look("actor", "email").word()),
        )

    def _instant(self) -> datetime:
        told = (self.body.at("createdAt"), self.body.look("data", "updatedAt"), self.body.at("webhookTimestamp"))
        at = next((at for place in told if (at := place.instant()) is not None), None)
        if at is None:
            self.remarks.append("the body tells no readable time; the time of receipt is used")
        return at or self.received_at

    def _key(self, issue_id: str) -> str:
        """A key for deliveries that lost their id: what changed, and when Linear says it did."""
        told = [self.body.at(name).word() or "" for name in ("type", "action", "createdAt")]
        once = "" if told[2] else _common.window(self.received_at)
        return _common.digest(self.config.name, issue_id, *told, self.body.look("data", "id").id() or "", once)

    def _doer(self, user: str | None) -> Actor:
        """Who changed an issue: teammates are agents, integrations are machines. `user` is who did it where no actor is told."""
        actor = self.body.at("actor")
        user = actor.at("id").id() or user
        kind = self.config.actor_kind(user, actor.at("email").word())
        if kind is None and user is not None:
            kind = ActorKind.AGENT if (actor.at("type").word() or "user").casefold() == "user" else ActorKind.SYSTEM
        return Actor(kind or ActorKind.UNKNOWN, user)

    def _author(self, comment: Node) -> tuple[ActorKind, str | None]:
        """Who wrote a comment, and under which id."""
        outside = _linear_issue.external_user(comment, "externalUser")
        if outside is not None:
            return self.config.actor_kind(outside) or ActorKind.CUSTOMER, outside
        user = comment.at("userId").id() or comment.at("user", "id").id()
        told = self.config.actor_kind(user, comment.at("user", "email").word())
        if told is None and user is None:
            bot = comment.at("botActor").value
            actor = self._doer(None)
            told = ActorKind.BOT if isinstance(bot, dict | str) or actor.kind is ActorKind.SYSTEM else actor.kind
            user = actor.id
        return told or ActorKind.AGENT, user
