"""The OpenAPI document, which takes a second to make: once for all tests of a worker."""

from copy import deepcopy
from functools import cache
from typing import Any

from app.main import create_app
from app.settings import Settings


def openapi() -> dict[str, Any]:
    """The document of an application with every route; the caller's own copy."""
    return deepcopy(_made())


@cache
def _made() -> dict[str, Any]:
    made: dict[str, Any] = create_app(Settings(database_url="sqlite:///unused.db"), environ={}, background=False).openapi()
    return made
