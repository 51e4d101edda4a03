"""Every helpdesk that can be written back to, with a fake of its API and what the same wish looks like in its words."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from app.helpdesks import SourceConfig
from app.helpdesks.writing import Desk, Done, Order, Stop, plan
from tests.helpdesks.deliveries import source
from tests.helpdesks.writing import fakes, more_fakes
from tests.helpdesks.writing.api import Api
from tests.support.clock import START

MARKER = "slawatch clk_1"
NOTE = f"SLA <breached> & late.\n\n({MARKER})"


@dataclass(frozen=True)
class Case:
    """One helpdesk. Words are its own: of a low and a high priority, of a solved and an open ticket."""

    api: Callable[[], Api]
    said: dict[str, Any]
    low: Any = None
    high: Any = None
    urgent: Any = None
    is_open: Any = "open"
    solved: Any = "closed"
    group: Any = None
    assignee: Any = None
    ticket: str = "42"
    source: dict[str, Any] = field(default_factory=dict)


_GENERIC: list[dict[str, Any]] = [
    {"what": "tags", "method": "PUT", "url": "https://desk.example.com/tickets/{ticket}/labels/{tag}"},
    {"what": "priority", "method": "PATCH", "url": "https://desk.example.com/tickets/{ticket}", "json": {"urgency": "{priority}"}},
    {"what": "group", "method": "PATCH", "url": "https://desk.example.com/tickets/{ticket}", "json": {"team": "{group}"}},
    {"what": "note", "url": "https://desk.example.com/tickets/{ticket}/comments", "json": {"text": "{note}", "internal": True}},
]
_BEARER = {"authorization": "Bearer s3cret"}

CASES: dict[str, Case] = {
    "zendesk": Case(
        fakes.Zendesk, {"subdomain": "acme", "email": "bot@example.com", "token": "s3cret"},
        low="low", high="high", urgent="urgent", solved="solved", group=7, assignee=9,
    ),
    "jira": Case(
        fakes.Jira, {"url": "https://acme.atlassian.net", "email": "bot@example.com", "token": "s3cret"},
        low="Low", high="High", urgent="Highest", is_open="In Progress", solved="Resolved", assignee="9",
    ),
    "freshdesk": Case(
        fakes.Freshdesk, {"subdomain": "acme", "api_key": "s3cret"},
        low=1, high=3, urgent=4, is_open=2, solved=4, group=7, assignee=9,
    ),
    "freshservice": Case(
        fakes.Freshservice, {"subdomain": "acme", "api_key": "s3cret"},
        low=1, high=3, urgent=4, is_open=2, solved=4, group=7, assignee=9,
    ),
    "zammad": Case(
        fakes.Zammad, {"url": "https://zammad.example.com", "token": "s3cret"},
        low="1 low", high="3 high", urgent="3 high", group=7, assignee=9,
    ),
    "intercom": Case(fakes.Intercom, {"token": "s3cret", "our_user_id": "5"}, group="7", assignee="9"),
    "help-scout": Case(fakes.HelpScout, {"app_id": "app", "app_secret": "s3cret"}, is_open="active", assignee=9),
    "hubspot": Case(
        fakes.HubSpot, {"token": "s3cret"}, low="LOW", high="HIGH", urgent="URGENT", is_open="1", solved="4", assignee="9",
        source={"status_map": {"4": "closed"}},
    ),
    "chatwoot": Case(
        more_fakes.Chatwoot, {"account_id": 3, "token": "s3cret"},
        low="low", high="high", urgent="urgent", solved="resolved", group=7, assignee=9,
    ),
    "front": Case(
        more_fakes.Front, {"token": "s3cret", "our_user_id": "tea_us", "tags": {"sla_breached": "tag_sla_breached"}},
        is_open="assigned", solved="archived", group="7", assignee="9",
    ),
    "gorgias": Case(
        more_fakes.Gorgias, {"subdomain": "acme", "email": "bot@example.com", "api_key": "s3cret"},
        low="low", high="high", urgent="critical", group=7, assignee=9,
    ),
    "servicenow": Case(
        more_fakes.ServiceNow, {"url": "https://acme.service-now.com", "user": "bot", "password": "s3cret"},
        low="4", high="2", urgent="1", is_open="2", solved="6", group="7", assignee="9",
    ),
    "salesforce": Case(
        more_fakes.Salesforce, {"url": "https://acme.my.salesforce.com", "client_id": "app", "client_secret": "s3cret"},
        low="Low", high="High", urgent="Critical", is_open="New", solved="Closed", assignee="9", ticket="5005g00000AbCdEAAV",
    ),
    "github": Case(more_fakes.GitHub, {"token": "s3cret", "public_notes": True}, assignee="9", ticket="acme/desk#42"),
    "gitlab": Case(more_fakes.GitLab, {"token": "s3cret"}, is_open="opened", assignee=9, ticket="acme/desk#42"),
    "linear": Case(
        more_fakes.Linear, {"token": "s3cret"},
        low=4, high=2, urgent=1, is_open="started", solved="completed", group="7", assignee="9",
    ),
    "liveagent": Case(
        more_fakes.LiveAgent, {"url": "https://acme.ladesk.com", "api_key": "s3cret"},
        is_open="C", solved="R", group="7", assignee="9",
    ),
    "generic": Case(
        more_fakes.Anything, {"requests": [{**call, "headers": _BEARER} for call in _GENERIC]}, high="high", urgent="urgent", group="7",
    ),
}  # fmt: skip


def desk(kind: str, **said: Any) -> Desk:
    """A source of a kind with its write-back."""
    made = _usual(kind) if not said else _source(kind, said)
    return Desk(made, getattr(made, "write_back"))  # noqa: B009  each kind has its own


@cache
def _usual(kind: str) -> SourceConfig:
    return _source(kind, {})


def _source(kind: str, said: dict[str, Any]) -> SourceConfig:
    case = CASES[kind]
    return source(kind, write_back={**case.said, **said}, **case.source)


def api(kind: str) -> Api:
    """The fake of a kind, with an open ticket of low priority."""
    made = CASES[kind].api()
    made.ticket.status, made.ticket.priority = CASES[kind].is_open, CASES[kind].low
    return made


def order(kind: str, **wanted: Any) -> Order:
    """An order for the ticket there is."""
    made = Order(CASES[kind].ticket, START, MARKER)
    return replace(made, **wanted)


def everything(kind: str, **more: Any) -> Order:
    """All that the helpdesk can do."""
    actions = desk(kind).config.actions
    wanted: dict[str, Any] = {"tags": ("sla_breached",), "priority": "high", "note": NOTE, "group": "7", "assignee": "9"}
    return order(kind, **{name: value for name, value in wanted.items() if name in actions}, **more)


def run(ordered: Order, at: Desk, by: Api, *, calls: int = 40) -> Done | None:
    """Make all calls of an order; how it was cut short, None: it came to its end."""
    steps = plan(ordered, at)
    try:
        asked = next(steps)
        for _ in range(calls):
            asked = steps.send(by.answer(asked))
    except StopIteration:
        return None
    except Stop as stop:
        return stop.done
    raise AssertionError("the plan does not end")
