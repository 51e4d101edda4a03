"""Microsoft Teams, by a workflow: https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook

The address is the credential. It leads to a flow that reads `attachments` and posts each as an Adaptive Card 1.4. The flow says 202
before it has posted anything, so delivered means accepted: only somebody who looks into Teams can say more. The kind is chosen in the
document and never guessed from the host, which Microsoft has changed more than once.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final, Literal

from app.channels import ChannelConfig, Notice
from app.channels._address import Url
from app.channels._chat import fitting, judge, post, smaller
from app.channels._markdown import escape as escape_markdown
from app.channels._story import Story, Tone, tell
from app.exchange import Delivered, HttpRequest, HttpResponse, Outcome

BODY_MAX: Final = 12_000  # bytes; 28 kB are documented, but less has been refused, and is counted as UTF-16
CARD_VERSION: Final = "1.4"

_STYLES: Final[dict[Tone, str]] = {"bad": "attention", "warning": "warning", "good": "good", "neutral": "emphasis"}
_GONE: Final = frozenset({"WorkflowTriggerIsNotEnabled", "WorkflowNotFound"})  # whatever the status


class Config(ChannelConfig):
    """A Teams channel or chat, by the address of the workflow that posts to it."""

    kind: Literal["teams"] = "teams"
    url: Url


def render(notice: Notice, config: Config, at: datetime) -> HttpRequest:  # noqa: ARG001  Teams knows no time of an attempt
    """A POST of a message with one card, the largest that fits."""
    return post(config.url.get_secret_value(), fitting((_message(card) for card in _cards(notice)), BODY_MAX))


def interpret(response: HttpResponse, at: datetime) -> Outcome:
    """2xx (mostly 202) is accepted. 401, 403, 404 and 410 say that the flow or its signature is gone, or that it is switched off;
    400, that the flow cannot read the message."""
    return Delivered() if 200 <= response.status < 300 else judge(response, at, gone_words=_GONE)


def _message(card: dict[str, Any]) -> dict[str, Any]:
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _cards(notice: Notice) -> Iterator[dict[str, Any]]:
    """The rich card, smaller and smaller, and last one with the line alone."""
    story = tell(notice.event)
    if story.facts and not notice.shortest:
        for each in smaller(story):
            yield _card(story.line, list(_body(each)), _actions(each))
    yield _card(story.line, [_text(escape(story.line))], [])


def _card(line: str, body: list[dict[str, Any]], actions: list[dict[str, Any]]) -> dict[str, Any]:
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": CARD_VERSION,
        "fallbackText": line,
        "body": body,
    }
    return card | {"actions": actions} if actions else card


def _body(story: Story) -> Iterator[dict[str, Any]]:
    headline = _text(escape(story.headline), weight="Bolder", size="Large")
    yield {"type": "Container", "style": _STYLES[story.tone], "bleed": True, "items": [headline]}
    if story.title is not None:
        yield _text(escape(story.title), weight="Bolder")
        yield _text(escape(story.people), spacing="None")
    yield {"type": "FactSet", "facts": [{"title": fact.name, "value": _value(fact.value)} for fact in story.facts]}
    yield _text(escape(story.footer), size="Small", isSubtle=True)


def _value(value: str | datetime) -> str:
    """An instant in the reader's own zone: https://learn.microsoft.com/adaptive-cards/authoring-cards/text-features"""
    if isinstance(value, str):
        return escape(value)
    at = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{{{{DATE({at},SHORT)}}}} {{{{TIME({at})}}}}"


def _actions(story: Story) -> list[dict[str, Any]]:
    return [{"type": "Action.OpenUrl", "title": link.label, "url": link.url} for link in story.links]


def _text(text: str, **how: Any) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True, **how}


def escape(text: str) -> str:
    """Text in which neither Markdown nor a function of the card (`{{...}}`) is alive. A mention needs an entity, which we never send."""
    return escape_markdown(text.replace("{{", "{ {"))
