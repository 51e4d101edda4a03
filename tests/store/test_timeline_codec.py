"""The timeline as a ticket row carries it."""

from app.rules.timeline import Timeline
from app.store import timeline_codec
from tests.rules.builders import at, event, timeline

LINE = timeline(
    event("09:00 #1 created by customer and created at 08:30", actor="zoe", requester="zoe", tags=("vip", "eu"), reopens=2, escalated=True),
    event("09:10 agent replies !", actor="anna", message="m1", subject=None),
    "09:20 =k1 solved",
)


def test_what_was_stored_is_what_is_loaded() -> None:
    assert timeline_codec.load(timeline_codec.dump(LINE), "desk", "1") == LINE


def test_what_was_stored_stays_as_it_is_when_something_new_happens() -> None:
    stored = timeline_codec.dump(LINE)

    longer = LINE.extend([event("09:30 reopened"), event("09:40 solved")])

    assert timeline_codec.dump(longer, stored, LINE) == timeline_codec.dump(longer)
    assert timeline_codec.dump(longer, stored, LINE).startswith(stored[:-1])
    assert timeline_codec.dump(LINE.extend([]), stored, LINE) is stored


def test_what_comes_late_is_stored_in_its_place() -> None:
    late = LINE.extend([event("09:15 =late open")])

    assert timeline_codec.dump(late, timeline_codec.dump(LINE), LINE) == timeline_codec.dump(late)
    assert timeline_codec.load(timeline_codec.dump(late), "desk", "1") == late


def test_nothing_stored_is_an_empty_timeline() -> None:
    assert timeline_codec.load(b"[]", "desk", "1") == Timeline()
    assert timeline_codec.dump(Timeline()) == b"[]"


def test_an_instant_among_the_facts_is_exact() -> None:
    precise = at("08:30").replace(microsecond=123_457)
    line = timeline(event("09:00 created", promised_for=precise))

    assert timeline_codec.load(timeline_codec.dump(line), "desk", "1").events[0].set["promised_for"] == precise
