"""Zammad: a trigger's webhook sends the ticket as it is when the job runs, and the article that caused it.

https://admin-docs.zammad.org/en/latest/manage/webhook.html

* Who spoke is `article.sender`, not `created_by`: an agent logs a call on the customer's behalf. Internal articles are notes.
* Webhooks wait in the queue of notifications, so the ticket may be newer than the article. Within two seconds both are one action and are
  asserted at the article's instant; further apart the article is asserted at its instant and the ticket at its own `updated_at`.
* The first article also tells the creation. A merged ticket goes quiet (its clocks are cancelled); Zammad does not say into which, and
  the article it writes about it (public, by an agent) is no reply.
* Signed with X-Hub-Signature (HMAC-SHA1 of the body) when the webhook has a token; no freshness. Zammad tries five times; X-Zammad-Delivery
  stays the same.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from app.exchange import HttpRequest
from app.helpdesks import Reading, Secrets, SourceConfig, _common, _json, _verify
from app.helpdesks._json import Node
from app.helpdesks.fetching import API, RECONCILE, Reconcile
from app.helpdesks.fetching import zammad as fetching
from app.helpdesks.writing import zammad as writing
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, TicketEvent

SIGNATURE: Final = "x-hub-signature"
DELIVERY: Final = "x-zammad-delivery"

ONE_ACTION: Final = timedelta(seconds=2)
"""Zammad saves the ticket and its article in one request, milliseconds apart."""

_NOBODY: Final = ("1", "-")
"""The user who owns tickets without owner, and who does what Zammad does by itself."""

_SENDERS: Final = {"customer": ActorKind.CUSTOMER, "agent": ActorKind.AGENT, "system": ActorKind.BOT}


class Config(SourceConfig):
    """A Zammad source."""

    built_in_statuses: ClassVar[Mapping[str, str]] = {
        "pending reminder": "pending", "pending close": "pending", "closed": "solved", "merged": "closed", "removed": "deleted",
    }  # fmt: skip
    built_in_priorities: ClassVar[Mapping[str, str]] = {
        "1 low": "low", "2 normal": "normal", "3 high": "high", "4 urgent": "urgent", "4 very high": "urgent",
    }  # fmt: skip

    kind: Literal["zammad"]
    write_back: writing.Config | None = Field(default=None, description="How breaches are marked here.")
    api: fetching.Config | None = Field(default=None, description=API)
    reconcile: Reconcile = Field(default=None, description=RECONCILE)
    secret: Secrets | None = Field(default=None, description="The webhook's HMAC SHA1 signature token.")
    verify: _verify.Verification | None = Field(
        default=None, description="What must hold beside or instead of the signature: basic, bearer, networks; `none` = an open door."
    )

    @model_validator(mode="after")
    def _is_verified(self) -> Self:
        if self.secret is None and self.verify is None:
            raise ValueError("a Zammad source needs its `secret` or `verify: ...` (an open door is written `verify: none`)")
        if self.secret is not None and self.verify == "none":
            raise ValueError("`secret` and `verify: none` contradict each other")
        return self

    @cached_property
    def signature(self) -> _verify.Hmac | None:
        """Zammad's own scheme; None without a token."""
        return _verify.Hmac(header=SIGNATURE, secret=self.secret, prefix="sha1=", algorithm="sha1") if self.secret else None


def verify(request: HttpRequest, config: Config, now: datetime) -> None:
    """Returns if the signature over the body is ours and `verify` holds; else InvalidSignature."""
    if config.signature is not None:
        _verify.check_hmac(request, config.signature, now)
    if config.verify is not None:
        _verify.check(request, config.verify, now)


def parse(request: HttpRequest, config: Config, received_at: datetime) -> Reading:
    """One to three events: the article or the ticket first, then what else the delivery tells. Unreadable without a ticket."""
    body = _json.read(request.body)
    ticket_id = body.at("ticket", "id").id()
    if ticket_id is None:
        body.at("ticket", "id").refuse("does not name the ticket")
    return _Delivery(request, body, config, ticket_id, received_at).reading()


class _Delivery:
    def __init__(self, request: HttpRequest, body: Node, config: Config, ticket_id: str, received_at: datetime) -> None:
        self.config, self.ticket_id = config, ticket_id
        self.ticket, self.article = body.at("ticket"), body.at("article")
        self.remarks: list[str] = []
        updated_at = self.ticket.at("updated_at").instant()
        self.updated_at = updated_at or received_at
        self.created_at = self.ticket.at("created_at").instant()
        self.delivery = request.headers.get(DELIVERY, "").strip()[: _json.ID_MAX] or None
        once = "" if updated_at else _common.window(received_at)
        self.key = self.delivery or _common.digest(config.name, ticket_id, request.body, once)
        self.now = self._facts()
        self.lasting = {name: self.now[name] for name in _LASTING if name in self.now}

    def reading(self) -> Reading:
        spoken = None if self.article.at("id").is_blank or self._is_merged() else self._message()
        if spoken is None:
            return self._applied(self._event("", self._update_kind(), self.updated_at, self.now, self._updater()))
        actor, message = spoken
        said_at = self.article.at("created_at").instant() or self.updated_at
        together = abs(self.updated_at - said_at) <= ONE_ACTION
        events = [self._event("", _common.message_kind(message), said_at, self.now if together else self.lasting, actor, message)]
        if self._is_first_article() and self.created_at is not None:
            one = together and self.updated_at - self.created_at <= ONE_ACTION
            made = Actor(actor.kind, actor.id)
            events.append(self._event(":created", EventKind.TICKET_CREATED, self.created_at, self.now if one else self.lasting, made))
        if not together:
            events.append(self._event(":ticket", EventKind.TICKET_SNAPSHOT, self.updated_at, self.now, self._updater()))
        return self._applied(*events)

    def _applied(self, *events: TicketEvent) -> Reading:
        return Reading("applied", events, _common.remark(self.remarks), self.delivery)

    def _event(
        self, suffix: str, kind: EventKind, at: datetime, facts: dict[str, FactValue], actor: Actor, message: Message | None = None
    ) -> TicketEvent:
        user = self.article.at("created_by") if message or kind is EventKind.TICKET_CREATED else self.ticket.at("updated_by")
        return TicketEvent(
            source=self.config.name,
            ticket=self.ticket_id,
            key=self.key + suffix,
            at=at,
            kind=kind,
            set=facts,
            message=message,
            actor=actor,
            echo=self.config.is_ours(actor.id, *_names_of(user)),
        )

    def _message(self) -> tuple[Actor, Message]:
        """Who spoke, and what. A sender we do not know is nobody we know."""
        article = self.article
        internal = article.at("internal").flag()
        if internal is None:
            article.at("internal").refuse("does not say whether the article is internal")
        sender = (_name(article.at("sender"), "name") or "").casefold()
        kind = _SENDERS.get(sender, ActorKind.UNKNOWN)
        author = article.at("created_by_id").id()
        if kind is ActorKind.CUSTOMER:
            author = article.at("origin_by_id").id() or author
        elif kind is ActorKind.AGENT and author is not None and author == self.ticket.at("customer_id").id():
            kind = ActorKind.CUSTOMER  # staff who ask for themselves are customers
        kind = self.config.actor_kind(author, *_names_of(article.at("created_by"))) or kind
        message = Message(kind, not internal, article.at("id").id())
        return Actor(ActorKind.SYSTEM if kind is ActorKind.BOT else kind, author), message

    def _updater(self) -> Actor:
        """Who changed the ticket last, by their roles."""
        user = self.ticket.at("updated_by")
        user_id = self.ticket.at("updated_by_id").id() or user.look("id").id()
        told = self.config.actor_kind(user_id, *_names_of(user))
        if told is None:
            roles = {role.casefold() for role in user.look("roles").words()}
            told = ActorKind.AGENT if roles & {"agent", "admin"} else ActorKind.CUSTOMER if roles == {"customer"} else ActorKind.UNKNOWN
        return Actor(ActorKind.SYSTEM if user_id in _NOBODY else told, user_id)

    def _is_first_article(self) -> bool:
        return self.ticket.at("article_count").id() == "1"

    def _is_merged(self) -> bool:
        return (_name(self.ticket.at("state"), "name") or "").casefold() == "merged"

    def _update_kind(self) -> EventKind:
        return EventKind.TICKET_DELETED if self.now.get("deleted") else EventKind.TICKET_UPDATED

    def _facts(self) -> dict[str, FactValue]:
        ticket, facts = self.ticket, dict[str, FactValue]()
        if (state := _name(ticket.at("state"), "name")) is not None:
            facts |= _common.status_facts(state, self.config.status_words, self.remarks)
        if self._is_merged():
            facts["merged_into"] = _common.SOMEWHERE
        if (priority := _name(ticket.at("priority"), "name")) is not None:
            facts |= _common.priority_facts(priority, self.config.priority_words, self.remarks)
        for fact, place, names in _RELATED:
            if (told := ticket.at(place)).is_told:
                facts[fact] = _name(told, *names)
        if (owner := ticket.at("owner_id")).is_told and owner.id() in (*_NOBODY, None):
            facts["assignee"] = None
        if (tags := ticket.at("tags")).is_told:
            facts["tags"] = tags.words()
        for fact, place in (("subject", "title"), ("number", "number"), ("channel", "create_article_type")):
            if (word := ticket.at(place).word()) is not None:
                facts[fact] = word
        for fact, place in (("requester_vip", "customer"), ("organization_vip", "organization")):
            if (vip := ticket.look(place, "vip").flag()) is not None:
                facts[fact] = vip
        return facts | ({"created_at": self.created_at} if self.created_at else {})


_RELATED: Final = (
    ("group", "group", ("name",)),
    ("assignee", "owner", ("email", "login", "id")),
    ("requester", "customer", ("email", "login", "id")),
    ("organization", "organization", ("name", "id")),
)

_LASTING: Final[tuple[str, ...]] = (
    "created_at",
    "subject",
    "number",
    "channel",
    "requester",
    "requester_vip",
    "organization",
    "organization_vip",
)
"""Facts that were true at the creation already."""


def _name(place: Node, *names: str) -> str | None:
    """What a related record is called: the record may be an object, its name alone, or nothing (null, `{}`, the user `-`)."""
    if not isinstance(place.value, dict):
        word = place.word()
    else:
        word = next((w for name in names if (w := place.at(name).word()) is not None), None)
    return None if word == "-" else word


def _names_of(user: Node) -> tuple[str, ...]:
    """The ids and addresses of a user, as `our_user_ids` and `actor_map` may name them."""
    if not isinstance(user.value, dict):
        return ()
    return tuple(w for name in ("id", "email", "login") if (w := user.at(name).word()) is not None)
