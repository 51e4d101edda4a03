"""What Jira tells of an issue, its people and its comments, whatever sends it.

* A status is read by the source's map, then by names that are clear whatever their category (Closed, Waiting for customer, ...), then by
  its category (`statusCategory.key`, the same in all languages), then by other names.
* Jira Cloud says of people what account they have: `customer`, `atlassian` or `app`. An Atlassian account is an agent's unless its owner
  reported the issue: staff who ask for themselves are customers. Data Center says nothing.
* What customers see is told by `jsdPublic` (Cloud) or the comment's property `sd.public.comment`; a comment for a role or group is private.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final

from app.helpdesks import _common, _json
from app.helpdesks._json import Node
from app.helpdesks._words import DELETED, fold
from app.rules.events import Actor, ActorKind, FactValue, Message, Status

if TYPE_CHECKING:
    from app.helpdesks.jira import Config

CLEAR: Final = {
    "closed": "closed",
    "waiting for customer": "pending", "waiting on customer": "pending", "waiting for customer response": "pending",
    "awaiting customer": "pending", "pending customer": "pending", "waiting for reporter": "pending",
    "pending": "on_hold", "on hold": "on_hold", "waiting for vendor": "on_hold", "waiting for approval": "on_hold",
    "waiting for third party": "on_hold",
}  # fmt: skip
_BY_CATEGORY: Final = {"new": "new", "indeterminate": "open", "done": "solved"}
_OTHER: Final = {
    "to do": "new", "backlog": "new", "reopened": "open", "in progress": "open", "work in progress": "open",
    "waiting for support": "open", "escalated": "open", "under investigation": "open",
    "done": "solved", "resolved": "solved", "completed": "solved", "canceled": "solved", "cancelled": "solved", "declined": "solved",
}  # fmt: skip

STATUSES: Final[Mapping[str, str]] = _OTHER | CLEAR
PRIORITIES: Final[Mapping[str, str]] = {
    "highest": "urgent", "blocker": "urgent", "critical": "urgent", "p1": "urgent",
    "major": "high", "p2": "high", "medium": "normal", "p3": "normal",
    "minor": "low", "lowest": "low", "trivial": "low", "p4": "low", "p5": "low",
}  # fmt: skip

_USER_IDS: Final = ("accountId", "name", "key", "emailAddress")
_ACCOUNTS: Final = {"customer": ActorKind.CUSTOMER, "app": ActorKind.BOT, "atlassian": ActorKind.AGENT}
_VISIBILITY: Final = "sd.public.comment"
_COMMENTS_MAX: Final = 1000


@dataclass(frozen=True)
class Issue:
    """One issue of a payload. `place` holds `key` and `fields`."""

    place: Node
    config: Config
    remarks: list[str]

    @cached_property
    def key(self) -> str | None:
        """`TES-41`, as people and later events name it; None when it is not told."""
        return self.place.at("key").id()

    @cached_property
    def reporter(self) -> str | None:
        return user_id(self._fields.at("reporter"))

    @property
    def created_at(self) -> datetime | None:
        return self._fields.at("created").instant()

    @property
    def updated_at(self) -> datetime | None:
        return self._fields.at("updated").instant()

    @property
    def creator(self) -> Node:
        return self._fields.at("creator")

    @cached_property
    def facts(self) -> dict[str, FactValue]:
        """All that is asserted of the issue. What it lacks is not; a null assignee is nobody."""
        facts = self._state() | self._people() | self._texts()
        if (labels := self._fields.at("labels")).is_told:
            facts["tags"] = labels.words()
        if self.created_at is not None:
            facts["created_at"] = self.created_at
        if (url := self._url()) is not None:
            facts["url"] = url
        if (organization := self._organization()) is not None:
            facts["organization"] = organization
        for fact, name in self.config.fields.items():
            if (told := self._fields.at(name)).is_told:
                facts[fact] = custom(told)
        return facts

    @property
    def _fields(self) -> Node:
        return self.place.at("fields")

    def _state(self) -> dict[str, FactValue]:
        status, priority = self._fields.at("status"), self._fields.at("priority")
        category = status.look("statusCategory", "key").word()
        facts = status_facts(_common.name_of(status, "name"), category, self.config, self.remarks)
        if (word := _common.name_of(priority, "name")) is not None:
            facts |= _common.priority_facts(word, self.config.priority_words, self.remarks)
        return facts

    def _people(self) -> dict[str, FactValue]:
        facts: dict[str, FactValue] = {}
        if (assignee := self._fields.at("assignee")).is_told:
            facts["assignee"] = user_id(assignee)
            if assignee.look("accountType").value == "app":
                facts["assignee_is_bot"] = True
        if self.reporter is not None:
            facts["requester"] = self.reporter
        if (address := self._fields.look("reporter", "emailAddress").word()) is not None:
            facts["requester_email"] = address
        return facts

    def _texts(self) -> dict[str, FactValue]:
        texts = {
            "subject": self._fields.at("summary").word(),
            "type": _common.name_of(self._fields.at("issuetype"), "name"),
            "project": _common.name_of(self._fields.at("project"), "key", "name"),
            "request_type": next(
                (n.look("requestType", "name").word() for n in self._custom_fields() if n.look("requestType").is_told), None
            ),
        }
        return {fact: text for fact, text in texts.items() if text is not None}

    def _organization(self) -> str | None:
        """The first one: from the field the source names, else from whatever field holds organizations of the service desk."""
        if (name := self.config.organization_field) is not None:
            value = custom(self._fields.at(name))
            return value[0] if isinstance(value, tuple) and value else str(value) if value else None
        for place in self._custom_fields():
            first = _elements(place)[:1]
            if first and "/servicedeskapi/organization/" in (first[0].look("_links", "self").word() or ""):
                return first[0].look("name").word()
        return None

    def _custom_fields(self, key: str | None = None) -> Iterator[Node]:
        """The custom fields that hold anything; with a key, those that are objects with it."""
        fields = self._fields.value if isinstance(self._fields.value, dict) else {}
        found = (self._fields.at(name) for name, value in fields.items() if name.startswith("customfield_") and value)
        return found if key is None else (place for place in found if place.look(key).is_told)

    def _url(self) -> str | None:
        address = self.place.look("self").word() or ""
        base, rest, _ = address.partition("/rest/")
        return _json.web_address(f"{base}/browse/{self.key}") if rest and self.key else None

    def comments(self) -> list[Node]:
        """The comments an issue brings along, oldest first as Jira lists them."""
        return _elements(self._fields.look("comment", "comments"))[:_COMMENTS_MAX]

    def actor(self, user: Node) -> Actor:
        """Who did something."""
        kind = self._kind(user)
        return Actor(ActorKind.SYSTEM if kind is ActorKind.BOT else kind, user_id(user))

    def spoken(self, comment: Node) -> tuple[Actor, Message]:
        """Who commented, and what became visible to whom."""
        author = comment.at("author")
        kind = self._kind(author)
        if kind is ActorKind.UNKNOWN and self.reporter is not None and self.reporter == user_id(author):
            kind = ActorKind.CUSTOMER
        message = Message(kind, self._is_public(comment, kind), comment.at("id").id())
        return Actor(ActorKind.SYSTEM if kind is ActorKind.BOT else kind, user_id(author)), message

    def _kind(self, user: Node) -> ActorKind:
        if (known := self.config.actor_kind(*user_ids(user))) is not None:
            return known
        account, user_is = fold(user.look("accountType").word() or ""), user_id(user)
        kind = _ACCOUNTS.get(account)
        is_reporter = user_is is not None and user_is == self.reporter
        if kind is None and self.config.others_are == "agent" and user_is is not None:
            kind = ActorKind.AGENT
        return ActorKind.CUSTOMER if kind is ActorKind.AGENT and is_reporter else kind or ActorKind.UNKNOWN

    def _is_public(self, comment: Node, author: ActorKind) -> bool:
        if not comment.at("visibility").is_blank:
            return False
        told = comment.at("jsdPublic").flag()
        if told is None and (internal := _internal(comment)) is not None:
            told = not internal
        if told is not None or author is ActorKind.CUSTOMER:
            return told is not False
        if self.config.untold_comments is not None:
            return self.config.untold_comments == "public"
        if self._fields.look("project", "projectTypeKey").value != "service_desk":
            return True
        self.remarks.append("Jira does not tell whether the customer sees the comment, so it is taken for private (`untold_comments`)")
        return False


def status_facts(name: str | None, category: str | None, config: Config, remarks: list[str]) -> dict[str, FactValue]:
    """The facts of a status: `status`, or `deleted`; none without a name. A status nobody knows is kept as it is and remarked."""
    if name is None:
        return {}
    meaning = status_of(name, category, config)
    if meaning is None:
        return _common.status_facts(name, config.status_words, remarks)
    return {"deleted": True} if meaning == DELETED else {"status": meaning}


def status_of(name: str, category: str | None, config: Config) -> str | None:
    """What a status means; None when neither its name nor its category tells."""
    return config.clear_statuses.get(name) or _BY_CATEGORY.get(fold(category or "")) or config.status_words.get(name)


def is_done(status: FactValue) -> bool:
    return status in (Status.SOLVED, Status.CLOSED)


def user_id(user: Node) -> str | None:
    """An account id (Cloud), a user name (Data Center); None for nobody."""
    return next(iter(user_ids(user)), None)


def user_ids(user: Node) -> tuple[str, ...]:
    """All names of a user, as `our_user_ids` and `actor_map` may say them."""
    if not isinstance(user.value, dict):
        return () if (alone := user.id()) is None else (alone,)
    return tuple(found for name in _USER_IDS if (found := user.at(name).id()) is not None)


def custom(place: Node) -> FactValue:
    """A custom field as a fact: a word, or words where the field holds several; None for an empty one."""
    if isinstance(place.value, list):
        return tuple(word for inner in _elements(place) if (word := _common.name_of(inner, "value", "name", "key", "id")) is not None)
    if isinstance(place.value, bool | int | float):
        return place.value
    return _common.name_of(place, "value", "name", "key", "id")


def _elements(place: Node) -> list[Node]:
    items = place.value if isinstance(place.value, list) else []
    return [Node(item, f"{place.pointer}/{index}") for index, item in enumerate(items)]


def _internal(comment: Node) -> bool | None:
    """What the comment's property says; None when it is not there."""
    for entry in _elements(comment.look("properties")):
        if entry.look("key").value == _VISIBILITY:
            return entry.look("value", "internal").flag()
    return comment.look("internal").flag()
