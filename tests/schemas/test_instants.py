"""Instants on the wire."""

from datetime import UTC, datetime

import pytest

from app.schemas.instants import read_instant, rfc3339


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-11-21T09:30:00Z", "2026-11-21T09:30:00.000Z"),
        ("2026-11-21t10:30:00.5+01:00", "2026-11-21T09:30:00.500Z"),
        ("2026-11-21 10:30:00+0100", "2026-11-21T09:30:00.000Z"),
        ("2026-11-21T09:30Z", "2026-11-21T09:30:00.000Z"),
        ("2026-11-21T09:30:00.123456789Z", "2026-11-21T09:30:00.123Z"),
        ("2026-11-21T00:00:00-12:00", "2026-11-21T12:00:00.000Z"),
    ],
)
def test_an_instant_is_read_in_the_forms_people_send(text: str, shown: str) -> None:
    assert shown == rfc3339(read_instant(text))


def test_microseconds_are_kept() -> None:
    assert datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=UTC) == read_instant("2026-01-01T00:00:00.123456Z")


NONE = """
now
2026-11-21
2026-11-21T09:30:00
20261121T093000Z
2026-11-21T24:01:00Z
2026-11-21T09:30:60Z
٢٠٢٦-11-21T09:30:00Z
1999-12-31T23:59:59Z
2101-01-01T00:00:00Z
2026-11-21T09:30:00+25:00
 2026-11-21T09:30:00Z
"""


@pytest.mark.parametrize("text", NONE.split("\n"))
def test_what_is_no_instant_of_our_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_instant(text)
