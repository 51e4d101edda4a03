"""ntfy, a push service: https://docs.ntfy.sh/publish/#publish-as-json

The message goes to the server's root, with the topic in it: on a public server the topic's name is what keeps others out, so it is a
secret. Nothing in a message is markup.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from app.channels import ChannelConfig, Notice
from app.channels._address import Url
from app.channels._chat import fitting, judge, post, smaller, taken
from app.channels._story import Link, Story, Tone, tell
from app.channels._text import cut_bytes
from app.exchange import HttpRequest, HttpResponse, Outcome

MESSAGE_MAX: Final = 4_000  # bytes; ntfy turns what is longer than 4096 into an attachment without a word
BODY_MAX: Final = 8_000  # bytes; ntfy refuses JSON of more than 8192
ACTIONS_MAX: Final = 3

_PRIORITIES: Final[dict[Tone, int]] = {"bad": 5, "warning": 4, "good": 3, "neutral": 3}
_TAGS: Final[dict[Tone, str]] = {"bad": "rotating_light", "warning": "warning", "good": "white_check_mark", "neutral": "information_source"}
_TOPIC: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def _topic(topic: SecretStr) -> SecretStr:
    name = topic.get_secret_value()
    if not 1 <= len(name) <= 64 or not _TOPIC.issuperset(name):
        raise ValueError("a topic has 1 to 64 letters, digits, _ and -")
    return topic


class Config(ChannelConfig):
    """A topic of ntfy, on ntfy.sh or on a server of one's own."""

    show_path: ClassVar[bool] = True

    kind: Literal["ntfy"] = "ntfy"
    url: Url = Field(default=SecretStr("https://ntfy.sh/"), description="The server, without the topic.")
    topic: Annotated[SecretStr, AfterValidator(_topic)] = Field(description="Whoever knows it can read along on a public server.")
    token: SecretStr | None = Field(default=None, description="An access token (tk_...), where the topic needs one.", min_length=1)

    @model_validator(mode="after")
    def _root(self) -> Self:
        if urlsplit(self.url.get_secret_value()).path.strip("/") == self.topic.get_secret_value():
            raise ValueError("the url is the server's, without the topic")
        return self


def render(notice: Notice, config: Config, at: datetime) -> HttpRequest:  # noqa: ARG001  ntfy knows no time of an attempt
    """A POST to the server's root of the largest form that fits."""
    topic = {"topic": config.topic.get_secret_value()}
    body = fitting((topic | form for form in _forms(notice)), BODY_MAX)
    if config.token is None:
        return post(config.url.get_secret_value(), body)
    return post(config.url.get_secret_value(), body, authorization=f"Bearer {config.token.get_secret_value()}")


def interpret(response: HttpResponse, at: datetime) -> Outcome:
    """2xx with the message is delivered. 401 and 403 say that the token, or what it may do, is wrong; 400 and 413, with a code of
    ntfy's own such as 40024, are a body it refuses; 429 (42901: too many, 42908: the day's quota) and 507 pass."""
    return taken(response) if 200 <= response.status < 300 else judge(response, at)


def _forms(notice: Notice) -> Iterator[dict[str, Any]]:
    """With a title, buttons and a line for each part, smaller and smaller, and last the line alone."""
    story = tell(notice.event)
    how = {"priority": _PRIORITIES[story.tone], "tags": [_TAGS[story.tone], "sla"]}
    if story.facts and not notice.shortest:
        for each in smaller(story):
            yield {"title": each.headline, "message": cut_bytes(_message(each), MESSAGE_MAX), **how, **_links(each.links)}
    yield {"message": cut_bytes(story.line, MESSAGE_MAX), **how}


def _message(story: Story) -> str:
    return "\n".join(part for part in (story.title, *story.said, story.people, story.upcoming) if part)


def _links(links: tuple[Link, ...]) -> dict[str, Any]:
    """A tap opens the first; the buttons are the first three."""
    if not links:
        return {}
    actions = [{"action": "view", "label": link.label, "url": link.url} for link in links[:ACTIONS_MAX]]
    return {"click": links[0].url, "actions": actions}
