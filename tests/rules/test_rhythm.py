"""The rhythm of a source: what is usual, and for how long silence is no alarm."""

from datetime import timedelta

from app.rules.rhythm import FLOOR, Rhythm
from tests.support.clock import START

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def steady(days: int, every: timedelta) -> Rhythm:
    return Rhythm().hear(START + every * n for n in range(int(days * DAY / every) + 1))


def office(weeks: int) -> Rhythm:
    """Every ten minutes from nine to five, on weekdays; START is a Monday at nine."""
    days = [START + timedelta(days=n) for n in range(weeks * 7) if n % 7 < 5]
    return Rhythm().hear(day + n * 10 * MINUTE for day in days for n in range(49))


def test_nothing_is_known_of_a_source_at_first() -> None:
    assert (None, None) == (Rhythm().usual_gap, Rhythm().patience)
    assert steady(6, MINUTE).patience is None, "a week has not passed"


def test_a_steady_source_is_missed_after_twenty_gaps() -> None:
    known = steady(8, 5 * MINUTE)

    assert known.usual_gap == 5 * MINUTE
    assert known.patience == 100 * MINUTE


def test_a_source_that_never_rests_is_not_missed_within_a_quarter_of_an_hour() -> None:
    assert steady(8, timedelta(seconds=10)).patience == FLOOR


def test_nights_and_weekends_do_not_alarm() -> None:
    patience = office(3).patience
    weekend = timedelta(hours=64)

    assert patience is not None
    assert weekend < patience < 2 * weekend


def test_one_long_gap_fades_and_the_usual_one_recovers() -> None:
    known = steady(8, 5 * MINUTE)
    last = known.last_at
    assert last is not None
    after = known.hear([last + 2 * DAY])
    later = after.hear(last + 2 * DAY + 5 * MINUTE * n for n in range(1, int(30 * DAY / (5 * MINUTE))))

    assert after.patience is not None
    assert later.patience is not None
    assert after.patience > 2 * DAY > later.patience


def test_the_order_in_which_arrivals_are_told_and_the_batches_they_come_in_do_not_matter() -> None:
    instants = [START + timedelta(seconds=n * n % 977 + n * 60) for n in range(300)]
    at_once = Rhythm().hear(reversed(instants))
    one_by_one = Rhythm()
    for instant in sorted(instants):
        one_by_one = one_by_one.hear([instant])

    assert at_once == one_by_one


def test_arrivals_are_counted_to_five_minutes_for_a_day() -> None:
    known = steady(3, MINUTE)
    now = START + 3 * DAY

    assert 60 <= known.count(now - timedelta(hours=1)) <= 65
    assert 1440 <= known.count(now - DAY) <= 1445
    assert len(known.steps) <= 290
