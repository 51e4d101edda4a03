"""Mistakes in a generic mapping are found with the document, and named where they stand."""

from typing import Any

import pytest
from pydantic import ValidationError

from tests.helpdesks.deliveries import source

LEAST_RULE: dict[str, Any] = {"ticket": "body.id"}


@pytest.mark.parametrize(
    ("rule", "place", "says"),
    [
        ({"ticket": "body.["}, ("events", 0, "ticket"), "no JMESPath expression at column"),
        ({"ticket": "(" * 1000}, ("events", 0, "ticket"), "no JMESPath expression"),
        ({"ticket": "x" * 3000}, ("events", 0, "ticket"), "longer than 2000"),
        ({"ticket": ""}, ("events", 0, "ticket"), "should be a JMESPath expression"),
        ({"ticket": "ticket.id"}, ("events", 0, "ticket"), "a path begins with body, headers, item, received_at"),
        ({"ticket": "bdy.id"}, ("events", 0, "ticket"), "did you mean 'body'"),
        ({"set": {"channel": "email"}}, ("events", 0, "set", "channel", "from"), "a constant has quotes within the quotes: \"'email'\""),
        ({"when": "lenght(body.x) > `1`"}, ("events", 0, "when"), "did you mean length()"),
        ({"when": "length(body.x, body.y)"}, ("events", 0, "when"), "length() takes 1 argument(s), not 2"),
        ({"when": "not_null()"}, ("events", 0, "when"), "at least 1 argument"),
        (
            {"set": {"status": {"from": "body.s", "map": {"3": "resolved"}}}},
            ("events", 0),
            "set.status: 'resolved' is no status of ours; did you mean 'solved'",
        ),
        ({"set": {"priority": {"from": "body.s", "map": {"3": "P1"}}}}, ("events", 0), "set.priority: 'P1' is no priority of ours"),
        ({"set": {"x": {"from": "body.s", "default": "y"}}}, ("events", 0), "for null write: body.s || 'word'"),
        ({"set": {"bad name": "body.x"}}, ("events", 0, "set", "bad name", "[key]"), "match pattern"),
        ({"actor": {"role": {"from": "body.r", "map": {"x": "boss"}}}}, ("events", 0, "actor"), "role: 'boss' is not a valid ActorKind"),
        ({"actor": {"map": {"x": "boss"}}}, ("events", 0, "actor", "map", "x"), "Input should be"),
        ({"message": {"id": "body.m"}}, ("events", 0, "message", "public"), "Field required"),
        ({"colour": "red"}, ("events", 0, "colour"), "not permitted"),
    ],
)
def test_a_mistake_is_named_where_it_stands(rule: dict[str, Any], place: tuple[str | int, ...], says: str) -> None:
    with pytest.raises(ValidationError) as refused:
        source("generic", events=[{**LEAST_RULE, **rule}])

    assert [(e["loc"], says in e["msg"]) for e in refused.value.errors()] == [(place, True)]


@pytest.mark.parametrize("said", [{"events": []}, {"timezone": "Mars/Base"}, {"timezone": "../etc/passwd"}, {"timezone": ""}])
def test_a_source_that_cannot_work_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        source("generic", **said)
