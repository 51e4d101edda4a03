"""Channels: how they do, switching them off and on, and what they have missed."""

from datetime import timedelta
from typing import Any

from sqlalchemy import update

from app.schemas.instants import rfc3339
from app.store import endpoints, outbox
from app.store.endpoints import Endpoint
from app.store.tables import deliveries
from tests.routers.api import Api, problem


async def enqueue(api: Api, *names: str, **more: Any) -> None:
    """Notices for the channel `upstream`, each made a minute after the one before."""
    for name in names:
        at = api.clock.advance(minutes=1)
        row = {"id": name, "type": "sla.breached", "milestone": "breach", "body": b"{}", "created_at": at}
        async with api.parts.db.begin() as conn:
            await outbox.add(conn, [row], [outbox.fresh(name, "sla.breached", "upstream", name, at, **more)])


async def states(api: Api) -> list[str]:
    return [row["state"] for row in (await api.ok("/v1/deliveries", sort="id"))["items"]]


async def test_channels_are_listed_with_how_they_do_and_without_their_addresses(api: Api) -> None:
    answer = await api.get("/v1/channels")
    [channel] = answer.json()["items"]

    assert ("upstream", "webhook", ["sla.*"], "ok", "closed", 0) == tuple(
        channel[name] for name in ("name", "kind", "events", "state", "breaker", "held")
    )
    assert channel == await api.ok("/v1/channels/upstream")
    assert "hidden-path" not in answer.text


async def test_a_failing_endpoint_shows_since_when_and_what_goes_wrong(both: Api) -> None:
    at = both.clock()
    failing = Endpoint("upstream", at, 12, 12, at + timedelta(minutes=1), at, "timeout", "No answer within 15 s.")
    async with both.parts.db.begin() as conn:
        await endpoints.save(conn, [failing])
    channel = await both.ok("/v1/channels/upstream")

    assert ("failing", 12, "timeout", "open") == tuple(channel[name] for name in ("state", "failures", "error_class", "breaker"))
    assert (rfc3339(at), rfc3339(at + timedelta(minutes=1))) == (channel["failing_since"], channel["next_probe_at"])


async def test_what_is_meant_for_a_disabled_channel_is_held_until_it_is_enabled(both: Api) -> None:
    await enqueue(both, "msg_1", "msg_2")
    off = (await both.post("/v1/channels/upstream:disable")).json()
    held = await states(both)
    [delivery, _] = (await both.ok("/v1/deliveries"))["items"]
    problem(await both.post(f"/v1/deliveries/{delivery['id']}:retry"), 409, "conflict")
    problem(await both.post("/v1/deliveries:recover", json={"channel": "upstream"}), 409, "conflict")
    again = (await both.post("/v1/channels/upstream:disable")).json()
    on = (await both.post("/v1/channels/upstream:enable")).json()

    assert ("disabled", 2) == (off["state"], off["held"])
    assert off["disabled_by"]
    assert off["disabled_at"] == again["disabled_at"]
    assert ["paused", "paused"] == held
    assert ("ok", None, 0) == (on["state"], on["disabled_at"], on["held"])
    assert ["pending", "pending"] == await states(both)


async def test_what_was_held_may_stay_so_and_be_recovered_later(both: Api) -> None:
    await enqueue(both, "msg_1", "msg_2", "msg_3")
    await both.post("/v1/channels/upstream:disable")
    on = (await both.post("/v1/channels/upstream:enable", json={"replay": False})).json()
    until = rfc3339(both.clock())
    dry = (await both.post("/v1/deliveries:recover", json={"channel": "upstream", "until": until, "dry_run": True})).json()
    before = await states(both)
    done = (await both.post("/v1/deliveries:recover", json={"channel": "upstream", "until": until})).json()

    assert 3 == on["held"]
    assert ["paused"] * 3 == before
    assert ({"channel": "upstream", "deliveries": 2, "dry_run": True}, 2) == (dry, done["deliveries"])
    assert ["pending", "pending", "paused"] == await states(both)


async def test_what_was_accepted_is_replayed_only_when_that_is_asked_for(both: Api) -> None:
    await enqueue(both, "msg_1")
    async with both.parts.db.begin() as conn:
        await conn.execute(update(deliveries).values(state="delivered", delivered_at=both.clock(), next_attempt_at=None))
    missing = (await both.post("/v1/deliveries:recover", json={"channel": "upstream"})).json()
    everything = (await both.post("/v1/deliveries:recover", json={"channel": "upstream", "only_missing": False})).json()

    assert (0, 1) == (missing["deliveries"], everything["deliveries"])
    assert ["pending"] == await states(both)


async def test_deeds_are_noted(api: Api) -> None:
    for verb in ("disable", "enable"):
        await api.post(f"/v1/channels/upstream:{verb}")
    await api.post("/v1/deliveries:recover", json={"channel": "upstream"})
    noted = [row["action"] for row in (await api.ok("/v1/audit"))["items"]]

    assert ["deliveries.recovered", "channel.enabled", "channel.disabled"] == noted[:3]


async def test_what_cannot_be_is_refused(api: Api) -> None:
    for path in ("/v1/channels/nobody:test", "/v1/channels/nobody:disable", "/v1/channels/nobody:enable"):
        problem(await api.post(path), 404, "channel_not_found")
    problem(await api.get("/v1/channels/nobody"), 404, "channel_not_found")
    problem(await api.post("/v1/deliveries:recover", json={"channel": "nobody"}), 404, "channel_not_found")
    for wrong in ({}, {"channel": "upstream", "since": "yesterday"}, {"channel": "upstream", "until": 5}, {"channel": "upstream", "x": 1}):
        problem(await api.post("/v1/deliveries:recover", json=wrong), 422, "invalid_body")
