"""Canonical events as they come in: `POST /v1/events`. Each is checked by itself; what is wrong is named by a JSON pointer."""

import difflib
import hashlib
import math
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from app.errors import Fault
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, Priority, Status, TicketEvent
from app.schemas.instants import read_instant
from app.schemas.text import Id, ShortId, clean, storable

MAX_FACTS: Final = 200
_MAX_TEXT: Final = 10_000
_FACT_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,99}")
_CANONICAL: Final = {word.value for word in (*Status, *Priority)}


EXAMPLE: Final[dict[str, Any]] = {
    "source": "shop",
    "ticket": "4711",
    "at": "2026-11-21T09:30:00Z",
    "set": {"status": "new", "priority": "high", "organization": "Acme GmbH"},
    "message": {"author": "customer", "public": True, "id": "m-1"},
}


def _instant(value: Any) -> datetime:
    if not isinstance(value, str):
        raise PydanticCustomError("instant", "an instant is a string like 2026-11-21T09:30:00Z")
    try:
        return read_instant(value)
    except ValueError as error:
        raise PydanticCustomError("instant", "{reason}", {"reason": str(error)}) from error


def _word(value: Any) -> Any:
    """Our own words in any case and with any blanks around; other words are the helpdesk's own and stay as they are."""
    trimmed = value.strip() if isinstance(value, str) else value
    return trimmed.lower() if isinstance(trimmed, str) and trimmed.lower() in _CANONICAL else trimmed


def _fact(value: Any) -> FactValue:
    match value:
        case None | bool():
            return value
        case int() if -(2**63) <= value < 2**63:
            return value
        case float() if math.isfinite(value):
            return value
        case str() if len(value) <= _MAX_TEXT:
            return storable(value)
        case list() if len(value) <= MAX_FACTS and all(isinstance(item, str) and len(item) <= _MAX_TEXT for item in value):
            return tuple(map(storable, value))
    raise PydanticCustomError("fact", "a fact is null, true, false, a 64-bit number, a text (at most 10000 characters) or a list of texts")


_FACT_SCHEMA: Final = {
    "anyOf": [{"type": ["null", "boolean", "number", "string"]}, {"type": "array", "items": {"type": "string"}, "maxItems": MAX_FACTS}]
}

InstantIn = Annotated[datetime, PlainValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})]
Fact = Annotated[Any, PlainValidator(_fact), WithJsonSchema(_FACT_SCHEMA)]
Word = Annotated[str, BeforeValidator(_word), StringConstraints(min_length=1, max_length=200), AfterValidator(storable)]
Text = Annotated[str, StringConstraints(max_length=_MAX_TEXT), AfterValidator(storable)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(storable)]
Tags = Annotated[list[Tag], BeforeValidator(lambda value: [value] if isinstance(value, str) else value), Field(max_length=MAX_FACTS)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ActorIn(_In):
    """Who caused the event."""

    kind: ActorKind = Field(default=ActorKind.UNKNOWN, description="Never taken for an agent when unknown.")
    id: Id | None = Field(default=None, description="The helpdesk's own id or address.")


class MessageIn(_In):
    """A message on the ticket."""

    public: bool = Field(strict=True, description="Whether the customer can see it.")
    author: ActorKind | None = Field(default=None, description="Who wrote it; left out: the actor of the event.")
    id: Id | None = Field(default=None, description="Counts a message that is told twice as one.")


class FactsIn(BaseModel):
    """What became true of the ticket. Absent is not asserted, null is asserted to be nothing. Facts beyond these are free."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Fact]

    status: Word | None = Field(default=None, description="new, open, pending, on_hold, solved, closed, or a word of your own.")
    priority: Word | None = Field(default=None, description="low, normal, high, urgent, or a word of your own.")
    tier: ShortId | None = Field(default=None, description="States the tier; else it is found by the document's rules.")
    group: ShortId | None = Field(default=None, description="Id or name; null: nobody.")
    assignee: ShortId | None = Field(default=None, description="Id or name; null: nobody.")
    assignee_is_bot: Annotated[bool, Field(strict=True)] | None = Field(default=None, description="True when the assignee is no human.")
    requester: Id | None = Field(default=None, description="Id, address or name of who asks.")
    organization: Id | None = Field(default=None, description="Id or name of the customer.")
    tags: Tags | None = Field(default=None, description="All tags of the ticket.")
    created_at: InstantIn | None = Field(default=None, description="When the ticket was created, as the helpdesk states it.")
    deleted: Annotated[bool, Field(strict=True)] | None = Field(
        default=None, description="True cancels all clocks, false brings them back."
    )
    merged_into: Id | None = Field(default=None, description="The ticket of the same source that survives a merge; null: not merged.")
    subject: Text | None = None
    url: Text | None = None

    @model_validator(mode="after")
    def _names(self) -> "FactsIn":
        if len(self.model_fields_set) > MAX_FACTS:
            raise PydanticCustomError("facts", "at most {most} facts", {"most": MAX_FACTS})
        for name in self.__pydantic_extra__ or ():
            if _FACT_NAME.fullmatch(name) is None:
                raise PydanticCustomError("facts", "a fact's name has 1 to 100 letters, digits, _ . : - and begins with a letter")
        return self

    def asserted(self) -> dict[str, FactValue]:
        """The facts that were given."""
        free = self.__pydantic_extra__ or {}
        given = {name: free[name] if name in free else getattr(self, name) for name in sorted(self.model_fields_set)}
        return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}


class EventIn(_In):
    """What became true of one ticket at one instant."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [EXAMPLE]})

    source: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")] = Field(description="Which helpdesk says so; any name.")
    ticket: Id = Field(description="The helpdesk's own id of the ticket.")
    at: InstantIn = Field(description="When it became true; with its offset. At most a day ahead of our clock.")
    key: Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(storable)] | None = Field(
        default=None, description="The event's identity: seen twice = once. Left out: made from the content."
    )
    kind: EventKind | None = Field(default=None, description="For people to read; left out: derived.")
    set: FactsIn = Field(default_factory=FactsIn, description="Facts; absent is not null.")
    message: MessageIn | None = None
    actor: ActorIn = Field(default_factory=ActorIn)
    order: int | None = Field(
        default=None, ge=-(2**63), lt=2**63, strict=True, description="The source's own sequence for events that share an instant."
    )

    def event(self) -> TicketEvent:
        """The same as a value of the engine."""
        said = self.message
        message = None if said is None else Message(said.author or self.actor.kind, said.public, said.id)
        facts = self.set.asserted()
        kind = self.kind or _kind(facts, message)
        actor = Actor(self.actor.kind, self.actor.id)
        key = self.key or _digest(self.source, self.ticket, self.at, kind, facts, message, actor, self.order)
        return TicketEvent(self.source, self.ticket, key, self.at, kind, facts, message, actor, self.order)


def read_event(value: Any) -> TicketEvent | list[Fault]:
    """The event that a JSON value describes, or everything that is wrong with it."""
    try:
        return EventIn.model_validate(value).event()
    except ValidationError as error:
        return [_fault(detail) for detail in error.errors(include_url=False)]


def _kind(facts: dict[str, FactValue], message: Message | None) -> EventKind:
    """What people would call it."""
    if message is not None:
        if not message.public:
            return EventKind.MESSAGE_PRIVATE_NOTE
        by_author = {
            ActorKind.CUSTOMER: EventKind.MESSAGE_CUSTOMER,
            ActorKind.BOT: EventKind.MESSAGE_BOT,
            ActorKind.SYSTEM: EventKind.MESSAGE_BOT,
        }
        return by_author.get(message.author, EventKind.MESSAGE_AGENT_PUBLIC)
    for fact, kind in _TELLING:
        if fact in facts:
            return kind
    return EventKind.TICKET_UPDATED


_TELLING: Final[Sequence[tuple[str, EventKind]]] = (
    ("deleted", EventKind.TICKET_DELETED),
    ("status", EventKind.TICKET_STATUS_CHANGED),
    ("priority", EventKind.TICKET_PRIORITY_CHANGED),
    ("assignee", EventKind.TICKET_ASSIGNED),
    ("group", EventKind.TICKET_ASSIGNED),
)


def _digest(*parts: Any) -> str:
    return "sha256:" + hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def _fault(error: ErrorDetails) -> Fault:
    pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in error["loc"])
    detail = {"missing": "is required", "model_type": "is no JSON object"}.get(error["type"], error["msg"])
    if error["type"] == "extra_forbidden":
        close = difflib.get_close_matches(str(error["loc"][-1]), list(EventIn.model_fields), n=1)
        detail = "is no field of an event" + (f"; did you mean `{close[0]}`?" if close else "; facts belong into `set`")
    if isinstance(error["input"], str) and error["type"] in ("too_short", "too_long"):  # pydantic speaks of the items of a text
        detail = "is empty" if error["type"] == "too_short" else f"is longer than {error['ctx']['max_length']} characters"
    return Fault(clean(pointer[:500]), clean(detail))
