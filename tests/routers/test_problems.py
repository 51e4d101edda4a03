"""Every answer that is not a success is a problem, the framework's own included."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import Body, FastAPI
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from app import errors
from app.errors import Fault, SlaError
from app.routers import problems
from app.routers.middleware import Bodies, Edge
from app.routers.pages import problem_pages
from app.schemas.problems import Problem


class Wanted(BaseModel):
    """A body."""

    name: str
    amount: int = Field(ge=0)


def small_app() -> FastAPI:
    app = FastAPI(redirect_slashes=False)

    @app.get("/raise/{status}")
    async def raise_status(status: int) -> None:
        raise HTTPException(status, "the framework's own words")

    @app.get("/domain")
    async def domain() -> None:
        raise errors.TicketNotFound("No ticket \x00 has this id.", errors=[Fault("/a~1b", "half a \ud800 pair")])

    @app.get("/busy")
    async def busy() -> None:
        raise errors.Unavailable("Later.", headers={"Retry-After": "7"})

    @app.put("/domain")
    async def put(wanted: Wanted) -> Wanted:
        return wanted

    @app.post("/list")
    async def post(wanted: list[Wanted] = Body()) -> int:
        return len(wanted)

    problems.install(app)
    app.add_middleware(Edge, bodies=Bodies(limit=10_000, seconds=5))
    return app


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(small_app()), base_url="http://test") as made:
        yield made


def checked(answer: httpx.Response) -> Problem:
    """The problem, after what holds for all of them."""
    assert answer.headers["content-type"] == "application/problem+json"
    problem = Problem.model_validate(answer.json())
    assert (problem.status, problem.request_id) == (answer.status_code, answer.headers["x-request-id"])
    assert problem.type == f"/problems/{problem.code.replace('_', '-')}"
    return problem


async def test_an_error_of_the_domain_is_a_problem_with_its_places_and_nothing_unprintable(client: httpx.AsyncClient) -> None:
    problem = checked(await client.get("/domain"))

    assert (404, "ticket_not_found", "No ticket has this id") == (problem.status, problem.code, problem.title)
    assert problem.detail == "No ticket \ufffd has this id."
    assert [("/a~1b", "half a \ufffd pair")] == [(fault.pointer, fault.detail) for fault in problem.errors]


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "invalid_request"), (404, "not_found"), (406, "not_acceptable"), (415, "unsupported_media_type"), (418, "invalid_request")],
)
async def test_an_error_of_the_framework_is_a_problem_in_our_words(client: httpx.AsyncClient, status: int, code: str) -> None:
    problem = checked(await client.get(f"/raise/{status}"))

    assert (code, False) == (problem.code, "framework" in problem.detail)


async def test_an_unknown_address_is_a_problem(client: httpx.AsyncClient) -> None:
    assert checked(await client.get("/nothing")).code == "not_found"


async def test_a_wrong_method_is_a_problem_that_lists_the_right_ones_of_all_routes(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/domain")

    assert checked(answer).code == "method_not_allowed"
    assert {"GET", "PUT"} == set(answer.headers["allow"].split(", "))


async def test_a_503_says_when_to_come_again_once(client: httpx.AsyncClient) -> None:
    answer = await client.get("/busy")

    assert checked(answer).code == "unavailable"
    assert ["7"] == answer.headers.get_list("retry-after")


async def test_a_parameter_that_cannot_be_read_is_a_400_with_its_name(client: httpx.AsyncClient) -> None:
    problem = checked(await client.get("/raise/abc"))

    assert ("invalid_request", "/path/status") == (problem.code, problem.errors[0].pointer)


@pytest.mark.parametrize(
    ("path", "body", "status", "pointers"),
    [
        ("/domain", b'{"name": 1, "amount": -1}', 422, ["/name", "/amount"]),
        ("/domain", b"{}", 422, ["/name", "/amount"]),
        ("/domain", b"[]", 422, [""]),
        ("/list", b'[{"name": "a", "amount": 1}, {"name": "a"}]', 422, ["/1/amount"]),
        ("/domain", b'{"name"', 400, []),
        ("/domain", b"\xff", 400, []),
        ("/domain", b"[" * 9000, 400, []),
        ("/domain", b'{"name": "a", "amount": ' + b"9" * 5000 + b"}", 400, []),
        ("/domain", b"", 422, [""]),
    ],
)
async def test_a_bad_body_is_a_problem_with_pointers(
    client: httpx.AsyncClient, path: str, body: bytes, status: int, pointers: list[str]
) -> None:
    method = "PUT" if path == "/domain" else "POST"
    problem = checked(await client.request(method, path, content=body, headers={"content-type": "application/json; charset=utf-8"}))

    assert (status, pointers) == (problem.status, [fault.pointer for fault in problem.errors])


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", "application/xml", "nonsense"])
async def test_a_body_of_another_type_is_a_415(client: httpx.AsyncClient, content_type: str) -> None:
    answer = await client.put("/domain", content=b'{"name": "a", "amount": 1}', headers={"content-type": content_type})

    assert checked(answer).code == "unsupported_media_type"


def test_every_kind_of_problem_has_its_section_and_every_section_its_kind() -> None:
    kinds = {kind.slug() for kind in problems.all_kinds() if kind.__module__ in ("app.errors", "app.routers.problems")}

    assert kinds == set(problem_pages())
    assert all(len(text) > 30 for text in problem_pages().values())


def test_every_kind_names_its_status_in_its_section() -> None:
    for kind in (kind for kind in problems.all_kinds() if kind.__module__ == "app.errors" and kind is not SlaError):
        assert f"status {kind.status.value}" in problem_pages()[kind.slug()], kind


def test_operations_that_may_fail_in_several_ways_with_one_status_show_an_example_of_each() -> None:
    documented = problems.problems(errors.TicketNotFound, errors.NotFound, errors.Conflict)

    assert {404: {"ticket_not_found", "not_found"}, 409: {"conflict"}} == {
        status: set(entry["content"]["application/problem+json"]["examples"]) for status, entry in documented.items()
    }
