"""What every request passes, on a small application of the same shape."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import Body, FastAPI, Request
from starlette.responses import JSONResponse

from app.routers import problems
from app.routers.middleware import Bodies, Edge, plain_segment
from app.telemetry import metrics

LIMIT = 1000


def small_app(seconds: float = 5) -> FastAPI:
    app = FastAPI(redirect_slashes=False)

    @app.get("/things/{name}")
    async def thing(name: str) -> dict[str, str]:
        return {"name": plain_segment(name)}

    @app.get("/things/{name}/parts")
    async def parts(name: str) -> dict[str, str]:
        return {"parts_of": plain_segment(name)}

    @app.post("/things/{name}:test")
    async def test(name: str) -> dict[str, str]:
        return {"tested": plain_segment(name)}

    @app.post("/raw")
    async def raw(request: Request) -> JSONResponse:
        return JSONResponse({"size": len(await request.body())})

    @app.post("/declared")
    async def declared(body: dict[str, int] = Body()) -> dict[str, int]:
        return body

    @app.get("/boom")
    async def boom() -> None:
        raise RuntimeError("the secret is 42")

    problems.install(app)
    app.add_middleware(Edge, bodies=Bodies(limit=LIMIT, seconds=seconds))
    return app


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(small_app()), base_url="http://test") as made:
        yield made


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/things/plain", {"name": "plain"}),
        ("/things/desk:owner%2Frepo%231", {"name": "desk:owner/repo#1"}),
        ("/things/desk:owner%2frepo/parts", {"parts_of": "desk:owner/repo"}),
        ("/things/50%25", {"name": "50%"}),
        ("/things/a%252Fb", {"name": "a%2Fb"}),
        ("/things/a%2Fparts", {"name": "a/parts"}),
        ("/things/%C3%A9t%C3%A9", {"name": "été"}),
        ("/things/%FF", {"name": "\ufffd"}),
        ("/things/a:b:c", {"name": "a:b:c"}),
    ],
)
async def test_an_encoded_slash_belongs_to_its_segment(client: httpx.AsyncClient, path: str, answer: dict[str, str]) -> None:
    assert answer == (await client.get(path)).json()


async def test_a_colon_in_a_name_is_not_taken_for_the_verb(client: httpx.AsyncClient) -> None:
    assert {"tested": "a:b"} == (await client.post("/things/a:b:test")).json()


@pytest.mark.parametrize("path", ["/things/a%00b", "/things/a?x=%00"])
async def test_a_nul_in_the_address_is_refused(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)

    assert (400, "invalid_request") == (answer.status_code, answer.json()["code"])


async def test_a_sane_request_id_is_kept_and_in_the_problem(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nothing", headers={"x-request-id": "abc-123"})

    assert ("abc-123", "abc-123") == (answer.headers["x-request-id"], answer.json()["request_id"])


@pytest.mark.parametrize("wild", ["", "a b", "x" * 129, "-x", "a\tb", '{"a":1}'])
async def test_a_wild_request_id_is_replaced(client: httpx.AsyncClient, wild: str) -> None:
    answer = await client.get("/things/a", headers={"x-request-id": wild})

    assert answer.headers["x-request-id"].startswith("req_")


async def test_every_answer_carries_the_security_headers(client: httpx.AsyncClient) -> None:
    for path in ("/things/a", "/nothing", "/boom"):
        headers = (await client.get(path)).headers

        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"


async def test_an_unexpected_error_is_a_problem_that_says_nothing_of_its_cause(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await client.get("/boom")

    assert (500, "internal_error") == (answer.status_code, answer.json()["code"])
    assert "42" not in answer.text
    assert "http.failed" in [getattr(record, "event", None) for record in caplog.records]


@pytest.mark.parametrize("path", ["/raw", "/declared"])
async def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_read(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.post(path, content=b"x" * (LIMIT + 1))

    assert (413, "payload_too_large", "close") == (answer.status_code, answer.json()["code"], answer.headers["connection"])


@pytest.mark.parametrize("path", ["/raw", "/declared"])
async def test_a_body_of_unknown_size_is_refused_while_it_streams_in(client: httpx.AsyncClient, path: str) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 100
            yield b"x" * 100

    answer = await client.post(path, content=endless(), headers={"content-type": "application/json"})

    assert (413, "payload_too_large") == (answer.status_code, answer.json()["code"])
    assert sent <= LIMIT + 100


async def test_a_body_of_just_the_limit_is_fine(client: httpx.AsyncClient) -> None:
    assert {"size": LIMIT} == (await client.post("/raw", content=b"x" * LIMIT)).json()


@pytest.mark.parametrize("path", ["/raw", "/declared"])
async def test_a_body_that_does_not_end_in_time_is_refused(path: str) -> None:
    status, body = await _exchange(small_app(seconds=0.05), path, [{"type": "http.request", "body": b"{", "more_body": True}])

    assert (408, "request_timeout") == (status, body["code"])


async def test_a_body_that_comes_in_pieces_with_pauses_is_taken_together() -> None:
    status, body = await _exchange(
        small_app(), "/raw", [{"type": "http.request", "body": b"x" * 10, "more_body": more} for more in (True, True, False)], pauses=3
    )

    assert (200, {"size": 30}) == (status, body)


async def test_who_is_cancelled_while_the_body_comes_stops_at_once() -> None:
    waiting = asyncio.create_task(_exchange(small_app(), "/raw", []))
    await asyncio.sleep(0)
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_receiver_that_fails_while_it_waits_is_an_error_that_is_answered() -> None:
    async def broken() -> Any:
        await asyncio.sleep(0)
        raise OSError("the wire is cut")

    status, body = await _exchange(small_app(), "/raw", [], broken)

    assert (500, "internal_error") == (status, body["code"])


async def test_a_client_that_goes_away_is_no_error_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    status, _ = await _exchange(
        small_app(), "/raw", [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    )

    assert status is None
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_requests_are_counted_by_route_and_not_by_path(client: httpx.AsyncClient) -> None:
    labels = {"method": "GET", "route": "/things/{name}", "status": "200"}
    before = metrics.value("slawatch_http_requests_total", labels) or 0
    await client.get("/things/one")
    await client.get("/things/two")
    await client.request("BREW", "/things/two")

    assert metrics.value("slawatch_http_requests_total", labels) == before + 2
    assert metrics.value("slawatch_http_requests_total", {"method": "other", "route": "/things/{name}", "status": "405"})


async def _exchange(
    app: FastAPI, path: str, messages: list[dict[str, Any]], then: Callable[[], Awaitable[Any]] | None = None, *, pauses: int = 0
) -> tuple[int | None, dict[str, Any]]:
    """One POST whose body comes in these messages, each after some turns of the loop, and then what `then` says, or nothing for ever;
    status (None: no answer) and JSON."""
    sent: list[Any] = []
    left = iter(messages)

    async def receive() -> Any:
        for _ in range(pauses):
            await asyncio.sleep(0)
        message = next(left, None)
        return message if message is not None else await (then or asyncio.Event().wait)()

    async def send(message: Any) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
    }
    scope |= {"raw_path": path.encode(), "query_string": b"", "headers": [(b"content-type", b"application/json")], "state": {}}
    await app(scope, receive, send)
    status = next((message["status"] for message in sent if message["type"] == "http.response.start"), None)
    return status, json.loads(b"".join(message.get("body", b"") for message in sent) or b"{}")
