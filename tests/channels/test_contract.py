"""What every channel must do, whatever its kind: one suite for all of them."""

import json
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from app.channels import Channel, ChannelConfig, kinds, load
from app.exchange import Delivered, HttpRequest, HttpResponse, MailRequest, MailResponse, Rejected, Retry
from app.schemas.events_out import event_types
from tests.channels.notices import AT, notice, raw_notice

TOKEN = "T0KEN-that-must-not-be-told"
CONFIGS: dict[str, dict[str, Any]] = {
    "webhook": {"url": f"https://hooks.example.com/{TOKEN}", "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]},
    "slack": {"url": f"https://hooks.slack.com/services/{TOKEN}"},
    "teams": {"url": f"https://x.environment.api.powerplatform.com:443/workflows/1/triggers/manual/paths/invoke?sig={TOKEN}"},
    "discord": {"url": f"https://discord.com/api/webhooks/1/{TOKEN}"},
    "google-chat": {"url": f"https://chat.googleapis.com/v1/spaces/AAAA/messages?key=k&token={TOKEN}"},
    "mattermost": {"url": f"https://mattermost.example.com/hooks/{TOKEN}"},
    "ntfy": {"url": "https://ntfy.example.com/", "topic": TOKEN, "token": TOKEN},
    "pagerduty": {"url": "https://events.pagerduty.com", "routing_key": TOKEN},
    "jsm-ops": {"url": "https://api.example.com/v2/alerts", "api_key": TOKEN},
    "alertmanager": {"url": "https://alerts.example.com/api/v2/alerts", "authorization": f"Bearer {TOKEN}"},
    "email": {
        "host": "mail.example.com",
        "username": "slawatch",
        "password": TOKEN,
        "sender": "sla@example.com",
        "recipients": ["duty@example.com"],
    },
}
BODIES = {"slack": b"ok", "mattermost": b"ok", "discord": b'{"id": "1"}', "google-chat": b'{"name": "x"}', "ntfy": b'{"id": "x"}'}

BY_HTTP = [kind for kind in kinds() if "url" in CONFIGS.get(kind, {"url": "of a kind that is not in the table"})]

every_kind = pytest.mark.parametrize("kind", kinds())
every_http_kind = pytest.mark.parametrize("kind", BY_HTTP)


def config(kind: str, **changed: Any) -> ChannelConfig:
    return load(kind).Config.model_validate({"kind": kind, **CONFIGS[kind], **changed})


def answered(kind: str, status: int, **headers: str) -> object:
    channel: Channel = load(kind)
    body = BODIES.get(kind, b"") if 200 <= status < 300 else b"no"
    return channel.interpret(HttpResponse(status, headers, body) if kind in BY_HTTP else MailResponse(status, body), AT)


def test_this_suite_knows_every_kind() -> None:
    assert sorted(CONFIGS) == list(kinds())


def test_a_kind_that_does_not_exist_is_not_found() -> None:
    for kind in ("pigeon", "_answers", "../webhook"):
        with pytest.raises(KeyError):
            load(kind)


@every_kind
def test_every_status_has_an_outcome(kind: str) -> None:
    assert all(isinstance(answered(kind, status), Delivered | Retry | Rejected) for status in range(100, 1000))
    assert all(answered(kind, status) == Delivered() for status in range(200, 300))


@every_http_kind
def test_a_receiver_that_is_gone_is_switched_off(kind: str) -> None:
    outcome = answered(kind, 410)

    assert isinstance(outcome, Rejected)
    assert (outcome.error_class, outcome.disable) == ("http_410", True)


@every_http_kind
def test_trouble_that_passes_is_tried_again(kind: str) -> None:
    assert all(isinstance(answered(kind, status), Retry) for status in (408, 409, 425, 429, *range(500, 600)))


@every_http_kind
@pytest.mark.parametrize(("status", "obeyed"), [(429, True), (503, True), (500, False), (302, False)])
def test_retry_after_is_obeyed_where_it_belongs(kind: str, status: int, obeyed: bool) -> None:
    outcome = answered(kind, status, **{"retry-after": "120"})

    assert isinstance(outcome, Retry)
    assert (outcome.not_before is not None) is obeyed


@every_http_kind
@pytest.mark.parametrize("type_", event_types())
def test_every_event_becomes_a_post_of_json(kind: str, type_: str) -> None:
    request = load(kind).render(notice(type_), config(kind), AT)

    assert isinstance(request, HttpRequest)
    assert request.method == "POST"
    assert request.url.startswith(CONFIGS[kind]["url"])  # some add parameters
    assert request.headers["content-type"].startswith("application/json")
    assert all(name == name.lower() for name in request.headers)
    assert isinstance(json.loads(request.body), dict | list)


@every_kind
@pytest.mark.parametrize("type_", event_types())
def test_every_event_becomes_a_request_that_shows_no_secret(kind: str, type_: str) -> None:
    request = load(kind).render(notice(type_), config(kind), AT)

    assert isinstance(request, HttpRequest) is (kind in BY_HTTP)
    assert isinstance(request, HttpRequest) or TOKEN not in f"{request!r} {request.url}"


@every_kind
@pytest.mark.parametrize(
    "event", [{"type": "sla.breached"}, {"type": "escalation.step", "data": {"x": 1}}, {}, {"type": "sla.warning", "data": {}}]
)
def test_an_event_of_an_unknown_shape_is_told_all_the_same(kind: str, event: dict[str, Any]) -> None:
    request = load(kind).render(raw_notice(event), config(kind), AT)

    assert request.data if isinstance(request, MailRequest) else request.body


@every_kind
def test_the_same_notice_makes_the_same_request(kind: str) -> None:
    channel, made = load(kind), config(kind)

    assert channel.render(notice(), made, AT) == channel.render(notice(), made, AT)


@every_http_kind
@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "https://user:x@example.com/",
        "http://127.1/",
        "example.com",
        "",
        "https://exa mple.com/",
        "https://[2002:7f00:1::]/",
    ],
)
def test_an_address_that_nothing_could_permit_is_refused_in_the_document(kind: str, url: str) -> None:
    with pytest.raises(ValidationError):
        config(kind, url=url)


@every_http_kind
@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/hook", "https://mattermost/hooks/x", "https://10.0.0.5/"])
def test_an_address_that_an_allow_list_may_permit_waits_for_the_dial(kind: str, url: str) -> None:
    made: Any = config(kind, url=url)

    assert made.url == SecretStr(url)


@every_kind
def test_no_secret_is_printed(kind: str) -> None:
    made = config(kind)
    with pytest.raises(ValidationError) as refused:
        config(kind, url=f"ftp://example.com/{TOKEN}", unknown=TOKEN)

    assert TOKEN not in f"{made!r} {made} {made.model_dump()} {made.model_dump_json()}"
    assert TOKEN not in str(refused.value)
