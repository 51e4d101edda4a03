"""Jira: what its signature proves, the template of the docs, and what the goldens do not show."""

import hashlib
import hmac
import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.errors import InvalidSignature, Unreadable
from app.helpdesks import load
from app.rules.events import ActorKind, EventKind
from app.rules.ticket import walk
from app.rules.timeline import Timeline
from tests.helpdesks.deliveries import RECEIVED_AT, golden, golden_files, read, request, source

BODY = b'{"issue": {"key": "HELP-1"}}'
GOLDEN = {file.stem: golden(file)["body"] for file in golden_files("jira")}
PAGE = Path(__file__).resolve().parents[2] / "docs" / "helpdesks" / "jira.md"


def signed(method: str = "sha256", secret: str = "s3cret", body: bytes = BODY) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, getattr(hashlib, method)).hexdigest()
    return {"X-Hub-Signature": f"{method}={digest}"}


def accepts(headers: dict[str, str], *, body: bytes = BODY, **said: Any) -> bool:
    try:
        load("jira").verify(request(body, headers), source("jira", **said), RECEIVED_AT)
    except InvalidSignature:
        return False
    return True


def filled(**values: str) -> dict[str, Any]:
    """The template of the docs, its smart values filled with these (dots are double underscores), the others with nothing."""
    (text,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    known = {name.replace("__", "."): value for name, value in values.items()}
    body: dict[str, Any] = json.loads(re.sub(r"\{\{(.*?)\}\}", lambda match: known.pop(match[1], ""), text))
    assert not known, f"the template does not tell {known}"
    return body


@pytest.mark.parametrize(("method", "accepted"), [("sha256", True), ("sha384", True), ("sha512", True), ("sha1", False), ("md5", False)])
def test_a_method_may_grow_stronger_but_never_weaker(method: str, accepted: bool) -> None:
    assert accepts(signed(method)) is accepted


def test_only_a_signature_of_ours_over_these_bytes_is_accepted() -> None:
    wrong = [{}, {"X-Hub-Signature": ""}, {"X-Hub-Signature": "sha256="}, {"X-Hub-Signature": "sha256"}, signed(secret="other")]

    assert accepts(signed(secret="new"), secret=["old", "new"])
    assert not any(accepts(headers) for headers in wrong)
    assert not accepts(signed(), body=BODY + b"\n")


def test_automation_is_verified_by_a_header() -> None:
    said: dict[str, Any] = {"secret": None, "verify": {"header": "X-SLA-Token", "secret": "t0ken"}}

    assert [accepts({"X-SLA-Token": "t0ken"}, **said), accepts({"X-SLA-Token": "other"}, **said)] == [True, False]


def test_a_field_has_to_be_a_custom_field() -> None:
    with pytest.raises(ValidationError, match="customfield"):
        source("jira", fields={"tier": "Plan"})


def test_a_retry_without_identifier_has_the_same_key_and_another_change_another() -> None:
    config = source("jira")
    body = GOLDEN["data_center_status_changed"]
    later = {**body, "timestamp": body["timestamp"] + 1}
    keys = [read(config, told).events[0].key for told in (body, body, later)]

    assert keys[0] == keys[1] != keys[2]


def test_a_comment_that_two_webhooks_tell_is_one_word() -> None:
    config = source("jira")
    created = read(config, GOLDEN["created_by_customer"], {"X-Atlassian-Webhook-Identifier": "1"}).events
    twice = [
        read(config, GOLDEN[name], {"X-Atlassian-Webhook-Identifier": name}).events
        for name in ("comment_by_agent", "issue_commented_in_cloud")
    ]
    ticket = walk(Timeline().extend((*created, *twice[0], *twice[1])))[-1]

    assert ticket.by_agent.first_reply_at == ticket.by_agent.last_reply_at == twice[0][0].at


def test_an_agents_comment_on_their_own_request_is_no_reply() -> None:
    config = source("jira")
    asked = read(config, GOLDEN["created_by_staff_who_ask"], {"X-Atlassian-Webhook-Identifier": "1"}).events
    said = read(config, GOLDEN["comment_by_agent"], {"X-Atlassian-Webhook-Identifier": "2"}).events  # does not name the reporter

    assert walk(Timeline().extend((*asked, *said)))[-1].by_agent.first_reply_at is None


def test_an_issue_that_moves_goes_quiet_under_its_old_key() -> None:
    events = read(source("jira"), GOLDEN["moved_to_another_project"]).events

    assert [(e.ticket, e.set.get("merged_into")) for e in events] == [("DOCK-7", None), ("HELP-12", "DOCK-7")]


@pytest.mark.parametrize(("told", "public"), [("public", True), ("private", False)])
def test_the_document_may_say_whom_untold_comments_are_for(told: str, public: bool) -> None:
    config = source("jira", others_are="agent", untold_comments=told)
    reading = read(config, GOLDEN["data_center_comment_in_a_service_project"])
    message = reading.events[0].message

    assert message is not None
    assert (message.public, reading.reason) == (public, None)


@pytest.mark.parametrize(
    ("name", "category", "status"),
    [
        ("Open", "new", "new"), ("Open", None, "open"), ("Waiting for customer", "indeterminate", "pending"),
        ("Pending", "indeterminate", "on_hold"), ("Closed", "done", "closed"), ("Abgelehnt", "done", "solved"),
        ("In Prüfung", "indeterminate", "open"), ("Resolved", None, "solved"),
    ],
)  # fmt: skip
def test_a_status_is_read_by_clear_names_then_by_category_then_by_other_names(name: str, category: str | None, status: str) -> None:
    told = {"name": name} | ({"statusCategory": {"key": category}} if category else {})
    event = read(source("jira"), {"issue": {"key": "HELP-1", "fields": {"status": told}}}).events[0]

    assert dict(event.set) == {"status": status}


def test_the_organization_may_stand_in_a_field_of_the_sources_choice() -> None:
    fields = {"customfield_10777": [{"id": "1", "value": "Buyer AG"}], "customfield_10778": 3}
    config = source("jira", organization_field="customfield_10777", fields={"seats": "customfield_10778"})
    event = read(config, {"issue": {"key": "HELP-1", "fields": fields}}).events[0]

    assert dict(event.set) == {"organization": "Buyer AG", "seats": 3}


def test_the_template_of_the_docs_can_be_pasted() -> None:
    body = filled(
        issue__key="HELP-7", issue__status__name="In Arbeit", issue__status__statusCategory__key="indeterminate", comment__id="5",
        comment__internal="false", comment__author__accountId="a:1", comment__created="2026-11-21T09:00:00.0+0000", issue__labels="",
    )  # fmt: skip
    (event,) = read(source("jira"), {**body, "event": "comment", "actor_role": "agent"}).events

    assert event.message is not None
    assert (event.ticket, event.kind, event.message.author, event.message.id) == (
        "HELP-7",
        EventKind.MESSAGE_AGENT_PUBLIC,
        ActorKind.AGENT,
        "5",
    )
    assert (event.set["status"], event.set["assignee"]) == ("open", None)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ([], ""),
        ({"issue": {}}, ""),
        ({"webhookEvent": "jira:issue_updated"}, "/issue/key"),
        ({"webhookEvent": "jira:issue_updated", "issue": []}, "/issue"),
        ({"webhookEvent": "jira:issue_updated", "issue": {"key": "A-1", "fields": "x"}}, "/issue/fields"),
        ({"schema": "slawatch.jira.v9", "issue": "A-1"}, "/schema"),
        ({"schema": "slawatch.jira.v1", "issue": ""}, "/issue"),
        ({"schema": "slawatch.jira.v1", "issue": "A-1", "event": "comment", "comment_internal": ""}, "/comment_internal"),
    ],
)
def test_a_delivery_of_the_wrong_shape_names_the_place(body: Any, pointer: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(source("jira"), body)

    assert [fault.pointer for fault in refused.value.errors] == [pointer]
