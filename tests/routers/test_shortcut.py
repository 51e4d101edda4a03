"""Webhooks go past the framework, and nobody can tell."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from app.routers.middleware import Bodies, Edge
from app.routers.shortcut import Service, Webhooks
from app.telemetry import metrics
from tests.routers.api import Api, problem

PATH = "/v1/sources/desk/webhook"
DESK = {"authorization": "Bearer desk-secret", "content-type": "application/json"}
HOOK = {"id": "d1", "ticket": 7, "at": "2026-03-02T08:59:00Z", "status": "open", "subject": "Printer on fire"}
ROUTE = "/v1/sources/{source}/webhook"


def hot(api: Api, now: Callable[[], datetime] | None = None, **bounds: Any) -> Service:
    """What answers webhooks, with other bounds or another clock than the application has, and nothing else."""
    service = Service()
    service.hot = Edge(Webhooks(replace(api.parts, now=now or api.clock)), Bodies(**{"limit": 10_000, "seconds": 5} | bounds))
    return service


async def post(app: ASGIApp, content: Any) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", headers=DESK) as client:
        return await client.post(PATH, content=content)


@pytest.mark.parametrize("path", [PATH, "/v1/sources/de%73k/webhook"])
async def test_an_address_that_has_to_be_decoded_gets_the_same_answer_as_the_plain_one(api: Api, path: str) -> None:
    applied, refused = [await api.post(path, json=HOOK, headers=headers) for headers in (DESK, {"authorization": "Bearer wrong"})]

    assert (202, "applied") == (applied.status_code, applied.json()["outcome"])
    assert ["content-length", "content-type", "x-request-id"] == list(applied.headers)[:3]
    assert ("application/json", "nosniff", "no-store") == tuple(
        applied.headers[name] for name in ("content-type", "x-content-type-options", "cache-control")
    )
    assert {"www-authenticate", "x-request-id", "content-security-policy"} <= set(refused.headers)
    problem(refused, 401, "invalid_signature")


async def test_whose_webhook_it_is_stands_between_two_slashes(api: Api) -> None:
    inside, other = await api.post("/v1/sources/desk%2Fdesk/webhook", json=HOOK), await api.post("/v1/sources/desk/desk/webhook", json=HOOK)

    assert "desk%2Fdesk" in problem(inside, 404, "source_not_found").detail
    problem(other, 404, "not_found")
    problem(await api.get(PATH), 405, "method_not_allowed")
    problem(await api.post(PATH + "?x=%00", json=HOOK), 400, "invalid_request")


async def test_webhooks_are_counted_under_their_route(api: Api) -> None:
    labels = {"method": "POST", "route": ROUTE, "status": "202"}
    before = metrics.value("slawatch_http_requests_total", labels) or 0
    await api.post(PATH, json=HOOK, headers=DESK)

    assert before + 1 == metrics.value("slawatch_http_requests_total", labels)


async def test_an_unexpected_error_is_logged_and_a_problem_that_says_nothing_of_its_cause(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> datetime:
        raise RuntimeError("the secret is 42")

    answer = await post(hot(api, broken), json.dumps(HOOK))

    [logged] = [record for record in caplog.records if getattr(record, "event", None) == "http.failed"]

    assert "42" not in problem(answer, 500, "internal_error").detail
    assert logged.exc_info is not None
    assert "the secret is 42" == str(logged.exc_info[1])


async def test_a_webhook_that_is_too_large_or_too_slow_is_refused(api: Api) -> None:
    async def stream() -> Any:
        for _ in range(3):
            yield b" " * 500

    async def endless() -> Any:
        yield b"{"
        await asyncio.Event().wait()

    app = hot(api, limit=1000, seconds=0.05)

    problem(await post(app, b" " * 1001), 413, "payload_too_large")
    problem(await post(app, stream()), 413, "payload_too_large")
    problem(await post(app, endless()), 408, "request_timeout")


async def test_a_helpdesk_that_goes_away_is_no_error_of_ours(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        raise AssertionError("nobody is there to be answered")

    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": PATH,
        "query_string": b"",
        "headers": [],
        "path_params": {"source": "desk"},
    }
    await hot(api)(scope, receive, send)

    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    assert metrics.value("slawatch_http_requests_total", {"method": "POST", "route": ROUTE, "status": "499"})


async def test_bodies_of_both_ways_share_the_room(api: Api) -> None:
    [behind] = [each.kwargs["bodies"] for each in api.app.user_middleware]

    assert isinstance(api.app, Service)
    assert isinstance(api.app.hot, Edge)
    assert api.app.hot.bodies is behind
