"""Settings of one process, from the environment. Nobody else reads it.

Each `SLAWATCH_<NAME>` may instead be given as `SLAWATCH_<NAME>_FILE`: the path of a file that holds the value (one trailing line break is
dropped). A wrong value stops the start with a sentence.
"""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from app.errors import SlaError

PREFIX = "SLAWATCH_"


class InvalidSettings(SlaError):
    """A setting of the environment is wrong."""


class Settings(BaseModel):
    """What one process is told by its environment. Frozen; handed down in parts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: str = Field(
        default="sqlite:///slawatch.db", description="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME (the driver is chosen for you)"
    )
    config: Path | None = Field(default=None, description="The configuration document; without one the stored revision is used")
    host: str = Field(default="127.0.0.1", description="Address to listen on; other than loopback only with an API key")
    port: int = Field(default=8000, ge=0, le=65535, description="0 = any free port")
    role: Literal["all", "api", "worker"] = Field(default="all", description="api answers HTTP, worker detects and delivers, all does both")
    public_url: str | None = Field(default=None, description="How others reach this service; for links in messages")
    admin_key: SecretStr | None = Field(
        default=None, description="An admin API key that always holds, for automation; at least 32 characters"
    )
    cursor_secret: SecretStr | None = Field(
        default=None, description="Signs list cursors; the same for all replicas. Default: made from the database"
    )
    heartbeat_url: SecretStr | None = Field(
        default=None, description="Asked by GET every minute while nothing that is due is left undone: a dead-man's switch outside"
    )
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    max_body_bytes: int = Field(default=1_048_576, ge=1024, description="Largest accepted request body")
    body_timeout: timedelta = Field(default=timedelta(seconds=10), description="A body that takes longer is refused with 408")
    queue_limit: int = Field(default=4096, ge=1, description="Inbound requests waiting for their commit; beyond it 503 with Retry-After")
    database_pool: int = Field(default=8, ge=1, le=100, description="Connections to PostgreSQL")


def environment() -> Mapping[str, str]:
    """The process's environment, for resolving `${env:NAME}` in the document."""
    return dict(os.environ)


def load_settings(environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Settings from `environ` (default: the process's own); `overrides` that are not None win. InvalidSettings names what is wrong."""
    environ = environment() if environ is None else environ
    values: dict[str, Any] = {}
    for name in Settings.model_fields:
        key = PREFIX + name.upper()
        if file := environ.get(f"{key}_FILE"):
            values[name] = _read(file, f"{key}_FILE")
        elif (value := environ.get(key)) not in (None, ""):
            values[name] = value
    values |= {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        faults = "; ".join(f"{PREFIX}{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors(include_input=False))
        raise InvalidSettings(faults) from None


def _read(file: str, key: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").removesuffix("\n")
    except OSError as error:
        raise InvalidSettings(f"{key}: cannot read {file}: {error.strerror}") from error
