"""Prometheus Alertmanager: alerts put into it (`form: v2`), or the webhook it would send (`form: v4`) to whatever takes those.

https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml (postableAlerts) and
https://prometheus.io/docs/alerting/latest/configuration/#webhook_config

An alert is known by its labels, so they hold only what never changes while it is open; priority, tier, owner and due time are annotations.
What has been at risk, is breached and is escalated are three alerts of one `incident`; the all-clear ends them all.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, SecretStr, StringConstraints, field_validator

from app.channels import ChannelConfig, Notice
from app.channels._address import Url
from app.channels._answers import try_again
from app.channels._chat import judge, post
from app.channels._lifecycle import key, phase
from app.channels._moment import happened_at
from app.channels._story import Story, tell
from app.channels._text import clean
from app.exchange import Delivered, HttpRequest, HttpResponse, Outcome
from app.guard import check_header
from app.schemas.events_out import rfc3339

SUMMARY_MAX: Final = 250  # characters; Alertmanager knows no limit, but its templates put the summary into titles

_AT_RISK, _BREACHED, _ESCALATED = ("SlaAtRisk", "warning"), ("SlaBreached", "critical"), ("SlaEscalated", "critical")
_SIGNAL, _CHANNEL, _SOURCE = ("SlaSignal", "warning"), ("SlawatchChannelFails", "warning"), ("SlawatchSourceSilent", "warning")
_OTHER: Final = ("SlawatchNotice", "info")
_NAMES: Final = {  # of the alert that an event opens: name and severity
    "sla.warning": _AT_RISK,
    "sla.breached": _BREACHED,
    "escalation": _ESCALATED,
    "signal": _SIGNAL,
    "endpoint": _CHANNEL,
    "source": _SOURCE,
}
_FAMILIES: Final = {"sla": (_AT_RISK, _BREACHED, _ESCALATED), "escalation": (_ESCALATED,), "endpoint": (_CHANNEL,), "source": (_SOURCE,)}
_NEVER: Final = "0001-01-01T00:00:00Z"  # how Go writes that there is no end yet
_NOTICE_LASTS: Final = timedelta(minutes=5)
_IN_BETWEEN: Final = frozenset({401, 403, 404, 405})

LabelName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$", max_length=100)]


class Config(ChannelConfig):
    """An Alertmanager, or a receiver of its webhooks, whose address is mostly a secret."""

    groups: ClassVar[bool] = False

    kind: Literal["alertmanager"] = "alertmanager"
    url: Url = Field(description="Of v2 the whole address: https://alertmanager.example.com/api/v2/alerts")
    form: Literal["v2", "v4"] = Field(default="v2", description="v2: put alerts into Alertmanager; v4: send what its webhook would.")
    authorization: SecretStr | None = Field(default=None, description="The header's value: `Bearer ...` or `Basic ...`.")
    labels: dict[LabelName, Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        default_factory=dict, max_length=20, description="Labels of your own, for routing."
    )
    keep_hours: int = Field(default=168, ge=1, le=8760, description="How long an alert stays open that nothing ends.")

    @field_validator("authorization")
    @classmethod
    def _is_a_header(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            check_header("authorization", value.get_secret_value())
        return value


def render(notice: Notice, config: Config, at: datetime) -> HttpRequest:
    """A POST of the alerts that the event opens or ends."""
    alerts = _alerts(notice, config, at)
    body = alerts if config.form == "v2" else _webhook(notice, config, alerts)
    auth = {} if config.authorization is None else {"authorization": config.authorization.get_secret_value()}
    return post(config.url.get_secret_value(), json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8"), **auth)


def interpret(response: HttpResponse, at: datetime) -> Outcome:
    """2xx is delivered; 410 switches the channel off. 401, 403, 404 and 405 are tried again, because what stands before a server of
    one's own is often misconfigured for an hour; other 4xx (a refused label) are dead."""
    if 200 <= response.status < 300:
        return Delivered()
    if response.status in _IN_BETWEEN:
        return try_again(response, at)
    return judge(response, at)


def _alerts(notice: Notice, config: Config, at: datetime) -> list[dict[str, Any]]:
    """As Alertmanager takes them."""
    story, incident, step = tell(notice.event), key(notice.event), phase(notice.type)
    began = happened_at(notice.event, at)
    fires = _named(notice.type)
    if step == "resolve":
        ended = _FAMILIES.get(incident.partition(":")[0], (fires,))
        return [_alert(notice, story, config, name, _begun(story, began), began) for name in ended]
    lasts = _NOTICE_LASTS if step == "inform" else timedelta(hours=config.keep_hours)
    alerts = [_alert(notice, story, config, fires, began, at + lasts)]
    if fires == _BREACHED:  # what was at risk is no longer
        alerts.append(_alert(notice, story, config, _AT_RISK, _begun(story, began), began))
    return alerts


def _named(event_type: str) -> tuple[str, str]:
    return _NAMES.get(event_type) or _NAMES.get(event_type.partition(".")[0]) or _OTHER


def _begun(story: Story, ended: datetime) -> datetime:
    """Some instant in an alert that ends: Alertmanager keeps the earlier one it knows."""
    due = story.clock.due_at if story.clock else None
    return min(due or ended, ended)


def _alert(notice: Notice, story: Story, config: Config, name: tuple[str, str], starts_at: datetime, ends_at: datetime) -> dict[str, Any]:
    alert = {
        "labels": _labels(notice, story, config, name),
        "annotations": _annotations(story, shortest=notice.shortest),
        "startsAt": rfc3339(starts_at),
        "endsAt": rfc3339(ends_at),
    }
    return alert | ({"generatorURL": story.links[0].url} if story.links else {})


def _labels(notice: Notice, story: Story, config: Config, name: tuple[str, str]) -> dict[str, str]:
    """By them an alert is known again: the same from the warning to the all-clear."""
    ours = {
        "alertname": name[0],
        "severity": name[1],
        "incident": clean(key(notice.event), 255),
        "source": clean(story.ticket.source) if story.ticket else "",
        "ticket": clean(story.ticket.external_id) if story.ticket else "",
        "metric": clean(story.clock.metric) if story.clock else "",
    }
    return {label: value for label, value in (config.labels | ours).items() if value}


def _annotations(story: Story, *, shortest: bool) -> dict[str, str]:
    said = {"summary": story.brief(SUMMARY_MAX)}
    if not shortest:
        said |= {"description": story.line, "people": story.people, "next": story.upcoming, "ids": " · ".join(story.ids)}
        said |= {"_".join(fact.name.lower().split()): fact.shown for fact in story.facts}
        said |= {link.action: link.url for link in story.links}
    return {name: value for name, value in said.items() if value}


def _webhook(notice: Notice, config: Config, alerts: list[dict[str, Any]]) -> dict[str, Any]:
    """Version 4 of Alertmanager's webhook, as one group of these alerts."""
    group = {"incident": alerts[0]["labels"]["incident"]}
    resolved = phase(notice.type) == "resolve"
    sent = [_as_sent(alert, ends=resolved or number > 0) for number, alert in enumerate(alerts)]
    return {
        "version": "4",
        "groupKey": f"{{}}:{{incident={json.dumps(group['incident'], ensure_ascii=False)}}}",
        "truncatedAlerts": 0,
        "status": "resolved" if resolved else "firing",
        "receiver": config.name or "slawatch",
        "groupLabels": group,
        "commonLabels": _common([alert["labels"] for alert in alerts]),
        "commonAnnotations": _common([alert["annotations"] for alert in alerts]),
        "externalURL": alerts[0].get("generatorURL", ""),
        "alerts": sent,
    }


def _as_sent(alert: Mapping[str, Any], *, ends: bool) -> dict[str, Any]:
    """The fingerprint is ours, made of the labels as Alertmanager's is: 16 hexadecimal digits."""
    fingerprint = hashlib.sha256(json.dumps(alert["labels"], sort_keys=True).encode()).hexdigest()[:16]
    return {
        "status": "resolved" if ends else "firing",
        **alert,
        "endsAt": alert["endsAt"] if ends else _NEVER,
        "generatorURL": alert.get("generatorURL", ""),
        "fingerprint": fingerprint,
    }


def _common(maps: list[dict[str, str]]) -> dict[str, str]:
    return {name: value for name, value in maps[0].items() if all(other.get(name) == value for other in maps[1:])}
