"""Fetching translators: one file per helpdesk reads tickets over that helpdesk's API. Pure: no socket.

A module `app/helpdesks/fetching/<kind>.py` (named like the helpdesk's own module) has

* `Config`: an `ApiConfig`, what the document says under `sources.<name>.api`,
* `walk(source, api, since) -> Walk[None]` for kinds whose tickets can be listed by change, and/or
* `look_up(source, api, ticket, kept) -> Walk[None]` for kinds whose webhooks leave out what promises depend on.

Both are generators. They yield requests and are sent the answers, and yield what they have read: a `Story` of one ticket, and a `Mark`
once everything up to a place has been told, from where the next walk goes on. What they tell has keys that stay the same however often
it is told, and messages by the ids that webhooks give them.

The module's name is its registration; there is no list to edit.
"""

import importlib
import pkgutil
from collections.abc import Generator, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Annotated, Any, ClassVar, Final, Literal, TypeVar

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from app.exchange import HttpRequest, HttpResponse
from app.helpdesks import SourceConfig
from app.rules.durations import parse_duration
from app.rules.events import TicketEvent
from app.rules.problems import InvalidDuration

SHARE: Final = 0.2
"""The part of a vendor's published limit that fetching may use."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Story:
    """What an API tells of one ticket. `raw` is the record it was read from, kept beside the events."""

    ticket: str
    events: tuple[TicketEvent, ...]
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class Mark:
    """Everything before this place has been told: the next walk begins with `cursor`. `done`, `total`: for a progress bar, where known."""

    cursor: str
    total: int | None = None


Walk = Generator[HttpRequest | Story | Mark, HttpResponse | None, T]
"""Requests, stories and marks out; the answer of each request in (None for the others)."""


class CannotFetch(Exception):
    """The API answers something that cannot be read or goes against what was asked; the sentence holds no secret."""


def _span(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    try:
        seconds = parse_duration(value, days_allowed=True)
    except InvalidDuration as error:
        raise ValueError(str(error)) from None
    if not 0 < seconds <= _LONGEST:
        raise ValueError("this has to be more than zero, and at most ten years")
    return timedelta(seconds=seconds)


_LONGEST: Final = 10 * 366 * 86_400

Span = Annotated[timedelta, BeforeValidator(_span, json_schema_input_type=str)]
"""Real time as people write it; a day is 24 h. More than zero."""


class ApiConfig(BaseModel):
    """How a helpdesk's API is asked. Secrets are already resolved when this is validated."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True, hide_input_in_errors=True)

    published_per_minute: ClassVar[float]
    """The vendor's limit for one account, in requests a minute; where there is none, what we deem modest."""

    per_minute: Annotated[float, Field(gt=0, le=100_000)] | None = Field(
        default=None, description="Requests a minute at most, of each process; default: a fifth of what the helpdesk allows."
    )
    allow_http: bool = Field(default=False, description="Allow a plain http:// address.")

    @property
    def budget(self) -> float:
        """Requests a minute."""
        return self.per_minute if self.per_minute is not None else self.published_per_minute * SHARE


class _Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Reconciliation(_Wanted):
    """Asking the helpdesk now and then for what its webhooks missed."""

    every: Span = Field(default=timedelta(minutes=15), description="How often; default: 15m.")
    look_back: Span = Field(default=timedelta(days=1), description="How far back the first time; default: 1d.")


class Enrichment(_Wanted):
    """Asking the helpdesk for what its webhooks leave out."""

    facts: tuple[Literal["status", "priority", "organization"], ...] = Field(
        default=("status", "priority", "organization"), min_length=1, description="A ticket that lacks one of these is looked up."
    )
    again_after: Span = Field(default=timedelta(hours=1), description="A ticket that lacks it still is not asked for again sooner.")


def _has_api(value: T, info: ValidationInfo) -> T:
    """Without credentials there is nothing to ask; those of write_back will do."""
    if value is not None and not (info.data.get("api") or info.data.get("write_back")):
        raise ValueError("this needs the credentials of an `api` (or of `write_back`)")
    return value


Reconcile = Annotated[Reconciliation | None, AfterValidator(_has_api)]
Enrich = Annotated[Enrichment | None, AfterValidator(_has_api)]
RECONCILE: Final = "Ask the API now and then for what webhooks missed."
ENRICH: Final = "Ask the API for what webhooks leave out."
API: Final = "How the helpdesk's API is asked, for imports, `reconcile` and `enrich`; left out: with the credentials of `write_back`."


@cache
def kinds() -> tuple[str, ...]:
    """The kinds of sources that can be asked, sorted."""
    return tuple(sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")))


@cache
def load(kind: str) -> Any:
    """The module of a kind. KeyError when there is none."""
    if kind not in kinds():
        raise KeyError(kind)
    return importlib.import_module(f"{__name__}.{kind.replace('-', '_')}")


def walkable() -> list[str]:
    """The kinds whose tickets can be listed."""
    return [kind for kind in kinds() if hasattr(load(kind), "walk")]


def api_of(source: SourceConfig) -> ApiConfig | None:
    """How a source's API is asked; None: it is not, or cannot be."""
    own = getattr(source, "api", None)
    if isinstance(own, ApiConfig):
        return own
    other = getattr(source, "write_back", None)
    if other is None or source.kind not in kinds():
        return None
    model: type[ApiConfig] = load(source.kind).Config
    shared = {name: getattr(other, name, None) for name in model.model_fields if name != "per_minute"}
    return model.model_validate({name: value for name, value in shared.items() if value is not None})


def walk(source: SourceConfig, api: ApiConfig, since: str) -> Walk[None]:
    """All tickets that changed since a mark (or an instant, RFC 3339), oldest change first. KeyError when this kind has no such list."""
    found: Walk[None] = _of(source.kind, "walk")(source, api, since)
    return found


def look_up(source: SourceConfig, api: ApiConfig, ticket: str, kept: MutableMapping[str, str]) -> Walk[None]:
    """What the API tells of one ticket. `kept` is what earlier look-ups found out (tokens, names). KeyError when this kind has none."""
    found: Walk[None] = _of(source.kind, "look_up")(source, api, ticket, kept)
    return found


def _of(kind: str, name: str) -> Any:
    function = getattr(load(kind), name, None)
    if function is None:
        raise KeyError(kind)
    return function


def get(asked: HttpRequest, *, optional: bool = False) -> Walk[Any]:
    """The JSON of an answer; None when there is no such thing (404, 410) or, with `optional`, when we may not see it (403)."""
    answer = yield asked
    if answer is None:
        raise CannotFetch("there was no answer")
    if answer.status in (404, 410) or (optional and answer.status == 403):
        return None
    if not 200 <= answer.status < 300:
        raise CannotFetch(f"the API answered {answer.status}")
    return parsed(answer)


def parsed(answer: HttpResponse) -> Any:
    """The JSON of an answer. CannotFetch when it is none."""
    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        raise CannotFetch("the API's answer is no JSON, or was too large") from None


def listed(value: Any, key: str | None = None) -> list[dict[str, Any]]:
    """The objects of a list, or of the list under a key; whatever is no object is left out."""
    found = value.get(key) if key is not None and isinstance(value, Mapping) else value
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def instant(text: str) -> datetime:
    """An instant a mark holds."""
    return datetime.fromisoformat(text)
