"""osTicket: the plugin's body, its signature, and statuses of the house's own."""

import base64
import hashlib
import hmac
import json
import re
from pathlib import Path

import pytest

from app.errors import InvalidSignature
from app.helpdesks import load
from app.rules.events import ActorKind
from tests.helpdesks.deliveries import RECEIVED_AT, read, request, source

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "helpdesks" / "osticket.md").read_text()
BODY = b'{"ticket_id": 81}'


def signed(secret: str = "s3cret", at: float = RECEIVED_AT.timestamp(), body: bytes = BODY) -> dict[str, str]:
    stamp = str(int(at))
    code = base64.b64encode(hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).digest()).decode()
    return {"X-SLA-Timestamp": stamp, "X-SLA-Signature": f"v1={code}"}


def test_only_the_plugins_signature_over_these_bytes_and_now_is_accepted() -> None:
    verify, config = load("osticket").verify, source("osticket")
    wrong = [signed("other"), {}, signed(at=RECEIVED_AT.timestamp() - 600), {**signed(), "X-SLA-Timestamp": "1"}, signed(body=b"{}")]

    verify(request(BODY, signed()), config, RECEIVED_AT)
    for headers in wrong:
        with pytest.raises(InvalidSignature):
            verify(request(BODY, headers), config, RECEIVED_AT)


def test_what_the_docs_say_the_plugin_posts_is_what_the_plugin_posts() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    plugin = re.findall(r"```php\n(.*?)```", PAGE, re.DOTALL)[1]

    assert set(json.loads(example)) == set(re.findall(r"'(\w+)' =>", plugin))


def test_the_plugin_signs_as_the_source_verifies() -> None:
    plugin = re.findall(r"```php\n(.*?)```", PAGE, re.DOTALL)[1]

    assert "base64_encode(hash_hmac('sha256', $at . '.' . $body, self::SECRET, true))" in plugin
    assert '"X-SLA-Timestamp: $at", "X-SLA-Signature: v1=$signature"' in plugin


def test_the_example_of_the_docs_is_a_reply_that_waits_for_the_customer() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    reading = read(source("osticket"), json.loads(example))
    (event,) = reading.events

    assert (reading.reason, event.set["status"], event.message and event.message.author) == (None, "pending", ActorKind.AGENT)
    assert "merged_into" not in event.set


@pytest.mark.parametrize(
    ("status_map", "status"),
    [({}, "pending"), ({"answered": "open"}, "open"), ({"In Repair": "on_hold"}, "on_hold"), ({"open": "new"}, "pending")],
)
def test_a_name_of_the_house_beats_answered_which_beats_open(status_map: dict[str, str], status: str) -> None:
    body = {"ticket_id": 81, "status": "answered", "status_name": "In repair", "at": "2026-11-21T09:00:00Z"}

    assert read(source("osticket", status_map=status_map), body).events[0].set["status"] == status
