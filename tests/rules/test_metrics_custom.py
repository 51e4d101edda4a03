"""Metrics of the document: open while a condition over facts holds."""

from typing import Literal

import pytest

from app.rules.conditions import parse_condition
from app.rules.metrics import load, metric, names
from app.rules.policy import Book, CustomMetric
from tests.rules.builders import at, judged, policy, timeline


def approval(anchor: Literal["began", "created"] = "began") -> Book:
    definition = CustomMetric("approval", parse_condition({"status": "waiting_for_approval"}), anchor)
    return Book(1, (policy("everyone", approval="1h"),), metrics={"approval": definition})


def test_it_is_open_while_its_condition_holds() -> None:
    line = timeline("09:00 created", "10:00 status waiting_for_approval", "10:20 priority high", "10:30 open")

    clocks = judged(line, approval(), "12:00").of("approval")

    assert [(clock.health, clock.cycle.anchor, clock.cycle.stopped_at) for clock in clocks] == [("met", at("10:00"), at("10:30"))]


def test_each_time_it_begins_to_hold_is_a_new_cycle() -> None:
    line = timeline("09:00 status waiting_for_approval", "09:30 open", "10:00 status waiting_for_approval")

    assert [clock.cycle.anchor for clock in judged(line, approval(), "10:10").of("approval")] == [at("09:00"), at("10:00")]


def test_anchored_at_the_creation_it_is_one_promise_that_reopens() -> None:
    line = timeline("09:00 status waiting_for_approval", "09:30 open", "10:00 status waiting_for_approval")

    clocks = judged(line, approval("created"), "10:10").of("approval")

    assert [(clock.cycle.anchor, clock.due_at) for clock in clocks] == [(at("09:00"), at("10:30"))]


def test_a_deleted_ticket_promises_nothing() -> None:
    line = timeline("09:00 status waiting_for_approval", "09:30 deleted")

    assert judged(line, approval(), "12:00").last("approval").health == "cancelled"


def test_a_metric_of_the_document_beats_a_built_in_one_of_the_same_name() -> None:
    definition = CustomMetric("resolution", parse_condition({"tags": "vip"}))
    by = Book(1, (policy("everyone", resolution="1h"),), metrics={"resolution": definition})
    line = timeline("09:00 created", "10:00 tagged vip")

    assert judged(line, by, "10:10").last("resolution").cycle.anchor == at("10:00")


def test_the_built_in_metrics_are_found_by_their_names() -> None:
    assert names() == ("assignment", "first_response", "follow_up", "group_ownership", "next_response", "resolution", "update_cadence")
    assert metric("resolution", None) is load("resolution")
    with pytest.raises(KeyError):
        load("_custom")
