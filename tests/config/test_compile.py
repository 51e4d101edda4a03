"""From the checked document to the values the engine works with."""

from datetime import UTC, date, datetime

from app.config.compile import STARTER_POLICY
from app.config.starter import starter_text
from app.rules.calendar import ALWAYS
from app.rules.conditions import holds, parse_condition
from app.rules.escalation import After, AtBreach, AtPercent, Ladder, Repeat, Step, Unacknowledged, WriteBack
from app.rules.events import ActorKind
from app.rules.policy import BeforeDueWarning, BusinessDays, CustomMetric, OpenTime, PercentWarning, Tier
from tests.config.support import SIGNING_SECRET, checked, example, loaded, said

PENDING = parse_condition({"status": "pending"})

# The picture of the design, with kinds that are there already.
DESIGN = """\
version: 1
calendars:
  office-berlin:
    timezone: Europe/Berlin
    hours:
      mon-fri: ["09:00-12:00", "13:00-17:00"]
      sat: "10:00-14:00"
    holidays:
      - {country: DE, subdivision: BE}
      - {date: 2026-12-24, name: company day}
      - {every: "12-31"}
      - {from: 2027-06-28, to: 2027-06-30, name: move}
    open_days:
      - {date: 2026-12-19, hours: "10:00-14:00"}
tiers:
  - {name: platinum, match: {organization: [Acme GmbH, Initech]}}
  - {name: gold, match: {tags: gold-contract}, from: 2026-01-01, until: 2026-12-31}
  - {name: silver, match: {requester_domain: "*.example.org"}}
  - {name: bronze}
metrics:
  approval: {open_while: {status: waiting_for_approval}}
policies:
  - name: platinum
    match: {tier: platinum}
    calendar: always
    targets:
      first_response: {urgent: 15m, high: 30m, default: 1h}
      next_response: 1h
      resolution: {within: {urgent: 4h, default: 8h}, pause_while: {status: pending}, reopen: resume}
    warn_at: [50%, 80%]
    escalation: wake-somebody
  - name: everyone
    calendar: office-berlin
    targets:
      first_response: 4h
      update_cadence: 2bd
      resolution: {within: 6h, pause_while: {status: [pending, on_hold]}}
    warn_at: [75%, 30m before]
    escalation: tell-the-lead
escalations:
  wake-somebody:
    steps:
      - {at: 80%, notify: support-chat}
      - {at: breach, type: functional, notify: [pager, upstream], write_back: {tags: [sla_breached], priority: urgent, note: breach}}
      - {after: 30m, type: hierarchical, notify: head-of-support, repeat: {every: 1h, times: 3}}
    acknowledge_for: 30m
    last_resort: ops-mail
  tell-the-lead:
    steps:
      - {at: breach, type: hierarchical, notify: [support-chat, upstream]}
signals:
  agent_switching: {more_than: 3, within: 7d, tiers: {platinum: {more_than: 2}}, escalate: wake-somebody}
  repeated_contact: {more_than: 2}
  silence: {longer_than: 1bd, calendar: office-berlin}
channels:
  upstream: {kind: webhook, url: "https://helpdesk.example.com/hooks/sla", secrets: ["${env:KEY}"], events: [sla.*, escalation.*]}
  support-chat: {kind: slack, url: "${env:URL}", quiet: {outside: office-berlin, override: immediate}, group: {more_than: 10, per: 1m}}
  pager: {kind: webhook, url: "https://pager.example.com/", secret: "${env:KEY}", fallback: {channel: ops-mail, after: 5m}}
  head-of-support: {kind: slack, url: "${env:URL}"}
  ops-mail: {kind: webhook, url: "https://mail.example.com/", secret: "${env:KEY}"}
sources:
  acme-zendesk:
    kind: zendesk
    secret: "${env:KEY}"
    write_back: {subdomain: acme, email: bot@example.com, token: "${env:KEY}", our_user_id: "9123", priority_ceiling: high}
    status_map: {"Waiting on engineering": on_hold}
    silent_after: 2h
"""
ENVIRONMENT = {"KEY": SIGNING_SECRET, "URL": "https://hooks.slack.com/services/T/B/X"}


def test_the_picture_of_the_design_is_read_whole() -> None:
    assert () == checked(DESIGN, ENVIRONMENT).findings


def test_policies_become_terms_with_every_knob() -> None:
    book = loaded(DESIGN, ENVIRONMENT).book(7)
    platinum, everyone = book.policies
    terms = platinum.terms["resolution"]

    assert 7 == book.revision
    assert ["platinum", "everyone"] == [policy.name for policy in book.policies]
    assert parse_condition({"tier": "platinum"}) == platinum.match
    assert ["first_response", "next_response", "resolution"] == list(platinum.terms)
    assert {"urgent": OpenTime(14_400), "default": OpenTime(28_800)} == terms.targets
    assert (PercentWarning("50%", 50.0), PercentWarning("80%", 80.0)) == terms.warnings
    assert (ALWAYS, "resume", PENDING) == (terms.calendar, terms.reopen, terms.pause_while)
    assert {"default": BusinessDays(2)} == everyone.terms["update_cadence"].targets
    assert (PercentWarning("75%", 75.0), BeforeDueWarning("30m before", 1800)) == everyone.terms["update_cadence"].warnings
    assert everyone.match is None
    assert "tell-the-lead" == everyone.escalation
    assert {"approval": CustomMetric("approval", parse_condition({"status": "waiting_for_approval"}))} == book.metrics


def test_a_target_says_its_own_knobs_the_policy_the_rest_and_the_engine_what_nobody_says() -> None:
    (policy,) = loaded(
        "calendars: {c: {timezone: UTC, hours: {daily: 8:00-20:00}}}\n"
        "policies:\n"
        "  - name: p\n"
        "    warn_at: 80%\n"
        "    reopen: final\n"
        "    reply_by: [agent, bot]\n"
        "    on_solve: fulfil\n"
        "    retroactive_pause: no\n"
        "    targets:\n"
        "      first_response: {within: 1h, calendar: c, reopen: restart, warn_at: [], reply_by: agent, on_behalf: true}\n"
        "      resolution: {within: {URGENT: 1h, default: 2h}, on_change: keep, anchor: policy_applied}\n"
    ).book(1).policies  # fmt: skip
    first, last = policy.terms["first_response"], policy.terms["resolution"]

    assert ("c", "restart", (), frozenset({ActorKind.AGENT}), "fulfil", False, True) == (
        first.calendar.name, first.reopen, first.warnings, first.reply_by, first.on_solve, first.retroactive_pause, first.on_behalf
    )  # fmt: skip
    assert ("always", "final", (PercentWarning("80%", 80.0),), frozenset({ActorKind.AGENT, ActorKind.BOT}), "fulfil", False, False) == (
        last.calendar.name, last.reopen, last.warnings, last.reply_by, last.on_solve, last.retroactive_pause, last.on_behalf
    )  # fmt: skip
    assert ("keep", "policy_applied", {"urgent": OpenTime(3600), "default": OpenTime(7200)}) == (last.on_change, last.anchor, last.targets)
    assert ("retarget", "created") == (first.on_change, first.anchor)


def test_pauses_come_from_the_target_the_policy_or_the_metric() -> None:
    on_hold = parse_condition({"status": "on_hold"})
    (by_metric, by_policy, off) = loaded(
        "policies:\n"
        "  - {name: a, match: {tags: a}, targets: {first_response: 1h, resolution: 2h}}\n"
        "  - name: b\n"
        "    match: {tags: b}\n"
        "    pause_while: {status: on_hold}\n"
        "    targets: {first_response: {within: 1h, pause_while: never}, resolution: 2h}\n"
        "  - {name: c, pause_while: null, targets: {resolution: {within: 2h, reopen: final}}}\n"
    ).book(1).policies  # fmt: skip

    assert (None, PENDING) == (by_metric.terms["first_response"].pause_while, by_metric.terms["resolution"].pause_while)
    assert (None, on_hold) == (by_policy.terms["first_response"].pause_while, by_policy.terms["resolution"].pause_while)
    assert off.terms["resolution"].pause_while is None


def test_tiers_hold_from_midnight_to_the_end_of_the_last_day_in_utc() -> None:
    tiers = loaded(DESIGN, ENVIRONMENT).book(1).tiers

    assert ["platinum", "gold", "silver", "bronze"] == [tier.name for tier in tiers]
    assert (
        Tier("gold", parse_condition({"tags": "gold-contract"}), datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
        == tiers[1]
    )
    assert Tier("bronze") == tiers[3]


def test_a_tier_may_begin_and_end_at_an_instant() -> None:
    (tier,) = loaded("tiers: [{name: a, from: 2026-02-01T09:00:00+01:00, until: '2026-03-01T00:00:00Z'}]\n").book(1).tiers

    assert (datetime(2026, 2, 1, 8, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)) == (tier.since, tier.until)


def test_calendars_know_their_hours_and_holidays_as_dates() -> None:
    spec = loaded(DESIGN, ENVIRONMENT).calendars["office-berlin"].spec
    office = ((32_400, 43_200), (46_800, 61_200))

    assert "Europe/Berlin" == spec.zone
    assert {**dict.fromkeys(range(5), office), 5: ((36_000, 50_400),)} == spec.hours
    assert {(12, 31): ""} == spec.yearly
    assert {date(2026, 12, 19): ((36_000, 50_400),)} == spec.open_days
    assert ["company day", "move", "move", "move"] == [
        spec.holidays[date(2026, 12, 24)],
        *(spec.holidays[date(2027, 6, day)] for day in (28, 29, 30)),
    ]
    assert date(2026, 3, 8) in spec.holidays  # Women's Day, a holiday in Berlin alone
    assert (2021, 2038) == (min(spec.holidays).year, max(spec.holidays).year)


def test_ladders_become_values() -> None:
    ladders = loaded(DESIGN, ENVIRONMENT).ladders

    assert ladders["wake-somebody"] == Ladder(
        "wake-somebody",
        (
            Step(0, AtPercent(80.0), notify=("support-chat",)),
            Step(1, AtBreach(), "functional", ("pager", "upstream"), WriteBack(("sla_breached",), "urgent", "breach")),
            Step(2, After(1800), "hierarchical", ("head-of-support",), repeat=Repeat(3600, 3)),
        ),
        1800,
        "ops-mail",
    )
    assert ladders["wake-somebody"].steps[1:2] == ladders["wake-somebody"].breach_steps()


def test_steps_may_wait_in_real_time_for_an_acknowledgement() -> None:
    ladder = example().loaded.ladders["wake-somebody"]  # type: ignore[union-attr]
    step = ladder.steps[3]

    assert (Unacknowledged(86_400), True) == (step.at, step.wall)
    assert step.condition is not None
    assert holds(step.condition, {"priority": "urgent"})
    assert not holds(step.condition, {"priority": "low"})


def test_all_of_the_target_is_the_breach() -> None:
    ladder = loaded(
        "escalations: {l: {steps: [{at: 99.5%, notify: []}, {at: 100%, notify: []}, {at: breach, notify: []}, {at: 120%, notify: []}]}}\n"
    ).ladders["l"]

    assert [AtPercent(99.5), AtBreach(), AtBreach(), AtPercent(120.0)] == [step.at for step in ladder.steps]
    assert [1, 2] == [step.index for step in ladder.breach_steps()]


def test_channels_and_sources_know_their_names_and_kinds() -> None:
    ready = loaded(DESIGN, ENVIRONMENT)

    assert {name: name for name in ready.channels} == {name: channel.name for name, channel in ready.channels.items()}
    assert ("zendesk", "acme-zendesk") == (ready.sources["acme-zendesk"].kind, ready.sources["acme-zendesk"].name)
    assert (10, 60) == (ready.manners["support-chat"].group.more_than, ready.manners["support-chat"].group.per)  # type: ignore[union-attr]
    assert ["sla.*", "escalation.*"] == ready.channels["upstream"].events


def test_facts_are_compared_with_dates_as_dates() -> None:
    (tier, _) = (
        loaded("tiers: [{name: new, match: {created_at: {gte: 2026-01-01, lt: '2026-07-01T00:00:00Z'}}}, {name: old}]\n").book(1).tiers
    )

    assert tier.match is not None
    assert holds(tier.match, {"created_at": datetime(2026, 3, 1, tzinfo=UTC)})
    assert not holds(tier.match, {"created_at": datetime(2026, 7, 1, tzinfo=UTC)})


def test_the_empty_document_promises_resolution_within_six_hours() -> None:
    book = loaded("").book(1)
    terms = book.policies[0].terms["resolution"]

    assert (STARTER_POLICY,) == book.policies
    assert ({"default": OpenTime(21_600)}, ALWAYS, PENDING) == (terms.targets, terms.calendar, terms.pause_while)


def test_a_list_without_policies_promises_nothing() -> None:
    assert () == loaded("policies: []\n").book(1).policies


def test_the_starter_is_right_without_any_surroundings_and_resolves_within_six_hours() -> None:
    book = loaded(starter_text()).book(1)

    assert [] == said(starter_text())
    assert ["platinum", "gold", "silver", "bronze"] == [tier.name for tier in book.tiers]
    assert {"default": OpenTime(21_600)} == book.policies[-1].terms["resolution"].targets
    assert book.policies[-1].match is None
    assert {"missed"} == {policy.escalation for policy in book.policies}


def test_what_is_behind_hashes_in_the_starter_is_right_too() -> None:
    text = "\n".join(line.replace("  # ", "  ", 1) if line.startswith("  # ") else line for line in starter_text().splitlines())
    ready = loaded(text.replace("notify: []", "notify: [lead]"), {"SLAWATCH_WEBHOOK_SECRET": SIGNING_SECRET, "ZENDESK_SIGNING_SECRET": "s"})

    assert ({"lead"}, {"acme"}, {"always", "office"}) == (set(ready.channels), set(ready.sources), set(ready.calendars))


def test_the_same_document_makes_equal_books() -> None:
    assert loaded(DESIGN, ENVIRONMENT).book(3) == loaded(DESIGN, ENVIRONMENT).book(3)
