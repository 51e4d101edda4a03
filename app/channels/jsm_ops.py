"""Jira Service Management Operations, and Opsgenie under its address: the same API of alerts.

https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v1/api-group-integration-events/ and https://docs.opsgenie.com/docs/alert-api
(which ends on 2027-04-05). One alert per clock, by its alias: created while none is open (while one is, it is only counted up),
acknowledged, closed. A changed due time is a note on it; a test is an alert of the lowest priority.
"""

import json
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from app.channels import ChannelConfig, Notice
from app.channels._address import Url
from app.channels._chat import judge, post, taken
from app.channels._key import Key
from app.channels._lifecycle import key, phase
from app.channels._story import Story, tell
from app.channels._text import clean, cut
from app.exchange import HttpRequest, HttpResponse, Outcome

API: Final = "https://api.atlassian.com/jsm/ops/integration/v2/alerts"
MESSAGE_MAX: Final = 130  # characters; so are the next ones
DESCRIPTION_MAX: Final = 15_000
DETAILS_MAX: Final = 8_000  # of all names and values together
TAG_MAX: Final = 50
TAGS_MAX: Final = 20  # tags
RESPONDERS_MAX: Final = 50  # responders

_WE: Final = "slawatch"
_ACTIONS: Final = {"acknowledge": "acknowledge", "resolve": "close", "inform": "notes"}
_RANKS: Final = {"urgent": 1, "high": 2, "normal": 3, "low": 4}
_USUAL: Final = 2


class Responder(BaseModel):
    """Somebody who is called."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    type: Literal["team", "user", "escalation", "schedule"] = "team"
    name: str = Field(min_length=1, max_length=256, description="Of a user: the address.")


class Config(ChannelConfig):
    """An API integration of JSM Operations, or of Opsgenie."""

    show_path: ClassVar[bool] = True
    groups: ClassVar[bool] = False

    kind: Literal["jsm-ops"] = "jsm-ops"
    api_key: Key
    url: Url = Field(default=SecretStr(API), description="Opsgenie: https://api.opsgenie.com/v2/alerts, or api.eu.opsgenie.com")
    responders: list[Responder] = Field(default_factory=list, max_length=RESPONDERS_MAX, description="Default: whom the integration calls.")
    tags: list[Annotated[str, Field(min_length=1, max_length=TAG_MAX)]] = Field(default_factory=list, max_length=TAGS_MAX - 2)

    @field_validator("url")
    @classmethod
    def _is_bare(cls, url: SecretStr) -> SecretStr:
        if "?" in url.get_secret_value() or "#" in url.get_secret_value():
            raise ValueError("the address of the alerts has no query: what is done to one of them is appended to it")
        return url


def render(notice: Notice, config: Config, at: datetime) -> HttpRequest:  # noqa: ARG001  an alert has no time but that of its arrival
    """A POST that creates the alert, or acts on it by its alias."""
    url, auth = config.url.get_secret_value().rstrip("/"), f"GenieKey {config.api_key.get_secret_value()}"
    story, alias, step = tell(notice.event), key(notice.event), phase(notice.type)
    if step == "trigger" or (step == "inform" and story.ticket is None):
        return post(url, _json(_alert(notice, story, alias, config)), authorization=auth)
    body = {"user": _WE, "source": _WE, "note": story.line}
    return post(f"{url}/{quote(alias, safe='')}/{_ACTIONS[step]}?identifierType=alias", _json(body), authorization=auth)


def interpret(response: HttpResponse, at: datetime) -> Outcome:
    """Delivered is 2xx with a JSON object (of which a broken connection may have left nothing): the request was accepted.

    401, 403, 404 and 410: the key or the API is gone. 400 and 422: the body is refused. 429 and 5xx pass.
    """
    return taken(response) if 200 <= response.status < 300 else judge(response, at)


def _alert(notice: Notice, story: Story, alias: str, config: Config) -> dict[str, Any]:
    alert: dict[str, Any] = {"message": story.brief(MESSAGE_MAX), "alias": alias, "priority": _priority(notice, story), "source": _WE}
    if config.responders:
        alert["responders"] = [{"type": responder.type, "name": responder.name} for responder in config.responders]
    if notice.shortest:
        return alert
    rest = {
        "description": _description(story),
        "entity": clean(story.clock.metric) if story.clock else "",
        "tags": [*config.tags, "slawatch", clean(notice.type, TAG_MAX)],
        "details": _details(story),
    }
    return alert | {name: value for name, value in rest.items() if value}


def _priority(notice: Notice, story: Story) -> str:
    """P1 for a breach of an urgent ticket, one less for each step down, and for a warning; P5 for what calls nobody."""
    if phase(notice.type) != "trigger":
        return "P5"
    priority = (story.ticket.priority if story.ticket else None) or ""
    rank = _RANKS.get(priority.casefold(), _USUAL) + (story.tone != "bad")
    return f"P{min(rank, 5)}"


def _description(story: Story) -> str:
    facts = [f"{fact.name}: {fact.shown}" for fact in story.facts]
    links = [f"{link.label}: {link.url}" for link in story.links]
    parts = [story.line, story.people, *facts, *links, " · ".join(story.ids)]
    return cut("\n".join(part for part in parts if part), DESCRIPTION_MAX)


def _details(story: Story) -> dict[str, str]:
    """Names and values for rules and filters of the receiver's; those that no longer fit are left out."""
    ticket = story.ticket
    named = {"ticket": ticket.external_id, "source": ticket.source, "tier": ticket.tier, "priority": ticket.priority} if ticket else {}
    details: dict[str, str] = {}
    room = DETAILS_MAX
    for name, value in [*((name, clean(value or "")) for name, value in named.items()), *((fact.name, fact.shown) for fact in story.facts)]:
        room -= len(name) + len(value)
        if value and room >= 0:
            details[name] = value
    return details


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
