"""What the channels that people read have in common: a body that fits, and what is not a 2xx."""

import json
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode, urlsplit, urlunsplit

from app import __version__
from app.channels._answers import answered, classify, try_again
from app.channels._shape import Story
from app.channels._text import clean, cut
from app.exchange import Delivered, HttpRequest, HttpResponse, Outcome, Rejected

GONE: Final = frozenset({401, 403, 404, 410})
"""The credential, or what it leads to, is gone: no retry mends it, and asking on may get us banned."""
REFUSED: Final = frozenset({400, 413, 422})
"""It is the body that is refused: a smaller and plainer one may be taken."""

_RETRIED: Final = frozenset({408, 409, 425, 429})
_WORDS_MAX: Final = 200  # characters
_SHORT_TITLE: Final = 80  # characters
_FIRST_FACTS: Final = 4  # policy, target, due, state
_FIRST_LINKS: Final = 2  # the ticket, and the page to acknowledge on


def post(url: str, body: bytes, **headers: str) -> HttpRequest:
    """A POST of JSON."""
    ours = {"content-type": "application/json; charset=utf-8", "user-agent": f"slawatch/{__version__}"}
    return HttpRequest("POST", url, ours | headers, body)


def fitting(forms: Iterable[Mapping[str, Any]], limit: int) -> bytes:
    """The first form whose JSON has at most `limit` bytes; the last one when none has."""
    body = b""
    for form in forms:
        body = json.dumps(form, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
        if len(body) <= limit:
            return body
    return body


def smaller(story: Story) -> Iterator[Story]:
    """The story, then with a shorter subject, then with the first facts and links only."""
    yield story
    shorter = replace(story, title=cut(story.title, _SHORT_TITLE) if story.title else None)
    yield shorter
    yield replace(shorter, facts=story.facts[:_FIRST_FACTS], links=story.links[:_FIRST_LINKS], ids=())


def fit(text: str, limit: int, escape: Callable[[str], str]) -> str:
    """`escape(text)` in at most `limit` characters. It is the text that is cut, so no escape is ever cut in two."""
    while len(escaped := escape(text)) > limit:
        text = cut(text, max(len(text) * 3 // 4, 1))
    return escaped


def judge(response: HttpResponse, at: datetime, *, gone: Container[int] = GONE, gone_words: Container[str] = ()) -> Outcome:
    """What an answer means that is no 2xx. The channel is switched off for a status in `gone`, and for any other 4xx whose JSON has a
    code in `gone_words`."""
    status, words = response.status, complaint(response)
    if status in gone or (400 <= status < 500 and status not in _RETRIED and words.code in gone_words):
        return Rejected(classify(status), told(response, words.text), disable=True)
    if 400 <= status < 500 and status not in _RETRIED:
        return Rejected(classify(status), told(response, words.text), smaller=status in REFUSED)
    return try_again(response, at)


def taken(response: HttpResponse) -> Outcome:
    """What a 2xx of a channel means that answers with a JSON object or with nothing: anything else comes from something else."""
    if response.body.strip()[:1] in (b"", b"{"):
        return Delivered()
    return Rejected("protocol_error", f"{told(response)} That is no answer of the channel's; is the address right?")


class Complaint(NamedTuple):
    """What a JSON answer says is wrong; both empty when it says nothing."""

    text: str
    code: str


def complaint(response: HttpResponse) -> Complaint:
    """From `{"message", "code" or "id"}`, `{"error", "code"}` or `{"error": {"message", "code" or "status"}}`."""
    body = parsed(response)
    error = body.get("error")
    inner = error if isinstance(error, Mapping) else body
    message = inner.get("message") or (error if isinstance(error, str) else "")
    code = str(inner.get("status") or inner.get("id") or inner.get("code") or "")
    return Complaint(f"{message} ({code})" if message and code else str(message) or code, code)


def told(response: HttpResponse, words: str = "") -> str:
    """`The receiver answered 404. It says: no_service.`, with these words or the beginning of its body."""
    words = clean(words or response.body[:_WORDS_MAX].decode("utf-8", "replace"), _WORDS_MAX)
    return f"{answered(response)} It says: {words.rstrip('.')}." if words else answered(response)


def with_query(url: str, **parameters: str) -> str:
    """The URL with these parameters, in place of its own of the same names."""
    parts = urlsplit(url)
    kept = [pair for pair in parts.query.split("&") if pair and pair.partition("=")[0] not in parameters]
    return urlunsplit(parts._replace(query="&".join([*kept, urlencode(parameters)])))


def parsed(response: HttpResponse) -> Mapping[str, Any]:
    """The JSON object that was answered; empty for what is none, or was cut at 8 KiB."""
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
