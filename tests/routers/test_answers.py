"""What a vendor reads instead of our receipt: verified first, durable first, and nothing stored for a mere handshake."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.store.database import Database
from tests.routers.api import Api, problem, running
from tests.support.clock import FakeClock

DOCUMENT = """\
version: 1
policies:
  - name: everyone
    targets: {first_response: 1h}
sources:
  crm: {kind: salesforce, verify: {bearer: "${env:DESK_SECRET}"}}
  inbox: {kind: front, secret: "${env:DESK_SECRET}"}
"""
SOAP = b"""<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<e:Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound"><Notification><Id>04l1</Id>
<sObject xsi:type="sf:Case" xmlns:sf="urn:sobject.enterprise.soap.sforce.com"><sf:Id>5001</sf:Id><sf:Status>New</sf:Status>
<sf:CreatedDate>2026-03-02T08:00:00Z</sf:CreatedDate><sf:LastModifiedDate>2026-03-02T08:00:00Z</sf:LastModifiedDate></sObject>
</Notification></notifications></e:Body></e:Envelope>"""
ACK = b"<Ack>true</Ack>"


@pytest.fixture
async def api(sqlite_url: str, clock: FakeClock, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(Database(sqlite_url, database_time=False), sqlite_url, clock, tmp_path, DOCUMENT) as made:
        yield made


async def outbound(api: Api, body: bytes = SOAP, secret: str = "desk-secret") -> Any:
    return await api.post(
        "/v1/sources/crm/webhook", content=body, headers={"authorization": f"Bearer {secret}", "content-type": "text/xml"}
    )


async def test_an_outbound_message_is_acknowledged_and_its_case_is_there(api: Api) -> None:
    first, again = await outbound(api), await outbound(api)
    outcomes = [message["outcome"] for message in (await api.ok("/v1/inbox"))["items"]]

    assert [(200, "text/xml; charset=utf-8")] * 2 == [(answer.status_code, answer.headers["content-type"]) for answer in (first, again)]
    assert ACK in first.content
    assert ["applied", "duplicate"] == sorted(outcomes)
    assert "new" == (await api.ok("/v1/tickets/crm:5001"))["status"]


async def test_what_cannot_be_read_is_acknowledged_once_it_is_in_quarantine(api: Api) -> None:
    answer = await outbound(api, b"<broken")
    [message] = (await api.ok("/v1/inbox", outcome="quarantined"))["items"]

    assert (200, True) == (answer.status_code, ACK in answer.content)
    assert message["source"] == "crm"


async def test_a_message_that_proves_nothing_is_not_acknowledged(api: Api) -> None:
    problem(await outbound(api, secret="wrong"), 401, "invalid_signature")

    assert [] == (await api.ok("/v1/inbox"))["items"]


async def test_a_message_that_cannot_be_stored_is_not_acknowledged(api: Api) -> None:
    await api.parts.ingest.stop()

    problem(await outbound(api), 503, "unavailable")
    await api.parts.ingest.start()


async def challenge(api: Api, body: dict[str, Any], secret: str = "desk-secret") -> Any:
    raw, stamp = json.dumps(body).encode(), str(int(api.clock().timestamp() * 1000))
    code = base64.b64encode(hmac.new(secret.encode(), stamp.encode() + b":" + raw, hashlib.sha256).digest()).decode()
    headers = {
        "x-front-signature": code,
        "x-front-request-timestamp": stamp,
        "x-front-challenge": "c4ll",
        "content-type": "application/json",
    }
    return await api.post("/v1/sources/inbox/webhook", content=raw, headers=headers)


async def test_a_handshake_is_answered_and_nothing_is_stored(api: Api) -> None:
    answer = await challenge(api, {"type": "sync"})

    assert (200, {"challenge": "c4ll"}) == (answer.status_code, answer.json())
    assert [] == (await api.ok("/v1/inbox"))["items"]


async def test_a_handshake_that_proves_nothing_is_not_answered(api: Api) -> None:
    problem(await challenge(api, {"type": "sync"}, "wrong"), 401, "invalid_signature")


async def test_what_only_looks_like_a_handshake_is_stored_and_gets_a_receipt(api: Api) -> None:
    answer = await challenge(api, {"type": "inbound", "conversation": {}})
    [message] = (await api.ok("/v1/inbox"))["items"]

    assert (202, message["id"]) == (answer.status_code, answer.json()["receipt"])
