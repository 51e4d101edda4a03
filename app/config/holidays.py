"""Holidays of the document: five ways to say on which days a calendar is closed, and the dates they come to."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, ValidationInfo

from app.config.fields import refuse
from app.config.files import FileTrouble, read_text
from app.config.findings import shown
from app.config.ical import ICAL_MAX, NoCalendar, closed_days
from app.config.strict import Strict
from app.config.times import Date, MonthDay
from app.config.words import hint, nearest

YEARS_BACK: Final = 5
YEARS_AHEAD: Final = 12
"""Country holidays and yearly events of iCalendar files are worked out for these years around the present one."""

RANGE_MAX: Final = 3660  # days of one range: ten years


@cache
def _countries() -> Mapping[str, list[str]]:
    """Every country code of the `holidays` package -> its subdivisions, other spellings of both included."""
    import holidays  # here and below, because a document without a country needs neither its megabytes nor its time

    return holidays.list_supported_countries(include_aliases=True)


def _country(code: str) -> str:
    upper = code.strip().upper()
    if upper not in _countries():
        raise refuse("unknown-country", f"there are no holidays of a country {shown(code)}; write its two letters, as in DE")
    return upper


def _subdivision(code: str, info: ValidationInfo) -> str:
    country = info.data.get("country")
    if country is None:
        return code
    known = _countries()[country]
    found = next((name for name in known if name.casefold() == code.strip().casefold()), None)
    if found is None:
        raise refuse("unknown-country", f"{country} has no subdivision {shown(code)}{hint(code, known)}")
    return found


class CountryHolidays(Strict):
    """The public holidays of a country, or of a part of it."""

    country: Annotated[str, AfterValidator(_country)] = Field(description="ISO code, as in DE.")
    subdivision: Annotated[str, AfterValidator(_subdivision)] | None = Field(default=None, description="State or region, as in BE.")


class DateHoliday(Strict):
    """One date."""

    date: Date
    name: str = ""


class YearlyHoliday(Strict):
    """The same day of every year."""

    every: MonthDay
    name: str = ""


def _after_first(last: date, info: ValidationInfo) -> date:
    first = info.data.get("first")
    if first is not None and last < first:
        raise refuse("bad-date", "to has to be from, or later")
    if first is not None and (last - first).days >= RANGE_MAX:
        raise refuse("bad-date", f"a range has at most {RANGE_MAX} days")
    return last


class RangeHoliday(Strict):
    """From one date to another, both included."""

    first: Date = Field(alias="from")
    last: Annotated[Date, AfterValidator(_after_first)] = Field(alias="to")
    name: str = ""


class IcalHolidays(Strict):
    """The all-day events of an iCalendar file beside the document."""

    ical: str = Field(min_length=1)


_FORMS: Final = {
    "country": "a country",
    "subdivision": "a country",
    "date": "a date",
    "every": "an every",
    "from": "a range",
    "to": "a range",
    "ical": "an ical",
}


def _form(value: Any) -> str | None:
    """Which of the five it is (no label is a key, or places would be mistaken), by its keys, or else by the key most like one of theirs."""
    keys = list(value) if isinstance(value, dict) else []
    near = (nearest(key, _FORMS) for key in keys if key != "name")
    return next((_FORMS[key] for key in [*keys, *filter(None, near)] if key in _FORMS), None)


def _short(value: Any) -> Any:
    """A bare date, or a bare `12-31`, stands for itself."""
    if isinstance(value, str):
        return {"date": value} if len(value.strip()) > 5 else {"every": value}
    if _form(value) is None:
        raise refuse("wrong-type", "a holiday is one of country, date, every, from and to, ical")
    return value


_AnyHoliday = Annotated[
    Annotated[CountryHolidays, Tag("a country")]
    | Annotated[DateHoliday, Tag("a date")]
    | Annotated[YearlyHoliday, Tag("an every")]
    | Annotated[RangeHoliday, Tag("a range")]
    | Annotated[IcalHolidays, Tag("an ical")],
    Discriminator(_form),
]
Holiday = Annotated[
    _AnyHoliday,
    BeforeValidator(
        _short,
        json_schema_input_type=CountryHolidays
        | DateHoliday
        | YearlyHoliday
        | RangeHoliday
        | IcalHolidays
        | Annotated[str, Field(pattern=r"^[0-9-]+$")],
    ),
]


def yearly_holidays(entries: tuple[Holiday, ...]) -> dict[tuple[int, int], str]:
    """The days of every year among them: (month, day) -> name."""
    return {entry.every: entry.name for entry in entries if isinstance(entry, YearlyHoliday)}


def dated_holidays(entry: Holiday, today: date, base: Path) -> Mapping[date, str]:
    """The dates an entry comes to, with their names; none for a yearly one. Raises PydanticCustomError `bad-ical` for a file of no use."""
    match entry:
        case CountryHolidays():
            return _of_country(entry.country, entry.subdivision, today.year)
        case DateHoliday():
            return {entry.date: entry.name}
        case RangeHoliday():
            return {entry.first + timedelta(days=day): entry.name for day in range((entry.last - entry.first).days + 1)}
        case IcalHolidays():
            return _from_file(entry.ical, today, base)
    return {}


@lru_cache(maxsize=256)
def _of_country(country: str, subdivision: str | None, year: int) -> Mapping[date, str]:
    import holidays

    years = range(year - YEARS_BACK, year + YEARS_AHEAD + 1)
    return dict(holidays.country_holidays(country, subdiv=subdivision, years=years))


def _from_file(name: str, today: date, base: Path) -> Mapping[date, str]:
    first, last = date(max(today.year - YEARS_BACK, 1), 1, 1), date(min(today.year + YEARS_AHEAD, 9999), 12, 31)
    try:
        return closed_days(read_text(base, name, ICAL_MAX), first, last)
    except (FileTrouble, NoCalendar) as trouble:
        raise refuse("bad-ical", str(trouble)) from None
