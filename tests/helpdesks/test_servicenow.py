"""ServiceNow: the script's signature, and stories over several deliveries."""

import base64
import hashlib
import hmac
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.errors import InvalidSignature, Unreadable
from app.helpdesks import load
from app.rules.events import ActorKind, EventKind
from app.rules.timeline import Timeline
from tests.helpdesks.deliveries import RECEIVED_AT, golden, golden_files, read, request, source

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "helpdesks" / "servicenow.md").read_text()
GOLDEN: dict[str, Any] = {file.stem: golden(file)["body"] for file in golden_files("servicenow")}
BODY = b'{"sys_id": "9d38"}'


def record(**changes: Any) -> dict[str, Any]:
    """The update of the goldens with other columns."""
    told = GOLDEN["awaiting_caller"]
    return {**told, "record": {**told["record"], **changes}}


def signed(secret: str = "s3cret", at: float = RECEIVED_AT.timestamp()) -> dict[str, str]:
    stamp = str(int(at))
    code = base64.b64encode(hmac.new(secret.encode(), stamp.encode() + b"." + BODY, hashlib.sha256).digest()).decode()
    return {"X-SLA-Timestamp": stamp, "X-SLA-Signature": f"v1={code}"}


def test_only_the_scripts_signature_over_these_bytes_and_now_is_accepted() -> None:
    verify, config = load("servicenow").verify, source("servicenow")
    wrong = [signed("other"), {}, signed(at=RECEIVED_AT.timestamp() - 301), {"X-SLA-Signature": signed()["X-SLA-Signature"]}]

    verify(request(BODY, signed()), config, RECEIVED_AT)
    verify(request(BODY, signed(at=0)), source("servicenow", tolerance="off"), RECEIVED_AT)
    for headers in wrong:
        with pytest.raises(InvalidSignature):
            verify(request(BODY, headers), config, RECEIVED_AT)


def test_the_script_of_the_docs_signs_and_sends_what_is_read() -> None:
    (script,) = re.findall(r"```javascript\n(.*?)```", PAGE, re.DOTALL)
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    fields = set(re.findall(r"'(\w+)'", script.partition("FIELDS: [")[2].partition("]")[0]))

    assert set(json.loads(example)["record"]) <= fields
    assert set(json.loads(example)) == {"schema", "event", "author", "journal", "table", "url", "record", "names"}
    assert all(f"told.{name} =" in script for name in ("schema", "table", "url", "record", "names"))
    assert "generateMac(key, 'HmacSHA256', at + '.' + body)" in script
    assert read(source("servicenow"), json.loads(example)).events[0].kind is EventKind.MESSAGE_AGENT_PUBLIC


def test_the_record_beside_a_comment_and_the_update_of_its_own_are_one_event() -> None:
    config = source("servicenow")
    both = [*read(config, GOLDEN["agent_comments"]).events, *read(config, GOLDEN["awaiting_caller"]).events]

    assert ["journal:6816f79cc0a8016401c5a33be04be441", "v4"] == [event.key for event in Timeline().extend(both).events]


def test_changes_of_one_second_are_ordered_by_their_version_and_come_after_what_was_said() -> None:
    config = source("servicenow")
    told = [record(state="6", hold_reason="", sys_mod_count="6"), record(state="2", hold_reason="", sys_mod_count="5")]
    events = [read(config, body).events[0] for body in told] + [read(config, GOLDEN["agent_comments"]).events[0]]
    line = Timeline().extend(events).events

    assert [None, "open", "solved"] == [event.set.get("status") for event in line]


def test_a_deletion_counts_from_when_it_is_told() -> None:
    (event,) = read(source("servicenow"), GOLDEN["deleted"], {}, datetime(2026, 12, 1, tzinfo=UTC)).events

    assert (event.at, event.set["deleted"], event.key) == (datetime(2026, 12, 1, tzinfo=UTC), True, "deleted")


@pytest.mark.parametrize(
    ("table", "state", "status"),
    [
        ("incident", "1", "new"), ("incident", "7", "closed"), ("incident", "3", "on_hold"), ("incident", 6, "solved"),
        ("sn_customerservice_case", "10", "open"), ("sn_customerservice_case", "3", "closed"), ("sc_task", "2", "open"),
        ("sc_task", "-5", "on_hold"), ("u_their_own", "3", "closed"), ("incident", "Canceled", "closed"),
    ],
)  # fmt: skip
def test_a_state_means_what_it_means_in_its_table(table: str, state: Any, status: str) -> None:
    (event,) = read(source("servicenow"), {**record(state=state, hold_reason=""), "table": table}).events

    assert event.set["status"] == status


@pytest.mark.parametrize("status_map", [{"3": "open"}, {"3/1": "open"}, {"on hold": "open", "3": "open"}])
def test_the_documents_word_beats_ours_however_it_is_written(status_map: dict[str, str]) -> None:
    assert read(source("servicenow", status_map=status_map), record()).events[0].set["status"] == "open"


@pytest.mark.parametrize(
    ("said", "author"),
    [
        ({"author": "customer"}, ActorKind.CUSTOMER), ({"author": "system"}, ActorKind.SYSTEM), ({"author": "bot"}, ActorKind.BOT),
        ({"author": ""}, ActorKind.UNKNOWN), ({"author": "something"}, ActorKind.UNKNOWN),
        ({"author": "agent", "record": {**GOLDEN["agent_comments"]["record"], "caller_user_name": "bob.agent"}}, ActorKind.CUSTOMER),
    ],
)  # fmt: skip
def test_who_commented_is_what_the_script_found_unless_the_caller_did(said: dict[str, Any], author: ActorKind) -> None:
    message = read(source("servicenow"), {**GOLDEN["agent_comments"], **said}).events[0].message

    assert message is not None
    assert message.author is author


def test_a_work_note_without_a_role_is_an_agents_and_the_document_knows_best() -> None:
    note = {**GOLDEN["work_note"], "author": ""}
    authors = [read(source("servicenow", actor_map=known), note).events[0].actor.kind for known in ({}, {"Bob.Agent": "bot"})]

    assert authors == [ActorKind.AGENT, ActorKind.SYSTEM]


@pytest.mark.parametrize(
    "body", [{}, [], {"record": {"number": None}}, {"schema": "slawatch.zendesk.v1", "sys_id": "1"}, {"sys_id": {"value": ""}}]
)
def test_a_body_without_record_is_unreadable(body: Any) -> None:
    with pytest.raises(Unreadable):
        read(source("servicenow"), body)
