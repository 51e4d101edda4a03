"""When a delivery is tried again, and what a receiver's hints are worth."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.delivery.schedule import SCHEDULE, classify, next_attempt_at, retry_after

AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def wait(attempt: int, *, hint: datetime | None = None, expires_at: datetime | None = None, jitter: float = 0.0) -> timedelta | None:
    again = next_attempt_at(attempt, AT, outcome_hint=hint, expires_at=expires_at, jitter=jitter)
    return None if again is None else again - AT


def test_the_waits_are_those_we_publish() -> None:
    waits = [wait(attempt) for attempt in range(12)]

    assert [None if one is None else one.total_seconds() for one in waits] == [
        *(0, 5, 30, 120, 600, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
    ]


def test_after_the_last_attempt_the_delivery_is_dead() -> None:
    assert wait(12) is None


def test_with_an_expiry_the_last_wait_repeats_until_then() -> None:
    assert wait(12, expires_at=AT + 25 * HOUR) == 24 * HOUR
    assert wait(99, expires_at=AT + 25 * HOUR) == 24 * HOUR
    assert wait(12, expires_at=AT + 24 * HOUR) is None
    assert wait(1, expires_at=AT + timedelta(seconds=5)) is None


def test_a_hint_delays_but_never_hastens() -> None:
    assert wait(1, hint=AT + HOUR) == HOUR
    assert wait(7, hint=AT + HOUR) == 5 * HOUR
    assert wait(1, hint=AT - HOUR) == timedelta(seconds=5)


@given(st.integers(0, 20), st.floats(0, 1, exclude_max=True), st.none() | st.timedeltas(-2 * HOUR, 6 * HOUR))
def test_jitter_is_never_early_and_at_most_a_fifth(attempt: int, jitter: float, hint: timedelta | None) -> None:
    later = wait(attempt, hint=None if hint is None else AT + hint, expires_at=datetime.max.replace(tzinfo=UTC), jitter=jitter)
    least = max(SCHEDULE[min(attempt, 11)], hint or timedelta(0))

    assert later is not None
    assert least <= later <= least * 1.2


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("0", None),
        ("120", timedelta(seconds=120)),
        (" 120 ", timedelta(seconds=120)),
        ("21601", 6 * HOUR),
        ("999999999", 6 * HOUR),
        ("9" * 5000, 6 * HOUR),
        ("-5", None),
        ("+5", None),
        ("1e9", None),
        ("1.5", None),
        ("abc", None),
        ("١٢٠", None),
        ("120, 60", None),
        (format_datetime(AT + HOUR, usegmt=True), HOUR),
        (format_datetime(AT + 50 * HOUR, usegmt=True), 6 * HOUR),
        (format_datetime(AT - HOUR, usegmt=True), None),
        ("Sat, 21 Nov 2026 10:30:00 -0000", HOUR),
        ("Sat, 21 Nov 2026 11:30:00 +0100", HOUR),
        ("Saturday, 21-Nov-26 10:30:00 GMT", HOUR),
        ("Sat Nov 21 10:30:00 2026", HOUR),
        ("Fri, 31 Dec 9999 23:59:59 -2359", None),
        ("Fri, 99 Foo 2026 10:30:00 GMT", None),
    ],
)
def test_a_retry_after_is_read_clamped_or_ignored(value: str | None, expected: timedelta | None) -> None:
    hint = retry_after(value, AT)

    assert (None if hint is None else hint - AT) == expected


@given(st.text(max_size=40))
def test_no_header_value_breaks_the_reader(value: str) -> None:
    hint = retry_after(value, AT)

    assert hint is None or AT < hint <= AT + 6 * HOUR


@pytest.mark.parametrize(
    ("status", "name"),
    [
        *((200, "ok"), (204, "ok"), (299, "ok"), (302, "redirect"), (304, "redirect"), (400, "http_4xx"), (404, "http_4xx")),
        *((410, "http_410"), (413, "payload_too_large"), (429, "http_429"), (500, "http_5xx"), (599, "http_5xx"), (101, "protocol_error")),
        *((600, "protocol_error"), (999, "protocol_error")),
    ],
)
def test_each_status_has_its_class(status: int, name: str) -> None:
    assert classify(status) == name
