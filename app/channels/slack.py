"""Slack, by an incoming webhook or by a bot token.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and https://docs.slack.dev/reference/methods/chat.postMessage

The address of a webhook is its credential. A message has a short form (one line) and a rich one (blocks); a body that grew too
large, by links of the helpdesk's, is made smaller step by step, so a long ticket never costs an alert. Every message is one of
its own: a webhook cannot thread, and with a token a thread needs the `ts` of its first message, which is not kept.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, Literal, Self

from pydantic import Field, SecretStr, model_validator

from app.channels import ChannelConfig, Notice
from app.channels._address import Url
from app.channels._answers import answered
from app.channels._chat import fit, fitting, judge, parsed, post, smaller, told
from app.channels._story import Link, Story, tell
from app.channels._text import cut, instant
from app.exchange import Delivered, HttpRequest, HttpResponse, Outcome, Rejected, Retry

API: Final = "https://slack.com/api/chat.postMessage"
TEXT_MAX: Final = 4_000  # characters; Slack cuts at 40 000 and advises this
HEADER_MAX: Final = 150  # characters
BODY_MAX: Final = 12_000  # bytes of the rich form
TITLE_MAX: Final = 1_000  # characters, escaped; with the next two at most 3000, what a section holds
PEOPLE_MAX: Final = 1_000  # characters, escaped
LINK_MAX: Final = 600  # characters of a link inside a section
FIELD_MAX: Final = 1_900  # characters, escaped; a field holds 2000 with its name

_POSTED: Final = re.compile(rb'\s*\{\s*"ok"\s*:\s*true\b')  # the answer repeats the message and may be longer than we read
_PASSES: Final = {  # https://docs.slack.dev/reference/methods/chat.postMessage#errors
    "ratelimited": "http_429",
    "rate_limited": "http_429",
    "message_limit_exceeded": "http_429",
    "fatal_error": "http_5xx",
    "internal_error": "http_5xx",
    "service_unavailable": "http_5xx",
    "request_timeout": "http_5xx",
    "team_added_to_org": "http_5xx",
}
_BODY: Final = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "no_text", "invalid_arguments"})
_ACCESS: Final = frozenset(  # the token, its scope, or the channel
    {"access_denied", "account_inactive", "channel_not_found", "ekm_access_denied", "enterprise_is_restricted", "invalid_auth"}
    | {"is_archived", "missing_scope", "no_permission", "not_allowed_token_type", "not_authed", "not_in_channel", "org_login_required"}
    | {"restricted_action", "team_access_not_granted", "token_expired", "token_revoked"}
)


class Config(ChannelConfig):
    """A Slack channel: by the address of an incoming webhook (`url`), or by a bot's `token` and a `channel`."""

    kind: Literal["slack"] = "slack"
    url: Url | None = Field(default=None, description=f"Of the incoming webhook. With a token: of the method, if it is not {API}.")
    token: SecretStr | None = Field(default=None, description="A bot token (xoxb-...) with the scope chat:write.")
    channel: str | None = Field(default=None, description="Where the bot posts: an id (C0123ABCD) or a name (#support).", min_length=1)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.token is None) is not (self.channel is None):
            raise ValueError("a bot needs both token and channel")
        if self.token is None and self.url is None:
            raise ValueError("needs the url of an incoming webhook, or token and channel of a bot")
        return self


def render(notice: Notice, config: Config, at: datetime) -> HttpRequest:  # noqa: ARG001  Slack knows no time of an attempt
    """A POST of the largest form that fits; with a token, to the method that posts as the bot."""
    url = config.url.get_secret_value() if config.url else API
    where: dict[str, Any] = {} if config.channel is None else {"channel": config.channel}
    body = fitting((where | form for form in _forms(notice)), BODY_MAX)
    if config.token is None:
        return post(url, body)
    return post(url, body, authorization=f"Bearer {config.token.get_secret_value()}")


def interpret(response: HttpResponse, at: datetime) -> Outcome:
    """Delivered is 2xx with the body `ok` (of which a broken connection may have left less) or, of the API, `{"ok":true`.

    A 2xx with anything else is not Slack's: dead, because a retry would only say it again. 401, 403, 404 and 410 mean that the
    webhook or its channel is gone. 400 is a body Slack refuses: a smaller one may do.
    """
    if not 200 <= response.status < 300:
        return judge(response, at)
    if b"ok".startswith(response.body.strip()) or _POSTED.match(response.body):
        return Delivered()
    error = parsed(response).get("error")
    if isinstance(error, str):
        return _refusal(response, error)
    return Rejected("protocol_error", f"{answered(response)} But Slack says `ok`, and this says something else.")


def _refusal(response: HttpResponse, error: str) -> Outcome:
    """The API answers 200 and says what is wrong: something that passes, the bot's rights, the body, or what we do not know."""
    detail = told(response, error)
    if error in _PASSES:
        return Retry(_PASSES[error], detail)
    return Rejected("http_4xx", detail, disable=error in _ACCESS, smaller=error in _BODY)


def _forms(notice: Notice) -> Iterator[dict[str, Any]]:
    """The rich form, smaller and smaller, and last the line alone."""
    story = tell(notice.event)
    short = {"text": fit(story.line, TEXT_MAX, escape)}
    if story.facts and not notice.shortest:
        for each in smaller(story):
            yield short | {"unfurl_links": False, "unfurl_media": False, "blocks": list(_blocks(each))}
    yield short


def _blocks(story: Story) -> Iterator[dict[str, Any]]:
    yield {"type": "header", "text": {"type": "plain_text", "text": cut(story.headline, HEADER_MAX), "emoji": True}}
    if story.title is not None:
        yield {"type": "section", "text": _mrkdwn(f"{_title(story.title, story)}\n{fit(story.people, PEOPLE_MAX, escape)}")}
    yield {"type": "section", "fields": [_mrkdwn(f"*{fact.name}*\n{_value(fact.value)}") for fact in story.facts]}
    if story.links:
        yield {"type": "actions", "elements": [_button(link) for link in story.links]}
    yield {"type": "context", "elements": [_mrkdwn(fit(story.footer, FIELD_MAX, escape))]}


def _title(text: str, story: Story) -> str:
    """Linked to the ticket, unless the link is so long that the button must do."""
    title = fit(text, TITLE_MAX, escape)
    url = next((escape(link.url) for link in story.links if link.action == "open_ticket"), None)
    return f"*{title}*" if url is None or len(url) > LINK_MAX else f"*<{url}|{title}>*"


def _value(value: str | datetime) -> str:
    """An instant in the reader's own zone; what follows the bar is for clients that cannot."""
    if isinstance(value, str):
        return fit(value, FIELD_MAX, escape)
    return f"<!date^{int(value.timestamp())}^{{date_short_pretty}} {{time}}|{instant(value)}>"


def _button(link: Link) -> dict[str, Any]:
    label = {"type": "plain_text", "text": link.label, "emoji": True}
    style = {"style": "primary"} if link.action == "acknowledge" else {}
    return {"type": "button", "text": label, "url": link.url, "action_id": link.action} | style


def escape(text: str) -> str:
    """Slack's three: https://docs.slack.dev/messaging/formatting-message-text#escaping. After it, no mention is live."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}
