"""What single helpdesks do that others do not."""

from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from app.exchange import HttpResponse
from app.helpdesks.writing import Desk, WriteBackConfig, dump, kinds, load, load_order
from tests.helpdesks.deliveries import source
from tests.helpdesks.writing import fakes, more_fakes
from tests.helpdesks.writing.api import Call
from tests.helpdesks.writing.desks import CASES, NOTE, api, desk, everything, order, run


def moved(status: int, location: str) -> HttpResponse:
    return HttpResponse(status, {"location": location})


def first_read(call: Call) -> bool:
    return call.method == "GET"


@pytest.mark.parametrize("kind", kinds())
def test_our_user_is_known_by_the_write_back(kind: str) -> None:
    made = source(kind, write_back={**CASES[kind].said, "our_user_id": "tea_us"}, our_user_ids=["other"], **CASES[kind].source)

    assert made.is_ours("tea_us")
    assert made.is_ours("other")
    assert not made.is_ours("somebody")


def test_an_order_survives_the_outbox() -> None:
    ordered = everything("zendesk", known_priority="low", was_solved=True)

    assert ordered == load_order(orjson.loads(dump(ordered)), is_repeat=False)
    assert load_order(orjson.loads(dump(ordered)), is_repeat=True).is_repeat


def test_zendesk_leaves_closed_tickets_alone_even_when_they_were_solved_before() -> None:
    there = api("zendesk")
    there.ticket.status = "closed"
    done = run(everything("zendesk", was_solved=True), desk("zendesk"), there)

    assert done is not None
    assert done.dropped


def test_zendesk_is_refused_a_change_of_a_ticket_that_somebody_changed_since() -> None:
    there = api("zendesk")
    assert isinstance(there, fakes.Zendesk)

    def changed(call: Call) -> bool:
        there.stamp = "2026-03-02T09:00:01Z" if call.method == "GET" else there.stamp
        return False

    there.after.append((changed, HttpResponse(200)))
    done = run(everything("zendesk"), desk("zendesk"), there)

    assert done is not None
    assert done.response is not None
    assert 409 == done.response.status
    assert ["vip"] == there.ticket.tags


def test_zendesk_tags_that_are_null_are_none() -> None:
    there = api("zendesk")
    there.ticket.tags = None  # type: ignore[assignment]
    run(order("zendesk", tags=("late again",)), desk("zendesk"), there)

    assert ["late_again"] == there.ticket.tags


def test_a_group_that_is_no_id_and_not_named_in_the_document_is_refused_with_a_sentence() -> None:
    done = run(order("zendesk", group="Tier 2"), desk("zendesk"), api("zendesk"))

    assert done is not None
    assert done.response is None
    assert "'Tier 2' is no id of a group" in done.detail


def test_a_group_goes_by_the_id_that_the_document_gives_it() -> None:
    there = api("zendesk")
    run(order("zendesk", group="Tier 2"), desk("zendesk", groups={"Tier 2": 360}), there)

    assert 360 == there.ticket.group


def test_jira_goes_on_with_the_key_an_issue_has_now() -> None:
    there = api("jira")
    assert isinstance(there, fakes.Jira)
    there.key = "NEW-7"

    assert run(everything("jira"), desk("jira"), there) is None
    assert ["vip", "sla_breached"] == there.ticket.tags


def test_jira_notes_in_plain_projects_are_for_a_role_and_mails_can_be_spared() -> None:
    there = api("jira")
    run(everything("jira"), desk("jira", comment_role="Agents", notify_users=False), there)
    edit, comment = (next(call for call in there.calls if call.method == method) for method in ("PUT", "POST"))

    assert {"type": "role", "value": "Agents"} == comment.json["visibility"]
    assert {"notifyUsers": "false"} == edit.query


def test_jira_data_center_takes_a_personal_token_and_user_names() -> None:
    config = desk("jira", email=None).config

    assert {"authorization": "Bearer s3cret"} == config.auth


def test_freshdesk_looks_for_its_note_through_the_pages() -> None:
    there = api("freshdesk")
    assert isinstance(there, fakes.Freshdesk)
    there.older = 150
    there.ticket.notes = [NOTE]
    run(order("freshdesk", note=NOTE, is_repeat=True), desk("freshdesk"), there)

    assert [] == there.writes()
    assert ["1", "2"] == [call.query["page"] for call in there.calls if "page" in call.query]


def test_zammads_merged_tickets_are_left_alone() -> None:
    there = api("zammad")
    there.ticket.status = "merged"
    done = run(everything("zammad", was_solved=True), desk("zammad"), there)

    assert done is not None
    assert "merged" in done.detail


def test_zammad_groups_and_agents_may_be_named() -> None:
    there = api("zammad")
    run(order("zammad", group="Second Level", assignee="ann@example.com"), desk("zammad"), there)

    assert ("Second Level", "ann@example.com") == (there.ticket.group, there.ticket.assignee)


def test_intercom_tickets_are_found_where_there_is_no_such_conversation() -> None:
    there = api("intercom")
    assert isinstance(there, fakes.Intercom)
    there.of, there.ticket.status = "tickets", "in_progress"

    assert run(order("intercom", tags=("late",), note=NOTE, assignee="9"), desk("intercom"), there) is None
    assert (["vip", "late"], "9", 1) == (there.ticket.tags, there.ticket.assignee, len(there.ticket.notes))


def test_intercom_asks_for_the_id_of_a_tag_once() -> None:
    at, there = desk("intercom"), api("intercom")
    run(order("intercom", tags=("late",)), at, there)
    there.ticket.tags.clear()
    run(order("intercom", tags=("late",)), at, there)

    assert 1 == there.writes().count("POST /tags")


def test_a_merged_help_scout_conversation_is_followed_once() -> None:
    there = api("help-scout")
    there.instead.append((first_read, moved(301, "https://api.helpscout.net/v2/conversations/42")))

    assert run(order("help-scout", tags=("late",), ticket="41"), desk("help-scout"), there) is None
    assert ["vip", "late"] == there.ticket.tags


def test_one_that_is_moved_and_moved_again_is_given_up() -> None:
    there = api("help-scout")
    there.instead += [(first_read, moved(301, "https://api.helpscout.net/v2/conversations/42")) for _ in range(2)]
    done = run(order("help-scout", tags=("late",), ticket="41"), desk("help-scout"), there)

    assert done is not None
    assert done.dropped
    assert [] == there.writes()


@pytest.mark.parametrize(("kind", "status"), [("zendesk", 302), ("jira", 301), ("zammad", 307), ("github", 302)])
def test_a_redirect_where_tickets_do_not_move_so_is_a_refusal_and_not_followed(kind: str, status: int) -> None:
    there = api(kind)
    there.instead.append((first_read, moved(status, "https://login.example.com/sso")))
    done = run(everything(kind), desk(kind), there)

    assert done is not None
    assert done.response is not None
    assert (status, False, 1) == (done.response.status, done.dropped, len(there.calls))


def test_a_redirect_to_the_same_ticket_is_a_wrong_address() -> None:
    there = api("help-scout")
    there.instead.append((first_read, moved(301, "https://api.helpscout.net/v2/conversations/42")))
    done = run(everything("help-scout"), desk("help-scout"), there)

    assert done is not None
    assert not done.dropped
    assert "redirect" in done.detail


def test_help_scouts_token_is_kept_and_got_anew_when_it_is_refused() -> None:
    at, there = desk("help-scout"), api("help-scout")
    assert isinstance(there, fakes.HelpScout)
    run(order("help-scout", tags=("one",)), at, there)
    run(order("help-scout", tags=("two",)), at, there)
    assert 1 == there.tokens
    there.instead.append((first_read, HttpResponse(401)))

    assert run(order("help-scout", tags=("three",)), at, there) is None
    assert 2 == there.tokens
    assert ["vip", "one", "two", "three"] == there.ticket.tags


def test_hubspot_tags_may_be_choices_of_one_property() -> None:
    there = api("hubspot")
    asked = desk("hubspot", tag_property="marks")
    run(order("hubspot", tags=("late",)), asked, there)
    [change] = [call.json for call in there.calls if call.method == "PATCH"]

    assert {"properties": {"marks": "late"}} == change


def test_front_needs_the_ids_of_tags() -> None:
    done = run(order("front", tags=("unheard_of",)), desk("front"), api("front"))

    assert done is not None
    assert "'unheard_of'" in done.detail


def test_servicenow_records_go_by_sys_id_too_and_unknown_ones_are_given_up() -> None:
    there = api("servicenow")
    done = run(order("servicenow", tags=("late",), ticket=more_fakes.ServiceNow.sys_id), desk("servicenow"), there)

    assert f"sys_id={more_fakes.ServiceNow.sys_id}" == there.calls[0].query["sysparm_query"]
    assert done is not None
    assert done.dropped


@pytest.mark.parametrize(
    ("kind", "ticket"),
    [("servicenow", "INC1^ORDERBYsys_id"), ("salesforce", "500' OR Name != '"), ("github", "acme/desk"), ("gitlab", "17")],
)
def test_a_name_that_is_none_of_theirs_is_never_put_into_a_query(kind: str, ticket: str) -> None:
    there = api(kind)
    done = run(order(kind, tags=("late",), note=NOTE, ticket=ticket), desk(kind), there)

    assert done is not None
    assert [] == [call for call in there.calls if "oauth" not in call.path]


def test_salesforces_limit_of_the_day_is_waited_for() -> None:
    there = api("salesforce")
    limit = HttpResponse(403, {}, b'[{"errorCode": "REQUEST_LIMIT_EXCEEDED"}]')
    there.instead.append((first_read, limit))
    done = run(everything("salesforce"), desk("salesforce"), there)

    assert done is not None
    assert done.again


def test_github_writes_no_note_unless_public_ones_are_allowed() -> None:
    there = api("github")
    run(order("github", tags=("late",), note=NOTE), desk("github", public_notes=False), there)

    assert [] == there.ticket.notes
    assert "note" not in desk("github", public_notes=False).config.actions


def test_a_transferred_github_issue_is_followed() -> None:
    there = api("github")
    there.instead.append((first_read, moved(301, "https://api.github.com/repos/acme/desk/issues/42")))

    assert run(order("github", tags=("late",), ticket="acme/old#1"), desk("github"), there) is None
    assert ["vip", "late"] == there.ticket.tags


@pytest.mark.parametrize(("headers", "again"), [({"retry-after": "60"}, True), ({"x-ratelimit-remaining": "0"}, True), ({}, False)])
def test_githubs_403_is_a_limit_only_when_it_says_so(headers: dict[str, str], again: bool) -> None:
    there = api("github")
    there.instead.append((first_read, HttpResponse(403, headers)))
    done = run(everything("github"), desk("github"), there)

    assert done is not None
    assert again is done.again


def test_a_gitlab_issue_that_was_moved_is_left_alone() -> None:
    there = api("gitlab")
    there.instead.append((first_read, HttpResponse(200, {}, b'{"state": "closed", "moved_to_id": 9}')))
    done = run(everything("gitlab", was_solved=True), desk("gitlab"), there)

    assert done is not None
    assert done.dropped


@pytest.mark.parametrize(
    ("status", "code", "again", "dropped"), [(400, "RATELIMITED", True, False), (200, "FORBIDDEN", False, False), (200, "", False, False)]
)
def test_linears_errors_are_read_from_the_answer(status: int, code: str, again: bool, dropped: bool) -> None:
    there = api("linear")
    body = b'{"errors": [{"message": "no", "extensions": {"code": "%s"}}]}' % code.encode()
    there.instead.append((lambda _: True, HttpResponse(status, {}, body)))
    done = run(everything("linear"), desk("linear"), there)

    assert done is not None
    assert (again, dropped) == (done.again, done.dropped)


def generic(*calls: dict[str, Any]) -> dict[str, Any]:
    return {"write_back": {"requests": list(calls)}}


BODY = {"all": "{tags}", "text": "late: {tags}", "n": 7, "deep": [{"t": "{ticket}"}]}
LABEL = {"what": "tags", "url": "https://desk.example.com/{ticket}", "json": BODY}


def test_generic_requests_are_filled_in() -> None:
    there = api("generic")
    there.instead.append((lambda _: True, HttpResponse(204)))
    made = source("generic", **generic(LABEL))
    run(order("generic", tags=("a", "b"), ticket="x/../y?z"), Desk(made, getattr(made, "write_back")), there)  # noqa: B009
    [call] = there.calls

    assert "/x/../y?z" == call.path  # one segment, percent-encoded on the wire
    assert {"all": ["a", "b"], "text": "late: a b", "n": 7, "deep": [{"t": "x/../y?z"}]} == call.json


def test_generic_priorities_go_by_what_we_know_of_the_ticket() -> None:
    there = api("generic")
    run(order("generic", priority="high", known_priority="urgent"), desk("generic"), there)

    assert [] == there.calls


@pytest.mark.parametrize(
    "call",
    [
        {**LABEL, "url": "https://desk.example.com/{tickets}"},
        {**LABEL, "url": "ftp://desk.example.com/"},
        {**LABEL, "json": {"a": "{nothing}"}},
        {**LABEL, "method": "DELETE"},
        {**LABEL, "headers": {"host": "other.example.com"}},
        {**LABEL, "what": "color"},
    ],
)
def test_a_generic_request_that_cannot_work_is_refused(call: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        source("generic", **generic(call))


@pytest.mark.parametrize("kind", ["zendesk", "freshdesk", "freshservice", "gorgias"])
def test_an_account_without_its_address_is_refused(kind: str) -> None:
    said = {key: value for key, value in CASES[kind].said.items() if key != "subdomain"}

    with pytest.raises(ValidationError, match="subdomain"):
        source(kind, write_back=said)


@pytest.mark.parametrize("kind", ["groove", "hiver", "osticket"])
def test_a_helpdesk_without_an_api_for_it_takes_no_write_back(kind: str) -> None:
    with pytest.raises(ValidationError, match="write_back"):
        source(kind, write_back={"token": "x"})


def test_no_secret_is_in_the_words_of_a_refusal() -> None:
    with pytest.raises(ValidationError) as refused:
        source("zendesk", write_back={"subdomain": "a b", "email": "bot@example.com", "token": "hush-hush"})

    assert "hush-hush" not in str(refused.value)


def test_every_config_tells_what_it_can_do() -> None:
    assert all(issubclass(load(kind).Config, WriteBackConfig) and load(kind).Config.can for kind in kinds())
