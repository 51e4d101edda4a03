"""GitLab: what its tokens prove, and what the goldens do not show."""

import base64
import hashlib
import hmac
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from app.errors import InvalidSignature, Unreadable
from app.helpdesks import load
from app.rules.events import ActorKind
from tests.helpdesks.deliveries import RECEIVED_AT, golden, golden_files, read, request, source

BODY = b'{"object_kind": "issue"}'
KEY = base64.b64encode(b"a key of thirty-two bytes, or so").decode()
SIGNING = f"whsec_{KEY}"
GOLDEN = {file.stem: golden(file)["body"] for file in golden_files("gitlab")}


def accepts(headers: dict[str, str], *, body: bytes = BODY, late: timedelta = timedelta(0), **said: Any) -> bool:
    try:
        load("gitlab").verify(request(body, headers), source("gitlab", **said), RECEIVED_AT + late)
    except InvalidSignature:
        return False
    return True


def signed(key: str = KEY, body: bytes = BODY) -> dict[str, str]:
    stamp = str(int(RECEIVED_AT.timestamp()))
    mac = hmac.new(base64.b64decode(key), f"m-1.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {"webhook-id": "m-1", "webhook-timestamp": stamp, "webhook-signature": "v1," + base64.b64encode(mac).decode()}


def test_a_plain_token_is_compared() -> None:
    tokens = [{"X-Gitlab-Token": "s3cret"}, {"X-Gitlab-Token": "S3cret"}, {"X-Gitlab-Token": ""}, {}]

    assert [accepts(headers) for headers in tokens] == [True, False, False, False]


def test_a_signing_token_signs_id_time_and_body() -> None:
    said: dict[str, Any] = {"secret": SIGNING}

    assert accepts(signed(), **said)
    assert not accepts(signed(base64.b64encode(b"another key of thirty-two bytes!").decode()), **said)
    assert not accepts(signed(), body=BODY + b" ", **said)
    assert not accepts({**signed(), "webhook-id": "m-2"}, **said)
    assert not accepts(signed(), late=timedelta(minutes=6), **said)


def test_a_signing_token_is_no_plain_token() -> None:
    assert not accepts({"X-Gitlab-Token": SIGNING}, secret=SIGNING)


def test_while_a_plain_token_gives_way_to_a_signing_one_both_are_accepted() -> None:
    said: dict[str, Any] = {"secret": [SIGNING, "s3cret"]}
    forged = {**signed(base64.b64encode(b"another key of thirty-two bytes!").decode()), "X-Gitlab-Token": "s3cret"}

    assert accepts(signed(), **said)
    assert accepts({"X-Gitlab-Token": "s3cret"}, **said)
    assert not accepts(forged, **said)


def test_a_signing_token_that_is_none_is_refused_at_the_start() -> None:
    with pytest.raises(ValidationError, match="whsec_"):
        source("gitlab", secret="whsec_not base64!")


@pytest.mark.parametrize("header", ["Idempotency-Key", "webhook-id"])
def test_a_delivery_is_known_by_the_id_that_stays_the_same_when_it_is_resent(header: str) -> None:
    reading = read(source("gitlab"), GOLDEN["note_by_agent"], {header: "k-1", "X-Gitlab-Event-UUID": "shared"})

    assert (reading.delivery_id, reading.events[0].key) == ("k-1", "k-1")


def test_without_an_id_the_body_is_the_key() -> None:
    first, again = (read(source("gitlab"), GOLDEN["note_by_agent"]) for _ in range(2))
    other = read(source("gitlab"), GOLDEN["internal_note"])

    assert first.events[0].key == again.events[0].key != other.events[0].key


@pytest.mark.parametrize(
    ("name", "author"),
    [
        ("support-bot", ActorKind.CUSTOMER), ("Support-Bot1", ActorKind.CUSTOMER), ("group_7_bot", ActorKind.BOT),
        ("service_account_group_7_a1", ActorKind.BOT), ("project_12_bot_9f", ActorKind.BOT), ("bob", ActorKind.UNKNOWN),
    ],
)  # fmt: skip
def test_gitlabs_own_users_are_known_by_name_and_nobody_else_is(name: str, author: ActorKind) -> None:
    body = GOLDEN["note_by_agent"]
    message = read(source("gitlab"), {**body, "user": {**body["user"], "username": name}}).events[0].message

    assert message is not None
    assert message.author is author


@pytest.mark.parametrize("named", ["bob", "202", "bob@desk.example"])
def test_the_document_names_people_by_name_id_or_address(named: str) -> None:
    config = source("gitlab", actor_map={named: "agent"})
    message = read(config, GOLDEN["note_by_agent"]).events[0].message

    assert message is not None
    assert message.author is ActorKind.AGENT


def test_the_document_says_which_work_items_are_tickets() -> None:
    config = source("gitlab", types=["Task"])

    assert [read(config, GOLDEN[name]).outcome for name in ("task", "closed")] == ["applied", "ignored"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/object_kind"),
        ({"object_kind": "issue"}, "/project/path_with_namespace"),
        ({"object_kind": "issue", "project": {"path_with_namespace": "a/b"}}, "/object_attributes/iid"),
        ({"object_kind": "note", "project": {"path_with_namespace": "a/b"}, "issue": {"iid": {}}}, "/issue/iid"),
        ({"object_kind": "issue", "object_attributes": []}, "/object_attributes"),
    ],
)
def test_a_delivery_of_the_wrong_shape_names_the_place(body: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(source("gitlab"), body)

    assert [fault.pointer for fault in refused.value.errors] == [pointer]


def test_a_project_nested_too_deep_is_named_by_its_number() -> None:
    body = GOLDEN["closed"]
    project = {**body["project"], "path_with_namespace": "/".join(["a-group-with-a-long-name"] * 12)}

    assert read(source("gitlab"), {**body, "project": project}).events[0].ticket == "12#8"
