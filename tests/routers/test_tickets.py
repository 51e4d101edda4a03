"""Tickets, clocks and why."""

from typing import Any

from tests.routers.api import Api, problem


async def test_a_ticket_is_found_by_our_id_and_by_its_name_in_the_helpdesk(both: Api) -> None:
    [result] = await both.send({"ticket": "owner/repo#1:x", "set": {"status": "open", "tags": ["gold"]}})
    by_id = await both.ok(f"/v1/tickets/{result['ticket']['id']}")
    by_name = await both.ok("/v1/tickets/shop:owner%2Frepo%231:x")

    assert by_id == by_name
    assert ("owner/repo#1:x", "gold", "gold", ["gold"]) == (by_id["external_id"], by_id["tier"], by_id["policy"], by_id["tags"])
    for path in ("/v1/tickets/shop:nobody", "/v1/tickets/tkt_nobody", "/v1/tickets/shop:x/timeline", "/v1/tickets/shop:x/explain"):
        problem(await both.get(path), 404, "ticket_not_found")


async def test_the_timeline_tells_what_happened_in_its_order(both: Api) -> None:
    at = both.clock.advance(hours=1)
    await both.send({"ticket": "1", "key": "b", "set": {"status": "open", "assignee": None}})
    await both.send({"ticket": "1", "key": "a", "at": "2026-03-02T09:30:00Z", "message": {"author": "customer", "public": True, "id": "m"}})
    items = (await both.ok("/v1/tickets/shop:1/timeline"))["items"]
    newest = (await both.ok("/v1/tickets/shop:1/timeline", **{"sort": "-at", "at[gte]": at.isoformat()}))["items"]

    assert ["a", "b"] == [item["key"] for item in items]
    assert {"author": "customer", "public": True, "id": "m"} == items[0]["message"]
    assert ({"status": "open", "assignee": None}, None, "ticket.status_changed") == (items[1]["set"], items[1]["message"], items[1]["kind"])
    assert ["b"] == [item["key"] for item in newest]


async def test_a_date_among_the_facts_is_an_instant_in_the_timeline(api: Api) -> None:
    await api.send({"ticket": "1", "set": {"created_at": "2026-03-02T09:00:00+01:00"}})

    assert {"created_at": "2026-03-02T08:00:00.000Z"} == (await api.ok("/v1/tickets/shop:1/timeline"))["items"][0]["set"]


async def test_tickets_are_filtered(both: Api) -> None:
    await both.send(
        {"ticket": "1", "set": {"status": "open", "tags": ["gold"], "group": "hardware"}},
        {"ticket": "2", "set": {"status": "solved", "priority": "high"}},
        {"ticket": "3", "source": "elsewhere", "set": {"deleted": True, "tags": "unpromised"}},
    )
    asked: list[dict[str, Any]] = [
        {"tier": "gold"},
        {"policy": "none"},
        {"status": ["open", "solved"]},
        {"deleted": "true"},
        {"deleted": "false", "group": "none"},
    ]
    found = [{item["external_id"] for item in (await both.ok("/v1/tickets", **params))["items"]} for params in asked]

    assert [{"1"}, {"3"}, {"1", "2"}, {"3"}, {"2"}] == found


async def test_a_clock_shows_its_time_as_of_now_and_not_as_of_when_it_was_judged(both: Api) -> None:
    await both.send({"ticket": "1", "set": {"status": "open", "tags": ["gold"]}})
    both.clock.advance(hours=1, minutes=30, seconds=0.5)
    [clock] = (await both.ok("/v1/clocks", metric="resolution"))["items"]
    both.clock.advance(hours=3)
    late = await both.ok(f"/v1/clocks/{clock['id']}")

    assert (5400, 8999, 8999, 37.5) == tuple(
        clock[n] for n in ("elapsed_seconds", "remaining_seconds", "remaining_calendar_seconds", "elapsed_percent")
    )
    assert (16200, -1801, 112.5) == (late["elapsed_seconds"], late["remaining_seconds"], late["elapsed_percent"])
    problem(await both.get("/v1/clocks/clk_nothing"), 404, "clock_not_found")


async def test_a_paused_and_a_stopped_clock_do_not_run(both: Api) -> None:
    await both.send({"ticket": "1", "set": {"status": "open"}}, {"ticket": "2", "set": {"status": "open"}})
    both.clock.advance(hours=1)
    await both.send({"ticket": "1", "set": {"status": "pending"}}, {"ticket": "2", "set": {"status": "solved"}})
    both.clock.advance(hours=1)
    clocks = {item["external_id"]: item for item in (await both.ok("/v1/clocks", metric="resolution"))["items"]}

    assert ("paused", 3600, 25200, None) == tuple(
        clocks["1"][n] for n in ("state", "elapsed_seconds", "remaining_seconds", "remaining_calendar_seconds")
    )
    assert ("stopped", 3600, 25200, "met") == tuple(clocks["2"][n] for n in ("state", "elapsed_seconds", "remaining_seconds", "health"))


async def test_what_breaks_next_is_the_running_clocks_that_are_due_soon_or_overdue(both: Api) -> None:
    await both.send({"ticket": "late", "set": {"status": "open", "tags": ["gold"]}})
    both.clock.advance(minutes=70)
    await both.send({"ticket": "soon", "set": {"status": "open", "tags": ["gold"]}}, {"ticket": "far", "set": {"status": "open"}})
    await both.tick()
    items = (await both.ok("/v1/clocks", due_within="1h", state="running"))["items"]

    assert [("late", "first_response", "overdue"), ("soon", "first_response", "on_track")] == [
        (item["external_id"], item["metric"], item["health"]) for item in items
    ]


async def test_an_explanation_is_of_now_or_of_an_earlier_moment_by_what_had_happened_until_then(both: Api) -> None:
    await both.send({"ticket": "1", "set": {"status": "open"}})
    both.clock.advance(hours=1)
    await both.send({"ticket": "1", "set": {"status": "solved"}})
    both.clock.advance(hours=1)
    now = await both.ok("/v1/tickets/shop:1/explain")
    earlier = await both.ok("/v1/tickets/shop:1/explain", at="2026-03-02T10:30:00+01:00")

    assert [("stopped", 3600.0), ("running", 1800.0)] == [
        next((clock["state"], clock["elapsed_seconds"]) for clock in found["clocks"] if clock["metric"] == "resolution")
        for found in (now, earlier)
    ]
    assert ("support", ["gold"]) == (now["policy"], [rejected["policy"] for rejected in now["rejected_policies"]])
    problem(await both.get("/v1/tickets/shop:1/explain?at=yesterday"), 400, "invalid_request")


async def test_a_clock_whose_policy_has_gone_says_that_it_cannot_tell(api: Api) -> None:
    await api.send({"ticket": "1", "set": {"status": "open"}})
    await api.client.put("/v1/config", content="version: 1\n", headers={"content-type": "application/yaml", "if-match": "*"})
    [clock] = (await api.ok("/v1/clocks", metric="resolution"))["items"]

    assert ("support", None) == (clock["policy"], clock["remaining_seconds"])
