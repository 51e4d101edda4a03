"""Bad documents, and exactly what `check` says of each: `line:column code`, in order. Every code is here; a test sees to it."""

from typing import NamedTuple


class Case(NamedTuple):
    """One document and all its findings."""

    name: str
    text: str
    expected: list[str]


_OFFICE = """\
calendars:
  office: {timezone: Europe/Berlin, hours: {mon-fri: 09:00-17:00}}
"""
_HOOK = "{kind: webhook, url: https://example.com/hook, secret: '${env:KEY}', events: [sla.*]}"

CASES = [
    # Form
    Case("not closed", "policies: [", ["1:12 bad-yaml"]),
    Case("a tab", "tiers:\n\t- name: gold\n", ["2:1 bad-yaml"]),
    Case("a control character", "tiers: \x07\n", ["1:8 bad-yaml"]),
    Case("an unknown tag", "version: !python/object 1\n", ["1:10 bad-value", "1:10 bad-yaml"]),
    Case("half a character", 'tiers: [{name: "\\ud800"}]\n', ["1:16 bad-value", "1:16 bad-yaml"]),
    Case("two documents", "version: 1\n---\nversion: 1\n", ["3:1 bad-yaml"]),
    Case("a list as the document", "- a\n- b\n", ["1:1 wrong-type"]),
    Case("a list as a key", "tiers: []\n? [a, b]\n: c\n", ["2:3 wrong-type"]),
    Case("nested too deep", "tiers: " + "[" * 60, ["1:57 too-large"]),
    Case("a larger text than allowed", "# " + "x" * 1_048_576, ["1:1 too-large"]),
    Case(
        "a bomb of aliases",
        "a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\n"
        + "".join(f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n" for before, name in zip("abcdefg", "bcdefgh", strict=True)),
        ["6:8 too-large"],
    ),
    Case("an anchor in itself", "tiers: &a [*a]\n", ["1:12 self-reference"]),
    Case("a key twice", "version: 1\ntiers: []\nversion: 1\n", ["3:1 duplicate-key"]),
    Case("a merge of no map", "delivery: {<<: 5}\n", ["1:16 wrong-type"]),
    # YAML traps
    Case("a leading zero", "tiers:\n  - {name: 0123}\n", ["2:12 yaml-trap"]),
    Case("not a number", "signals: {low_csat: {below: .nan}}\n", ["1:29 wrong-type", "1:29 yaml-trap"]),
    Case("a star without quotes", "tiers: [{name: a, match: {requester_domain: *.example.org}}, {name: b}]\n", ["1:45 yaml-trap"]),
    Case("hours that an old reader turned into a number", "calendars: {c: {timezone: UTC, hours: {mon: 1350}}}\n", ["1:45 yaml-trap"]),
    Case(
        "the country NO that an old reader turned into false",
        "calendars: {c: {timezone: UTC, hours: {mon: 9:00-17:00}, holidays: [{country: false}]}}\n",
        ["1:79 yaml-trap"],
    ),
    # Keys and kinds of value
    Case("an unknown section", "polices: []\n", ["1:1 unknown-key"]),
    Case("an unknown key below", "tiers:\n  - name: gold\n    mach: {tags: gold}\n", ["3:5 unknown-key"]),
    Case("a name inside a channel", "channels: {c: {kind: slack, url: '${env:URL}', name: c, events: [sla.*]}}\n", ["1:48 unknown-key"]),
    Case("a key is missing", "tiers:\n  - match: {tags: gold}\n", ["2:5 missing-key"]),
    Case("no kind", "channels: {c: {url: https://example.com}}\n", ["1:12 missing-key"]),
    Case(
        "a step that does not say when",
        "escalations: {l: {steps: [{notify: []}]}}\npolicies: [{name: p, targets: {}, escalation: l}]\n",
        ["1:27 missing-key"],
    ),
    Case("a map where a list belongs", "tiers: {name: gold}\n", ["1:8 wrong-type"]),
    Case("a list where a map belongs", "calendars: [office]\n", ["1:12 wrong-type"]),
    Case("a text where a map belongs", "calendars: {office: open}\n", ["1:13 wrong-type"]),
    Case("no space after the colon", "delivery:\n  allow_networks:10.0.0.0/8\n", ["2:3 wrong-type"]),
    Case("nothing where a map belongs", "channels: {c: }\n", ["1:12 wrong-type"]),
    Case("a wrong word", "policies: [{name: p, targets: {resolution: {within: 1h, reopen: never}}}]\n", ["1:65 bad-value"]),
    Case("another version", "version: 2\n", ["1:10 bad-value"]),
    Case(
        "a step at no moment",
        "escalations: {l: {steps: [{at: noon, notify: []}]}}\npolicies: [{name: p, targets: {}, escalation: l}]\n",
        ["1:32 bad-value"],
    ),
    # Names
    Case("a name that is no metric's", "metrics: {Time To Own: {open_while: {status: open}}}\n", ["1:11 bad-name"]),
    Case("a name that does not fit into an address", "sources: {'my desk': {kind: zendesk, secret: '${env:KEY}'}}\n", ["1:11 bad-name"]),
    Case(
        "a built-in calendar", "calendars: {always: {timezone: UTC, hours: {daily: 00:00-24:00}}}\npolicies: []\n", ["1:13 reserved-name"]
    ),
    Case("a built-in metric", "metrics: {resolution: {open_while: {status: open}}}\n", ["1:11 reserved-name"]),
    Case(
        "two policies of one name",
        "policies:\n  - {name: a, match: {tags: x}, targets: {}}\n  - {name: a, targets: {}}\n",
        ["3:12 duplicate-name"],
    ),
    Case("an unknown calendar", _OFFICE + "policies: [{name: p, calendar: ofice, targets: {resolution: 1h}}]\n", ["3:32 unknown-name"]),
    Case("an unknown metric", "policies: [{name: p, targets: {resolutoin: 1h}}]\n", ["1:32 unknown-name"]),
    Case("an unknown ladder", "policies: [{name: p, targets: {}, escalation: wake}]\n", ["1:47 unknown-name"]),
    Case(
        "an unknown channel",
        "escalations: {l: {steps: [{at: breach, notify: [a]}]}}\npolicies: [{name: p, targets: {}, escalation: l}]\n",
        ["1:49 unknown-name"],
    ),
    Case("an unknown kind", "channels: {c: {kind: slak}}\n", ["1:22 unknown-name"]),
    Case(
        "an unknown tier",
        "tiers: [{name: gold}]\npolicies: [{name: a, match: {tier: [gold, glod]}, targets: {}}, {name: b, targets: {}}]\n",
        ["2:43 unknown-name"],
    ),
    Case(
        "an unknown tier of a signal",
        "tiers: [{name: gold}]\nsignals: {reopened: {more_than: 1, tiers: {silver: {more_than: 2}}}}\n",
        ["2:44 unknown-name"],
    ),
    Case(
        "a misspelled status", "policies: [{name: p, pause_while: {status: [pendig]}, targets: {resolution: 1h}}]\n", ["1:45 unknown-name"]
    ),
    Case("a misspelled priority", "policies: [{name: p, targets: {resolution: {urgnt: 1h, default: 2h}}}]\n", ["1:45 unknown-name"]),
    Case(
        "a misspelled priority in a condition",
        "tiers: [{name: a, match: {priority: {gte: hgh}}}]\n",
        ["1:43 bad-condition", "1:43 unknown-name"],
    ),
    Case("an event that is never sent", "channels: {c: {kind: slack, url: '${env:URL}', events: [sla.breach]}}\n", ["1:57 unknown-name"]),
    # Calendars
    Case("an unknown zone", "calendars: {c: {timezone: Europe/Berln, hours: {mon: 9:00-17:00}}}\n", ["1:27 unknown-zone"]),
    Case("hours backwards", "calendars: {c: {timezone: UTC, hours: {mon: '22:00-06:00'}}}\n", ["1:45 bad-hours"]),
    Case("hours that overlap", "calendars: {c: {timezone: UTC, hours: {mon: [9:00-12:00, 11:00-13:00]}}}\n", ["1:45 bad-hours"]),
    Case("a time that does not exist", "calendars: {c: {timezone: UTC, hours: {mon: [9:00-12:00, 13:00-25:00]}}}\n", ["1:58 bad-hours"]),
    Case("a day that does not exist", "calendars: {c: {timezone: UTC, hours: {mon-fry: 9:00-12:00}}}\n", ["1:40 bad-hours"]),
    Case("a day twice", "calendars: {c: {timezone: UTC, hours: {mon-fri: 9:00-12:00, wed: 9:00-13:00}}}\n", ["1:61 bad-hours"]),
    Case(
        "a date that does not exist",
        "calendars: {c: {timezone: UTC, hours: {mon: 9:00-12:00}, holidays: [{date: 2026-13-01}]}}\n",
        ["1:76 bad-date"],
    ),
    Case(
        "a day of the year that does not exist",
        "calendars: {c: {timezone: UTC, hours: {mon: 9:00-12:00}, holidays: [{every: 02-30}]}}\n",
        ["1:77 bad-date"],
    ),
    Case("a tier that ends before it begins", "tiers: [{name: a, from: 2026-02-01, until: 2026-01-01}]\n", ["1:44 bad-date"]),
    Case("an instant without a zone", "tiers: [{name: a, from: 2026-02-01T09:00:00}]\n", ["1:25 bad-date"]),
    Case(
        "an unknown country",
        "calendars: {c: {timezone: UTC, hours: {mon: 9:00-12:00}, holidays: [{country: XX}]}}\n",
        ["1:79 unknown-country"],
    ),
    Case(
        "an unknown subdivision",
        "calendars: {c: {timezone: UTC, hours: {mon: 9:00-12:00}, holidays: [{country: DE, subdivision: CA}]}}\n",
        ["1:96 unknown-country"],
    ),
    Case(
        "a holiday of no form",
        "calendars: {c: {timezone: UTC, hours: {mon: 9:00-12:00}, holidays: [{name: party}]}}\n",
        ["1:69 wrong-type"],
    ),
    Case(
        "an iCalendar file that is not there",
        "calendars: {c: {timezone: UTC, hours: {mon: 9:00-12:00}, holidays: [{ical: no.ics}]}}\n",
        ["1:69 bad-ical"],
    ),
    Case("never open", "calendars: {c: {timezone: UTC, hours: {mon: [], tue: closed}}}\n", ["1:39 never-opens"]),
    # Durations, targets, warnings
    Case("no unit", "policies: [{name: p, targets: {resolution: 90}}]\n", ["1:44 bad-duration"]),
    Case("no duration", "policies: [{name: p, targets: {resolution: {within: {high: 1:30, default: 2h}}}}]\n", ["1:60 bad-duration"]),
    Case("an odd span of silence", "sources: {s: {kind: zammad, secret: '${env:KEY}', silent_after: long}}\n", ["1:65 bad-duration"]),
    Case(
        "a plain day in office hours",
        _OFFICE + "policies: [{name: p, calendar: office, targets: {resolution: 2d}}]\n",
        ["3:62 ambiguous-days"],
    ),
    Case(
        "a plain day in the target's own calendar",
        _OFFICE + "policies: [{name: p, targets: {resolution: {within: P2D, calendar: office}}}]\n",
        ["3:53 ambiguous-days"],
    ),
    Case(
        "a plain day in a ladder",
        "escalations: {l: {steps: [{at: breach, notify: []}, {after: 1d, notify: []}]}}\n"
        "policies: [{name: p, targets: {}, escalation: l}]\n",
        ["1:61 ambiguous-days"],
    ),
    Case("a target of nothing", "policies: [{name: p, targets: {resolution: 0m}}]\n", ["1:44 bad-target"]),
    Case("a target in the past", "policies: [{name: p, targets: {resolution: -1h}}]\n", ["1:44 bad-target"]),
    Case("a warning of all", "policies: [{name: p, warn_at: [80%, 100%], targets: {resolution: 1h}}]\n", ["1:37 bad-warning"]),
    Case("a warning without a unit", "policies: [{name: p, warn_at: 80, targets: {resolution: 1h}}]\n", ["1:31 bad-warning"]),
    Case(
        "more open time than there is",
        _OFFICE + "policies: [{name: p, calendar: office, targets: {resolution: 90000h}}]\n",
        ["3:62 target-too-long"],
    ),
    Case(
        "more open time than a year has",
        _OFFICE + "policies: [{name: p, calendar: office, targets: {resolution: {within: 3000h}}}]\n",
        ["3:71 target-over-a-year"],
    ),
    # Conditions and order
    Case("an empty condition", "tiers:\n  - name: a\n    match:\n  - name: b\n", ["3:5 bad-condition"]),
    Case("an unknown comparison", "tiers: [{name: a, match: {all: [{tags: x}, {reopens: {more: 2}}]}}]\n", ["1:61 bad-condition"]),
    Case(
        "a policy after one for all",
        "policies:\n  - {name: a, targets: {}}\n  - {name: b, match: {tags: x}, targets: {}}\n",
        ["3:5 unreachable-policy"],
    ),
    Case(
        "a policy after a wider one",
        "policies:\n  - {name: a, match: {tags: [x, y]}, targets: {}}\n"
        "  - {name: b, match: {priority: high, tags: x}, targets: {}}\n  - {name: c, targets: {}}\n",
        ["3:5 unreachable-policy"],
    ),
    Case("a tier after one for all", "tiers:\n  - {name: a}\n  - {name: b, match: {tags: x}}\n", ["3:5 unreachable-tier"]),
    Case(
        "steps in the wrong order",
        "escalations:\n  l:\n    steps:\n      - {at: breach, notify: []}\n      - {at: 80%, notify: []}\n"
        "policies: [{name: p, targets: {}, escalation: l}]\n",
        ["5:9 ladder-order"],
    ),
    Case(
        "fallbacks in a circle",
        f"channels:\n  a: {_HOOK[:-1]}, fallback: {{channel: b, after: 1m}}}}\n  b: {_HOOK[:-1]}, fallback: {{channel: a, after: 1m}}}}\n",
        ["2:102 self-reference", "3:102 self-reference"],
    ),
    # Secrets and the way out
    Case("a secret that is not set", "channels: {c: {kind: slack, url: '${env:NOT_SET}', events: [sla.*]}}\n", ["1:34 missing-secret"]),
    Case("a file that is not there", "sources: {s: {kind: zammad, secret: '${file:secrets/zammad}'}}\n", ["1:37 missing-secret"]),
    Case("a placeholder of no kind", "sources: {s: {kind: zammad, secret: '${vault:zammad}'}}\n", ["1:37 bad-placeholder"]),
    Case("a placeholder in the wrong place", "tiers: [{name: '${env:KEY}'}]\n", ["1:16 bad-placeholder"]),
    Case(
        "an address of no kind",
        "channels: {c: {kind: slack, url: 'ftp://example.com', events: [sla.*]}}\n",
        ["1:34 bad-url", "1:34 literal-secret"],
    ),
    Case("a network with host bits", "delivery: {allow_networks: [10.0.0.1/8]}\n", ["1:29 bad-network"]),
    # Warnings
    Case(
        "a secret in plain sight",
        "channels: {c: {kind: slack, url: 'https://hooks.slack.com/services/T/B/X', events: [sla.*]}}\n",
        ["1:34 literal-secret"],
    ),
    Case(
        "an address that is never dialled",
        "channels: {c: {kind: webhook, url: 'https://127.0.0.1/x', secret: '${env:KEY}', events: [sla.*]}}\n",
        ["1:36 blocked-url"],
    ),
    Case("no policy for the rest", "policies:\n  - {name: a, match: {tags: x}, targets: {}}\n", ["2:5 no-default-policy"]),
    Case("no policy at all", "policies: []\n", ["1:1 no-default-policy"]),
    Case(
        "a tier that no policy names",
        "tiers: [{name: gold, match: {tags: x}}, {name: silver}]\npolicies: [{name: a, match: {tier: gold}, targets: {}}]\n",
        ["1:48 tier-without-policy", "2:12 no-default-policy"],
    ),
    Case("priorities without a target", "policies: [{name: p, targets: {resolution: {urgent: 1h, high: 2h}}}]\n", ["1:44 priority-hole"]),
    Case("a fact that is nearly known", "tiers: [{name: a, match: {organisation: Acme}}]\n", ["1:27 suspect-fact"]),
    Case("a calendar nobody uses", _OFFICE, ["2:3 unused-calendar"]),
    Case("a channel nobody uses", "channels: {c: {kind: slack, url: '${env:URL}'}}\n", ["1:12 unused-channel"]),
    Case("a ladder nobody uses", "escalations: {l: {steps: [{at: breach, notify: []}]}}\n", ["1:15 unused-ladder"]),
    Case(
        "a step that marks what cannot be marked",
        "escalations: {l: {steps: [{at: breach, write_back: {tags: late}}]}}\npolicies: [{name: p, targets: {}, escalation: l}]\n",
        ["1:40 no-write-back"],
    ),
    Case(
        "a step that tells nobody",
        "escalations: {l: {steps: [{at: breach}]}}\npolicies: [{name: p, targets: {}, escalation: l}]\n",
        ["1:27 silent-step"],
    ),
    Case(
        "a ladder that sleeps at night",
        _OFFICE + "escalations: {l: {steps: [{at: breach, notify: c}]}}\n"
        "channels: {c: {kind: slack, url: '${env:URL}', quiet: {outside: office}}}\n"
        "policies: [{name: p, targets: {resolution: 1h}, escalation: l}]\n",
        ["5:61 quiet-ladder"],
    ),
    Case(
        "a webhook that is to be grouped",
        "channels:\n  c: {kind: webhook, url: 'https://hooks.example.com/x', secret: '${env:KEY}', events: [sla.*],\n"
        "      group: {more_than: 3, per: 1m}}\n",
        ["3:7 never-grouped"],
    ),
    Case("a signal without a threshold", "signals: {reopened: {within: 7d}}\n", ["1:11 idle-signal"]),
]
ENVIRONMENT = {"KEY": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "URL": "https://hooks.slack.com/services/T000/B000/XXXX"}
