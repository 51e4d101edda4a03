"""Times as helpdesks write them."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.helpdesks._times import EARLIEST, LATEST, cut_to_milliseconds, instant


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("2025-01-08T10:12:07.672717030Z", "2025-01-08T10:12:07.672717+00:00"),
        ("2025-01-08T10:12:07Z", "2025-01-08T10:12:07+00:00"),
        ("2025-01-08T10:12Z", "2025-01-08T10:12:00+00:00"),
        ("2025-01-08T10:12:07.1+02:00", "2025-01-08T08:12:07.100000+00:00"),
        ("2017-12-14 21:17:29 +0530", "2017-12-14T15:47:29+00:00"),
        ("2017/12/14 21:17:29+05", "2017-12-14T16:17:29+00:00"),
        ("2026-01-01 10:00:00 UTC", "2026-01-01T10:00:00+00:00"),
        ("2026-01-01 10:00:00", "2026-01-01T10:00:00+00:00"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00+00:00"),
        ("Thu, 14 Dec 2017 15:47:29 +0000", "2017-12-14T15:47:29+00:00"),
        ("Thu, 14 Dec 2017 15:47:29 GMT", "2017-12-14T15:47:29+00:00"),
        ("Thu Dec 14 15:47:29 2017", "2017-12-14T15:47:29+00:00"),
        (1768899600, "2026-01-20T09:00:00+00:00"),
        (1768899600.25, "2026-01-20T09:00:00.250000+00:00"),
        (1768899600123, "2026-01-20T09:00:00.123000+00:00"),
        (1768899600123456, "2026-01-20T09:00:00.123456+00:00"),
        (1768899600123456789, "2026-01-20T09:00:00.123456+00:00"),
        ("1768899600", "2026-01-20T09:00:00+00:00"),
        ("1518309200.123", "2018-02-11T00:33:20.123000+00:00"),
    ],
)
def test_a_time_is_read_as_an_instant_in_utc(written: Any, iso: str) -> None:
    assert instant(written).isoformat() == iso


@pytest.mark.parametrize(
    "written",
    [
        None, True, "", " ", "yesterday", "2026-01-20T09:00:00Z.000000000Z", "2026-13-01T00:00:00Z", "2026-02-30 10:00:00", "2026-01-20",
        "May 18, 2014", 0, -5, 1e400, float("nan"), 12345, "0", 10**30, "9" * 40, [], {}, "2026-01-01T00:00:00+99:99",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "x" * 1000,
    ],
)  # fmt: skip
def test_what_is_no_plausible_time_is_a_value_error_with_a_sentence(written: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        instant(written)


def test_a_time_without_zone_is_read_in_the_sources_zone() -> None:
    assert instant("2026-07-01 12:00:00", ZoneInfo("Europe/Berlin")) == datetime(2026, 7, 1, 10, tzinfo=UTC)


def test_a_local_time_that_occurs_twice_is_the_first() -> None:
    assert instant("2026-10-25 02:30:00", ZoneInfo("Europe/Berlin")) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(st.datetimes(min_value=EARLIEST.replace(tzinfo=None), max_value=LATEST.replace(year=2199, tzinfo=None)))
def test_iso_and_epoch_agree(naive: datetime) -> None:
    at = naive.replace(tzinfo=UTC)

    assert instant(at.isoformat()) == instant(at.isoformat().replace("T", " ")) == at
    if at.year > 1974:  # earlier milliseconds are as small as seconds
        assert instant(int(at.timestamp()) * 1000) == at.replace(microsecond=0)


def test_milliseconds_are_cut_not_rounded() -> None:
    assert cut_to_milliseconds(datetime(2026, 1, 1, 0, 0, 0, 999_999, tzinfo=UTC)).microsecond == 999_000
