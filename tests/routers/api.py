"""An application under test and the client that talks to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from app.main import create_app
from app.routers.deps import Parts
from app.routers.problems import MEDIA_TYPE
from app.schemas.instants import rfc3339
from app.schemas.problems import Problem
from app.services import keys
from app.services.breaches import fire_due
from app.services.keys import Scope
from app.settings import Settings
from app.store.database import Database
from tests.support.clock import FakeClock

ADMIN = "a" * 40
ENVIRON = {"UPSTREAM_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "DESK_SECRET": "desk-secret"}
DOCUMENT = """\
version: 1
tiers:
  - {name: gold, match: {tags: gold}}
policies:
  - name: gold
    match: {tier: gold}
    targets: {first_response: 1h, resolution: 4h}
    warn_at: [50%]
  - name: support
    match: {not: {tags: unpromised}}
    targets: {first_response: 2h, resolution: 8h}
channels:
  upstream: {kind: webhook, url: "https://hooks.example.com/sla/hidden-path", secret: "${env:UPSTREAM_SECRET}", events: ["sla.*"]}
sources:
  desk:
    kind: generic
    verify: {bearer: "${env:DESK_SECRET}"}
    silent_after: 2h
    delivery_id: body.id
    events:
      - ticket: body.ticket
        key: body.id
        at: body.at
        set: {status: {from: body.status, map: {open: open, done: solved}}, subject: body.subject}
"""


@dataclass
class Api:
    """The running application, its clock, and a client with an admin key."""

    app: FastAPI
    client: httpx.AsyncClient
    clock: FakeClock
    folder: Path

    @property
    def parts(self) -> Parts:
        found: Parts = self.app.state.parts
        return found

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.client.get(path, **more)

    async def post(self, path: str, **more: Any) -> httpx.Response:
        return await self.client.post(path, **more)

    async def ok(self, path: str, **params: Any) -> Any:
        """The JSON of a GET that succeeds."""
        answer = await self.client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def send(self, *events: dict[str, Any]) -> Any:
        """Canonical events, now from `shop` unless they say otherwise; the results."""
        answer = await self.client.post("/v1/events", json=[{"source": "shop", "at": rfc3339(self.clock())} | event for event in events])
        assert answer.status_code == 202, answer.text
        return answer.json()["items"]

    async def key(self, scope: Scope) -> dict[str, str]:
        """The header of a new key of this scope."""
        _, text = await keys.create(self.parts.db, self.clock, name=f"the {scope} key", scope=scope, expires_at=None, by="test")
        return {"authorization": f"Bearer {text}"}

    async def tick(self) -> None:
        """Let detection run once, at the clock's present."""
        await fire_due(self.parts.db, self.parts.live, self.clock)


def problem(answer: httpx.Response, status: int, code: str) -> Problem:
    """The problem, after checking that it is one of this status and code."""
    assert answer.headers["content-type"] == MEDIA_TYPE, answer.text
    found = Problem.model_validate(answer.json())
    assert (found.status, found.code, answer.status_code) == (status, code, status), answer.text
    assert found.request_id == answer.headers["x-request-id"]
    return found


@asynccontextmanager
async def running(db: Database, url: str, clock: FakeClock, folder: Path, document: str = DOCUMENT, **settings: Any) -> AsyncIterator[Api]:
    """The application of a document, opened and closed."""
    file = folder / "slawatch.yaml"
    file.write_text(document, encoding="utf-8")
    chosen = Settings.model_validate({"database_url": url, "config": file, "admin_key": ADMIN, "role": "api"} | settings)
    app = create_app(chosen, now=clock, environ=ENVIRON, db=db, background=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://test", headers={"authorization": f"Bearer {ADMIN}"}
        ) as client,
    ):
        yield Api(app, client, clock, folder)
