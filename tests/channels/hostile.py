"""Texts from outside that want to be more than text, and what must not become of them."""

from typing import Any

from hypothesis import strategies as st
from rich.markdown import Markdown

from app.channels import Notice
from tests.channels.notices import notice

TEXTS = (
    "<!channel> <!here> <@U1> <#C1> <https://evil.example|click>",
    "<users/all> <users/1> <https://evil.example|click>",
    "@everyone @here @channel @all <@&1> <@1> </nick:1>",
    "[click](https://evil.example) ![x](https://evil.example/x.png) <https://evil.example> <b>bold</b> &lt;i&gt;",
    "**bold** _it_ ~~no~~ `code` ||hidden|| > quote\r\n# heading\r\n- item\r\n1. one\n| a | b |",
    "a_b_c __init__ _x_ a__b__c é_é_é _a_b_",
    "# heading",
    "-# small",
    "- item",
    "12. item",
    "---",
    "\\[a](b) \\\\<c> \\&lt;",
    "${{7*7}} {{DATE(2026-11-21T09:30:00Z,SHORT)}} ${data} @{triggerBody()}",
    "\u202eesrever \u2066\u2067 \u05d0\u05d1\u05d2 \u0627\u0644\u0639",
    "a\r\nSubject: b\r\n\r\nc\0\x1b[31m\u2028d",
    "\U0001f525" * 2500,
    "&" * 10_000,
    "<" * 10_000,
    "\\" * 10_000,
    "*_[" * 3400,
    "\u05d0" * 5_000,
    "A" * 10_000,
    "",
)


def texts() -> st.SearchStrategy[str]:
    """Any text, and those above."""
    return st.sampled_from(TEXTS) | st.text(max_size=400)


def said(text: str, type_: str = "sla.breached", url: str | None = None) -> Notice:
    """A notice in which everything that others may write is `text`; all links are `url`, if it is given."""
    parts: dict[str, Any] = {
        "ticket": {"subject": text, "assignee": text, "organization": text, "priority": text, "tier": text},
        "why": {"policy": text},
        "step": {"ladder": text, "next": text},
        "clock": {"target": text},
    }
    if type_.startswith("escalation."):
        by_hand = {"opened_by": text, "reason": text, "acknowledged_by": text, "closed_because": text}
        parts |= {
            "escalation": {"ladder": text, **by_hand},
            "signal": {"name": text, "raised_at": "2026-11-21T09:30:00Z", "evidence": [text] * 3},
        }
    if url is not None:
        parts["ticket"] |= {"url": url}
        parts["links"] = dict.fromkeys(("ticket", "explain", "breach", "escalation", "acknowledge"), url)
    return notice(type_, **{name: part for name, part in parts.items() if type_.startswith(("sla.", "escalation."))})


def markup(text: str) -> set[str]:
    """What a reader of Markdown other than ours finds in a text beside text: `link_open`, `strong_open`, `heading_open`, ..."""
    tokens = [token for line in text.split("\n") for token in Markdown(line).parsed]
    inner = {child.type for token in tokens for child in token.children or ()}
    return ({token.type for token in tokens} | inner) - {"text", "paragraph_open", "paragraph_close", "inline"}


def shown(text: str) -> str:
    """What it shows of a line."""
    return "".join(child.content for token in Markdown(text).parsed for child in token.children or ())
