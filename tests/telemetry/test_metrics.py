"""The metrics, by the rules of Prometheus' own linter."""

import re
from collections.abc import Sequence

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from app.telemetry import metrics

UNITS = ("seconds", "bytes", "total", "info", "ratio", "revision", "successful", "fds", "messages", "endpoints", "breakers", "sources")


def families() -> Sequence[Metric]:
    return list(text_string_to_metric_families(metrics.exposition().decode()))


def test_every_metric_is_ours_by_name_has_help_and_ends_with_its_unit() -> None:
    for family in families():
        assert re.fullmatch(r"slawatch_[a-z_]+", family.name), family.name
        assert family.documentation.strip(), family.name
        assert family.name.endswith(UNITS) or family.type == "counter", family.name


def test_labels_are_few_and_none_can_be_chosen_by_a_stranger() -> None:
    allowed = {"method", "route", "status", "via", "outcome", "kind", "class", "metric", "version", "engine", "le", "state"}

    assert allowed >= {label for family in families() for sample in family.samples for label in sample.labels}


def test_the_metrics_people_alert_on_are_there_under_their_names() -> None:
    names = {family.name for family in families()}

    assert {
        "slawatch_due_to_detected_seconds",
        "slawatch_detected_to_delivered_seconds",
        "slawatch_outbox_oldest_seconds",
        "slawatch_evaluation_lag_seconds",
        "slawatch_config_last_reload_successful",
    } <= names


def test_a_sample_can_be_read_back() -> None:
    assert metrics.value("slawatch_no_such_metric") is None
