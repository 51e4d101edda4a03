"""Markdown, as chats read it: a text from outside stays text, a link is one we made."""

import re
from typing import Final

from app.channels._story import Link, Story

_SPECIAL: Final = re.compile(
    r"([\\`*~\[\]<>|]"
    r"|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"  # one between letters is no markup: clk_1
    r"|&(?=#?\w+;))"  # begins an entity
)
_AT_THE_START: Final = re.compile(r"^(\d*)([-+#.)=])(?=[-#\s=]|$)")  # lists, headings, rules


def escape(text: str) -> str:
    """One line in which nothing is markup: https://spec.commonmark.org/current/#backslash-escapes"""
    return _AT_THE_START.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", text))


def link(link: Link) -> str:
    """`[Why](https://...)`: the URL needs no escaping (`web_link`)."""
    return f"[{link.label}]({link.url})"


def links(story: Story, longest: int) -> str:
    """All links but the ticket's own, on one line; without those longer than `longest` characters. The ticket's belongs on its title."""
    shown = (each for each in story.links if each.action != "open_ticket" and len(each.url) <= longest)
    return " · ".join(link(each) for each in shown)


def ticket_url(story: Story) -> str | None:
    """Where the title leads; None for nowhere."""
    return next((each.url for each in story.links if each.action == "open_ticket"), None)
