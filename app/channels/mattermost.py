"""Mattermost, by an incoming webhook: https://developers.mattermost.com/integrate/webhooks/incoming/

The address is the credential. A server in a network of one's own needs `delivery.allow_networks`. Mattermost reads Slack's markup
beside Markdown (`<!channel>` becomes `@channel`), so both are disarmed.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, Literal

from app.channels import ChannelConfig, Notice, _markdown
from app.channels._address import Url
from app.channels._chat import fit, fitting, judge, post, smaller, told
from app.channels._story import Story, Tone, tell
from app.exchange import Delivered, HttpRequest, HttpResponse, Outcome, Rejected

TEXT_MAX: Final = 4_000  # characters, which every server takes; most take 16 383
BODY_MAX: Final = 7_500  # bytes; older servers hold 7 900 characters of attachments, later ones more
LINK_MAX: Final = 1_000  # characters of a link in the text

_COLOURS: Final[dict[Tone, str]] = {"bad": "#dc143c", "warning": "#e69f00", "good": "#2e8b57", "neutral": "#4f545c"}
_GONE: Final = frozenset({"web.incoming_webhook.invalid.app_error"})  # the webhook was deleted; the status is 400
_NO_MENTION: Final = "\u200b"  # a space of no width: what follows is no name any more


class Config(ChannelConfig):
    """A Mattermost channel, by the address of an incoming webhook."""

    kind: Literal["mattermost"] = "mattermost"
    url: Url


def render(notice: Notice, config: Config, at: datetime) -> HttpRequest:  # noqa: ARG001  Mattermost knows no time of an attempt
    """A POST of the headline with an attachment, or of the line alone."""
    return post(config.url.get_secret_value(), fitting(_forms(notice), BODY_MAX))


def interpret(response: HttpResponse, at: datetime) -> Outcome:
    """Delivered is 2xx with the body `ok`, of which a broken connection may have left less. 401, 403 and 404, and 400 for a webhook
    that is none, say that the webhook or its channel is gone; any other 400 is a body Mattermost refuses."""
    if not 200 <= response.status < 300:
        return judge(response, at, gone_words=_GONE)
    if b"ok".startswith(response.body.strip()):
        return Delivered()
    return Rejected("protocol_error", f"{told(response)} But Mattermost says `ok`; is the address right?")


def _forms(notice: Notice) -> Iterator[dict[str, Any]]:
    """With an attachment, smaller and smaller, and last the line alone."""
    story = tell(notice.event)
    if story.facts and not notice.shortest:
        for each in smaller(story):
            yield {"text": f"**{escape(story.headline)}**", "attachments": [_attachment(each, story.line)]}
    yield {"text": fit(story.line, TEXT_MAX, escape)}


def _attachment(story: Story, line: str) -> dict[str, Any]:
    url = _markdown.ticket_url(story)
    text = "\n".join(part for part in (escape(story.people), _markdown.links(story, LINK_MAX)) if part)
    parts = {
        "fallback": hushed(line),
        "color": _COLOURS[story.tone],
        "title": escape(story.title) if story.title else None,
        "title_link": url if story.title else None,
        "text": text,
        "fields": [{"title": fact.name, "value": escape(fact.shown), "short": True} for fact in story.facts],
        "footer": hushed(story.footer),
    }
    return {name: part for name, part in parts.items() if part}


def escape(text: str) -> str:
    """Text in which no mention and no markup, neither Mattermost's nor Slack's, is alive."""
    plain = _markdown.escape(text)
    return plain.replace("\\&", "&amp;").replace("\\<", "&lt;").replace("\\>", "&gt;").replace("@", f"@{_NO_MENTION}")


def hushed(text: str) -> str:
    """Text for where Markdown is not read: without a mention that is alive."""
    return text.replace("<", f"<{_NO_MENTION}").replace("@", f"@{_NO_MENTION}")
