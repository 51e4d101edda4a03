"""Tokens that are got with a client's id and secret, and kept until the helpdesk refuses them."""

from collections.abc import Callable

from app.exchange import HttpRequest
from app.helpdesks.writing import Calls, Desk, Stop
from app.helpdesks.writing._calls import dig, fetch

_KEPT = "access token"


def with_token(desk: Desk, asked: HttpRequest, calls: Callable[[str], Calls[None]]) -> Calls[None]:
    """Make calls with a token; `asked` gets one. One that was kept and is refused (401) is got anew, once."""
    was_kept = _KEPT in desk.kept
    if not was_kept:
        yield from _get(desk, asked)
    try:
        yield from calls(desk.kept[_KEPT])
    except Stop as stop:
        response = stop.done.response
        if response is None or response.status != 401:
            raise
        del desk.kept[_KEPT]
        if not was_kept:
            raise
        yield from _get(desk, asked)
        yield from calls(desk.kept[_KEPT])


def _get(desk: Desk, asked: HttpRequest) -> Calls[None]:
    desk.kept[_KEPT] = str(dig((yield from fetch(asked)), "access_token"))
