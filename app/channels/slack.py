"""Slack, by an incoming webhook: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks

The address is the credential. A message has a short form (one line) and a rich one (blocks); a body that grew too large, by
links of the helpdesk's, falls back to the short form, so a long ticket never costs an alert.
"""

import json
from datetime import datetime
from typing import Any, Final, Literal

from app import __version__
from app.channels import ChannelConfig, Notice
from app.channels._address import Url
from app.channels._answers import answered, classify, try_again
from app.channels._story import Story, assignee, clean, instant, lateness, tell, ticket_title
from app.exchange import Delivered, HttpRequest, HttpResponse, Outcome, Rejected
from app.schemas.events_out import SlaData

TEXT_MAX: Final = 4_000  # characters; Slack cuts at 40 000 and advises this
HEADER_MAX: Final = 150  # characters
BODY_MAX: Final = 12_000  # bytes of the rich form
BUTTON_URL_MAX: Final = 3_000  # characters
LINK_MAX: Final = 600  # characters of a link inside a section, which holds 3000: title 1000, people 1300, all escaped
PERSON_MAX: Final = 50  # characters

_RETRIED: Final = frozenset({408, 409, 425, 429})
_GONE: Final = frozenset({401, 403, 404, 410})  # action_prohibited, channel_not_found, no_service, channel_is_archived


class Config(ChannelConfig):
    """A Slack channel, by the address of an incoming webhook."""

    kind: Literal["slack"] = "slack"
    url: Url


def render(notice: Notice, config: Config, at: datetime) -> HttpRequest:  # noqa: ARG001  Slack knows no time of an attempt
    """A POST of the rich form, or of the short one when that is all there is or the rich one is too large."""
    headers = {"content-type": "application/json; charset=utf-8", "user-agent": f"slawatch/{__version__}"}
    return HttpRequest("POST", config.url.get_secret_value(), headers, _body(notice))


def interpret(response: HttpResponse, at: datetime) -> Outcome:
    """Delivered is 2xx with the body `ok`, of which a broken connection may have left less.

    A 2xx with anything else is not Slack's: dead, because a retry would only say it again. 401, 403, 404 and 410 mean that the
    webhook or its channel is gone. 400 is a body Slack refuses, which no retry mends.
    """
    if 200 <= response.status < 300:
        if b"ok".startswith(response.body.strip()):
            return Delivered()
        return Rejected("protocol_error", f"{answered(response)} But Slack says `ok`, and this says something else.")
    if response.status in _GONE:
        return Rejected(classify(response.status), _reason(response), disable=True)
    if 400 <= response.status < 500 and response.status not in _RETRIED:
        return Rejected(classify(response.status), _reason(response))
    return try_again(response, at)


def _reason(response: HttpResponse) -> str:
    """Slack's own word for it, such as `no_service`."""
    word = clean(response.body[:200].decode("utf-8", "replace"))
    return f"{answered(response)} It says: {word}" if word else answered(response)


def _body(notice: Notice) -> bytes:
    story = tell(notice.event)
    short = {"text": _cut(escape(story.line), TEXT_MAX)}
    if story.sla is None:
        return _json(short)
    rich = _json(short | {"unfurl_links": False, "unfurl_media": False, "blocks": _blocks(notice.type, story, story.sla)})
    return rich if len(rich) <= BODY_MAX else _json(short)


def _blocks(kind: str, story: Story, sla: SlaData) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _cut(story.headline, HEADER_MAX), "emoji": True}},
        {"type": "section", "text": _mrkdwn(f"{_title(sla)}\n{_people(sla)}")},
        {"type": "section", "fields": [_mrkdwn(f"*{name}*\n{value}") for name, value in _facts(kind, sla)]},
    ]
    buttons = _buttons(sla)
    if buttons:
        blocks.append({"type": "actions", "elements": buttons})
    return [*blocks, {"type": "context", "elements": [_mrkdwn(_footer(sla))]}]


def _title(sla: SlaData) -> str:
    title, url = escape(ticket_title(sla)), _url(sla.links.ticket or sla.ticket.url)
    if url is None or len(escape(url)) > LINK_MAX:
        return f"*{title}*"
    return f"*<{escape(url)}|{title}>*"


def _people(sla: SlaData) -> str:
    ticket = sla.ticket
    priority = f"priority {ticket.priority}" if ticket.priority else None
    tier = f"tier {ticket.tier}" if ticket.tier else None
    named = [clean(part, PERSON_MAX) for part in (ticket.organization, priority, tier) if part]
    return escape(" · ".join([*named, assignee(sla)]))


def _facts(kind: str, sla: SlaData) -> list[tuple[str, str]]:
    facts = [("Policy", escape(clean(sla.why.policy))), ("Target", escape(clean(sla.clock.target)))]
    if sla.clock.due_at is not None:
        facts.append(("Due", _date(sla.clock.due_at)))
    late = lateness(kind, sla)
    return [*facts, ("State", late)] if late else facts


def _buttons(sla: SlaData) -> list[dict[str, Any]]:
    named = (
        ("Open ticket", "open_ticket", sla.links.ticket or sla.ticket.url),
        ("Breach", "open_breach", sla.links.breach),
        ("Why", "explain", sla.links.explain),
    )
    return [
        {"type": "button", "text": {"type": "plain_text", "text": label, "emoji": True}, "url": url, "action_id": action}
        for label, action, link in named
        if (url := _url(link)) is not None
    ]


def _footer(sla: SlaData) -> str:
    parts = [f"breach `{clean(sla.breach_id)}`" if sla.breach_id else None, f"clock `{clean(sla.clock.id)}`"]
    if sla.step is not None:
        parts.append(f"step {sla.step.step} of ladder {clean(sla.step.ladder)}")
        parts.append(f"next: {clean(sla.step.next)}" if sla.step.next else None)
    return escape(" · ".join(part for part in parts if part))


def _date(at: datetime) -> str:
    """In the reader's own zone; what follows the bar is for clients that cannot."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{instant(at)}>"


def _url(url: str | None) -> str | None:
    """A link that ends where we end it; None for what is no absolute http(s) URL or too long for a button."""
    if not url or not url.startswith(("https://", "http://")) or url != clean(url, len(url)) or " " in url:
        return None
    safe = url.replace("<", "%3C").replace(">", "%3E").replace("|", "%7C")
    return safe if len(safe) <= BUTTON_URL_MAX else None


def escape(text: str) -> str:
    """Slack's three: https://docs.slack.dev/messaging/formatting-message-text#escaping. After it, no mention is live."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
