"""Write-back translators: one file per helpdesk turns what a ladder wants marked into the calls of that helpdesk's API. Pure: no socket.

A module `app/helpdesks/writing/<kind>.py` (named like the helpdesk's own module) has

* `Config`: a `WriteBackConfig`, what the document says under `sources.<name>.write_back`,
* `write(order, desk) -> Calls[None]`: a generator. It yields requests one by one and is sent each answer, so that one may depend on the
  one before (tags that are replaced are read first). It ends by returning, or raises `Stop`.

Every call but the last may have been made before and the last one too: a process may die after any of them, and an answer may be lost.
So a plan reads before it writes, leaves alone what is right already, and looks for its own note before it writes one again.

The module's name is its registration; there is no list to edit. A kind without such a module cannot write back.
"""

import importlib
import pkgutil
from collections.abc import Generator, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Annotated, Any, ClassVar, Final, Protocol, TypeVar, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from app.exchange import HttpRequest, HttpResponse
from app.guard import check_url
from app.helpdesks import PriorityWord, SourceConfig
from app.helpdesks._words import Words
from app.helpdesks.writing._order import ACTIONS, PREFIX, TYPE, Action, Order, dump, load_order
from app.rules.events import Priority, Status

__all__ = [
    "ACTIONS", "PREFIX", "TYPE", "Action", "BaseUrl", "Calls", "Desk", "Done", "Moved", "Order", "Stop", "Subdomain", "WriteBackConfig",
    "Writer", "config_of", "dump", "kinds", "load", "load_order", "plan",
]  # fmt: skip

SHARE: Final = 0.2
"""The part of a vendor's published limit that write-backs may use."""

_LEVELS: Final = [word.value for word in (Priority.LOW, Priority.NORMAL, Priority.HIGH, Priority.URGENT)]

T = TypeVar("T")
Calls = Generator[HttpRequest, HttpResponse, T]
"""Calls of an API: requests out, answers in, a value at the end."""


def _base(url: str) -> str:
    check_url(url)  # Blocked is a ValueError
    return url.rstrip("/")


BaseUrl = Annotated[str, AfterValidator(_base)]
"""Where an API is, without a slash at the end."""

Subdomain = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$", to_lower=True)]


class WriteBackConfig(BaseModel):
    """What every kind of source may say of how breaches are marked in it. Secrets are already resolved when this is validated."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True, hide_input_in_errors=True)

    can: ClassVar[frozenset[Action]] = frozenset(ACTIONS)
    """What this helpdesk lets us do."""
    published_per_minute: ClassVar[float]
    """The vendor's limit for one account, in requests a minute; where there is none, what we deem modest."""
    write_cost: ClassVar[int] = 1
    """What a request that changes something counts for."""
    busy: ClassVar[frozenset[int]] = frozenset()
    """Statuses of answers after which it is tried again, beside those that say so everywhere."""
    words: ClassVar[Mapping[str, str]] = {word: word for word in _LEVELS}
    """Canonical priority -> the helpdesk's word."""
    show_path: ClassVar[bool] = True
    """Whether the path of a request may be stored and shown."""

    our_user_id: str | None = Field(default=None, min_length=1, description="The API user's id: its events are echoes of our own.")
    priority_ceiling: PriorityWord = Field(default="high", description="Write-backs never raise a ticket above this.")
    per_minute: Annotated[float, Field(gt=0, le=100_000)] | None = Field(
        default=None, description="Requests a minute at most, of each process; default: a fifth of what the helpdesk allows."
    )
    groups: dict[str, str] = Field(default_factory=dict, description="A group as ladders name it -> the helpdesk's id of it.")
    assignees: dict[str, str] = Field(default_factory=dict, description="An agent as ladders name them -> the helpdesk's id of them.")
    priorities: dict[PriorityWord, str] = Field(
        default_factory=dict, description="low, normal, high or urgent -> the helpdesk's word; beats the built-in one."
    )
    allow_http: bool = Field(default=False, description="Allow a plain http:// address.")

    @property
    def actions(self) -> frozenset[Action]:
        """What can be done with this configuration."""
        return self.can

    @property
    def budget(self) -> float:
        """Requests a minute."""
        return self.per_minute if self.per_minute is not None else self.published_per_minute * SHARE


@dataclass(frozen=True, slots=True)
class Done:
    """How a plan ended that was cut short. `dropped`: it is not wanted any more (the ticket is solved, merged, gone); else it failed, for
    good unless `again`, then not before so many `seconds` have passed (None: no hint beside that of the answer)."""

    detail: str
    dropped: bool = False
    again: bool = False
    seconds: float | None = None
    response: HttpResponse | None = None
    """The answer that says so; None: no answer does."""


class Stop(Exception):
    """Raised by a plan that ends before its end."""

    def __init__(self, done: Done) -> None:
        super().__init__(done.detail)
        self.done = done


class Moved(Exception):
    """The ticket is now another one; `ticket` is its name."""

    def __init__(self, ticket: str) -> None:
        super().__init__(ticket)
        self.ticket = ticket


@dataclass(frozen=True, slots=True)
class Desk:
    """The helpdesk an order is for: the source, its write-back, and what earlier orders have found out (tokens, ids of tags)."""

    source: SourceConfig
    config: Any
    kept: MutableMapping[str, str] = field(default_factory=dict)

    def raised(self, order: Order, word: object) -> str | None:
        """The helpdesk's word for the priority to set; None: leave it alone.

        `word` is the priority the ticket has in the helpdesk's own words (None: it has none). Never above the ceiling, never lower; a word
        nobody knows is left as it is.
        """
        if order.priority is None:
            return None
        wanted = min(_LEVELS.index(order.priority), _LEVELS.index(self.config.priority_ceiling))
        known = None if word is None or word == "" else self.source.priority_words.get(str(word))
        if word is not None and word != "" and known is None:
            return None
        if known is not None and _LEVELS.index(known) >= wanted:
            return None
        found = str({**self.config.words, **self.config.priorities}[_LEVELS[wanted]])
        return None if found == str(word) else found

    def require_open(self, order: Order, word: object, words: Words | None = None) -> None:
        """Stop when the ticket, whose status is this word of the helpdesk, was solved since the order was given. `words` None: the source's
        own."""
        status = None if word is None else (words or self.source.status_words).get(str(word))
        if status in (Status.SOLVED.value, Status.CLOSED.value) and not order.was_solved:
            raise Stop(Done("the ticket is solved by now", dropped=True))
        if status == "deleted":
            raise Stop(Done("the ticket is deleted", dropped=True))

    def group(self, order: Order) -> str | None:
        """The helpdesk's id of the group wanted; None: none is."""
        return None if order.group is None else str(self.config.groups.get(order.group, order.group))

    def assignee(self, order: Order) -> str | None:
        """The helpdesk's id of the agent wanted; None: none is."""
        return None if order.assignee is None else str(self.config.assignees.get(order.assignee, order.assignee))


class Writer(Protocol):
    """The shape of a write-back module."""

    Config: type[WriteBackConfig]

    def write(self, order: Order, desk: Desk) -> Calls[None]: ...


@cache
def kinds() -> tuple[str, ...]:
    """The kinds of sources that can be written back to, sorted."""
    return tuple(sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")))


@cache
def load(kind: str) -> Writer:
    """The module of a kind. KeyError when there is none."""
    if kind not in kinds():
        raise KeyError(kind)
    return cast(Writer, importlib.import_module(f"{__name__}.{kind.replace('-', '_')}"))


def config_of(source: SourceConfig) -> WriteBackConfig | None:
    """How breaches are marked in a source; None: they are not."""
    found = getattr(source, "write_back", None)
    return found if isinstance(found, WriteBackConfig) else None


def plan(order: Order, desk: Desk) -> Calls[None]:
    """All calls of an order. A ticket that has become another one is followed once; what cannot be done there is left out."""
    write = load(desk.source.kind).write
    try:
        yield from write(order, desk)
    except Moved as moved:
        if moved.ticket == order.ticket:
            raise Stop(Done("the API answers with a redirect to the same ticket; is the address in write_back right?")) from None
        try:
            yield from write(replace(order, ticket=moved.ticket), desk)
        except Moved:
            raise Stop(Done("the ticket was merged or moved more than once", dropped=True)) from None
