"""Google Chat, by a webhook of a space: https://developers.google.com/workspace/chat/quickstart/webhooks

The address, with its key and token, is the credential. All that concerns one ticket goes into one thread. The `requestId` is the same
over retries, so Chat posts a notice once however often it is sent.
"""

import html
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, Literal
from uuid import NAMESPACE_URL, uuid5

from app.channels import ChannelConfig, Notice, _lifecycle
from app.channels._address import Url
from app.channels._chat import fitting, judge, post, smaller, taken, with_query
from app.channels._story import Story, tell
from app.exchange import HttpRequest, HttpResponse, Outcome

BODY_MAX: Final = 30_000  # bytes; Chat takes 32 000
REPLY: Final = "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"

_NOT_A_LINK: Final = "\u200b"  # a space of no width


class Config(ChannelConfig):
    """A Google Chat space, by the address of a webhook."""

    kind: Literal["google-chat"] = "google-chat"
    url: Url


def render(notice: Notice, config: Config, at: datetime) -> HttpRequest:  # noqa: ARG001  Chat knows no time of an attempt
    """A POST of the line with a card, or of the line alone, into the thread of the ticket."""
    request_id = str(uuid5(NAMESPACE_URL, f"{notice.id}/{config.name}"))
    url = with_query(config.url.get_secret_value(), messageReplyOption=REPLY, requestId=request_id)
    return post(url, fitting(_forms(notice), BODY_MAX))


def interpret(response: HttpResponse, at: datetime) -> Outcome:
    """2xx with the message is delivered. 401, 403 and 404 say that the webhook, its key or its space is gone; 400 is a body Chat
    refuses."""
    return taken(response) if 200 <= response.status < 300 else judge(response, at)


def _forms(notice: Notice) -> Iterator[dict[str, Any]]:
    """With a card, smaller and smaller, and last the line alone."""
    story = tell(notice.event)
    short: dict[str, Any] = {"text": escape(story.line), "thread": {"threadKey": _lifecycle.thread(notice.event)}}
    if story.facts and not notice.shortest:
        for each in smaller(story):
            yield short | {"cardsV2": [{"cardId": notice.id, "card": _card(each)}]}
    yield short


def _card(story: Story) -> dict[str, Any]:
    header = {"title": story.headline} | ({"subtitle": story.title} if story.title else {})
    return {"header": header, "sections": [{"collapsible": False, "widgets": list(_widgets(story))}]}


def _widgets(story: Story) -> Iterator[dict[str, Any]]:
    if story.people:
        yield {"textParagraph": {"text": _html(story.people)}}
    for fact in story.facts:
        yield {"decoratedText": {"topLabel": fact.name, "text": _html(fact.shown), "wrapText": True}}
    if story.links:
        yield {"buttonList": {"buttons": [{"text": link.label, "onClick": {"openLink": {"url": link.url}}} for link in story.links]}}
    yield {"textParagraph": {"text": _html(story.footer)}}


def _html(text: str) -> str:
    """For the parts of a card that know tags: https://developers.google.com/workspace/chat/format-messages#card-formatting"""
    return html.escape(text, quote=False)


def escape(text: str) -> str:
    """Text in which no mention (`<users/all>`) and no link with a name (`<https://...|name>`) is alive; Chat knows no escape for them."""
    return text.replace("<", f"<{_NOT_A_LINK}")
