"""Keys over HTTP: who may what."""

import pytest

from app.services.keys import Scope
from tests.routers.api import Api, problem


async def test_a_key_is_made_shown_once_used_and_revoked(both: Api) -> None:
    made = await both.post("/v1/keys", json={"name": "dashboard", "scope": "read", "expires_at": "2027-01-01T00:00:00Z"})
    key = {"authorization": f"Bearer {made.json()['key']}"}
    used = await both.get("/v1/clocks", headers=key)
    [listed] = (await both.ok("/v1/keys"))["items"]
    revoked = await both.post(f"/v1/keys/{listed['id']}:revoke")

    assert (201, 200, 200) == (made.status_code, used.status_code, revoked.status_code)
    assert "key" not in listed
    assert made.json()["key"].startswith(listed["hint"])
    assert ("2027-01-01T00:00:00.000Z", "2026-03-02T09:00:00.000Z") == (listed["expires_at"], revoked.json()["revoked_at"])
    problem(await both.get("/v1/clocks", headers=key), 401, "unauthorized")
    problem(await both.post("/v1/keys/key_nothing:revoke"), 404, "key_not_found")


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ("ingest", set()),
        ("read", {"/v1/clocks", "/v1/config"}),
        ("operate", {"/v1/clocks", "/v1/config"}),
        ("admin", {"/v1/clocks", "/v1/config", "/v1/keys", "/v1/audit"}),
    ],
)
async def test_a_scope_opens_what_it_says_and_no_more(api: Api, scope: Scope, allowed: set[str]) -> None:
    key = await api.key(scope)
    for path in ("/v1/clocks", "/v1/config", "/v1/keys", "/v1/audit"):
        answer = await api.get(path, headers=key)
        if path in allowed:
            assert 200 == answer.status_code, path
        else:
            assert "`admin`" in problem(answer, 403, "forbidden").detail or "`read`" in answer.json()["detail"]
            assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer slaw_r_nobody", "Bearer " + "x" * 5000, "slaw_r_x", "Bearer \xff"]
)
async def test_without_a_valid_key_the_answer_says_how_to_send_one(api: Api, header: str) -> None:
    answer = await api.get("/v1/clocks", headers={"authorization": header.encode("latin-1")})

    problem(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith('Bearer realm="slawatch"')


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"scope": "read"}, "/name"),
        ({"name": "", "scope": "read"}, "/name"),
        ({"name": "a\x00", "scope": "read"}, "/name"),
        ({"name": "a", "scope": "root"}, "/scope"),
        ({"name": "a", "scope": "read", "expires_at": "tomorrow"}, "/expires_at"),
        ({"name": "a", "scope": "read", "expires": None}, "/expires"),
    ],
)
async def test_a_key_that_cannot_be_is_refused(api: Api, body: dict[str, object], pointer: str) -> None:
    assert [pointer] == [fault.pointer for fault in problem(await api.post("/v1/keys", json=body), 422, "invalid_body").errors]


async def test_a_key_is_not_made_to_be_expired(api: Api) -> None:
    problem(await api.post("/v1/keys", json={"name": "a", "scope": "read", "expires_at": "2026-01-01T00:00:00Z"}), 422, "invalid_body")


async def test_the_audit_log_tells_who_made_and_ended_keys(api: Api) -> None:
    made = (await api.post("/v1/keys", json={"name": "dashboard", "scope": "read"})).json()
    await api.post(f"/v1/keys/{made['id']}:revoke")
    entries = (await api.ok("/v1/audit", subject=made["id"]))["items"]

    assert [("environment", "key.revoked"), ("environment", "key.created")] == [(entry["actor"], entry["action"]) for entry in entries]


async def test_the_last_use_of_a_key_shows_after_the_next_upkeep(api: Api) -> None:
    key = await api.key("admin")
    await api.get("/v1/keys", headers=key)
    await api.parts.keys.flush()

    assert ["2026-03-02T09:00:00.000Z"] == [entry["last_used_at"] for entry in (await api.ok("/v1/keys"))["items"]]
