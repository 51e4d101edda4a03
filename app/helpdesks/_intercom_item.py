"""What Intercom tells of a conversation or a ticket: the item of a notification, in the forms of all API versions.

* Older versions have `user`, `assignee`, `conversation_message`; newer ones `contacts`, `admin_assignee_id`, `source`. Nobody is null, 0,
  `"0"` or an assignee of the type `nobody_admin`.
* A ticket's state is an object with a category (its labels are each workspace's own), in older versions the category alone.
* Some topics wrap the ticket: `item.ticket`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from app.helpdesks import SourceConfig, _common, _json
from app.helpdesks._json import Node
from app.helpdesks._words import fold
from app.rules.events import ActorKind, FactValue

_NOBODY: Final = ("0", "nobody", "nobody_admin")
_AUTHORS: Final = {
    "user": ActorKind.CUSTOMER, "lead": ActorKind.CUSTOMER, "contact": ActorKind.CUSTOMER, "visitor": ActorKind.CUSTOMER,
    "admin": ActorKind.AGENT, "bot": ActorKind.BOT, "team": ActorKind.BOT,
}  # fmt: skip
_PARTS: Final = (("conversation_parts", "conversation_parts"), ("ticket_parts", "ticket_parts"))
_ALONE: Final = ("ticket_part", "conversation_part")


@dataclass(frozen=True)
class Item:
    """One conversation or ticket. `place` holds its fields, `outer` the whole item of the notification; `wanted` says which of the two the
    topic is about: `ticket` or `conversation`.
    """

    outer: Node
    wanted: str
    config: SourceConfig
    remarks: list[str]

    @cached_property
    def place(self) -> Node:
        inner = self.outer.look(self.wanted)
        return self.outer if inner.look("id").is_blank else inner

    @property
    def is_ticket(self) -> bool:
        return self.place.look("type").value == "ticket" or self.place.look("ticket_state").is_told

    def id(self) -> str | None:
        """The id of the API, which later notifications carry too; a ticket's human number is the fact `number`."""
        return self.place.at("id").id() or self.place.at("conversation_id").id()

    @property
    def created_at(self) -> datetime | None:
        return self.place.at("created_at").instant()

    @property
    def updated_at(self) -> datetime | None:
        return self.place.at("updated_at").instant()

    def parts(self) -> list[Node]:
        """What the notification brings of the exchange, oldest first."""
        alone = [self.outer.look(name) for name in _ALONE if isinstance(self.outer.look(name).value, dict)]
        lists = [part for path in _PARTS for part in _elements(self.place.look(*path))]
        return sorted([*alone, *lists], key=lambda part: at.timestamp() if (at := part.look("created_at").instant()) else 0.0)

    def first_message(self) -> Node | None:
        """What the conversation began with; None when it is not told."""
        found = (self.place.look(name) for name in ("source", "conversation_message"))
        return next((place for place in found if isinstance(place.value, dict)), None)

    @cached_property
    def requester(self) -> str | None:
        return next((user for place in self._contacts() if (user := place.look("id").id()) is not None), None)

    @cached_property
    def facts(self) -> dict[str, FactValue]:
        """All that is asserted of the item; what it lacks is not."""
        facts = self._state() | self._owners() | self._texts()
        if self.requester is not None:
            facts["requester"] = self.requester
        if (address := next((word for p in self._contacts() if (word := p.look("email").word())), None)) is not None:
            facts["requester_email"] = address
        if (tags := self.place.look("tags", "tags")).is_told:
            facts["tags"] = _common.names(tags, "name", "id")
        if self.created_at is not None:
            facts["created_at"] = self.created_at
        if (url := _json.web_address(self.place.look("links", "conversation_web").word())) is not None:
            facts["url"] = url
        if (rating := self.place.look("conversation_rating", "rating")).value not in (_json.MISSING, None):
            facts["csat"] = rating.word()
        return facts | self._custom("custom_attributes") | self._custom("ticket_attributes")

    def _state(self) -> dict[str, FactValue]:
        facts: dict[str, FactValue] = {}
        if (word := self._status()) is not None:
            facts |= _common.status_facts(word, self.config.status_words, self.remarks)
        priority = self.place.at("priority")
        if priority.word() == "not_priority" or priority.value is False:
            facts["priority"] = None
        elif (level := priority.word()) is not None:
            facts |= _common.priority_facts("priority" if level == "true" else level, self.config.priority_words, self.remarks)
        return facts

    def _status(self) -> str | None:
        """The word of the state. A ticket's own label counts where `status_map` names it, else its category does."""
        state = self.place.at("ticket_state")
        if isinstance(state.value, dict):
            labels = (state.at(name).word() for name in ("internal_label", "external_label"))
            ours = {fold(word) for word in self.config.status_map}
            return next((label for label in labels if label and fold(label) in ours), None) or state.at("category").word()
        if (word := state.word() or self.place.at("state").word()) is not None:
            return word
        is_open = None if self.is_ticket else self.place.at("open").flag()
        return None if is_open is None else "open" if is_open else "closed"

    def _owners(self) -> dict[str, FactValue]:
        facts: dict[str, FactValue] = {}
        for fact, name in (("assignee", "admin_assignee_id"), ("group", "team_assignee_id")):
            if (told := self.place.at(name)).is_told:
                facts[fact] = _somebody(told.id())
        assignee = self.place.look("assignee")
        if assignee.is_told and not facts:
            kind = fold(assignee.look("type").word() or "")
            facts["group" if kind == "team" else "assignee"] = _somebody(assignee.look("id").id())
            if kind == "bot":
                facts["assignee_is_bot"] = True
        return facts

    def _texts(self) -> dict[str, FactValue]:
        place = self.place
        texts = {
            "number": place.look("ticket_id").word(),
            "subject": place.look("title").word()
            or place.look("source", "subject").word()
            or place.look("ticket_attributes", "_default_title_").word(),
            "channel": place.look("source", "type").word(),
            "type": place.look("ticket_type", "name").word(),
            "organization": _common.name_of(place.look("company"), "name", "company_id", "id") or place.look("company_id").id(),
        }
        return {fact: text for fact, text in texts.items() if text is not None}

    def _custom(self, name: str) -> dict[str, FactValue]:
        """Attributes as `field_<name>`, but for title and description, which Intercom keeps there too."""
        found = _common.field_facts(self.place.look(name))
        return {fact: value for fact, value in found.items() if not fact.startswith("field__default_")}

    def _contacts(self) -> Iterator[Node]:
        """Who asks, best place first."""
        yield self.place.look("user")
        yield from _elements(self.place.look("contacts", "contacts"))
        yield from _elements(self.place.look("contacts"))
        if (first := self.first_message()) is not None and role(first.look("author")) is ActorKind.CUSTOMER:
            yield first.look("author")


def role(author: Node) -> ActorKind | None:
    """What Intercom says an author is; None when it does not."""
    if author.look("from_ai_agent").flag() or author.look("is_ai_answer").flag():
        return ActorKind.BOT
    return _AUTHORS.get(fold(author.look("type").word() or ""))


def _somebody(user: str | None) -> str | None:
    return None if user in _NOBODY else user


def _elements(place: Node) -> list[Node]:
    return _common.each(place) if isinstance(place.value, list) else []
