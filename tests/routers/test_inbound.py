"""What helpdesks send: durable, answered item by item, and never a reason for a 500."""

import json
from typing import Any

import pytest

from tests.routers.api import Api, problem

DESK = {"authorization": "Bearer desk-secret"}
HOOK = {"id": "d1", "ticket": 7, "at": "2026-03-02T08:59:00Z", "status": "open", "subject": "Printer on fire"}
EVENT = {"source": "shop", "ticket": "1", "at": "2026-03-02T09:00:00Z", "set": {"status": "open"}}


async def hook(api: Api, body: Any, path: str = "/v1/sources/desk/webhook", **headers: str) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await api.post(path, content=content, headers=DESK | {"content-type": "application/json"} | headers)


async def test_a_webhook_is_answered_with_its_receipt_and_the_tickets_it_touched(both: Api) -> None:
    answer = await hook(both, HOOK)
    receipt = answer.json()
    ticket = await both.ok(f"/v1/tickets/{receipt['tickets'][0]['id']}")

    assert (202, "applied", None) == (answer.status_code, receipt["outcome"], receipt["reason"])
    assert ("desk", "7", "Printer on fire") == (ticket["source"], ticket["external_id"], ticket["subject"])
    assert "duplicate" == (await hook(both, HOOK)).json()["outcome"]


async def test_a_webhook_needs_the_sources_secret_and_no_api_key(api: Api) -> None:
    problem(await hook(api, HOOK, authorization="Bearer wrong"), 401, "invalid_signature")
    problem(await hook(api, b"\xff", authorization=""), 401, "invalid_signature")

    assert [] == (await api.ok("/v1/inbox"))["items"]


async def test_a_webhook_of_an_unknown_source_is_not_found(api: Api) -> None:
    problem(await hook(api, HOOK, "/v1/sources/nobody/webhook"), 404, "source_not_found")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b"[" * 5000, b'{"ticket": "a\\u0000b"}', b'{"ticket": "\\ud800"}', b'{"ticket": ' + b"9" * 5000 + b"}"]
    + [json.dumps(HOOK | {"at": at}).encode() for at in ("1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "soon")]
    + [json.dumps(HOOK | {"status": "exploded"}).encode()],
)
async def test_what_is_authentic_but_cannot_be_read_is_quarantined_and_can_be_seen(api: Api, body: bytes) -> None:
    answer = await hook(api, body)
    [message] = (await api.ok("/v1/inbox", outcome="quarantined"))["items"]
    seen = await api.ok(f"/v1/inbox/{message['id']}")

    assert (202, "quarantined") == (answer.status_code, answer.json()["outcome"])
    assert message["reason"] == answer.json()["reason"]
    assert "authorization" not in seen["headers"]


async def test_a_quarantined_message_is_replayed_after_the_mapping_was_repaired(both: Api) -> None:
    receipt = (await hook(both, HOOK | {"status": "parked"})).json()
    config = await both.ok("/v1/config")
    repaired = config["text"].replace("done: solved", "done: solved, parked: on_hold")
    stored = await both.client.put("/v1/config", content=repaired, headers={"content-type": "application/yaml", "if-match": "*"})
    again = await both.post(f"/v1/inbox/{receipt['receipt']}:replay")
    audit = await both.ok("/v1/audit", action="inbox.replayed")

    assert ("quarantined", 200, 200, "applied") == (receipt["outcome"], stored.status_code, again.status_code, again.json()["outcome"])
    assert "on_hold" == (await both.ok("/v1/tickets/desk:7"))["status"]
    assert [receipt["receipt"]] == [entry["subject"] for entry in audit["items"]]


async def test_a_message_that_says_nothing_new_cannot_be_replayed(api: Api) -> None:
    await hook(api, HOOK)
    receipt = (await hook(api, HOOK)).json()

    problem(await api.post(f"/v1/inbox/{receipt['receipt']}:replay"), 409, "conflict")
    problem(await api.post("/v1/inbox/inb_nothing:replay"), 404, "message_not_found")


async def test_a_preview_says_what_a_payload_would_say_and_stores_nothing(api: Api) -> None:
    answer = await api.post("/v1/sources/desk:preview", json=HOOK)

    assert {
        "outcome": "applied",
        "reason": None,
        "events": [
            {
                "kind": "ticket.status_changed",
                "ticket": "7",
                "key": "d1",
                "at": "2026-03-02T08:59:00.000Z",
                "actor": {"kind": "unknown", "id": None},
                "set": {"status": "open", "subject": "Printer on fire"},
                "message": None,
            }
        ],
    } == answer.json()
    assert [] == (await api.ok("/v1/inbox"))["items"]


async def test_a_preview_of_what_cannot_be_read_says_why(api: Api) -> None:
    answer = (await api.post("/v1/sources/desk:preview", content=b"{")).json()

    assert ("quarantined", []) == (answer["outcome"], answer["events"])
    assert answer["reason"]
    problem(await api.post("/v1/sources/nobody:preview", content=b"{}"), 404, "source_not_found")


async def test_one_event_an_array_and_lines_are_understood(both: Api) -> None:
    answers = [
        await both.post("/v1/events", json=EVENT),
        await both.post("/v1/events", json=[EVENT, EVENT | {"ticket": "2"}]),
        await both.post(
            "/v1/events", content=json.dumps(EVENT | {"ticket": "3"}) + "\n\n", headers={"content-type": "application/x-ndjson"}
        ),
    ]
    tickets = await both.ok("/v1/tickets", sort="id")

    assert [202, 202, 202] == [answer.status_code for answer in answers]
    assert [["applied"], ["duplicate", "applied"], ["applied"]] == [[item["outcome"] for item in a.json()["items"]] for a in answers]
    assert ["1", "2", "3"] == [ticket["external_id"] for ticket in tickets["items"]]


async def test_one_bad_item_does_not_fail_its_neighbours(both: Api) -> None:
    items = [EVENT, {"source": "shop"}, EVENT | {"ticket": "a\u0000b"}, EVENT | {"ticket": "2"}]
    answer = await both.post("/v1/events", json=items)
    results = answer.json()

    assert (207, 2, 2) == (answer.status_code, results["accepted"], results["refused"])
    assert [202, 422, 422, 202] == [item["status"] for item in results["items"]]
    assert [["/ticket", "/at"], ["/ticket"]] == [[fault["pointer"] for fault in item["errors"]] for item in results["items"][1:3]]


async def test_half_a_surrogate_pair_in_one_item_costs_that_item_only(api: Api) -> None:
    raw = b"[" + json.dumps(EVENT).encode() + b', {"source": "shop", "ticket": "\\ud800", "at": "2026-03-02T09:00:00Z"}]'
    answer = await api.post("/v1/events", content=raw, headers={"content-type": "application/json"})

    assert (207, [202, 422]) == (answer.status_code, [item["status"] for item in answer.json()["items"]])


async def test_when_no_item_can_be_read_the_answer_is_a_problem_with_pointers_into_the_body(api: Api) -> None:
    single = problem(await api.post("/v1/events", json={"source": "shop", "ticket": "1", "at": "yesterday"}), 422, "invalid_body")
    several = problem(await api.post("/v1/events", json=[{}, EVENT | {"order": "x"}]), 422, "invalid_body")

    assert ["/at"] == [fault.pointer for fault in single.errors]
    assert ["/0/source", "/0/ticket", "/0/at", "/1/order"] == [fault.pointer for fault in several.errors]


async def test_an_event_a_little_ahead_of_our_clock_is_taken_with_a_warning_and_one_far_ahead_is_not(api: Api) -> None:
    near, ahead, far = (
        EVENT | {"ticket": str(n), "at": at}
        for n, at in enumerate(("2026-03-02T09:04:00Z", "2026-03-02T09:06:00Z", "2026-03-04T09:00:00Z"))
    )
    results = (await api.post("/v1/events", json=[near, ahead, far])).json()["items"]

    assert [202, 202, 422] == [item["status"] for item in results]
    assert [[], ["the event is dated 360 seconds ahead of our clock"], []] == [item["warnings"] for item in results]


@pytest.mark.parametrize(
    ("content_type", "body", "status", "code"),
    [
        ("application/x-www-form-urlencoded", b"a=b", 415, "unsupported_media_type"),
        ("text/plain", b"{}", 415, "unsupported_media_type"),
        ("application/json", b"", 400, "invalid_request"),
        ("application/json", b"{", 400, "invalid_request"),
        ("application/json", b"[]", 400, "invalid_request"),
        ("application/json", b"[" * 100_000, 400, "invalid_request"),
        ("application/json", b"5", 422, "invalid_body"),
        ("application/x-ndjson", b"{\n{\n", 422, "invalid_body"),
        ("application/json", b"[" + b"1," * 1000 + b"1]", 413, "payload_too_large"),
        ("application/json", b" " * 1_048_577, 413, "payload_too_large"),
    ],
)
async def test_a_body_that_cannot_be_is_a_clear_problem(api: Api, content_type: str, body: bytes, status: int, code: str) -> None:
    problem(await api.post("/v1/events", content=body, headers={"content-type": content_type}), status, code)


async def test_events_need_a_key_that_may_ingest(api: Api) -> None:
    problem(await api.post("/v1/events", json=EVENT, headers={"authorization": ""}), 401, "unauthorized")
    problem(await api.post("/v1/events", json=EVENT, headers=await api.key("operate")), 403, "forbidden")

    assert 202 == (await api.post("/v1/events", json=EVENT, headers=await api.key("ingest"))).status_code


async def test_sources_tell_how_they_do(both: Api) -> None:
    [before] = (await both.ok("/v1/sources"))["items"]
    await hook(both, HOOK)
    await hook(both, b"{")
    both.clock.advance(hours=2, seconds=1)
    after = await both.ok("/v1/sources/desk")

    assert {"name": "desk", "kind": "generic", "path": "/v1/sources/desk/webhook", "silent_after_seconds": 7200}.items() <= before.items()
    assert (None, True, 0) == (before["last_received_at"], before["silent"], before["quarantined"])
    assert ("2026-03-02T09:00:00.000Z", True, 1) == (after["last_received_at"], after["silent"], after["quarantined"])
    problem(await both.get("/v1/sources/nobody"), 404, "source_not_found")


async def test_a_message_of_raw_bytes_is_shown_in_base64(api: Api) -> None:
    receipt = (await hook(api, b"\xff\x00")).json()

    assert {"encoding": "base64", "text": "/wA="} == (await api.ok(f"/v1/inbox/{receipt['receipt']}"))["body"]
    problem(await api.get("/v1/inbox/inb_nothing"), 404, "message_not_found")
