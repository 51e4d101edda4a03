"""The page behind a one-time link: what it is about, and a button. Opening it changes nothing; pressing the button acknowledges."""

import html
from typing import Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from app.errors import Conflict, Gone
from app.routers.deps import PartsDep
from app.schemas.instants import rfc3339
from app.schemas.text import clean
from app.services.acknowledge import Offer, acknowledge_by_link, offer

router = APIRouter(include_in_schema=False)

_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex, nofollow",
    "cache-control": "no-store",
}
_NAME_MAX: Final = 200  # characters
_FORM_MAX: Final = 10_000  # bytes
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 3rem auto; padding: 0 1rem; color-scheme: light dark; }}
button, input {{ font: inherit; padding: .5rem .8rem; }}
</style></head><body><main><h1>{title}</h1>{body}</main></body></html>
"""
_FORM: Final = """<form method="post"><p><label>Your name (optional)<br><input name="by" maxlength="200" autocomplete="name"></label></p>
<p><button type="submit">I take care of it</button></p></form>
<p>The ladder then waits; nobody else is called meanwhile. The clock of the ticket runs on.</p>"""


@router.get("/acknowledge/{token}")
async def show(token: str, parts: PartsDep) -> HTMLResponse:
    """What the link is about, with the button. Opening it changes nothing, so whoever scans links in messages does no harm."""
    found = await offer(parts.db, parts.now, token)
    if found is None:
        return _page("This link is not ours", "<p>It is damaged, or was made by another service.</p>", 404)
    if found.state != "open":
        return _over(found)
    return _page(f"Ticket {_text(found.ticket)}", f"<p>{_about(found)}</p>{_FORM}", 200)


@router.post("/acknowledge/{token}")
async def confirm(token: str, request: Request, parts: PartsDep) -> HTMLResponse:
    """The button was pressed."""
    found = await offer(parts.db, parts.now, token)
    if found is None:
        return _page("This link is not ours", "<p>It is damaged, or was made by another service.</p>", 404)
    if found.state != "open":
        return _over(found)
    by = _name(await request.body())
    try:
        await acknowledge_by_link(parts.db, parts.live, parts.now, token, by=by)
    except (Gone, Conflict):  # somebody was faster
        return _over(await offer(parts.db, parts.now, token) or found)
    return _page("Thank you", f"<p>Ticket {_text(found.ticket)} is yours for now. Nobody else is called meanwhile.</p>", 200)


def _over(found: Offer) -> HTMLResponse:
    """A page without a button: the link was used, has expired, or there is nothing to take care of any more."""
    row = found.row
    if found.state == "used":
        at = rfc3339(row.acknowledged_at) if row.acknowledged_at else ""
        said = f"<p>This link was used. Last acknowledged by {_text(row.acknowledged_by or 'somebody')} at {at}.</p>"
    elif found.state == "closed":
        said = f"<p>The escalation of ticket {_text(found.ticket)} is closed: {_text(row.closed_because or 'over')}.</p>"
    else:
        said = "<p>This link has expired. A later message has a newer one.</p>"
    return _page("Nothing to do here", said, 410)


def _about(found: Offer) -> str:
    row = found.row
    ladder = f" by the ladder {_text(row.ladder)}" if row.ladder else ""
    return f"Escalated{ladder} since {rfc3339(row.opened_at)}, now {_text(row.state)} at step {row.step} of {row.steps}."


def _name(body: bytes) -> str | None:
    """Who says so, of a form's body; None when the form does not say."""
    try:
        fields = parse_qs(body[:_FORM_MAX].decode("utf-8", "replace"), max_num_fields=10)
    except ValueError:
        return None
    return clean(fields.get("by", [""])[0]).strip()[:_NAME_MAX] or None


def _text(value: object) -> str:
    return html.escape(clean(str(value)))


def _page(title: str, body: str, status: int) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(title=title, body=body), status, headers=_HEADERS)
