"""Warnings that must not come where all is well."""

import pytest

from tests.config.support import SIGNING_SECRET, checked, said

ENVIRONMENT = {"KEY": SIGNING_SECRET, "URL": "https://hooks.slack.com/services/T/B/X"}
SLACK = "kind: slack, url: '${env:URL}'"
LADDER_USED = "policies: [{name: p, targets: {}, escalation: l}]\n"

QUIET = """\
calendars:
  office: {{timezone: UTC, hours: {{mon-fri: 9:00-17:00}}}}
escalations:
  l: {{steps: [{{at: breach, notify: a, immediate: {immediate}}}{more}]}}
channels:
  a: {{kind: slack, url: '${{env:URL}}', quiet: {{outside: office{override}}}}}
  b: {{kind: slack, url: '${{env:URL}}', events: [sla.*]}}
policies: [{{name: p, calendar: {calendar}, targets: {{resolution: 1h}}, escalation: l}}]
"""


@pytest.mark.parametrize(
    ("changes", "is_told"),
    [
        ({}, True),
        ({"calendar": "office"}, False),
        ({"more": ", {at: breach, notify: b}"}, False),
        ({"override": ", override: immediate", "immediate": "true"}, False),
        ({"override": ", override: immediate"}, True),
        ({"immediate": "true"}, True),
    ],
)
def test_a_ladder_sleeps_only_when_every_channel_does_while_the_clock_runs(changes: dict[str, str], is_told: bool) -> None:
    text = QUIET.format(**({"immediate": "false", "more": "", "override": "", "calendar": "always"} | changes))

    assert is_told == any("quiet-ladder" in found for found in said(text, ENVIRONMENT))


@pytest.mark.parametrize(
    "text",
    [
        f"channels: {{c: {{{SLACK}, events: [sla.breached]}}}}\n",
        f"channels: {{c: {{{SLACK}}}}}\nescalations: {{l: {{steps: [{{at: breach, notify: c}}]}}}}\n{LADDER_USED}",
        (
            "calendars: {c: {timezone: UTC, hours: {mon: 9:00-17:00}}}\n"
            "policies: [{name: p, targets: {resolution: {within: 1h, calendar: c}}}]\n"
        ),
        "tiers: [{name: gold}]\n",
        (
            "tiers: [{name: gold, match: {tags: x}}, {name: silver}]\n"
            "policies: [{name: p, match: {tier: GOLD}, targets: {}}, {name: q, targets: {}}]\n"
        ),
        "policies: [{name: p, targets: {resolution: {urgent: 1h, high: 2h, normal: 3h, low: 4h}}}]\n",
        "policies: [{name: p, targets: {resolution: {urgent: 1h, default: 2h}}}]\n",
        "escalations: {l: {steps: [{at: breach, notify: []}]}}\n" + LADDER_USED,
        "tiers: [{name: a, match: {custom_field_7: x, plan: gold, region: emea}}]\n",
        "tiers:\n  - {name: a, match: {tags: x}, until: 2026-06-30}\n  - {name: b, match: {tags: x}}\n",
    ],
)
def test_a_document_without_holes_has_no_warnings(text: str) -> None:
    assert [] == said(text, ENVIRONMENT)


def test_facts_that_a_generic_source_tells_of_are_known() -> None:
    text = (
        "sources: {s: {kind: generic, verify: none, events: [{ticket: body.id, set: {requesters: body.who}}]}}\n"
        "tiers: [{name: a, match: {requesters: Acme}}]\n"
    )

    assert [] == said(text)


ZENDESK = "kind: zendesk, secret: '${env:KEY}', write_back: {subdomain: acme, email: bot@example.com, token: '${env:KEY}'}"
HELP_SCOUT = "kind: help-scout, secret: '${env:KEY}', write_back: {app_id: a, app_secret: '${env:KEY}'}"


def marking(source: str, wanted: str) -> str:
    return (
        f"sources: {{s: {{{source}}}}}\nescalations: {{l: {{steps: [{{at: breach, write_back: {{{wanted}}}}}]}}}}\n"
        "policies: [{name: p, targets: {}, escalation: l}]\n"
    )


def test_a_step_may_want_what_some_source_can_do_to_its_tickets() -> None:
    assert [] == said(marking(ZENDESK, "tags: late, priority: urgent, note: breach, group: Tier 2"), ENVIRONMENT)


@pytest.mark.parametrize(
    ("source", "wanted", "lost"),
    [
        ("kind: zendesk, secret: '${env:KEY}'", "tags: late, note: breach", "tags, note"),
        ("kind: hiver, verify: none", "tags: late", "tags"),
        (HELP_SCOUT, "tags: late, priority: urgent", "priority"),
    ],
)
def test_a_step_that_wants_what_no_source_can_do_is_told(source: str, wanted: str, lost: str) -> None:
    (found,) = checked(marking(source, wanted), ENVIRONMENT).findings

    assert ("no-write-back", 2) == (found.code, found.line)
    assert f"to its tickets: {lost};" in found.message


def test_a_channel_that_people_read_may_be_grouped_and_have_quiet_hours() -> None:
    text = f"channels: {{c: {{{SLACK}, events: [sla.*], group: {{more_than: 3, per: 1m}}, quiet: {{outside: always}}}}}}\n"

    assert [] == said(text, ENVIRONMENT)


def test_the_address_of_a_write_back_is_no_secret_in_plain_sight() -> None:
    text = (
        "sources: {s: {kind: generic, verify: none, events: [{ticket: body.id}], write_back: {requests: "
        "[{what: tags, url: 'https://desk.example.com/{ticket}', headers: {authorization: 'Bearer ${env:KEY}'}}]}}}\n"
    )

    assert [] == said(text, ENVIRONMENT)
