"""The wiring: what is started, in which order, and what stops the start."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.errors import InvalidConfiguration, Unavailable
from app.exchange import HttpRequest
from app.main import create_app
from app.routers.deps import Parts
from app.schemas.instants import rfc3339
from app.settings import Settings
from app.timesource import utc_now

KEY = {"authorization": "Bearer " + "k" * 40}


def settings(url: str, **more: Any) -> Settings:
    return Settings.model_validate({"database_url": url, "admin_key": "k" * 40, **more})


@pytest.fixture
async def client(sqlite_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """The whole service, loops and all, on SQLite."""
    app = create_app(settings(sqlite_url), environ={})
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", headers=KEY) as made,
    ):
        yield made


async def until(client: httpx.AsyncClient, path: str, wanted: str) -> Any:
    """Ask until `wanted` is in the answer; each question lets the loops run."""
    for _ in range(500):
        answer = await client.get(path)
        if wanted in answer.text:
            return answer.json()
    raise AssertionError(answer.text)


async def test_the_service_detects_a_breach_by_itself_and_becomes_ready(client: httpx.AsyncClient) -> None:
    await until(client, "/readyz", '"ready"')
    event = {"source": "shop", "ticket": "1", "at": rfc3339(utc_now()), "set": {"created_at": "2026-01-01T00:00:00Z", "status": "open"}}
    sent = await client.post("/v1/events", json=event)
    breaches = await until(client, "/v1/breaches", "brc_")

    assert 202 == sent.status_code
    assert [("resolution", "open")] == [(breach["metric"], breach["status"]) for breach in breaches["items"]]


async def test_a_broken_document_stops_the_start(sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text("version: 1\npolcies: []\n")
    app = create_app(settings(sqlite_url, config=file), environ={})

    with pytest.raises(InvalidConfiguration) as caught:
        async with app.router.lifespan_context(app):
            raise AssertionError("it has started")
    assert f"{file}:2:1" in caught.value.errors[0].detail


async def test_a_database_that_is_not_there_stops_the_start() -> None:
    app = create_app(settings("postgresql://nobody@127.0.0.1:1/none"), environ={})

    with pytest.raises(Unavailable):
        async with app.router.lifespan_context(app):
            raise AssertionError("it has started")


@pytest.mark.parametrize(
    ("role", "paths"),
    [("api", {"/v1/clocks", "/healthz", "/docs"}), ("worker", {"/healthz"}), ("all", {"/v1/clocks", "/healthz", "/docs"})],
)
async def test_a_role_answers_for_its_own(sqlite_url: str, role: str, paths: set[str]) -> None:
    app = create_app(settings(sqlite_url, role=role), environ={}, background=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", headers=KEY) as client,
    ):
        found = {path for path in ("/v1/clocks", "/healthz", "/docs") if (await client.get(path)).status_code == 200}

    assert paths == found


async def test_the_address_guard_follows_the_document_and_never_lets_us_post_to_ourselves(sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "slawatch.yaml"
    file.write_text("version: 1\ndelivery: {allow_networks: [127.0.0.0/8]}\n")
    app = create_app(settings(sqlite_url, config=file, host="127.0.0.1", port=8123), environ={}, background=False)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # taken, but nobody listens
        await _check_guard(app, silent.getsockname()[1])


async def _check_guard(app: FastAPI, silent: int) -> None:
    async with app.router.lifespan_context(app):
        parts: Parts = app.state.parts

        async def outcome(port: int) -> str | None:
            request = HttpRequest("POST", f"http://127.0.0.1:{port}/", {})
            return (await parts.client.send(request, allow_http=True)).error_class

        allowed = [await outcome(silent), await outcome(8123)]
        await parts.live.put("version: 1\n", author="test", if_match="*")
        await asyncio.sleep(0)  # the change is taken over by a task
        forbidden = [await outcome(silent), await outcome(8123)]

    assert (["connect_refused", "blocked_address"], ["blocked_address"] * 2) == (allowed, forbidden)
