"""Whether the service is alive and ready."""

from typing import Literal

from pydantic import BaseModel, Field

from app.schemas.examples import example


class Health(BaseModel):
    """The process answers."""

    model_config = example({"status": "ok", "version": "0.1.0"})

    status: Literal["ok"]
    version: str


class ReadyCheck(BaseModel):
    """One thing that must hold."""

    name: Literal["database", "migrations", "configuration", "detection", "clocks", "escalations", "deliveries"]
    ok: bool
    detail: str = Field(description="What was found.")


class Readiness(BaseModel):
    """Whether this process should get traffic, check by check."""

    model_config = example({"status": "ready", "checks": [{"name": "database", "ok": True, "detail": "answers"}]})

    status: Literal["ready", "not_ready"]
    checks: list[ReadyCheck]
