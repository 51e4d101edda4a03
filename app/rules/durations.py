"""Durations as people write them: `90s`, `15m`, `4h`, `1h30m`, `PT4H`, `2bd`, `80%`, `30m before`.

A duration is open time of some calendar, so a plain day has no meaning of its own: it is 24 h, and only where the caller says that the
clock runs around it (`days_allowed`: the calendar is `always`, or the span is one of wall time).
"""

import re

from app.rules.policy import BeforeDueWarning, BusinessDays, OpenTime, PercentWarning, Target
from app.rules.problems import InvalidDuration, InvalidTarget

_SIZES = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}

_NUMBER = "[0-9]{1,9}"
_SHORT = re.compile(
    rf"(?=[0-9])(?:(?P<days>{_NUMBER})d\s*)?(?:(?P<hours>{_NUMBER})h\s*)?(?:(?P<minutes>{_NUMBER})m\s*)?(?:(?P<seconds>{_NUMBER})s)?"
)
_ISO = re.compile(
    rf"P(?=[0-9T])(?:(?P<days>{_NUMBER})D)?(?:T(?=[0-9])(?:(?P<hours>{_NUMBER})H)?(?:(?P<minutes>{_NUMBER})M)?(?:(?P<seconds>{_NUMBER})S)?)?"
)
_BUSINESS_DAYS = re.compile(rf"({_NUMBER})bd(@close)?")
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)\s*%")
_BEFORE = re.compile(r"(.*\S)\s+before")


def parse_duration(text: object, *, days_allowed: bool = False) -> int:
    """The seconds (>= 0) of `1h30m` or `PT1H30M`. A day (`2d`, `P2D`) is 24 h and needs `days_allowed`.

    Raises InvalidDuration for everything else: no text, no unit, a fraction, a sign, another order of the units.
    """
    trimmed = text.strip() if isinstance(text, str) else ""
    found = _SHORT.fullmatch(trimmed) or _ISO.fullmatch(trimmed)
    if found is None:
        raise InvalidDuration(f"{text!r} is no duration; write it as 90s, 15m, 4h, 1h30m or PT4H")
    if found["days"] and not days_allowed:
        raise InvalidDuration(_two_meanings(text, int(found["days"])))
    return sum(int(found[unit] or 0) * size for unit, size in _SIZES.items())


def parse_target(text: object, *, days_allowed: bool = False) -> Target:
    """The target of `4h` (open time), `2bd` (business days: the same local time) or `2bd@close` (the end of that day).

    Raises InvalidTarget for a target of zero or less, InvalidDuration for what cannot be read.
    """
    trimmed = text.strip() if isinstance(text, str) else ""
    if trimmed.startswith("-"):
        raise InvalidTarget(f"a target of {trimmed} lies in the past; it has to be more than zero")
    in_days = _BUSINESS_DAYS.fullmatch(trimmed)
    amount = int(in_days[1]) if in_days else parse_duration(text, days_allowed=days_allowed)
    if amount == 0:
        raise InvalidTarget(f"a target of {trimmed} leaves no time; it has to be more than zero")
    return BusinessDays(amount, at_close=in_days[2] is not None) if in_days else OpenTime(amount)


def parse_warning(text: object, *, days_allowed: bool = False) -> PercentWarning | BeforeDueWarning:
    """The warning of `80%` (of the target, more than 0 and less than 100) or `30m before` (due), named as it is written.

    Raises InvalidTarget for a warning at or outside the ends, InvalidDuration for what cannot be read.
    """
    trimmed = text.strip() if isinstance(text, str) else ""
    percent = _PERCENT.fullmatch(trimmed)
    if percent is not None:
        if not 0 < float(percent[1]) < 100:
            raise InvalidTarget(f"a warning at {trimmed} is none; it lies between 0% and 100%")
        return PercentWarning(trimmed, float(percent[1]))
    before = _BEFORE.fullmatch(trimmed)
    if before is None:
        raise InvalidDuration(f"{text!r} is no warning; write it as 80% or as 30m before")
    seconds = parse_duration(before[1], days_allowed=days_allowed)
    if seconds == 0:
        raise InvalidTarget(f"a warning {trimmed} is none; that is the breach itself")
    return BeforeDueWarning(trimmed, seconds)


def format_duration(seconds: float) -> str:
    """`3h 20m`: the two largest neighbouring units, cut, not rounded; `-3h 20m` for the past. Hours are never made days."""
    total = int(abs(seconds))
    sign = "-" if seconds < 0 and total else ""
    hours, minutes, rest = total // 3600, total // 60 % 60, total % 60
    shown = ((hours, "h"), (minutes, "m")) if hours else ((minutes, "m"), (rest, "s"))
    return sign + (" ".join(f"{amount}{unit}" for amount, unit in shown if amount) or "0s")


def _two_meanings(text: object, days: int) -> str:
    return f"{text!r} could mean {days}bd (business days) or {days * 24}h of open time; write the one that is meant"
