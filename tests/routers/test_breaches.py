"""Breaches and deliveries."""

from typing import Any

from sqlalchemy import update

from app.store.tables import deliveries
from tests.routers.api import Api, problem


async def breached(api: Api) -> dict[str, Any]:
    """One breached clock; its breach."""
    await api.send({"ticket": "1", "set": {"status": "open", "tags": ["gold"], "priority": "high"}})
    api.clock.advance(hours=1, minutes=1)
    await api.tick()
    [breach] = (await api.ok("/v1/breaches"))["items"]
    found: dict[str, Any] = breach
    return found


async def test_a_breach_is_dated_by_its_deadline_and_comes_with_evidence_and_deliveries(both: Api) -> None:
    breach = await breached(both)
    detail = await both.ok(f"/v1/breaches/{breach['id']}")

    assert ("2026-03-02T10:00:00.000Z", "2026-03-02T10:01:00.000Z") == (breach["breached_at"], breach["detected_at"])
    assert ("open", "first_response", "gold", "1") == (breach["status"], breach["metric"], breach["tier"], breach["external_id"])
    assert "1h" == detail["evidence"]["target"]
    assert [("upstream", "sla.breached", "pending")] == [(d["channel"], d["type"], d["state"]) for d in detail["deliveries"]]
    problem(await both.get("/v1/breaches/brc_nothing"), 404, "breach_not_found")


async def test_breaches_are_filtered(both: Api) -> None:
    breach = await breached(both)
    hits: list[dict[str, Any]] = [
        {"status": "open", "tier": "gold"},
        {"acknowledged": "false"},
        {"ticket": "shop:1", "metric": ["first_response", "resolution"]},
        {"breached_at[gte]": "2026-03-02T10:00:00Z", "breached_at[lte]": "2026-03-02T10:00:00Z"},
        {"priority": "high", "policy": "gold", "source": "shop", "group": "none"},
    ]
    misses: list[dict[str, Any]] = [
        {"status": "answered"},
        {"acknowledged": "true"},
        {"ticket": "shop:2"},
        {"breached_at[gt]": "2026-03-02T10:00:00Z"},
        {"tier": "none"},
    ]

    assert [[breach["id"]]] * 5 == [[item["id"] for item in (await both.ok("/v1/breaches", **params))["items"]] for params in hits]
    assert [[]] * 5 == [(await both.ok("/v1/breaches", **params))["items"] for params in misses]


async def test_the_first_acknowledgement_counts_and_again_changes_nothing(both: Api) -> None:
    path = f"/v1/breaches/{(await breached(both))['id']}:acknowledge"
    first = await both.post(path, json={"by": "jo", "note": "on it"})
    both.clock.advance(minutes=1)
    second = await both.post(path, json={"by": "someone else"})
    audit = (await both.ok("/v1/audit", action="breach.acknowledged"))["items"]

    assert (200, first.json()) == (second.status_code, second.json())
    assert ("jo", "on it", "2026-03-02T10:01:00.000Z") == tuple(first.json()[f"acknowledge{n}"] for n in ("d_by", "_note", "d_at"))
    assert [{"note": "on it"}] == [entry["detail"] for entry in audit]


async def test_an_acknowledgement_without_a_body_is_by_the_name_of_the_key(api: Api) -> None:
    path = f"/v1/breaches/{(await breached(api))['id']}:acknowledge"
    answer = await api.post(path, headers=await api.key("operate"))

    assert "the operate key" == answer.json()["acknowledged_by"]


async def test_an_acknowledgement_that_cannot_be_is_refused(api: Api) -> None:
    path = f"/v1/breaches/{(await breached(api))['id']}:acknowledge"

    problem(await api.post(path, json={"who": "jo"}), 422, "invalid_body")
    problem(await api.post(path, json={"by": "a\x00b"}), 422, "invalid_body")
    problem(await api.post(path, content=b'{"by": "\\ud800"}', headers={"content-type": "application/json"}), 422, "invalid_body")
    problem(await api.post(path, headers=await api.key("read")), 403, "forbidden")
    problem(await api.post("/v1/breaches/brc_nothing:acknowledge"), 404, "breach_not_found")


async def test_a_retracted_breach_needs_no_acknowledgement(both: Api) -> None:
    breach = await breached(both)
    reply = {"author": "agent", "public": True}
    await both.send({"ticket": "1", "at": "2026-03-02T09:30:00Z", "message": reply, "actor": {"kind": "agent"}})

    assert "retracted" == (await both.ok(f"/v1/breaches/{breach['id']}"))["status"]
    problem(await both.post(f"/v1/breaches/{breach['id']}:acknowledge"), 409, "conflict")


async def test_deliveries_are_listed_shown_and_tried_again(both: Api) -> None:
    breach = await breached(both)
    [found] = (await both.ok("/v1/deliveries", breach=breach["id"], state="pending"))["items"]
    async with both.parts.db.begin() as conn:
        await conn.execute(update(deliveries).values(state="dead", next_attempt_at=None))
    retried = await both.post(f"/v1/deliveries/{found['id']}:retry")
    async with both.parts.db.begin() as conn:
        await conn.execute(update(deliveries).values(state="delivered", delivered_at=both.clock()))

    assert ("pending", []) == (retried.json()["state"], retried.json()["history"])
    problem(await both.post(f"/v1/deliveries/{found['id']}:retry"), 409, "conflict")
    problem(await both.post("/v1/deliveries/dlv_nothing:retry"), 404, "delivery_not_found")
    problem(await both.get("/v1/deliveries/dlv_nothing"), 404, "delivery_not_found")
