"""The inbox and the sources, as the API shows them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.deliveries import InInstant
from app.schemas.examples import AT, LATER, ULID, example
from app.schemas.instants import OutInstant
from app.schemas.text import ShortId

_MESSAGE: dict[str, Any] = (
    {"id": f"inb_{ULID}", "source": "acme-zendesk", "via": "webhook", "delivery_id": "01K9ZB", "received_at": AT, "method": "POST"}
    | {"url": "https://sla.example.com/v1/sources/acme-zendesk/webhook", "outcome": "quarantined", "reason": "the body is no JSON"}
    | {"tickets": [], "replayed_at": None}
)
_SOURCE: dict[str, Any] = {
    "name": "acme-zendesk",
    "kind": "zendesk",
    "last_received_at": AT,
    "silent": False,
    "silent_after_seconds": 7200,
} | {
    "quarantined": 0,
    "path": "/v1/sources/acme-zendesk/webhook",
    "received_last_hour": 41,
    "received_last_day": 730,
    "usual_gap_seconds": 95,
    "silent_since": None,
    "jobs": [
        {
            "job": "reconcile",
            "progress": {"tickets": 812, "events": 9},
            "updated_at": AT,
            "finished_at": AT,
            "next_at": LATER,
            "error": None,
        }
    ],
}


class InboxMessage(BaseModel):
    """What arrived, and what became of it."""

    model_config = example(_MESSAGE)

    id: str
    source: str
    via: Literal["webhook", "events", "poll", "import"] = Field(description="poll and import: fetched by ourselves.")
    delivery_id: str | None = Field(description="The helpdesk's own id of the delivery.")
    received_at: OutInstant
    method: str
    url: str
    outcome: Literal["applied", "duplicate", "ignored", "quarantined"]
    reason: str | None
    tickets: list[str] = Field(description="Our ids of the tickets it touched.")
    replayed_at: OutInstant | None


class MessageBody(BaseModel):
    """The raw bytes: as they are when they are UTF-8, else in base64."""

    encoding: Literal["utf-8", "base64"]
    text: str


class InboxDetail(InboxMessage):
    """What arrived, byte for byte."""

    model_config = example(
        _MESSAGE | {"headers": {"content-type": "application/json"}, "body": {"encoding": "utf-8", "text": "{"}},
    )

    headers: dict[str, str] = Field(description="Without credentials and signatures.")
    body: MessageBody | None = Field(description="Null for duplicates: it was stored the first time.")


class SourceJob(BaseModel):
    """Something we fetch from a helpdesk ourselves."""

    job: str = Field(description="`reconcile`, `enrich` or `import...`.")
    progress: dict[str, int] = Field(description="What was read and what became of it, counted.")
    updated_at: OutInstant
    finished_at: OutInstant | None = Field(description="When it was last read to the end.")
    next_at: OutInstant | None = Field(description="Not before this.")
    error: str | None = Field(description="Why it does not get on; null: it does.")


class Source(BaseModel):
    """A configured source and how it does."""

    model_config = example(_SOURCE)

    name: str
    kind: str
    path: str = Field(description="Where the helpdesk posts its webhooks.")
    last_received_at: OutInstant | None
    received_last_hour: int = Field(description="Messages it sent in the last hour, to five minutes.")
    received_last_day: int
    usual_gap_seconds: int | None = Field(description="What is usual between two of them; null: not learned yet.")
    silent_after_seconds: int | None = Field(
        description="Alarm when nothing came for this long: `silent_after` of the document, else as was learned; null: not learned yet."
    )
    silent: bool = Field(description="Nothing came for longer than that, or ever.")
    silent_since: OutInstant | None = Field(description="When it said something last, if it is silent.")
    quarantined: int = Field(description="Messages that wait for a repaired mapping.")
    jobs: list[SourceJob] = Field(description="What we fetch from it ourselves, and how far that got.")


class SourceList(BaseModel):
    """All sources of the configuration."""

    model_config = example({"items": [_SOURCE]})

    items: list[Source]


class Replay(BaseModel):
    """Which messages of a source are to be read again."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"source": "acme-zendesk", "outcome": "quarantined", "since": AT, "dry_run": True}]}
    )

    source: ShortId
    outcome: Literal["quarantined", "ignored", "applied"] = Field(
        default="quarantined", description="What became of them when they came; `applied` finds what a better mapping reads beside."
    )
    since: InInstant | None = Field(default=None, description="Only what came at this instant or later.")
    until: InInstant | None = Field(default=None, description="Only what came before this instant.")
    limit: int = Field(default=1000, ge=1, le=10_000, description="At most so many, the oldest first.")
    dry_run: bool = Field(default=False, description="Only tell what would become of them.")


class ReplayResult(BaseModel):
    """What became of the messages that were read again."""

    model_config = example(
        {"source": "acme-zendesk", "matched": 12, "replayed": 12, "outcomes": {"applied": 11, "quarantined": 1}}
        | {"reasons": {"/ticket/state is missing.": 1}, "dry_run": False}
    )

    source: str
    matched: int = Field(description="How many there are, beyond any limit.")
    replayed: int
    outcomes: dict[str, int] = Field(description="Outcome -> how many. In a dry run `applied` may turn out to be known already.")
    reasons: dict[str, int] = Field(description="Why some stay in quarantine: the ten commonest reasons.")
    dry_run: bool
