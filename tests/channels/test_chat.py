"""What the channels that people read have in common: bodies that fit, and answers of every shape."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.channels import load
from app.channels._chat import complaint, fit, fitting, smaller, with_query
from app.channels._story import tell
from app.exchange import Delivered, HttpResponse, Rejected, Retry
from tests.channels.hostile import said
from tests.channels.notices import AT

CHATS = ("discord", "google-chat", "mattermost", "ntfy", "slack", "teams")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "message", "code", "id", "status", "ok", "retry_after"]), inner, max_size=5)
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from([200, 202, 302, 400, 404, 429, 503]), st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
@pytest.mark.parametrize("kind", CHATS)
def test_no_answer_is_so_odd_that_nothing_is_made_of_it(kind: str, status: int, body: bytes) -> None:
    outcome = load(kind).interpret(HttpResponse(status, {}, body), AT)

    assert isinstance(outcome, Delivered | Retry | Rejected)
    assert isinstance(outcome, Delivered) or len(outcome.detail) < 500


@pytest.mark.parametrize(
    ("body", "text", "code"),
    [
        ({"message": "Unknown Webhook", "code": 10015}, "Unknown Webhook (10015)", "10015"),
        ({"code": 40301, "http": 403, "error": "forbidden"}, "forbidden (40301)", "40301"),
        ({"error": {"code": 404, "message": "Gone.", "status": "NOT_FOUND"}}, "Gone. (NOT_FOUND)", "NOT_FOUND"),
        ({"error": {"code": "WorkflowNotFound"}}, "WorkflowNotFound", "WorkflowNotFound"),
        ({"id": "web.x", "message": "Invalid webhook.", "status_code": 400}, "Invalid webhook. (web.x)", "web.x"),
        ({"error": "no"}, "no", ""),
        ({"error": ["x"]}, "", ""),
        ([1], "", ""),
    ],
)
def test_what_is_wrong_is_read_in_each_vendors_own_form(body: Any, text: str, code: str) -> None:
    assert complaint(HttpResponse(400, {}, json.dumps(body).encode())) == (text, code)


def test_the_first_form_that_fits_is_taken_and_at_worst_the_last() -> None:
    forms = [{"a": "ü" * 50}, {"a": "ü" * 10}, {"a": "ü"}]

    assert [json.loads(fitting(forms, limit)) for limit in (1000, 30, 10, 1)] == [forms[0], forms[1], forms[2], forms[2]]


def test_a_story_gets_smaller_by_its_subject_then_by_facts_and_links() -> None:
    url = "https://x.example/"
    whole, shorter, smallest = smaller(tell(said("A" * 500, "escalation.step", url).event))

    assert [len(each.title or "") for each in (whole, shorter, smallest)] == [206, 80, 80]
    assert (len(whole.facts), len(whole.links)) == (len(shorter.facts), len(shorter.links)) == (8, 5)
    assert [fact.name for fact in smallest.facts] == ["Policy", "Target", "Due", "State"]
    assert [link.action for link in smallest.links] == ["open_ticket", "acknowledge"]


def test_a_text_is_cut_before_it_is_escaped() -> None:
    done = fit("&" * 100, 50, lambda text: text.replace("&", "&amp;"))

    assert len(done) <= 50
    assert done.replace("&amp;", "") == "…"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://x.example/a", "https://x.example/a?wait=true"),
        ("https://x.example/a?key=k&token=t%3D", "https://x.example/a?key=k&token=t%3D&wait=true"),
        ("https://x.example/a?wait=no&b", "https://x.example/a?b&wait=true"),
    ],
)
def test_a_parameter_is_added_and_the_others_stay_as_they_are(url: str, expected: str) -> None:
    assert with_query(url, wait="true") == expected
