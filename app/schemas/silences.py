"""Silences, as the API shows and takes them."""

from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from app.schemas.events_in import InstantIn
from app.schemas.examples import AT, LATER, ULID, example
from app.schemas.instants import OutInstant
from app.schemas.spans import Span
from app.schemas.text import Line, Paragraph

_HOURS = Annotated[str, StringConstraints(min_length=1, max_length=40)]
_WEEKLY: dict[str, Any] = {"timezone": "Europe/Berlin", "hours": {"mon-fri": ["00:00-06:00", "22:00-24:00"]}}
_SILENCE: dict[str, Any] = (
    {"id": f"sil_{ULID}", "state": "active", "match": {"source": "acme-zendesk", "tags": "migration"}, "channels": [], "weekly": None}
    | {"reason": "Their helpdesk is being moved.", "author": "jo", "created_at": AT, "starts_at": AT, "ends_at": LATER}
    | {"ended_at": None, "ended_by": None}
)


def _storable(match: dict[str, Any]) -> dict[str, Any]:
    try:
        orjson.dumps(match)
    except TypeError as error:
        raise PydanticCustomError("match", "has a text that is none, or a number beyond 64 bits") from error
    return match


class Weekly(BaseModel):
    """The windows of the week in which a silence holds."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_WEEKLY]})

    timezone: Line = Field(description="An IANA name such as Europe/Berlin.")
    hours: dict[Line, _HOURS | Annotated[list[_HOURS], Field(max_length=24)]] = Field(
        min_length=1, max_length=7, description="Weekdays (`mon-fri`, `sat`, `mon,wed`, `daily`) -> hours of the local day, up to 24:00."
    )


class Silence(BaseModel):
    """Nobody is told of tickets that match; they are judged all the same."""

    model_config = example(_SILENCE)

    id: str
    state: Literal["scheduled", "active", "waiting", "ended"] = Field(
        description="active: it is quiet now; scheduled: it has not begun; waiting: between two windows of the week."
    )
    match: dict[str, Any] = Field(description="A condition over facts, as in the document.")
    channels: list[str] = Field(description="The only channels it is for; empty: all but those of the kind webhook.")
    weekly: Weekly | None = Field(description="It holds in these windows; null: all the time.")
    reason: str
    author: str
    created_at: OutInstant
    starts_at: OutInstant
    ends_at: OutInstant = Field(description="As it was asked for.")
    ended_at: OutInstant | None = Field(description="When somebody ended it before; null: nobody did.")
    ended_by: str | None


class NewSilence(BaseModel):
    """The silence to make. It says when it ends: by `ends_at`, or by `for`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"match": {"source": "acme-zendesk"}, "reason": "Their helpdesk is being moved.", "for": "2h"}]},
    )

    match: Annotated[dict[str, Any], AfterValidator(_storable)] = Field(
        min_length=1, max_length=50, description="A condition over facts; also `source`, `ticket`, `policy`, `metric`."
    )
    reason: Paragraph
    by: Line | None = Field(default=None, description="Left out: the name of the API key.")
    starts_at: InstantIn | None = Field(default=None, description="Left out: now.")
    ends_at: InstantIn | None = Field(default=None, description="At most 30 days after the start.")
    span: Span | None = Field(default=None, alias="for", description="How long it lasts, in the place of `ends_at`.")
    channels: list[Line] = Field(
        default_factory=list, max_length=50, description="Only these; left out: all but those of the kind webhook."
    )
    weekly: Weekly | None = None
