"""`check` as a whole: all findings at once, in order, and no false ones."""

from app.config.findings import SHOWN_MAX
from tests.config.support import SIGNING_SECRET, checked, example, said

TEN_ERRORS = """\
version: 1
calender: {}
calendars:
  office:
    timezone: Europe/Berln
    hours: {mon-fri: 09:00-25:00}
tiers:
  - {name: gold, match: {tags: gold}, untill: 2026-12-31}
policies:
  - name: gold
    match: {tier: glod}
    calendar: offce
    targets:
      first_response: 90
      resolution: {within: {urgnt: 1h, default: 2h}}
    escalation: wake
channels:
  chat: {kind: slack, url: "${env:NOT_SET}"}
"""


def test_ten_mistakes_are_told_at_once() -> None:
    expected = [
        "2:1 unknown-key",
        "5:15 unknown-zone",
        "6:22 bad-hours",
        "8:39 unknown-key",
        "11:19 unknown-name",
        "12:15 unknown-name",
        "14:23 bad-duration",
        "15:29 unknown-name",
        "16:17 unknown-name",
        "18:28 missing-secret",
    ]

    assert expected == said(TEN_ERRORS)


def test_a_mistake_in_one_part_does_not_hide_another_in_the_same_part() -> None:
    text = (
        "policies:\n"
        "  - name: p\n"
        "    warn_at: [80, 50%, x]\n"
        "    reply_by: agnt\n"
        "    targets: {resolutio: 1h, resolution: {within: 1x, reopen: sometimes, foo: 1}}\n"
    )
    expected = [
        "3:15 bad-warning",
        "3:24 bad-warning",
        "4:15 bad-value",
        "5:15 unknown-name",
        "5:51 bad-duration",
        "5:63 bad-value",
        "5:74 unknown-key",
    ]

    assert expected == said(text)


def test_messages_name_the_nearest_right_word() -> None:
    messages = " ".join(found.message for found in checked(TEN_ERRORS).findings)

    for word in ("calendars", "Europe/Berlin", "until", "gold", "office", "urgent"):
        assert f"did you mean {word}?" in messages


def test_a_misspelled_key_is_not_told_missing_as_well() -> None:
    assert ["1:13 unknown-key"] == said("policies: [{nmae: p, targets: {}}]\n")


def test_the_empty_document_is_right() -> None:
    assert [] == said("")


def test_sections_left_empty_are_right() -> None:
    assert [] == said("calendars:\ntiers:\npolicies:\nescalations:\nsignals:\nchannels:\nsources:\ndelivery:\n")


def test_the_example_has_nothing_to_complain_of() -> None:
    assert () == example().findings


def test_a_finding_reads_file_line_column_code_message() -> None:
    (found,) = checked("version: 2\n").findings

    assert "doc.yaml:1:10 bad-value 2 is not possible here; input should be 1" == str(found)


def test_a_long_value_is_cut_and_what_does_not_print_is_escaped() -> None:
    found = checked('tiers: [{name: a, "' + "x" * 500 + '\\a\\nb": 1}]\n').findings[0]

    assert len(found.message) < 3 * SHOWN_MAX
    assert found.message.isprintable()


def test_numbers_without_quotes_are_read_as_they_are_written_where_a_text_is_wanted() -> None:
    result = checked(
        "tiers: [{name: 1.10}]\n"
        "sources: {z: {kind: zendesk, secret: 1234567890, our_user_ids: [9123, 17]}}\n"
        f"channels: {{c: {{kind: webhook, url: https://example.com/, secret: {SIGNING_SECRET}, headers: {{x-key: 7.50}}}}}}\n"
    )

    assert result.loaded is not None
    assert "1.10" == result.loaded.document.tiers[0].name
    assert "7.50" == result.loaded.channels["c"].model_dump()["headers"]["x-key"].get_secret_value()
    assert ["9123", "17"] == result.loaded.sources["z"].our_user_ids


def test_custom_statuses_and_priorities_that_look_like_no_canonical_one_are_right() -> None:
    text = (
        "metrics: {approval: {open_while: {status: waiting_for_approval}}}\n"
        "policies: [{name: p, match: {priority: [p1, URGENT]}, targets: {approval: {P1: 1h, default: 2h}}}, {name: q, targets: {}}]\n"
    )

    assert [] == said(text)


def test_tiers_that_only_events_state_may_be_matched() -> None:
    assert [] == said("policies: [{name: p, match: {tier: gold}, targets: {}}, {name: q, targets: {}}]\n")


def test_patterns_are_no_names() -> None:
    assert [] == said("tiers: [{name: gold}]\npolicies: [{name: p, match: {tier: 'g*'}, targets: {}}, {name: q, targets: {}}]\n")


def test_a_plain_day_is_clear_where_the_clock_runs_around_it() -> None:
    text = (
        "calendars: {c: {timezone: UTC, hours: {mon: 9:00-17:00}}}\n"
        "policies:\n"
        "  - {name: p, warn_at: 1d before, targets: {resolution: 2d, first_response: {within: 2bd, calendar: c, warn_at: 50%}}}\n"
    )

    assert [] == said(text)


def test_what_is_allowed_in_a_network_of_ones_own_is_no_blocked_address() -> None:
    text = "channels: {c: {kind: webhook, url: 'https://10.1.2.3/x', secret: '${env:KEY}', events: [sla.*]}}\n"
    opened = text + "delivery: {allow_networks: '${env:NET}'}\n"

    assert ["1:36 blocked-url"] == said(text, {"KEY": SIGNING_SECRET})
    assert [] == said(opened, {"KEY": SIGNING_SECRET, "NET": "10.0.0.0/8"})


def test_too_many_calendars_are_refused_before_they_are_all_compiled() -> None:
    text = "calendars:\n" + "".join(f"  c{number}: {{timezone: UTC}}\n" for number in range(502))

    assert "1:1 too-large" == said(text)[0]
