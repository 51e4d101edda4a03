"""What HubSpot's ticket properties mean, whether one of them changed or a workflow sends them all.

* `hs_pipeline_stage` is an id of the account's own: the source's `status_map` says what it means; else only the fact `stage` is asserted.
  `hs_v2_date_entered_<stage>` says the same, with the instant.
* Messages are told by dates: `hs_last_message_received_at` and `last_reply_date` are the customer's, `first_agent_reply_date` and
  `hs_first_agent_message_sent_at` an agent's. `hs_last_message_sent_at` counts what bots send too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from app.helpdesks import _common
from app.helpdesks._json import Node
from app.rules.events import ActorKind, EventKind, FactValue, Message

if TYPE_CHECKING:
    from app.helpdesks.hubspot import Config

TICKETS: Final = "0-5"
"""HubSpot's number of the object type."""

ENTERED: Final = re.compile(r"hs_(?:v2_)?date_entered_(\w{1,60})")

_FACTS: Final = {
    "hubspot_owner_id": "assignee", "hubspot_team_id": "group", "hs_pipeline": "pipeline", "subject": "subject",
    "hs_ticket_category": "category", "source_type": "channel", "hs_primary_company_name": "organization", "hs_object_source": "origin",
}  # fmt: skip
_NOBODY: Final = ("assignee", "group")
_MESSAGES: Final = {
    "hs_last_message_received_at": ActorKind.CUSTOMER, "last_reply_date": ActorKind.CUSTOMER,
    "first_agent_reply_date": ActorKind.AGENT, "hs_first_agent_message_sent_at": ActorKind.AGENT,
}  # fmt: skip
_SENT: Final = "hs_last_message_sent_at"
_KINDS: Final = {
    "hs_pipeline_stage": EventKind.TICKET_STATUS_CHANGED,
    "hs_ticket_priority": EventKind.TICKET_PRIORITY_CHANGED,
    "hubspot_owner_id": EventKind.TICKET_ASSIGNED,
    "hubspot_team_id": EventKind.TICKET_ASSIGNED,
}
_NO_MEANING: Final = re.compile(
    r"hs_(v2_)?(date_exited|latest_time_in|cumulative_time_in|time_in)_.*|hs_lastmodifieddate|hs_object_id|hs_createdate"
)

_NOISE: Final = re.compile(r"(hs|notes|num|time|engagements)_.*|content|closed_date|created_by|last_engagement_date")
"""Properties of HubSpot's own that are asserted only where the source's `fields` name them."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one property says. `at` is None where the property tells no instant of its own."""

    kind: EventKind
    facts: Mapping[str, FactValue]
    at: datetime | None = None
    message: Message | None = None


def read(name: str, value: Node, config: Config, remarks: list[str]) -> Said | None:
    """What a property asserts; None when it has no meaning, or is a date without a value."""
    if (entered := ENTERED.fullmatch(name)) is not None:
        at = value.instant()
        return Said(EventKind.TICKET_STATUS_CHANGED, _stage(entered[1], config, remarks), at) if at else None
    if name in _MESSAGES or name == _SENT:
        return _message(name, value.instant(), config)
    if _NO_MEANING.fullmatch(name):
        return None
    facts = _facts(name, value, config, remarks)
    return Said(_KINDS.get(name, EventKind.TICKET_UPDATED), facts) if facts else None


def _author(name: str, config: Config) -> ActorKind:
    return ActorKind(config.sent_messages_by) if name == _SENT else _MESSAGES[name]


def _message(name: str, at: datetime | None, config: Config) -> Said | None:
    """A message's id is made of direction and instant: two properties that tell one message tell it once."""
    if at is None:
        return None
    author = _author(name, config)
    direction = "received" if author is ActorKind.CUSTOMER else "sent"
    message = Message(author, public=True, id=f"{direction}:{int(at.timestamp() * 1000)}")
    return Said(_common.message_kind(message), {}, at, message)


def _facts(name: str, value: Node, config: Config, remarks: list[str]) -> dict[str, FactValue]:
    facts: dict[str, FactValue] = {}
    word = value.word()
    if name == "hs_pipeline_stage" and word is not None:
        facts |= _stage(word, config, remarks)
    elif name == "hs_ticket_priority":
        facts |= _common.priority_facts(word, config.priority_words, remarks) if word else {"priority": None}
    elif name == "createdate" and (created_at := value.instant()) is not None:
        facts["created_at"] = created_at
    elif name in _FACTS:
        fact = _FACTS[name]
        if word is not None or fact in _NOBODY:
            facts[fact] = word.lower() if word and fact == "channel" else word
    elif not _NOISE.fullmatch(name):
        facts |= _common.field_facts(Node({name: value.value}))
    for fact, source in config.fields.items():
        if source == name:
            facts |= _named(fact, word, config, remarks)
    return facts


def _named(fact: str, word: str | None, config: Config, remarks: list[str]) -> dict[str, FactValue]:
    if fact == "priority" and word is not None:
        return _common.priority_facts(word, config.priority_words, remarks)
    if fact == "status":
        return _common.status_facts(word, config.status_words, remarks) if word else {}
    return {fact: word}


def _stage(stage: str, config: Config, remarks: list[str]) -> dict[str, FactValue]:
    facts: dict[str, FactValue] = {"stage": stage}
    if stage in config.status_map or config.status_words.get(stage) is not None:
        return facts | _common.status_facts(stage, config.status_words, remarks)
    remarks.append(f"`status_map` does not say what the pipeline stage {stage!r} means, so no status is asserted")
    return facts
