"""GitLab issues, incidents and Service Desk tickets: webhooks of a project or a group.

https://docs.gitlab.com/user/project/integrations/webhook_events/

* Issue hooks repeat the whole issue; note hooks bring the issue and what was said. Service Desk issues are confidential: both the plain and
  the confidential hooks have to be switched on. The *Test* button sends an issue without `action`: a snapshot.
* No payload tells anybody's role. What Service Desk writes for a customer comes from the user `support-bot`, access tokens and service
  accounts have names of their own; everybody else is who `actor_map` or `others_are` says, else unknown.
* `secret` is the plain secret token (X-Gitlab-Token) or the signing token (`whsec_...`, Standard Webhooks over id, time and body).
* GitLab retries nothing by itself and switches a webhook off after four failures. Idempotency-Key is the same when a delivery is resent.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import ClassVar, Final, Literal, Self

from pydantic import Field, SecretStr, model_validator

from app.errors import InvalidSignature
from app.exchange import HttpRequest
from app.helpdesks import Reading, _common, _gitlab_issue, _json, _labels, _signed, _verify, _words
from app.helpdesks._json import Node
from app.helpdesks.writing import gitlab as writing
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, TicketEvent

TOKEN: Final = "x-gitlab-token"  # noqa: S105  a header's name
SIGNATURE: Final = "webhook-signature"
DELIVERIES: Final = ("idempotency-key", "webhook-id")

_SIGNING: Final = "whsec_"
_ISSUES: Final = ("issue", "work_item", "incident")
_NOTED: Final = ("issue", "workitem", "incident")

_SUPPORT: Final = re.compile(r"support-bot\d*", re.IGNORECASE)
_BOTS: Final = re.compile(r"(project|group)_\d+_bot.*|service_account_.*|alert-bot\d*|.*\[bot\]", re.IGNORECASE)


class Config(_signed.SignedConfig):
    """A GitLab source: one secret for all its projects."""

    built_in_statuses: ClassVar[Mapping[str, str]] = {"opened": "open", "reopened": "open", "closed": "solved"}
    built_in_priorities: ClassVar[Mapping[str, str]] = _labels.PRIORITIES

    kind: Literal["gitlab"]
    write_back: writing.Config | None = Field(default=None, description="How breaches are marked here.")
    others_are: Literal["agent", "customer", "unknown"] = Field(
        default="unknown", description="Who somebody is whom neither `actor_map` nor GitLab's own names describe; with Service Desk: agent."
    )
    types: list[str] = Field(
        default=["issue", "incident", "ticket"], min_length=1, description="The types of work items that are tickets; others are ignored."
    )

    @model_validator(mode="after")
    def _tokens_sign(self) -> Self:
        """ValueError for a signing token that is none: now, not with the first delivery."""
        _ = self.signing
        return self

    @cached_property
    def token(self) -> _verify.Verify | None:
        """The plain secret tokens; None without any."""
        plain = [secret for secret in self.secret or () if not _signs(secret)]
        return _verify.Verify(header=TOKEN, secret=plain) if plain else None

    @cached_property
    def signing(self) -> _verify.Verify | None:
        """The signing tokens; None without any."""
        tokens = [secret for secret in self.secret or () if _signs(secret)]
        return _verify.Verify(standard_webhooks=tokens) if tokens else None


def _signs(secret: SecretStr) -> bool:
    return secret.get_secret_value().startswith(_SIGNING)


def verify(request: HttpRequest, config: Config, now: datetime) -> None:
    """Returns if the token or the signature is ours and `verify` holds; else InvalidSignature. Of a source with both kinds of secret
    (while the one replaces the other) a signed request has to be signed by us.
    """
    proof = config.signing if config.signing is not None and (SIGNATURE in request.headers or config.token is None) else config.token
    if proof is not None:
        _verify.check(request, proof, now)
    elif config.secret is not None:
        raise InvalidSignature("The request carries no proof that this source knows.")
    if config.verify is not None:
        _verify.check(request, config.verify, now)


def parse(request: HttpRequest, config: Config, received_at: datetime) -> Reading:
    """The one event of a delivery; ignored when it is not about a ticket. Unreadable when it is, but does not name it."""
    body = _json.read(request.body)
    told = body.at("object_kind").word()
    if told is None:
        body.at("object_kind").refuse("is missing")
    delivery = next((key for name in DELIVERIES if (key := request.headers.get(name, "").strip()[: _json.ID_MAX])), None)
    issue = body.at("object_attributes") if told in _ISSUES else _gitlab_issue.noted(body)
    if (reason := _why_ignored(told, body, issue, config)) is not None:
        return Reading("ignored", reason=reason, delivery_id=delivery)
    ticket = _gitlab_issue.ticket(body, issue)
    once = "" if issue.at("updated_at").instant() else _common.window(received_at)
    key = delivery or _common.digest(config.name, ticket, request.body, once)
    change = _Change(body, issue, config, ticket, key, received_at)
    event = change.change() if told in _ISSUES else change.note()
    return Reading("applied", (event,), _common.remark(change.remarks), delivery)


def _why_ignored(told: str, body: Node, issue: Node, config: Config) -> str | None:
    """The sentence that says why a delivery touches no promise; None when it does."""
    if told not in (*_ISSUES, "note"):
        return f"{_words.shown(told)} is not about an issue."
    if told == "note" and (reason := _why_no_message(body.at("object_attributes"))) is not None:
        return reason
    kind = issue.at("type").word()
    if kind is not None and _words.fold(kind) not in {_words.fold(word) for word in config.types}:
        return f"A work item of the type {_words.shown(kind)} is no ticket (`types` of this source)."
    return None


def _why_no_message(note: Node) -> str | None:
    noteable = _words.fold(note.at("noteable_type").word() or "issue").replace(" ", "")
    if noteable not in _NOTED:
        return f"A comment on a {_words.shown(noteable)} is not about an issue."
    if note.at("system").flag():
        return "GitLab's own record of a change says nothing to the customer."
    action = note.at("action").word()
    return None if action in (None, "create") else f"A comment that is changed ({action}) afterwards does not touch any promise."


@dataclass(slots=True)
class _Change:
    """One delivery about one issue."""

    body: Node
    issue: Node
    config: Config
    ticket: str
    key: str
    received_at: datetime
    remarks: list[str] = field(default_factory=list)

    def change(self) -> TicketEvent:
        """The event of an issue hook."""
        kind = _gitlab_issue.kind_of(self.body, self.issue)
        at = self.issue.at("created_at" if kind is EventKind.TICKET_CREATED else "updated_at").instant()
        who = ActorKind.UNKNOWN if kind is EventKind.TICKET_SNAPSHOT else self._who()
        facts = self._facts() | _gitlab_issue.assignee(self.body, self.issue)
        if "priority" not in facts and _labels.priority(_gitlab_issue.former_labels(self.body), self.config) is not None:
            facts["priority"] = None
        return self._event(kind, at, who, facts)

    def note(self) -> TicketEvent:
        """The event of a new comment: what was said, and the issue beside it."""
        note, who = self.body.at("object_attributes"), self._who()
        message = Message(who, _gitlab_issue.is_public(self.body), note.at("id").id())
        said_at, updated_at = note.at("created_at").instant(), self.issue.at("updated_at").instant()
        facts = _common.as_of(said_at, updated_at, self._facts())
        return self._event(_common.message_kind(message), said_at or updated_at, who, facts, message)

    def _event(
        self, kind: EventKind, at: datetime | None, who: ActorKind, facts: dict[str, FactValue], message: Message | None = None
    ) -> TicketEvent:
        if at is None:
            self.remarks.append("the body tells no readable time; the time of receipt is used")
        user = self.body.at("user")
        return TicketEvent(
            source=self.config.name,
            ticket=self.ticket,
            key=self.key,
            at=at or self.received_at,
            kind=kind,
            set=facts,
            message=message,
            actor=Actor(ActorKind.SYSTEM if who is ActorKind.BOT else who, user.at("username").word() or user.at("id").id()),
            echo=self.config.is_ours(*_names(user)),
        )

    def _who(self) -> ActorKind:
        """Who did it, as far as names tell."""
        user = self.body.at("user")
        name = user.at("username").word() or ""
        told = self.config.actor_kind(*_names(user))
        if told is not None:
            return told
        if _SUPPORT.fullmatch(name):
            return ActorKind.CUSTOMER
        return ActorKind.BOT if _BOTS.fullmatch(name) else ActorKind(self.config.others_are)

    def _facts(self) -> dict[str, FactValue]:
        issue, labels = self.issue, _gitlab_issue.labels(self.body, self.issue)
        facts = _gitlab_issue.plain_facts(self.body, issue)
        if (word := _gitlab_issue.state(issue)) is not None:
            named = _labels.status(labels or (), self.config) if word != "closed" else None
            facts |= _common.status_facts(named or word, self.config.status_words, self.remarks)
        if labels is not None:
            facts["tags"] = labels
        if (priority := _labels.priority(labels or (), self.config)) is not None:
            facts["priority"] = priority
        name = self.body.at("user", "username").word()
        if name is not None and not _SUPPORT.fullmatch(name) and _gitlab_issue.is_author(self.body, issue):
            facts["requester"] = name
        return facts


def _names(user: Node) -> tuple[str, ...]:
    """What a user may be called in `our_user_ids` and `actor_map`."""
    return tuple(word for name in ("username", "id", "email") if (word := user.at(name).word()) is not None)
