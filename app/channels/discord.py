"""Discord, by a webhook: https://docs.discord.com/developers/resources/webhook#execute-webhook

The address is the credential. `wait=true` makes Discord answer after it has posted, else errors stay invisible. Asking on after
401, 403 or 404 leads to a ban of our address, so these switch the channel off at once.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from pydantic import Field

from app.channels import ChannelConfig, Notice, _markdown
from app.channels._address import Url
from app.channels._answers import HINT_MAX
from app.channels._chat import fit, fitting, judge, parsed, post, smaller, taken, with_query
from app.channels._markdown import escape
from app.channels._story import Story, Tone, tell
from app.channels._text import cut
from app.exchange import HttpRequest, HttpResponse, Outcome, Retry

CONTENT_MAX: Final = 2_000  # characters
TITLE_MAX: Final = 256  # characters, escaped
VALUE_MAX: Final = 400  # characters, escaped; Discord takes 1024, but an embed 6000 in all
FOOTER_MAX: Final = 300  # characters, of 2048
LINK_MAX: Final = 500  # characters of a link in the description, so that all of them fit into its 4096
BODY_MAX: Final = 20_000  # bytes

_COLOURS: Final[dict[Tone, int]] = {"bad": 0xDC143C, "warning": 0xE69F00, "good": 0x2E8B57, "neutral": 0x4F545C}


class Config(ChannelConfig):
    """A Discord channel, by the address of a webhook."""

    kind: Literal["discord"] = "discord"
    url: Url
    thread_id: str | None = Field(default=None, pattern=r"^[0-9]{1,20}$", description="Post into this thread of the webhook's channel.")


def render(notice: Notice, config: Config, at: datetime) -> HttpRequest:  # noqa: ARG001  Discord knows no time of an attempt
    """A POST of the line with an embed, or of the line alone."""
    where = {"thread_id": config.thread_id} if config.thread_id else {}
    return post(with_query(config.url.get_secret_value(), wait="true", **where), fitting(_forms(notice), BODY_MAX))


def interpret(response: HttpResponse, at: datetime) -> Outcome:
    """2xx with the message, or with nothing, is delivered. 400 is a body Discord refuses. How long to wait after 429 is in the header
    or, more often, in the answer: https://docs.discord.com/developers/topics/rate-limits"""
    if 200 <= response.status < 300:
        return taken(response)
    outcome = judge(response, at)
    if response.status == 429 and isinstance(outcome, Retry) and outcome.not_before is None:
        return replace(outcome, not_before=_patience(response, at))
    return outcome


def _patience(response: HttpResponse, at: datetime) -> datetime | None:
    seconds = parsed(response).get("retry_after")
    if not isinstance(seconds, int | float) or not seconds > 0:  # NaN is not greater, either
        return None
    return at + timedelta(seconds=min(seconds, HINT_MAX.total_seconds()))


def _forms(notice: Notice) -> Iterator[dict[str, Any]]:
    """With an embed, smaller and smaller, and last the line alone."""
    story = tell(notice.event)
    short: dict[str, Any] = {"content": fit(story.line, CONTENT_MAX, escape), "allowed_mentions": {"parse": []}}
    if story.facts and not notice.shortest:
        for each in smaller(story):
            yield short | {"embeds": [_embed(each)]}
    yield short


def _embed(story: Story) -> dict[str, Any]:
    title, url = fit(story.title or story.headline, TITLE_MAX, escape), _markdown.ticket_url(story)
    description = "\n".join(part for part in (escape(story.people), _markdown.links(story, LINK_MAX)) if part)
    fields = [{"name": fact.name, "value": _value(fact.value), "inline": True} for fact in story.facts]
    embed: dict[str, Any] = {"title": title, "color": _COLOURS[story.tone], "fields": fields}
    embed |= {"url": url} if url else {}
    embed |= {"description": description} if description else {}
    return embed | {"footer": {"text": cut(story.footer, FOOTER_MAX)}}


def _value(value: str | datetime) -> str:
    """An instant in the reader's own zone, and how far away it is."""
    if isinstance(value, str):
        return fit(value, VALUE_MAX, escape)
    epoch = int(value.timestamp())
    return f"<t:{epoch}:f> (<t:{epoch}:R>)"
