"""The few pages for people: the API's documentation, offline, and an explanation of every problem."""

import html
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from starlette.responses import FileResponse, HTMLResponse, Response

from app.errors import NotFound
from app.routers.middleware import plain_segment

router = APIRouter(include_in_schema=False)

_STATIC: Final = Path(str(files("app.web"))) / "static"
_TYPES: Final = {"docs.js": "text/javascript", "swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
_CACHED: Final = {"cache-control": "public, max-age=86400"}
_POLICY: Final = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}
_HEADING: Final = re.compile(r"^## ([a-z0-9-]+)\n", re.MULTILINE)
_DOCS: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>slawatch API</title>
<link rel="stylesheet" href="static/swagger-ui.css"></head>
<body><div id="swagger-ui"></div><script src="static/swagger-ui-bundle.js"></script><script src="static/docs.js"></script></body></html>
"""
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title></head><body><h1>{title}</h1>{body}</body></html>
"""


@router.get("/docs")
async def docs() -> HTMLResponse:
    """The API's documentation; everything it loads comes from here."""
    return HTMLResponse(_DOCS, headers=_POLICY)


@router.get("/static/{name}")
async def static(name: str) -> Response:
    """The files the documentation needs."""
    if name not in _TYPES:
        raise NotFound(f"There is no file {plain_segment(name)[:100]}.")
    return FileResponse(_STATIC / name, media_type=_TYPES[name], headers=_CACHED)


@router.get("/problems")
async def all_problems() -> HTMLResponse:
    """Every kind of problem."""
    links = "".join(f'<li><a href="problems/{slug}">{slug}</a></li>' for slug in sorted(problem_pages()))
    return HTMLResponse(_PAGE.format(title="Problems", body=f"<ul>{links}</ul>"))


@router.get("/problems/{slug}")
async def one_problem(slug: str) -> HTMLResponse:
    """What a kind of problem means and what to do about it."""
    text = problem_pages().get(slug)
    if text is None:
        raise NotFound(f"There is no problem {plain_segment(slug)[:100]}.")
    return HTMLResponse(_PAGE.format(title=slug, body=_paragraphs(text)))


@cache
def problem_pages() -> dict[str, str]:
    """By slug, the text of each section of the page about problems."""
    _, *rest = _HEADING.split((_STATIC / "problems.md").read_text(encoding="utf-8"))
    return dict(zip(rest[::2], map(str.strip, rest[1::2]), strict=True))


def _paragraphs(text: str) -> str:
    """Paragraphs and `code` of Markdown as HTML; the page uses no more than that."""
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))
    return "".join(f"<p>{paragraph}</p>" for paragraph in re.split(r"\n\s*\n", marked))
