"""Durations as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.durations import format_duration, parse_duration, parse_target, parse_warning
from app.rules.policy import BeforeDueWarning, BusinessDays, OpenTime, PercentWarning
from app.rules.problems import InvalidDuration, InvalidTarget

NO_DURATIONS = [
    "", " ", "h", "4", "4 h", "4H", "1.5h", "1,5h", "+4h", "-4h", "30m1h", "1h1h", "1h30", "PT", "P", "P1DT", "PT1.5H",
    "PT30M1H", "pt4h", "P1W", "P1M",
    "4h!", "4 hours", "2bd", "1w", "٤h", "9999999999s", "1h\x0030m", 60, 1.5, None, True, ["4h"],
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90), ("15m", 900), ("4h", 14_400), ("1h30m", 5_400), ("1h 30m", 5_400), ("1h1m1s", 3_661), ("2h5s", 7_205),
        ("0m", 0), (" 4h ", 14_400),
        ("36h", 129_600), ("100m", 6_000), ("PT4H", 14_400), ("PT1H30M", 5_400), ("PT90S", 90), ("PT0S", 0),
    ],
)  # fmt: skip
def test_a_duration_is_read_as_seconds(text: str, seconds: int) -> None:
    assert seconds == parse_duration(text)


@pytest.mark.parametrize(("text", "hours"), [("2d", 48), ("1d12h", 36), ("P1D", 24), ("P2DT12H", 60), ("4h", 4)])
def test_a_day_is_24_hours_where_days_are_allowed(text: str, hours: int) -> None:
    assert hours * 3600 == parse_duration(text, days_allowed=True)


@pytest.mark.parametrize(("text", "meanings"), [("2d", "2bd (business days) or 48h"), ("P1D", "1bd (business days) or 24h")])
def test_a_plain_day_elsewhere_is_refused_with_its_two_meanings(text: str, meanings: str) -> None:
    for read in (parse_duration, parse_target):
        with pytest.raises(InvalidDuration) as refused:
            read(text)

        assert str(refused.value) == f"{text!r} could mean {meanings} of open time; write the one that is meant"


@pytest.mark.parametrize("text", NO_DURATIONS)
def test_everything_else_is_no_duration(text: object) -> None:
    with pytest.raises(InvalidDuration, match="is no duration; write it as") as refused:
        parse_duration(text, days_allowed=True)

    assert refused.value.code == "invalid_duration"


@given(st.text(max_size=12))
def test_no_text_crashes_the_reading(text: str) -> None:
    for read in (parse_duration, parse_target, parse_warning):
        try:
            assert read(text, days_allowed=True) is not None
        except (InvalidDuration, InvalidTarget):
            continue


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("4h", OpenTime(14_400)), ("PT15M", OpenTime(900)), ("2d", OpenTime(172_800)), ("2bd", BusinessDays(2)),
        ("2bd@close", BusinessDays(2, at_close=True)),
        (" 1bd ", BusinessDays(1)),
    ],
)  # fmt: skip
def test_a_target_is_open_time_or_business_days(text: str, target: object) -> None:
    assert target == parse_target(text, days_allowed=True)


@pytest.mark.parametrize("text", ["0s", "0h0m", "PT0S", "0bd", "0bd@close", "-4h", "-2bd", "-PT4H"])
def test_a_target_of_zero_or_less_is_refused(text: str) -> None:
    with pytest.raises(InvalidTarget, match=f"^a target of {text} .* more than zero$") as refused:
        parse_target(text)

    assert refused.value.code == "invalid_target"


@pytest.mark.parametrize("text", ["2bd@open", "2 bd", "bd", "2bd@", "1bd4h", "1.5bd", None, 4])
def test_a_target_that_cannot_be_read_is_refused(text: object) -> None:
    with pytest.raises(InvalidDuration):
        parse_target(text)


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("80%", PercentWarning("80%", 80.0)), ("12.5%", PercentWarning("12.5%", 12.5)), ("0.1 %", PercentWarning("0.1 %", 0.1)),
        ("30m before", BeforeDueWarning("30m before", 1800)), ("1h30m before", BeforeDueWarning("1h30m before", 5400)),
        ("PT1H before", BeforeDueWarning("PT1H before", 3600)),
    ],
)  # fmt: skip
def test_a_warning_is_a_share_or_a_time_before_due(text: str, warning: object) -> None:
    assert warning == parse_warning(text)


@pytest.mark.parametrize("text", ["0%", "100%", "250%", "0m before"])
def test_a_warning_outside_the_target_is_refused(text: str) -> None:
    with pytest.raises(InvalidTarget, match=f"^a warning (at )?{text} is none; "):
        parse_warning(text)


def test_a_day_before_due_is_24_hours_where_days_are_allowed() -> None:
    assert parse_warning("1d before", days_allowed=True) == BeforeDueWarning("1d before", 86_400)


@pytest.mark.parametrize(
    "text", ["", "80", "-5%", "30m", "before", " before", "30 before", "1d before", "30m after", "1bd before", 80, None]
)
def test_a_warning_that_cannot_be_read_is_refused(text: object) -> None:
    with pytest.raises(InvalidDuration, match=r"is no warning; write it|is no duration|could mean"):
        parse_warning(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"), (0.9, "0s"), (-0.9, "0s"), (59.9, "59s"), (60, "1m"), (90, "1m 30s"), (3600, "1h"), (3605, "1h"),
        (12_000, "3h 20m"), (12_059, "3h 20m"),
        (-12_000, "-3h 20m"), (-61, "-1m 1s"), (176_400, "49h"), (360_060, "100h 1m"),
    ],
)  # fmt: skip
def test_people_read_at_most_two_units(seconds: float, text: str) -> None:
    assert text == format_duration(seconds)


@given(st.integers(0, 10**9))
def test_what_is_shown_can_be_read_again(seconds: int) -> None:
    unit = 60 if seconds >= 3600 else 1

    assert seconds // unit * unit == parse_duration(format_duration(seconds))
