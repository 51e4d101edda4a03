"""GitHub: what its signature proves, and what the goldens do not show."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import quote_plus

import pytest

from app.errors import InvalidSignature, Unreadable
from app.helpdesks import load
from app.rules.events import ActorKind
from tests.helpdesks.deliveries import RECEIVED_AT, golden, golden_files, read, request, source

BODY = b'{"action": "opened"}'
GOLDEN = {file.stem: golden(file)["body"] for file in golden_files("github")}
HEADERS = {"X-GitHub-Event": "issue_comment", "X-GitHub-Delivery": "d-1"}


def accepts(headers: dict[str, str], *, body: bytes = BODY, **said: Any) -> bool:
    try:
        load("github").verify(request(body, headers), source("github", **said), RECEIVED_AT)
    except InvalidSignature:
        return False
    return True


def signed(secret: str = "s3cret", body: bytes = BODY) -> dict[str, str]:
    return {"X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def test_only_a_signature_of_ours_over_these_bytes_is_accepted() -> None:
    wrong = [signed("other"), {}, {"X-Hub-Signature-256": ""}, {"X-Hub-Signature-256": signed()["X-Hub-Signature-256"][7:]}]

    assert accepts(signed())
    assert not any(accepts(headers) for headers in wrong)
    assert not accepts(signed(), body=BODY + b"\n")


def test_sha_1_alone_proves_nothing() -> None:
    legacy = {"X-Hub-Signature": "sha1=" + hmac.new(b"s3cret", BODY, hashlib.sha1).hexdigest()}

    assert not accepts(legacy)


def test_while_a_secret_is_changed_the_old_one_and_the_new_one_are_accepted() -> None:
    assert [accepts(signed(secret), secret=["new", "old"]) for secret in ("new", "old", "older")] == [True, True, False]


def test_a_webhook_left_at_githubs_default_form_is_read_like_json() -> None:
    body = GOLDEN["comment_by_agent"] | {"note": "a + b & c = 100 %"}
    form = b"payload=" + quote_plus(json.dumps(body)).encode()

    assert read(source("github"), form, HEADERS) == read(source("github"), body, HEADERS)


def test_without_headers_the_body_tells_what_it_is_and_is_its_own_key() -> None:
    first, again = (read(source("github"), GOLDEN["comment_by_agent"]) for _ in range(2))

    assert (first.delivery_id, first.events[0].key) == (None, again.events[0].key)
    assert first.events[0].message is not None


@pytest.mark.parametrize(
    ("association", "author"),
    [
        ("OWNER", ActorKind.AGENT), ("MEMBER", ActorKind.AGENT), ("collaborator", ActorKind.AGENT), ("NONE", ActorKind.CUSTOMER),
        ("CONTRIBUTOR", ActorKind.CUSTOMER), ("FIRST_TIME_CONTRIBUTOR", ActorKind.CUSTOMER), (None, ActorKind.UNKNOWN),
    ],
)  # fmt: skip
def test_who_comments_is_known_by_their_association(association: str | None, author: ActorKind) -> None:
    body = GOLDEN["comment_by_agent"]
    comment = {**body["comment"], "author_association": association}
    message = read(source("github"), {**body, "comment": comment}).events[0].message

    assert message is not None
    assert message.author is author


def test_the_document_knows_better_who_somebody_is() -> None:
    config = source("github", actor_map={"Ann-Outside": "agent"})
    message = read(config, GOLDEN["comment_by_customer"]).events[0].message

    assert message is not None
    assert message.author is ActorKind.AGENT


def test_a_comment_told_by_two_webhooks_is_one_message() -> None:
    first, other = (read(source("github"), GOLDEN["comment_by_agent"], {**HEADERS, "X-GitHub-Delivery": d}).events[0] for d in "ab")

    assert first.key != other.key
    assert first.message == other.message


def test_a_comment_says_nothing_of_an_issue_that_was_changed_later() -> None:
    body = GOLDEN["comment_by_agent"]
    late = {**body, "issue": {**body["issue"], "state": "closed", "updated_at": "2026-11-21T09:05:00Z"}}

    assert not {"status", "assignee", "tags"} & set(read(source("github"), late).events[0].set)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/issue/number"),
        ({"issue": []}, "/issue"),
        ({"issue": {"number": 1}, "repository": {}}, "/repository/full_name"),
        ({"issue": {"number": 1, "labels": {}}, "repository": {"full_name": "a/b"}}, "/issue/labels"),
    ],
)
def test_a_delivery_of_the_wrong_shape_names_the_place(body: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(source("github"), body, {"X-GitHub-Event": "issues"})

    assert [fault.pointer for fault in refused.value.errors] == [pointer]
