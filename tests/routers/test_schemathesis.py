"""Generated requests, valid and not, against every operation: no 500, nothing undocumented, every answer of the documented shape."""

import json
import zlib
from collections.abc import Iterator
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import checks
from schemathesis.python import asgi

from app.main import create_app
from app.schemas.instants import rfc3339
from app.settings import Settings
from app.store import migrations
from app.timesource import utc_now
from tests.routers.api import ADMIN, DOCUMENT, ENVIRON
from tests.routers.document import openapi

CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
KEY = {"authorization": f"Bearer {ADMIN}"}
LISTS = {"clock_id": "clocks", "breach_id": "breaches", "message_id": "inbox"}


@schemathesis.serializer("application/x-ndjson")
def lines(ctx: schemathesis.SerializationContext, value: Any) -> bytes:
    """Text as it is; anything else as one line of JSON."""
    return value.encode("utf-8", "replace") if isinstance(value, str) else json.dumps(value).encode()


schema = schemathesis.openapi.from_dict(
    openapi(),
    # Walking every corner of an event's twenty facts takes half a minute; drawing them at random finds the same.
    config=schemathesis.Config.from_dict(
        {"operations": [{"include-operation-id": "send_events", "phases": {"coverage": {"enabled": False}}}]}
    ),
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client, in this process, of a running application with a breached ticket in it."""
    folder = tmp_path_factory.mktemp("schemathesis")
    url = f"sqlite:///{folder / 'slawatch.db'}"
    migrations.upgrade(url)
    file = folder / "slawatch.yaml"
    # No channel: a test message must not go anywhere.
    text = "\n".join(line for line in DOCUMENT.splitlines() if "upstream" not in line).replace("channels:\n", "")
    file.write_text(f"{text}\nsignals:\n  severity: {{match: {{priority: urgent}}}}\n", encoding="utf-8")
    app = create_app(Settings(database_url=url, config=file, admin_key=ADMIN, role="api"), environ=ENVIRON, background=False)
    facts = {"created_at": "2026-01-01T00:00:00Z", "priority": "urgent"}
    event: Any = {"source": "acme-zendesk", "ticket": "4711", "at": rfc3339(utc_now()), "set": facts}
    with asgi.get_client(cast(Any, app)) as made:
        assert made.post("/v1/events", json=event, headers=KEY).status_code == 202
        yield made
        asgi.shutdown_lifespans()


@pytest.fixture(scope="module")
def known(client: Any) -> dict[str, str]:
    """By path parameter, something that exists."""
    found = {"ticket": "acme-zendesk:4711", "source": "desk"}
    for name, path in LISTS.items():
        found[name] = client.get(f"/v1/{path}", headers=KEY).json()["items"][0]["id"]
    return found


@schema.parametrize()
@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_whatever_is_sent_the_answer_is_as_documented(case: schemathesis.Case[Any], client: Any, known: dict[str, str]) -> None:
    for name in known.keys() & (case.path_parameters or {}).keys():
        if zlib.crc32(repr(case.path_parameters[name]).encode()) % 2:  # half of the requests are for something that exists
            case.path_parameters[name] = known[name]
    case.call_and_validate(base_url=f"http://{asgi.HOST}", session=client, headers=KEY, checks=CHECKS)
