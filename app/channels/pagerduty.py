"""PagerDuty, by the Events API v2: https://developer.pagerduty.com/docs/send-alert-event

One incident per clock: its breach and its ladder trigger, an acknowledgement acknowledges, the all-clear resolves, all under one
`dedup_key`. What opens no incident (a test, a changed due time) is a change event, which shows on the service and wakes nobody:
https://developer.pagerduty.com/docs/send-change-event
"""

import json
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, Literal

from pydantic import Field, SecretStr

from app.channels import ChannelConfig, Notice
from app.channels._address import Url
from app.channels._answers import classify
from app.channels._chat import judge, parsed, post, taken, told
from app.channels._key import Key
from app.channels._lifecycle import key, phase
from app.channels._moment import happened_at
from app.channels._story import Story, Tone, tell
from app.channels._text import clean
from app.exchange import HttpRequest, HttpResponse, Outcome, Rejected, Retry
from app.schemas.events_out import rfc3339

API: Final = "https://events.pagerduty.com"
SUMMARY_MAX: Final = 1_024  # characters; PagerDuty refuses more
PATIENCE: Final = timedelta(seconds=30)
"""The least to wait after a 429, which names no time itself."""

_SEVERITIES: Final[dict[Tone, str]] = {"bad": "critical", "warning": "warning", "good": "info", "neutral": "info"}
_OUR_PAGES: Final = ("open_escalation", "open_breach", "explain")


class Config(ChannelConfig):
    """A PagerDuty service, by the key of its integration "Events API V2"."""

    show_path: ClassVar[bool] = True
    groups: ClassVar[bool] = False

    kind: Literal["pagerduty"] = "pagerduty"
    routing_key: Key = Field(description="The integration's key, 32 characters.")
    url: Url = Field(default=SecretStr(API), description="Accounts in the EU: https://events.eu.pagerduty.com")


def render(notice: Notice, config: Config, at: datetime) -> HttpRequest:
    """A POST that triggers, acknowledges or resolves; for what has no incident, a change event."""
    api = config.url.get_secret_value().rstrip("/").removesuffix("/v2/enqueue")
    auth = {"routing_key": config.routing_key.get_secret_value()}
    step = phase(notice.type)
    if step == "inform":
        return post(f"{api}/v2/change/enqueue", _json(auth | _change(notice, at)))
    event = {"event_action": step, "dedup_key": key(notice.event)}
    return post(f"{api}/v2/enqueue", _json(auth | event | (_alert(notice, at) if step == "trigger" else {})))


def interpret(response: HttpResponse, at: datetime) -> Outcome:
    """Delivered is 2xx with a JSON object (of which a broken connection may have left nothing): PagerDuty has accepted it.

    401, 403, 404 and 410, and a 400 about the routing key, mean that the integration is gone; any other 400 is about the body. A 429
    lasts half a minute at least.
    """
    if 200 <= response.status < 300:
        return taken(response)
    if response.status == 400:
        about_the_key = b"routing key" in response.body.lower().replace(b"_", b" ")
        return Rejected(classify(400), told(response, _reason(response)), disable=about_the_key, smaller=not about_the_key)
    outcome = judge(response, at)
    if isinstance(outcome, Retry) and response.status == 429:
        return Retry(outcome.error_class, outcome.detail, max(outcome.not_before or at, at + PATIENCE))
    return outcome


def _reason(response: HttpResponse) -> str:
    """PagerDuty's own sentences, such as `Event object is invalid`; empty when there are none."""
    answer = parsed(response)
    errors = answer.get("errors")
    return " ".join(str(part) for part in (answer.get("message"), *(errors if isinstance(errors, list) else ())) if part)


def _alert(notice: Notice, at: datetime) -> dict[str, Any]:
    story = tell(notice.event)
    source = story.ticket.source if story.ticket else ""
    payload: dict[str, Any] = {
        "summary": story.brief(SUMMARY_MAX),
        "source": clean(source) or "slawatch",
        "severity": _SEVERITIES[story.tone],
    }
    if notice.shortest:
        return {"payload": payload}
    rest = {
        "timestamp": rfc3339(happened_at(notice.event, at)),
        "component": clean(story.clock.metric) if story.clock else "",
        "group": clean(story.why.policy) if story.why else "",
        "class": clean(notice.type),
        "custom_details": _details(story),
    }
    page = next((link.url for link in story.links if link.action in _OUR_PAGES), "")
    around = {"client": "slawatch", "client_url": page, "links": _links(story)}
    return {"payload": payload | _said(rest), **_said(around)}


def _change(notice: Notice, at: datetime) -> dict[str, Any]:
    story = tell(notice.event)
    payload = {
        "summary": story.brief(SUMMARY_MAX),
        "source": "slawatch",
        "timestamp": rfc3339(happened_at(notice.event, at)),
        "custom_details": _details(story),
    }
    return {"payload": _said(payload), **_said({"links": _links(story)})}


def _details(story: Story) -> dict[str, str]:
    people = {"Ticket": story.title or "", "People": story.people, "Next": story.upcoming, "Ids": " · ".join(story.ids)}
    return _said({fact.name: fact.shown for fact in story.facts} | people)


def _links(story: Story) -> list[dict[str, str]]:
    return [{"href": link.url, "text": link.label} for link in story.links]


def _said(parts: dict[str, Any]) -> dict[str, Any]:
    """Without what is empty."""
    return {name: value for name, value in parts.items() if value}


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
