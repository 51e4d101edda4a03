"""Silences over HTTP: made, listed, ended; what cannot be is refused with the place."""

from typing import Any

import pytest

from tests.routers.api import Api, problem

WANTED: dict[str, Any] = {"match": {"tier": "gold"}, "reason": "Their helpdesk is being moved.", "for": "2h"}


async def made(api: Api, **more: Any) -> dict[str, Any]:
    answer = await api.post("/v1/silences", json=WANTED | more)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_silence_is_made_shown_and_ended_and_the_log_knows_it(both: Api) -> None:
    silence = await made(both)
    both.clock.advance(minutes=30)
    ended = (await both.client.delete(f"/v1/silences/{silence['id']}")).json()
    again = (await both.client.delete(f"/v1/silences/{silence['id']}")).json()
    audit = await both.ok("/v1/audit", subject=silence["id"], sort="at")

    assert ("active", {"tier": "gold"}, [], None) == tuple(silence[name] for name in ("state", "match", "channels", "weekly"))
    assert ("2026-03-02T09:00:00.000Z", "2026-03-02T11:00:00.000Z") == (silence["starts_at"], silence["ends_at"])
    assert ("ended", "2026-03-02T09:30:00.000Z", "environment") == (ended["state"], ended["ended_at"], ended["ended_by"])
    assert again == ended
    assert silence == (await both.ok("/v1/silences/" + silence["id"])) | {"state": "active", "ended_at": None, "ended_by": None}
    assert ["silence.created", "silence.ended"] == [entry["action"] for entry in audit["items"]]


async def test_the_list_tells_those_that_hold_from_the_others(both: Api) -> None:
    now, later = await made(both), await made(both, starts_at="2026-03-03T09:00:00Z")
    active = await both.ok("/v1/silences", active="true")
    others = await both.ok("/v1/silences", active="false", author="environment")
    table = await both.get("/v1/silences", params={"format": "csv"})

    assert [now["id"]] == [each["id"] for each in active["items"]]
    assert [(later["id"], "scheduled")] == [(each["id"], each["state"]) for each in others["items"]]
    assert table.text.splitlines()[0].startswith("id,state,match,")
    assert 3 == len(table.text.splitlines())


async def test_a_weekly_one_waits_between_its_windows(api: Api) -> None:
    nights = {"timezone": "Europe/Berlin", "hours": {"daily": ["00:00-06:00", "22:00-24:00"]}}
    silence = await made(api, weekly=nights, **{"for": "7d"})
    api.clock.advance(hours=12)
    at_night = await api.ok(f"/v1/silences/{silence['id']}")

    assert ("waiting", nights) == (silence["state"], silence["weekly"])
    assert "active" == at_night["state"]


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"match": {"tier": {"more": 3}}}, "/match/tier/more"),
        ({"match": {"n": 2**70}}, "/match"),
        ({"match": {}}, "/match"),
        ({"for": "31d"}, "/for"),
        ({"for": None, "ends_at": "2026-04-02T09:00:00Z"}, "/ends_at"),
        ({"ends_at": "2026-03-02T10:00:00Z"}, "/ends_at"),
        ({"for": None, "ends_at": "2026-03-02T08:00:00Z"}, "/ends_at"),
        ({"starts_at": "2026-03-02T08:00:00Z"}, "/starts_at"),
        ({"channels": ["upsteam"]}, "/channels/0"),
        ({"weekly": {"timezone": "Europe/Berlin", "hours": {"mon-fry": "09:00-17:00"}}}, "/weekly/hours/mon-fry"),
        ({"weekly": {"timezone": "Europe/Berlin", "hours": {"mon": "17:00-09:00"}}}, "/weekly/hours/mon/0"),
        ({"weekly": {"timezone": "Europe/Nowhere", "hours": {"mon": "09:00-17:00"}}}, "/weekly"),
        ({"weekly": {"timezone": "Europe/Berlin", "hours": {"sun": "09:00-17:00"}}}, "/weekly/hours"),
        ({"reason": ""}, "/reason"),
    ],
)
async def test_what_cannot_be_is_refused_with_its_place(api: Api, changed: dict[str, Any], pointer: str) -> None:
    body = {name: value for name, value in (WANTED | changed).items() if value is not None}
    found = problem(await api.post("/v1/silences", json=body), 422, "invalid_body")

    assert pointer in [fault.pointer for fault in found.errors]
    assert [] == (await api.ok("/v1/silences"))["items"]


async def test_only_operators_may_silence_and_everybody_who_reads_may_see_it(api: Api) -> None:
    silence, reader = await made(api), await api.key("read")

    problem(await api.post("/v1/silences", json=WANTED, headers=reader), 403, "forbidden")
    problem(await api.client.delete(f"/v1/silences/{silence['id']}", headers=reader), 403, "forbidden")
    assert 201 == (await api.post("/v1/silences", json=WANTED, headers=await api.key("operate"))).status_code
    assert 200 == (await api.get(f"/v1/silences/{silence['id']}", headers=reader)).status_code
    problem(await api.get("/v1/silences/sil_none"), 404, "silence_not_found")
