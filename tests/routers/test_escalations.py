"""Escalations over HTTP: lists, changes, by hand, and the page behind a one-time link."""

import html
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select, update

from app.services.escalations import fire_steps
from app.store.database import Database
from app.store.tables import deliveries, notices
from tests.routers.api import DOCUMENT, Api, problem, running
from tests.support.clock import FakeClock

PUBLIC = "http://test"
LADDER = """\
escalations:
  ladder:
    steps:
      - {at: breach, type: functional, notify: lead}
      - {after: 30m, type: hierarchical, notify: head}
"""
CHANNELS = """\
  lead: {kind: webhook, url: "https://lead.example.com/sla", secret: "${env:UPSTREAM_SECRET}"}
  head: {kind: webhook, url: "https://head.example.com/sla", secret: "${env:UPSTREAM_SECRET}"}
sources:
"""


@pytest.fixture
async def ladder(sqlite_url: str, clock: FakeClock, tmp_path: Path) -> AsyncIterator[Api]:
    """The application with a ladder of two rungs, and others can reach it."""
    text = DOCUMENT.replace("channels:\n", LADDER + "channels:\n").replace("sources:\n", CHANNELS)
    text = text.replace("    warn_at: [50%]\n", "    warn_at: [50%]\n    escalation: ladder\n")
    db = Database(sqlite_url, database_time=False)
    async with running(db, sqlite_url, clock, tmp_path, text, public_url=PUBLIC) as made:
        yield made


async def escalated(api: Api) -> dict[str, Any]:
    """One breached clock; its escalation."""
    await api.send({"ticket": "1", "set": {"status": "open", "tags": ["gold"], "priority": "high", "subject": "<b>Fire</b>"}})
    api.clock.advance(hours=1, minutes=1)
    await api.tick()
    [found] = (await api.ok("/v1/escalations"))["items"]
    made: dict[str, Any] = found
    return made


async def bodies(api: Api, type_: str) -> list[Any]:
    async with api.parts.db.read() as conn:
        query = select(notices.c.body).where(notices.c.type == type_).order_by(notices.c.id)
        return [orjson.loads(body) for body in (await conn.execute(query)).scalars()]


async def link(api: Api) -> str:
    """The path of the link to acknowledge that came with the breach."""
    [body] = await bodies(api, "sla.breached")
    path: str = body["data"]["links"]["acknowledge"].removeprefix(PUBLIC)
    return path


async def test_an_escalation_is_listed_and_shown_with_its_log_and_what_it_said(ladder: Api) -> None:
    found = await escalated(ladder)
    detail = await ladder.ok(f"/v1/escalations/{found['id']}")
    [breach] = (await ladder.ok("/v1/breaches"))["items"]

    assert ("active", "breach", "functional", 1, 2, "ladder") == tuple(
        found[name] for name in ("state", "cause", "type", "step", "steps", "ladder")
    )
    assert (breach["id"], "gold", "high", "1") == (found["breach_id"], found["tier"], found["priority"], found["external_id"])
    assert "2026-03-02T10:30:00.000Z" == found["next_step_at"]
    assert ["opened", "spoke"] == [line["kind"] for line in detail["log"]]
    assert {"step": 0, "channels": ["lead"], "due_at": "2026-03-02T10:00:00.000Z"} == {
        name: value for name, value in detail["log"][1]["detail"].items() if name != "notice"
    }
    assert ["lead"] == [delivery["channel"] for delivery in detail["deliveries"]]
    problem(await ladder.get("/v1/escalations/esc_nothing"), 404, "escalation_not_found")


async def test_escalations_are_filtered_and_come_as_csv(ladder: Api) -> None:
    found = await escalated(ladder)
    hits: list[dict[str, Any]] = [
        {"state": ["active", "pending"], "open": "true", "cause": "breach", "type": "functional", "ladder": "ladder"},
        {"owner": "none", "acknowledged": "false", "breach": found["breach_id"], "ticket": "shop:1"},
        {"opened_at[gte]": "2026-03-02T10:00:00Z", "sort": "next_step_at"},
    ]
    misses: list[dict[str, Any]] = [{"open": "false"}, {"state": "snoozed"}, {"owner": "jo"}, {"closed_at[gte]": "2026-03-02T10:00:00Z"}]
    table = (await ladder.get("/v1/escalations", params={"format": "csv"})).text

    assert [[found["id"]]] * 3 == [[item["id"] for item in (await ladder.ok("/v1/escalations", **params))["items"]] for params in hits]
    assert [[]] * 4 == [(await ladder.ok("/v1/escalations", **params))["items"] for params in misses]
    assert table.startswith("id,ticket_id,external_id,subject,clock_id,breach_id,cause,")
    assert 2 == len(table.splitlines())


async def test_acknowledging_snoozing_assigning_and_resolving_over_http(ladder: Api) -> None:
    path = f"/v1/escalations/{(await escalated(ladder))['id']}"
    acknowledged = (await ladder.post(f"{path}:acknowledge", json={"by": "jo", "note": "on it", "for": "1h"})).json()
    snoozed = (await ladder.post(f"{path}:snooze", json={"for": "2h"}, headers=await ladder.key("operate"))).json()
    assigned = (await ladder.post(f"{path}:assign", json={"to": "kim"})).json()
    resolved = (await ladder.post(f"{path}:resolve", json={"note": "settled by telephone"})).json()
    audit = [
        (entry["actor"], entry["action"]) for entry in (await ladder.ok("/v1/audit", sort="id"))["items"] if "escal" in entry["action"]
    ]

    assert ("acknowledged", "jo", "2026-03-02T11:01:00.000Z", 0) == tuple(
        acknowledged[name] for name in ("state", "acknowledged_by", "waits_until", "acknowledge_seconds")
    )
    assert ("snoozed", "2026-03-02T12:01:00.000Z") == (snoozed["state"], snoozed["waits_until"])
    assert ("kim", "snoozed") == (assigned["owner"], assigned["state"])
    assert ("resolved", "by hand", 0, None) == tuple(
        resolved[name] for name in ("state", "closed_because", "resolve_seconds", "next_step_at")
    )
    assert ["acknowledged", "snoozed", "assigned", "resolved"] == [action.partition(".")[2] for _, action in audit]
    assert {"jo", "the operate key", "environment"} == {actor for actor, _ in audit}
    problem(await ladder.post(f"{path}:acknowledge"), 409, "conflict")


async def test_acknowledging_the_breach_stops_its_ladder_and_again_renews_it(ladder: Api) -> None:
    found = await escalated(ladder)
    path = f"/v1/breaches/{found['breach_id']}:acknowledge"
    await ladder.post(path, json={"by": "jo", "for": "10m"})
    ladder.clock.advance(minutes=5)
    await ladder.post(path, json={"by": "kim"})
    after = await ladder.ok(f"/v1/escalations/{found['id']}")

    assert ("acknowledged", "kim", "2026-03-02T10:36:00.000Z") == (after["state"], after["acknowledged_by"], after["waits_until"])
    assert "jo" == (await ladder.ok(f"/v1/breaches/{found['breach_id']}"))["acknowledged_by"]


@pytest.mark.parametrize("body", [{"for": "soon"}, {"for": "0s"}, {"for": "31d"}, {"for": 30}, {"for": "1h", "until": "noon"}])
async def test_a_snooze_that_cannot_be_is_refused(ladder: Api, body: dict[str, Any]) -> None:
    path = f"/v1/escalations/{(await escalated(ladder))['id']}:snooze"

    problem(await ladder.post(path, json=body), 422, "invalid_body")


async def test_a_key_that_may_only_read_changes_nothing(ladder: Api) -> None:
    found = await escalated(ladder)
    key = await ladder.key("read")
    for verb in ("acknowledge", "snooze", "resolve", "assign"):
        problem(await ladder.post(f"/v1/escalations/{found['id']}:{verb}", headers=key, json={"for": "1h"}), 403, "forbidden")
    problem(await ladder.post("/v1/escalations", headers=key, json={}), 403, "forbidden")

    assert "active" == (await ladder.ok(f"/v1/escalations/{found['id']}"))["state"]


async def test_an_escalation_by_hand_tells_a_channel_or_starts_a_ladder(ladder: Api) -> None:
    await ladder.send({"ticket": "7", "set": {"status": "open"}})
    wanted = {"ticket": "shop:7", "type": "functional", "target": "head", "reason": "Needs somebody who knows BGP."}
    first = await ladder.post("/v1/escalations", json=wanted)
    second = await ladder.post("/v1/escalations", json=wanted | {"target": "ladder", "type": "hierarchical"})
    told = await bodies(ladder, "escalation.step")

    assert (201, "manual", "functional", None, "head") == (
        first.status_code, *(first.json()[name] for name in ("cause", "type", "ladder", "target")),
    )  # fmt: skip
    assert ("ladder", "hierarchical", 1) == tuple(second.json()[name] for name in ("ladder", "type", "step"))
    assert "Needs somebody who knows BGP." == told[0]["data"]["escalation"]["reason"]
    assert "clock" not in told[0]["data"]
    problem(await ladder.post("/v1/escalations", json=wanted | {"ticket": "shop:8"}), 404, "ticket_not_found")
    problem(await ladder.post("/v1/escalations", json=wanted | {"target": "haed"}), 422, "invalid_body")
    problem(await ladder.post("/v1/escalations", json=wanted | {"type": "automatic"}), 422, "invalid_body")


async def test_the_link_opens_a_page_that_changes_nothing_and_its_button_acknowledges_once(ladder: Api) -> None:
    found = await escalated(ladder)
    path = await link(ladder)
    anonymous = {"authorization": ""}
    page = await ladder.get(path, headers=anonymous)
    untouched = await ladder.ok(f"/v1/escalations/{found['id']}")
    pressed = await ladder.post(path, headers=anonymous, data={"by": "Jo <script>"})
    after = await ladder.ok(f"/v1/escalations/{found['id']}")
    again = await ladder.post(path, headers=anonymous, data={"by": "somebody else"})
    log = (await ladder.ok(f"/v1/escalations/{found['id']}"))["log"]

    assert (200, "active", ["opened", "spoke"]) == (page.status_code, untouched["state"], [line["kind"] for line in untouched["log"]])
    assert '<form method="post">' in page.text
    assert "Ticket 1" in page.text
    assert (200, "acknowledged", "Jo <script>") == (pressed.status_code, after["state"], after["acknowledged_by"])
    assert 410 == again.status_code
    assert html.escape("Jo <script>") in again.text
    assert "<script" not in page.text + pressed.text + again.text
    assert 1 == [line["kind"] for line in log].count("acknowledged")
    assert "link" not in log[-1]["detail"]
    assert "Jo <script>" == (await ladder.ok(f"/v1/breaches/{found['breach_id']}"))["acknowledged_by"]


async def test_the_page_is_closed_to_frames_scripts_other_hosts_and_caches(ladder: Api) -> None:
    await escalated(ladder)
    page = await ladder.get(await link(ladder), headers={"authorization": ""})
    policy = page.headers["content-security-policy"]

    assert {"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} <= set(policy.split("; "))
    assert "script-src" not in policy
    assert "http" not in page.text.replace(PUBLIC, "")
    assert ("DENY", "no-store", "nosniff", "no-referrer") == tuple(
        page.headers[name] for name in ("x-frame-options", "cache-control", "x-content-type-options", "referrer-policy")
    )


@pytest.mark.parametrize("spoilt", ["{}AAAA", "A{}", "{:.10}", "üüü", "A" * 5000])
async def test_a_link_that_is_not_ours_opens_nothing(ladder: Api, spoilt: str) -> None:
    found = await escalated(ladder)
    path = f"/acknowledge/{spoilt.format((await link(ladder)).rpartition('/')[2])}"
    answers = [await ladder.get(path), await ladder.post(path)]

    assert [404, 404] == [answer.status_code for answer in answers]
    assert "active" == (await ladder.ok(f"/v1/escalations/{found['id']}"))["state"]


async def test_a_link_expires_after_a_day(ladder: Api) -> None:
    await escalated(ladder)
    path = await link(ladder)
    ladder.clock.advance(hours=24)
    answers = [await ladder.get(path), await ladder.post(path)]

    assert [410, 410] == [answer.status_code for answer in answers]
    assert "expired" in answers[0].text


async def test_a_link_about_something_that_is_over_says_so(ladder: Api) -> None:
    found = await escalated(ladder)
    path = await link(ladder)
    await ladder.post(f"/v1/escalations/{found['id']}:resolve")
    answer = await ladder.post(path)

    assert 410 == answer.status_code
    assert "is closed: by hand" in answer.text


async def test_every_message_has_a_link_of_its_own_and_an_all_clear_has_none(ladder: Api) -> None:
    found = await escalated(ladder)
    ladder.clock.advance(minutes=30)
    await fire_steps(ladder.parts.db, ladder.parts.live, ladder.clock)
    async with ladder.parts.db.begin() as conn:
        await conn.execute(update(deliveries).values(state="delivered", next_attempt_at=None, delivered_at=ladder.clock()))
    [step] = await bodies(ladder, "escalation.step")
    links = step["data"]["links"]
    await ladder.post(await link(ladder), data={"by": "jo"})
    second = await ladder.post(links["acknowledge"].removeprefix(PUBLIC), data={"by": "kim"})
    reply = {"author": "agent", "public": True}
    await ladder.send({"ticket": "1", "message": reply, "actor": {"kind": "agent"}})
    quiet = [*await bodies(ladder, "sla.recovered"), *await bodies(ladder, "escalation.deescalated")]

    assert 2 == len(quiet)
    assert 200 == second.status_code
    assert f"{PUBLIC}/v1/escalations/{found['id']}" == links["escalation"]
    assert "kim" == (await ladder.ok(f"/v1/escalations/{found['id']}"))["acknowledged_by"]
    assert not [body for body in quiet if "acknowledge" in body["data"]["links"]]


async def test_without_a_public_address_there_are_no_links(both: Api) -> None:
    await both.send({"ticket": "1", "set": {"status": "open", "tags": ["gold"]}})
    both.clock.advance(hours=1, minutes=1)
    await both.tick()

    assert {} == (await bodies(both, "sla.breached"))[0]["data"]["links"]
