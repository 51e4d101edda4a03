"""Labels that say what a tracker has no field for."""

import pytest

from app.helpdesks import _labels
from tests.helpdesks.deliveries import source


@pytest.mark.parametrize(
    ("labels", "priority"),
    [
        (["bug"], None), ([], None), (["priority/P1"], "urgent"), (["priority: high"], "high"), (["Priority::3"], "normal"),
        (["prio-low"], "low"), (["priority/low", "priority/critical"], "urgent"), (["priority/whenever"], None), (["high"], None),
        (["P1"], None), (["priority"], None), (["low priority"], None),
    ],
)  # fmt: skip
def test_a_label_tells_a_priority_if_it_is_about_priorities(labels: list[str], priority: str | None) -> None:
    assert _labels.priority(labels, source("github")) == priority


def test_a_label_that_the_document_names_needs_no_prefix() -> None:
    config = source("github", priority_map={"P1": "high", "on fire": "urgent"})

    assert [_labels.priority([label], config) for label in ("p1", "On-Fire", "priority/P1")] == ["high", "urgent", "high"]


def test_a_label_is_a_status_only_if_the_document_says_so() -> None:
    config = source("github", status_map={"waiting for parts": "on_hold"})

    assert [_labels.status([label], config) for label in ("Waiting-for-parts", "pending")] == ["Waiting-for-parts", None]
