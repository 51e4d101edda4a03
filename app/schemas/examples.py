"""Examples of the API's models; the API's documentation shows them, a test checks that they fit."""

from typing import Any, Final

from pydantic import ConfigDict

AT: Final = "2026-11-21T09:30:00.000Z"
LATER: Final = "2026-11-21T15:30:00.000Z"
ULID: Final = "01K9ZB3V6H2M4N8PQRSTVWXYZA"
TICKET: Final[dict[str, Any]] = {"id": f"tkt_{ULID}", "source": "acme-zendesk", "external_id": "4711"}


def example(value: dict[str, Any]) -> ConfigDict:
    """The configuration of a model with one example."""
    return ConfigDict(json_schema_extra={"examples": [value]})
