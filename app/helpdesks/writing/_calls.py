"""What the plans of all helpdesks are made of: a request with JSON, an answer that is what was asked for, notes as text and HTML."""

import base64
import html
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import orjson
from pydantic import SecretStr

from app import __version__
from app.exchange import HttpRequest, HttpResponse
from app.helpdesks.writing import Calls, Done, Moved, Stop

_MOVED: Final = (301, 307, 308)
_GONE: Final = (404, 410)


def request(
    method: str, url: str, auth: Mapping[str, str], json: Any = None, *, query: Mapping[str, str] | None = None, form: Any = None
) -> HttpRequest:
    """A request of an API: `json` or `form` is its body. `auth` are further headers, lower-case."""
    headers = {"accept": "application/json", "user-agent": f"slawatch/{__version__}", **auth}
    body = b""
    if json is not None:
        headers["content-type"], body = "application/json", orjson.dumps(json)
    if form is not None:
        headers["content-type"], body = "application/x-www-form-urlencoded", urlencode(form).encode()
    return HttpRequest(method, url + (f"?{urlencode(query, quote_via=quote)}" if query else ""), headers, body)


def ask(asked: HttpRequest, named: Callable[[str], str] | None = None) -> Calls[HttpResponse]:
    """Make a call and go on when it was accepted. Else: Moved where the answer leads to another ticket, Stop in all other cases.

    `named` tells from the address the answer gives what that ticket is called; None: this helpdesk does not lead to others so, and a
    redirect is a mistake (an address without https, a page to log in).
    """
    response = yield asked
    status = response.status
    if 200 <= status < 300:
        return response
    if named is not None and status in _MOVED and (place := response.headers.get("location")):
        raise Moved(named(place))
    if status in _GONE:
        detail = "the helpdesk knows no such ticket: it was deleted or merged, or our user may not see it"
        raise Stop(Done(detail, dropped=True, response=response))
    raise Stop(Done(f"{asked.method} was answered {status}", response=response))


def fetch(asked: HttpRequest, named: Callable[[str], str] | None = None) -> Calls[Any]:
    """As `ask`: the answer's JSON. Stop when it is none."""
    response = yield from ask(asked, named)
    return parsed(response)


def parsed(response: HttpResponse) -> Any:
    """The JSON of an answer. Stop, to try again, when it cannot be read."""
    try:
        return orjson.loads(response.body)
    except orjson.JSONDecodeError:
        raise Stop(Done("the helpdesk's answer cannot be read", again=True, response=response)) from None


def dig(value: Any, *path: str) -> Any:
    """What stands at a path of maps; None where it ends before."""
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def words(value: Any, key: str | None = None) -> list[str]:
    """A list of words, or of maps whose `key` holds one; none when it is no list."""
    items = value if isinstance(value, list) else []
    found = [dig(item, key) if key is not None else item for item in items]
    return [str(item) for item in found if item is not None]


def missing(wanted: Iterable[str], there: Iterable[str]) -> list[str]:
    """Which of the wanted tags are not there yet; case does not matter."""
    known = {tag.casefold() for tag in there}
    return [tag for tag in dict.fromkeys(wanted) if tag.casefold() not in known]


def has_note(asked: HttpRequest, marker: str) -> Calls[bool]:
    """Whether the notes that a request lists hold our marker already. They are not parsed: the list may be cut."""
    response = yield from ask(asked)
    return marker.encode() in response.body


def number(value: str, what: str) -> int:
    """An id that has to be a number. Stop when it is none: the document must name it under `groups` or `assignees`."""
    if not value.isascii() or not value.isdigit():
        raise Stop(Done(f"{value!r} is no id of {what} in this helpdesk; name its id in the source's write_back"))
    return int(value)


def segment(text: str) -> str:
    """A text as one segment of a path."""
    return quote(text, safe="")


def last_segment(url: str) -> str:
    """The last segment of a URL's path."""
    return urlsplit(url).path.rstrip("/").rpartition("/")[2]


def basic(user: str, password: SecretStr) -> dict[str, str]:
    """The header of Basic authentication."""
    pair = f"{user}:{password.get_secret_value()}".encode()
    return {"authorization": f"Basic {base64.b64encode(pair).decode()}"}


def bearer(token: SecretStr | str) -> dict[str, str]:
    """The header of a bearer token."""
    return {"authorization": f"Bearer {token.get_secret_value() if isinstance(token, SecretStr) else token}"}


def as_html(text: str) -> str:
    """Plain text for helpdesks that take HTML."""
    return html.escape(text, quote=False).replace("\n", "<br>")
