"""Which changes of a document change no verdict."""

import pytest

from app.config.alike import promise_the_same

DOCUMENT = """\
version: 1
calendars:
  office: {timezone: Europe/Berlin, hours: {mon-fri: "09:00-17:00"}, holidays: [{country: DE}]}
tiers: [{name: gold, match: {tags: vip}}]
policies:
  - {name: everyone, calendar: office, targets: {resolution: 4h}, escalation: ladder}
escalations:
  ladder: {steps: [{at: breach, notify: [lead]}]}
channels:
  lead: {kind: email, to: [lead@example.com]}
retention: {messages: 30d}
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("lead@example.com", "boss@example.com"),
        ("retention: {messages: 30d}", ""),
        ("retention:", "delivery: {allow_networks: [10.0.0.0/8]}\nretention:"),
        ("retention:", "sources: {desk: {kind: generic}}\nguidance: {}\nretention:"),
        ("version: 1\n", "# Written anew.\nversion: 1\n\n"),
        ("{name: everyone, calendar: office, ", "{calendar: 'office', name: everyone, "),
    ],
)
def test_other_channels_words_and_keeping_change_no_verdict(old: str, new: str) -> None:
    changed = DOCUMENT.replace(old, new)

    assert changed != DOCUMENT
    assert promise_the_same(DOCUMENT, changed)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("09:00", "08:00"),
        ("country: DE", "country: DE, subdivision: BE"),
        ("tags: vip", "tags: gold"),
        ("resolution: 4h", "resolution: 5h"),
        ("at: breach", "at: 1h after"),
        ("retention:", "signals: {reopened: {threshold: 3}}\nretention:"),
        ("retention:", "metrics: {in_test: {open_while: {status: in_test}}}\nretention:"),
        (DOCUMENT, ""),
    ],
)
def test_what_is_promised_and_what_follows_does(old: str, new: str) -> None:
    assert not promise_the_same(DOCUMENT, DOCUMENT.replace(old, new))


def test_of_holidays_in_a_file_nobody_knows_what_they_were() -> None:
    with_file = DOCUMENT.replace("country: DE", "ical: closed.ics")

    assert not promise_the_same(with_file, with_file.replace("30d", "60d"))
    assert not promise_the_same(DOCUMENT, "version: [")
