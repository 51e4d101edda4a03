"""The log: one line a record, fields by name, no secret."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from app.telemetry import logs


class Log:
    """A logger of its own whose lines can be read."""

    def __init__(self, form: Any) -> None:
        self.stream = io.StringIO()
        self.logger = logging.Logger("app.test")  # noqa: LOG001  apart from all others
        handler = logging.StreamHandler(self.stream)
        handler.setFormatter(logs.formatter(form))
        self.logger.addHandler(handler)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def log() -> Iterator[Log]:
    logs.bind()
    yield Log("json")
    logs.bind()


def test_a_record_is_one_line_of_json_with_its_fields(log: Log) -> None:
    logs.bind(request_id="req_1")
    log.logger.warning("Clock breached.", extra={"event": "clock.breached", "clock_id": "clk_1", "late_seconds": 3})
    [line] = log.lines()

    assert line.pop("at").endswith("Z")
    assert line == {
        "message": "Clock breached.",
        "level": "warning",
        "logger": "app.test",
        "event": "clock.breached",
        "clock_id": "clk_1",
        "late_seconds": 3,
        "request_id": "req_1",
    }


def test_what_was_bound_before_is_forgotten_with_the_next_request(log: Log) -> None:
    logs.bind(request_id="req_1", trace_id="t")
    logs.bind(request_id="req_2")
    log.logger.info("Answered.")
    [line] = log.lines()

    assert ("req_2", False) == (line["request_id"], "trace_id" in line)


@pytest.mark.parametrize("name", ["authorization", "api_key", "client_secret", "Cookie", "webhook_signature", "token", "db_password"])
def test_a_field_that_holds_a_secret_is_blanked(log: Log, name: str) -> None:
    log.logger.info("Sent.", extra={name: "hunter2"})

    assert "[redacted]" == log.lines()[0][name]


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_shows_where_but_never_the_values_of_variables(form: str) -> None:
    log = Log(form)
    try:
        raise_with("hunter" + str(2))
    except ValueError:
        log.logger.exception("It failed.", extra={"event": "test.failed"})

    assert "raise_with" in log.stream.getvalue()
    assert "hunter2" not in log.stream.getvalue()


def test_a_line_break_in_a_field_stays_within_the_line(log: Log) -> None:
    log.logger.info("Refused.", extra={"detail": "a\nb\x1b[31m"})

    assert 1 == len(log.stream.getvalue().splitlines())


def raise_with(secret: str) -> None:
    assert secret
    raise ValueError("no")
