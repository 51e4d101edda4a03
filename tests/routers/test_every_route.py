"""Every route against everything a stranger may do to it: always a problem, never a 500, nothing stored."""

import re
from collections.abc import Iterator
from typing import Any

from app.routers.problems import MEDIA_TYPE
from app.schemas.problems import Problem
from tests.routers.api import Api
from tests.routers.document import openapi

JSON = {"content-type": "application/json"}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "BREW")
STRANGE = ("x", "a:b:c", "%2e%2e%2f", "%F0%9F%94%A5", "x" * 2000, "'; DROP TABLE tickets; --", "%25%32%46", "tkt_%20")
BODIES: tuple[tuple[str, bytes], ...] = (
    ("nothing", b""),
    ("bad JSON", b'{"a":'),
    ("no UTF-8", b"\xff\xfe\x00"),
    ("another type", b"5"),
    ("null", b"null"),
    ("deep", b"[" * 50_000 + b"]" * 50_000),
    ("deep object", b'{"a":' * 20_000 + b"1" + b"}" * 20_000),
    ("half a pair", b'{"name": "\\ud800", "by": "\\udfff", "ticket": "\\ud800"}'),
    ("NUL", b'{"name": "\\u0000", "by": "\\u0000", "ticket": "\\u0000"}'),
    ("big number", b'{"name": ' + b"9" * 10_000 + b"}"),
    ("too large", b" " * 1_048_577),
)


def routes() -> Iterator[tuple[str, str]]:
    for path, item in openapi()["paths"].items():
        for method in item:
            yield method.upper(), path


def filled(path: str, value: str) -> str:
    return re.sub(r"\{\w+\}", value.replace("\\", r"\\"), path)


def check(answer: Any, what: object, expected: set[int]) -> None:
    assert answer.status_code in expected, (what, answer.status_code, answer.text[:300])
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == MEDIA_TYPE, what
        Problem.model_validate(answer.json())


async def test_an_unknown_id_of_whatever_shape_is_not_found(api: Api) -> None:
    for method, path in routes():
        for value in STRANGE if "{" in path else ():
            answer = await api.client.request(method, filled(path, value), content=b"{}" if method != "GET" else None, headers=JSON)

            check(answer, (method, path, value), {404})


async def test_a_nul_in_the_address_is_refused_everywhere(api: Api) -> None:
    for method, path in routes():
        if "{" in path:
            check(await api.client.request(method, filled(path, "a%00b")), (method, path), {400})
        check(await api.client.request(method, filled(path, "x") + "?x=%00"), (method, path), {400})


async def test_without_a_key_every_route_but_the_open_ones_is_closed(api: Api) -> None:
    for method, path in routes():
        answer = await api.client.request(method, filled(path, "x"), headers={"authorization": ""})

        check(answer, (method, path), {200, 404} if path in ("/healthz", "/readyz", "/metrics", "/v1/sources/{source}/webhook") else {401})


async def test_a_method_that_a_route_does_not_have_is_refused_with_those_it_has(api: Api) -> None:
    known: dict[str, set[str]] = {}
    for method, path in routes():
        known.setdefault(path, set()).add(method)
    for path, methods in known.items():
        for method in set(METHODS) - methods:
            answer = await api.client.request(method, filled(path, "x"))

            check(answer, (method, path), {405})
            assert methods <= set(answer.headers["allow"].split(", ")), (method, path)


async def test_whatever_is_sent_as_a_body_is_answered_clearly_and_nothing_of_it_is_stored(api: Api) -> None:
    for method, path in routes():
        for name, body in BODIES if method != "GET" else ():
            for content_type in ("application/json", "text/html"):
                headers = {"content-type": content_type, "if-match": "*"}
                answer = await api.client.request(
                    method, filled(path, "x") + ("?dry_run=true" if method == "PUT" else ""), content=body, headers=headers
                )
                expected = {413} if name == "too large" else {200, 400, 404, 413, 415, 422}

                check(answer, (method, path, name, content_type), expected)

    for path in ("/v1/tickets", "/v1/keys", "/v1/deliveries", "/v1/inbox"):
        assert [] == (await api.ok(path))["items"], path
