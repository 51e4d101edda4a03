"""The OpenAPI document: valid, complete, with examples that fit."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.errors import SlaError
from app.routers.problems import all_kinds
from app.schemas.events_out import event_types
from tests.routers.document import openapi

OPEN = {"receive_webhook", "healthz", "readyz", "metrics"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(document).validate()

    assert document["openapi"].startswith("3.1")


def test_every_operation_has_an_id_a_tag_that_exists_a_summary_and_its_problems(document: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    ids = [operation["operationId"] for _, _, operation in operations(document)]

    assert len(ids) == len(set(ids))
    for _, path, operation in operations(document):
        assert operation["tags"], path
        assert set(operation["tags"]) <= tags, path
        assert 8 < len(operation["summary"]) < 120, path
        assert operation["description"].endswith((".", "`.")), path
        assert "HTTPValidationError" not in str(operation), path


def test_every_operation_but_the_open_ones_names_its_scope_and_what_happens_without(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        if operation["operationId"] in OPEN:
            assert "security" not in operation, path
        else:
            [[scope]] = [need["apiKey"] for need in operation["security"]]
            assert scope in ("ingest", "read", "operate", "admin")
            assert {"401", "403", "503"} <= set(operation["responses"]), path


def test_every_answer_that_is_no_success_is_documented_as_a_problem_of_a_code_that_exists(document: dict[str, Any]) -> None:
    codes = {kind.code(): kind.status.value for kind in all_kinds() if kind is not SlaError}
    for _, path, operation in operations(document):
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert ["application/problem+json"] == list(answer["content"]), path
                examples = answer["content"]["application/problem+json"]["examples"]
                assert {code: int(status) for code in examples} == {code: codes[code] for code in examples}, path


def test_every_operation_has_an_example_of_what_comes_back_and_of_what_is_sent(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        success = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
        for media, body in success.get("content", {}).items():
            assert media != "application/json" or "example" in body, (method, path)
        for media, body in operation.get("requestBody", {}).get("content", {}).items():
            assert media != "application/json" or "example" in body or body["schema"] == {}, (method, path)


def test_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    checked = 0
    for operation in [operation for _, _, operation in operations(document)] + [hook["post"] for hook in document["webhooks"].values()]:
        for body in (operation.get("requestBody", {}), *operation["responses"].values()):
            for media in body.get("content", {}).values():
                for example in [media["example"]] if "example" in media else [each["value"] for each in media.get("examples", {}).values()]:
                    Draft202012Validator({"components": document["components"], **media["schema"]}).validate(example)
                    checked += 1

    assert checked > 200


def test_every_event_we_send_is_a_webhook_of_the_document(document: dict[str, Any]) -> None:
    assert set(event_types()) == set(document["webhooks"])
    assert all(hook["post"]["requestBody"]["content"]["application/json"]["example"] for hook in document["webhooks"].values())


def test_nothing_in_the_document_is_defined_and_never_used(document: dict[str, Any]) -> None:
    text = str(document)
    unused = {name for name in document["components"]["schemas"] if f"#/components/schemas/{name}'" not in text}

    assert set() == unused
