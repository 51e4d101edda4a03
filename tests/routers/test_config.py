"""The configuration over HTTP."""

import pytest

from tests.routers.api import DOCUMENT, Api, problem

YAML = {"content-type": "application/yaml"}
OTHER = DOCUMENT.replace("resolution: 8h", "resolution: 9h")


async def test_the_document_is_read_as_json_or_as_it_was_written(api: Api) -> None:
    as_json = await api.get("/v1/config")
    as_yaml = await api.get("/v1/config", headers={"accept": "application/yaml"})

    assert (1, DOCUMENT) == (as_json.json()["revision"], as_json.json()["text"])
    assert (DOCUMENT, "application/yaml") == (as_yaml.text, as_yaml.headers["content-type"])
    assert f'"{as_json.json()["etag"]}"' == as_json.headers["etag"] == as_yaml.headers["etag"]
    assert "whsec_" not in as_yaml.text


async def test_who_has_the_document_already_is_told_so_without_it(api: Api) -> None:
    etag = (await api.get("/v1/config")).headers["etag"]
    same, other = [await api.get("/v1/config", headers={"if-none-match": value}) for value in (f'W/"x", {etag}', '"x"')]

    assert (304, b"", etag, 200) == (same.status_code, same.content, same.headers["etag"], other.status_code)


async def test_a_new_document_comes_into_force_at_once(both: Api) -> None:
    etag = (await both.get("/v1/config")).headers["etag"]
    answer = await both.client.put("/v1/config", content=OTHER, headers=YAML | {"if-match": etag})
    revisions = (await both.ok("/v1/config/revisions"))["items"]

    assert (200, 2, False) == (answer.status_code, answer.json()["revision"], answer.json()["dry_run"])
    assert answer.headers["etag"] == (await both.get("/v1/config")).headers["etag"] != etag
    assert [(2, "environment"), (1, "file")] == [(revision["number"], revision["author"]) for revision in revisions]
    assert OTHER == both.parts.live.current.text


async def test_a_document_is_replaced_only_by_who_has_seen_it(api: Api) -> None:
    problem(await api.client.put("/v1/config", content=OTHER, headers=YAML), 428, "precondition_required")
    problem(await api.client.put("/v1/config", content=OTHER, headers=YAML | {"if-match": '"old"'}), 412, "precondition_failed")


async def test_a_bad_document_changes_nothing_and_every_error_is_named(api: Api) -> None:
    bad = DOCUMENT.replace("policies:", "polcies:").replace("resolution: 8h", "resolution: soon")
    found = problem(await api.client.put("/v1/config", content=bad, headers=YAML | {"if-match": "*"}), 422, "invalid_configuration")

    assert any("unknown-key" in fault.detail and "policies" in fault.detail for fault in found.errors)
    assert DOCUMENT == (await api.ok("/v1/config"))["text"]


async def test_a_dry_run_stores_nothing(api: Api) -> None:
    answer = await api.client.put("/v1/config?dry_run=true", content=OTHER, headers=YAML | {"if-match": "*"})

    assert (2, True) == (answer.json()["revision"], answer.json()["dry_run"])
    assert 1 == (await api.ok("/v1/config"))["revision"]


async def test_a_document_is_checked_without_being_stored(api: Api) -> None:
    good = (await api.post("/v1/config:check", content=OTHER, headers=YAML)).json()
    bad = (await api.post("/v1/config:check", content="version: 1\nchanels: {}\n", headers=YAML)).json()
    empty = (await api.post("/v1/config:check", content="", headers=YAML)).json()

    assert (True, False, True) == (good["valid"], bad["valid"], empty["valid"])
    assert ("error", "unknown-key", 2, 1) == tuple(bad["findings"][0][name] for name in ("severity", "code", "line", "column"))


@pytest.mark.parametrize(
    ("content", "content_type", "status", "code"),
    [
        (b"\xff\xfe", "application/yaml", 400, "invalid_request"),
        (b"version: 1", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"x" * 1_048_577, "application/yaml", 413, "payload_too_large"),
    ],
)
async def test_what_is_no_document_is_a_clear_problem(api: Api, content: bytes, content_type: str, status: int, code: str) -> None:
    for method, path in (("PUT", "/v1/config"), ("POST", "/v1/config:check")):
        answer = await api.client.request(method, path, content=content, headers={"content-type": content_type, "if-match": "*"})

        problem(answer, status, code)


@pytest.mark.parametrize(
    "text", ["\x00", "a: &a [*a]", "[" * 2000, "'", "\ud7ff", "!!python/object:x {}", "a: b: c", "{" * 500, "%YAML 9.9\n---\n"]
)
async def test_no_text_makes_the_check_fail_otherwise_than_with_findings(api: Api, text: str) -> None:
    answer = await api.post("/v1/config:check", content=text.encode(), headers=YAML)

    assert (200, False) == (answer.status_code, answer.json()["valid"])


async def test_a_document_may_be_sent_as_json_because_json_is_yaml(api: Api) -> None:
    answer = await api.post("/v1/config:check", json={"version": 1, "policies": [{"name": "a", "targets": {"resolution": "1h"}}]})

    assert answer.json()["valid"]


async def test_only_an_admin_may_change_or_check_and_readers_may_read(api: Api) -> None:
    operator = await api.key("operate")
    problem(await api.client.put("/v1/config", content=OTHER, headers=YAML | operator | {"if-match": "*"}), 403, "forbidden")
    problem(await api.post("/v1/config:check", content=OTHER, headers=YAML | operator), 403, "forbidden")

    assert 200 == (await api.get("/v1/config", headers=await api.key("read"))).status_code
