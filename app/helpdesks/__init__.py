"""Inbound translators: one file per helpdesk turns raw webhooks into canonical events. Pure: bytes in, values out.

A helpdesk module `app/helpdesks/<kind>.py` (hyphens in the kind become underscores) has

* `Config`: a `SourceConfig`, what the document says of a source of this kind,
* `verify(request, config, now)`: raises `app.errors.InvalidSignature` unless the request is authentic; reads the raw bytes, never parses,
* `parse(request, config, received_at) -> Reading`: raises `app.errors.Unreadable` when an authentic body cannot be read,
* optionally `answer(request, config) -> Answer | None`, where the vendor wants to read something else than our receipt; it never raises.

The module's name is its registration; there is no list to edit. Modules whose name begins with an underscore are tools they share. How a
breach is marked in a helpdesk is told by a module of the same name in `app.helpdesks.writing`.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from typing import Annotated, Any, ClassVar, Literal, Protocol, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from app.exchange import HttpRequest
from app.helpdesks._words import PRIORITY_WORDS, STATUS_WORDS, Words, priority_word, status_word
from app.rules.events import ActorKind, TicketEvent


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str | SecretStr) else value


Secret = Annotated[SecretStr, Field(min_length=1)]
"""Never empty: an empty key signs for everybody."""

Secrets = Annotated[list[Secret], BeforeValidator(_listed, json_schema_input_type=str | list[str]), Field(min_length=1, max_length=3)]
"""One secret or up to three (rotation: any of them verifies)."""

StatusWord = Annotated[str, AfterValidator(status_word)]
PriorityWord = Annotated[str, AfterValidator(priority_word)]


class SourceConfig(BaseModel):
    """What every kind of source may say. Secrets are already resolved when this is validated."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    built_in_statuses: ClassVar[Mapping[str, str]] = {}
    """The helpdesk's own status words, beside the canonical ones."""
    built_in_priorities: ClassVar[Mapping[str, str]] = {}

    kind: str
    name: str = Field(default="", exclude=True, description="Set by the loader from the key in `sources`.")
    status_map: dict[str, StatusWord] = Field(
        default_factory=dict,
        description="The helpdesk's word -> canonical status, `deleted` (cancels the clocks) or a status of your own; "
        "beats the built-in map; case does not matter.",
    )
    priority_map: dict[str, PriorityWord] = Field(
        default_factory=dict, description="The helpdesk's word -> low, normal, high or urgent; beats the built-in map."
    )
    actor_map: dict[str, Literal["customer", "agent", "bot", "system", "unknown"]] = Field(
        default_factory=dict, description="An author's id or address -> who they are; beats what the payload says."
    )
    our_user_ids: list[str] = Field(default_factory=list, description="Ids of the API user that writes back; its events are echoes.")
    silent_after: str | None = Field(default=None, description="Alarm when no webhook came for this long.")

    @cached_property
    def status_words(self) -> Words:
        return Words.build("status_map", STATUS_WORDS, self.built_in_statuses, self.status_map)

    @cached_property
    def priority_words(self) -> Words:
        return Words.build("priority_map", PRIORITY_WORDS, self.built_in_priorities, self.priority_map)

    @cached_property
    def _kinds(self) -> Mapping[str, ActorKind]:
        return {key.casefold(): ActorKind(kind) for key, kind in self.actor_map.items()}

    @cached_property
    def _ours(self) -> frozenset[str]:
        return frozenset(own.casefold() for own in self.own_ids())

    def actor_kind(self, *ids: str | None) -> ActorKind | None:
        """Who the document says somebody is, by any of their ids or addresses; None when it does not say."""
        known = self._kinds
        return next((known[i.casefold()] for i in ids if i is not None and i.casefold() in known), None) if known else None

    def own_ids(self) -> Iterable[str]:
        """The ids under which we write back ourselves."""
        ours = getattr(getattr(self, "write_back", None), "our_user_id", None)
        return [*self.our_user_ids, ours] if ours else self.our_user_ids

    def is_ours(self, *ids: str | None) -> bool:
        """Whether any of these ids of one actor is our own API user."""
        ours = self._ours
        return any(i is not None and i.casefold() in ours for i in ids) if ours else False


@dataclass(frozen=True, slots=True)
class Reading:
    """What one delivery says. `events` is empty when it is ignored; `reason` then says why.

    Of an applied delivery `reason` holds remarks: what was read with reservations (an unknown status word, an unreadable time); None
    when there are none. `delivery_id` is the vendor's own id of this delivery, the same over its retries; None when the vendor has none.
    """

    outcome: Literal["applied", "ignored"]
    events: tuple[TicketEvent, ...] = ()
    reason: str | None = None
    delivery_id: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the vendor has to read instead of our receipt: a SOAP acknowledgement, the echo of a challenge.

    `status` is 200 to 299. `headers` has lower-case names, the content type of `body` among them. It is sent after `verify` and once the
    delivery is durable, whatever became of that (applied, duplicate, ignored, quarantined); when it could not be stored, 503 goes out.

    `handshake` says that the request is a step of the vendor's set-up and carries no ticket, ever: it is answered after `verify`, is not
    parsed, and nothing is stored.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    handshake: bool = False


class Helpdesk(Protocol):
    """The shape of a helpdesk module."""

    Config: type[SourceConfig]

    def verify(self, request: HttpRequest, config: Any, now: datetime) -> None: ...

    def parse(self, request: HttpRequest, config: Any, received_at: datetime) -> Reading: ...


@cache
def kinds() -> tuple[str, ...]:
    """The kinds there are, sorted."""
    return tuple(sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(__path__) if m.name[0] != "_" and not m.ispkg))


@cache
def load(kind: str) -> Helpdesk:
    """The module of a kind. KeyError when there is none."""
    if kind not in kinds():
        raise KeyError(kind)
    return cast(Helpdesk, importlib.import_module(f"{__name__}.{kind.replace('-', '_')}"))


def answer_of(request: HttpRequest, config: SourceConfig) -> Answer | None:
    """What the source's kind wants to answer to this request; None, the usual case, for our receipt."""
    own: Callable[[HttpRequest, SourceConfig], Answer | None] | None = getattr(load(config.kind), "answer", None)
    return own(request, config) if own is not None else None
