"""Zendesk: the cursor-based incremental export of tickets, and each ticket's audits, which tell its whole history.

https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/
https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_audits/

Incremental exports are limited to 10 requests a minute, everything else to 200 a minute on the smallest plan. The id of a comment in an
audit is that of its webhook. Audits tell time in whole seconds; their ids put those of one second in order.
"""

from collections.abc import Iterator, MutableMapping
from datetime import timedelta
from typing import Any, ClassVar, Final, Self

from pydantic import Field, model_validator

from app.exchange import HttpRequest
from app.helpdesks import Secret, SourceConfig, _common, _times, _zendesk_event
from app.helpdesks._json import Node
from app.helpdesks.fetching import ApiConfig, Mark, Walk, get, instant, listed
from app.helpdesks.fetching._telling import Teller
from app.helpdesks.writing import BaseUrl, Subdomain
from app.helpdesks.writing._calls import basic, dig, request, segment
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message

_PAGE: Final = "100"
_NEW: Final = timedelta(minutes=2)
"""Zendesk wants an export to begin more than a minute ago."""
_COMMENTS: Final = ("Comment", "VoiceComment")
_CHANGES: Final = ("Create", "Change")
_WORDS: Final = {
    "group_id": "group", "assignee_id": "assignee", "organization_id": "organization", "requester_id": "requester", "subject": "subject",
    "type": "type", "brand_id": "brand", "ticket_form_id": "form", "custom_status_id": "custom_status",
}  # fmt: skip
_ROLES: Final = {"end-user": ActorKind.CUSTOMER, "agent": ActorKind.AGENT, "admin": ActorKind.AGENT}
_SYSTEM: Final = "-1"


class Config(ApiConfig):
    """How Zendesk's API is asked."""

    published_per_minute: ClassVar[float] = 200

    subdomain: Subdomain | None = Field(default=None, description="`acme` of acme.zendesk.com")
    url: BaseUrl | None = Field(default=None, description="Where the API is, if not at the subdomain: a gateway of your own.")
    email: str = Field(pattern=r"^[^@\s:]+@[^@\s:]+$", description="The API user's address.")
    token: Secret

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if self.subdomain is None and self.url is None:
            raise ValueError("the API needs the `subdomain` (or a `url`)")
        return self

    def get(self, path: str, **query: str) -> HttpRequest:
        """A request of the API."""
        base = self.url or f"https://{self.subdomain}.zendesk.com"
        return request("GET", f"{base}/api/v2{path}", basic(f"{self.email}/token", self.token), query=query or None)


def walk(source: SourceConfig, api: Config, since: str) -> Walk[None]:
    """All tickets that changed since: an export's cursor, or an instant (RFC 3339)."""
    query = {"cursor": since} if not _is_instant(since) else {"start_time": str(max(1, int((instant(since) - _NEW).timestamp())))}
    while True:
        page = yield from get(api.get("/incremental/tickets/cursor.json", per_page=_PAGE, **query))
        for ticket in listed(page, "tickets"):
            yield from _tell(source, api, ticket)
        cursor = dig(page, "after_cursor")
        if isinstance(cursor, str) and cursor:
            query = {"cursor": cursor}
            yield Mark(cursor)
        if dig(page, "end_of_stream") is not False or not isinstance(cursor, str):
            return


def look_up(source: SourceConfig, api: Config, ticket: str, kept: MutableMapping[str, str]) -> Walk[None]:  # noqa: ARG001
    """The ticket as it is now: its status, priority and organization."""
    found = dig((yield from get(api.get(f"/tickets/{segment(ticket)}.json"))), "ticket")
    if isinstance(found, dict):
        teller = Teller(source, ticket)
        _tell_state(teller, source, Node(found))
        yield teller.story(found)


def _is_instant(text: str) -> bool:
    return text[:4].isdigit() and "T" in text and text[4:5] == "-"


def _tell(source: SourceConfig, api: Config, ticket: dict[str, Any]) -> Walk[None]:
    ticket_id = Node(ticket).at("id").id()
    if ticket_id is None:
        return
    teller = Teller(source, ticket_id)
    if ticket.get("status") not in ("deleted", "scrubbed"):
        yield from _tell_audits(teller, source, api, ticket_id, Node(ticket).at("requester_id").id())
    _tell_state(teller, source, Node(ticket))
    yield teller.story(ticket)


def _tell_state(teller: Teller, source: SourceConfig, ticket: Node) -> None:
    facts = _zendesk_event._detail_facts(ticket, source, teller.remarks)
    created_at, updated_at = ticket.at("created_at").instant(), ticket.at("updated_at").instant()
    requester = ticket.at("requester_id").id()
    if not any(event.kind is EventKind.TICKET_CREATED for event in teller.events):
        teller.born(created_at, facts, Actor(ActorKind.CUSTOMER, requester) if requester == ticket.at("submitter_id").id() else Actor())
    if updated_at is not None:
        teller.snapshot(_times.cut_to_milliseconds(updated_at), facts)


def _tell_audits(teller: Teller, source: SourceConfig, api: Config, ticket: str, requester: str | None) -> Walk[None]:
    query = {"include": "users", "page[size]": _PAGE}
    while True:
        page = yield from get(api.get(f"/tickets/{segment(ticket)}/audits.json", **query))
        roles = {Node(user).at("id").id(): _ROLES.get(str(user.get("role"))) for user in listed(page, "users")}
        for audit in listed(page, "audits"):
            _tell_audit(teller, source, Node(audit), roles, requester)
        after = dig(page, "meta", "after_cursor")
        if dig(page, "meta", "has_more") is not True or not isinstance(after, str):
            return
        query["page[after]"] = after


def _tell_audit(
    teller: Teller, source: SourceConfig, audit: Node, roles: dict[str | None, ActorKind | None], requester: str | None
) -> None:
    """One change as one event; an audit without a time or without meaning tells nothing."""
    audit_id, at = audit.at("id").id(), audit.at("created_at").instant()
    if audit_id is None or at is None:
        return
    entries = [Node(entry) for entry in listed(audit.at("events").value)]
    facts = {name: fact for entry in entries for name, fact in _facts(entry, source, teller.remarks)}
    author = audit.at("author_id").id()
    message = next((_message(entry, source, roles, requester, author) for entry in entries if entry.at("type").value in _COMMENTS), None)
    is_creation = any(entry.at("type").value == "Create" for entry in entries)
    kind = EventKind.TICKET_CREATED if is_creation else _common.message_kind(message) if message else EventKind.TICKET_UPDATED
    actor = Actor(_kind(author, source, roles, requester), author)
    if facts or message is not None:
        created: dict[str, FactValue] = {"created_at": at} if is_creation else {}
        teller.say(
            f"audit:{audit_id}",
            at,
            kind,
            facts | created,
            actor=actor,
            message=message,
            order=_order(audit_id),
            echo=source.is_ours(author),
        )


def _facts(entry: Node, source: SourceConfig, remarks: list[str]) -> Iterator[tuple[str, FactValue]]:
    name, value = entry.at("field_name").word(), entry.at("value")
    if entry.at("type").value not in _CHANGES or name is None:
        return
    if name in ("status", "priority"):
        if (word := value.word()) is not None:
            words = source.status_words if name == "status" else source.priority_words
            read = _common.status_facts if name == "status" else _common.priority_facts
            yield from read(word, words, remarks).items()
    elif name == "tags":
        yield "tags", value.words()
    elif name in _WORDS:
        yield _WORDS[name], value.word()
    elif name.isdigit():
        yield f"field_{name}", value.words() if isinstance(value.value, list) else value.word()


def _message(
    entry: Node, source: SourceConfig, roles: dict[str | None, ActorKind | None], requester: str | None, author: str | None
) -> Message:
    """A comment that does not say whether it is public is taken for private: it stops no clock."""
    user = entry.at("author_id").id() or author
    kind = _kind(user, source, roles, requester)
    return Message(ActorKind.BOT if kind is ActorKind.SYSTEM else kind, entry.at("public").flag() is True, entry.at("id").id())


def _kind(user: str | None, source: SourceConfig, roles: dict[str | None, ActorKind | None], requester: str | None) -> ActorKind:
    if (known := source.actor_kind(user)) is not None:
        return known
    if user == _SYSTEM:
        return ActorKind.SYSTEM
    if user is not None and user == requester:
        return ActorKind.CUSTOMER  # staff who ask for themselves are customers
    return roles.get(user) or ActorKind.UNKNOWN


def _order(audit_id: str) -> int | None:
    return int(audit_id) if audit_id.isdigit() and int(audit_id) < 2**63 else None
