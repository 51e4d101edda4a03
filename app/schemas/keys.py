"""API keys and the audit log, as the API shows them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.events_in import InstantIn
from app.schemas.examples import AT, ULID, example
from app.schemas.instants import OutInstant
from app.schemas.text import Line

_KEY: dict[str, Any] = {"id": f"key_{ULID}", "name": "dashboard", "scope": "read", "hint": "slaw_r_4fT"} | {
    "created_at": AT,
    "expires_at": None,
    "last_used_at": None,
    "revoked_at": None,
}


class Key(BaseModel):
    """An API key; its text is known only to those who were shown it when it was made."""

    model_config = example(_KEY)

    id: str
    name: str
    scope: Literal["ingest", "read", "operate", "admin"]
    hint: str = Field(description="Its first characters.")
    created_at: OutInstant
    expires_at: OutInstant | None = Field(description="Null: never.")
    last_used_at: OutInstant | None = Field(description="To the minute.")
    revoked_at: OutInstant | None


class NewKey(Key):
    """A key just made. `key` is shown this once."""

    model_config = example(_KEY | {"key": "slaw_r_4fT0...43 characters"})

    key: str


class KeyRequest(BaseModel):
    """The key to make."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "dashboard", "scope": "read", "expires_at": None}]})

    name: Line
    scope: Literal["ingest", "read", "operate", "admin"] = Field(description="operate includes read, admin includes all.")
    expires_at: InstantIn | None = Field(default=None, description="When it ends by itself; left out: never.")


class AuditEntry(BaseModel):
    """Who did what to what."""

    model_config = example(
        {"id": f"aud_{ULID}", "at": AT, "actor": "dashboard", "action": "breach.acknowledged", "subject": f"brc_{ULID}", "detail": {}}
    )

    id: str
    at: OutInstant
    actor: str = Field(description="Name of the API key, or of the part of the service.")
    action: str
    subject: str
    detail: dict[str, Any]
