"""The auditor: what is due and not done is found, and the dead-man's switch is pinged only while all is well."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import insert, update

from app.delivery.client import DeliveryClient
from app.guard import GuardPolicy
from app.services import health
from app.services.auditor import Auditor
from app.store.database import Database
from app.store.tables import deliveries, endpoints, escalations
from app.telemetry import metrics
from tests.delivery.servers import Call, answers, receiver
from tests.services.world import World, event, world
from tests.support.clock import FakeClock

HOUR = timedelta(hours=1)
DOCUMENT = """
version: 1
policies: [{name: everyone, targets: {first_response: 1h}, escalation: ladder}]
escalations: {ladder: {steps: [{at: breach, notify: up}, {after: 30m, notify: up}]}}
channels: {up: {kind: webhook, url: "https://hooks.example.com/sla", secret: "${env:SECRET}"}}
"""
WELL = ["clocks", "escalations", "deliveries", "detection"]


@asynccontextmanager
async def auditing(
    desk: World, url: str, since: Callable[[], float | None] = lambda: 0.5, heartbeat: str | None = None
) -> AsyncIterator[Auditor]:
    """An auditor of this desk, with a connection of its own, that may ping loopback."""
    async with DeliveryClient(GuardPolicy((ip_network("127.0.0.0/8"),))) as client:
        own = Database(url, pool=1, database_time=False)
        auditor = Auditor(own, client, desk.clock, since, SecretStr(heartbeat) if heartbeat else None)
        yield auditor
        await auditor.stop()


@pytest.fixture
async def place(database: Database, clock: FakeClock, tmp_path: Path) -> AsyncIterator[World]:
    async with world(database, clock, tmp_path, DOCUMENT) as made:
        yield made


async def broken(place: World) -> datetime:
    """A ticket whose breach was detected when it came; when that was."""
    await place.tell(event(place.clock(), "created"))
    place.clock.advance(hours=1)
    await place.tick()
    return place.clock()


async def behind(auditor: Auditor) -> list[str]:
    return [lag.name for lag in await auditor.lags() if not lag.ok]


async def test_all_is_well_while_what_is_due_is_done(place: World, database_url: str) -> None:
    await place.tell(event(place.clock(), "created"))
    place.clock.advance(minutes=30)
    async with auditing(place, database_url) as auditor:
        lags = await auditor.lags()

    assert WELL == [lag.name for lag in lags if lag.ok]
    assert [0.0, 0.0, 0.0, 0.5] == [lag.seconds for lag in lags]


async def test_a_clock_that_nobody_judges_is_found_after_thirty_seconds(place: World, database_url: str) -> None:
    await place.tell(event(place.clock(), "created"))
    async with auditing(place, database_url) as auditor:
        place.clock.advance(hours=1, seconds=30)
        soon = await behind(auditor)
        place.clock.advance(seconds=1)
        found = await auditor.lags()

    assert [] == soon
    assert [("clocks", 31.0, "31.000 seconds behind")] == [(lag.name, lag.seconds, lag.detail) for lag in found if not lag.ok]


async def test_a_rung_that_nobody_climbs_is_found(place: World, database_url: str) -> None:
    await broken(place)
    async with place.db.begin() as conn:
        await conn.execute(update(deliveries).values(state="delivered", next_attempt_at=None))
    place.clock.advance(minutes=31)
    async with auditing(place, database_url) as auditor:
        found = await behind(auditor)

    assert ["escalations"] == found


async def test_a_delivery_that_nobody_takes_is_found_after_a_minute(place: World, database_url: str) -> None:
    await broken(place)
    async with auditing(place, database_url) as auditor:
        place.clock.advance(seconds=60)
        soon = await behind(auditor)
        place.clock.advance(seconds=1)
        late = await behind(auditor)

    assert ([], ["deliveries"]) == (soon, late)


@pytest.mark.parametrize(
    "why",
    [
        {"endpoint": {"disabled_at": "now"}},
        {"endpoint": {"open_until": "later"}},
        {"delivery": {"leased_until": "later", "next_attempt_at": "later"}},
    ],
    ids=["disabled", "breaker", "being sent"],
)
async def test_a_delivery_that_is_left_alone_on_purpose_is_not(place: World, database_url: str, why: dict[str, Any]) -> None:
    await broken(place)
    place.clock.advance(minutes=5)
    at = {"now": place.clock(), "later": place.clock() + HOUR}
    async with place.db.begin() as conn:
        for name, value in why.get("endpoint", {}).items():
            row = {"channel": "up", "failures": 9, "transport_failures": 9, "warned": 0, name: at[value]}
            await conn.execute(insert(endpoints).values(**row))
        if "delivery" in why:
            await conn.execute(update(deliveries).values(**{name: at[value] for name, value in why["delivery"].items()}))
    async with auditing(place, database_url) as auditor:
        found = await behind(auditor)

    assert [] == found


@pytest.mark.parametrize(("since", "ok"), [(None, False), (30.0, True), (30.1, False)])
async def test_a_loop_that_looks_no_more_is_found(place: World, database_url: str, since: float | None, ok: bool) -> None:
    async with auditing(place, database_url, lambda: since) as auditor:
        found = await behind(auditor)

    assert ([] if ok else ["detection"]) == found


async def test_a_heartbeat_goes_out_only_while_all_is_well(place: World, database_url: str) -> None:
    await place.tell(event(place.clock(), "created"))
    async with receiver(answers("200 OK")) as switch, auditing(place, database_url, heartbeat=f"{switch.url}/ping") as auditor:
        well = await auditor.audit()
        pings = len(switch.calls)
        gauge = metrics.value("slawatch_audit_last_successful")
        place.clock.advance(hours=2)
        late = await auditor.audit()

    assert (True, 1.0, False) == (well, gauge, late)
    assert (1, 1) == (pings, len(switch.calls))
    assert 0.0 == metrics.value("slawatch_audit_last_successful")
    assert 3600.0 == metrics.value("slawatch_audit_lag_seconds", {"kind": "clocks"})


async def test_a_switch_that_does_not_answer_harms_nothing(place: World, database_url: str) -> None:
    async with auditing(place, database_url, heartbeat="http://10.0.0.1/ping") as auditor:
        before = metrics.value("slawatch_heartbeats_total", {"class": "blocked_address"}) or 0.0
        well = await auditor.audit()

    assert well
    assert before + 1 == metrics.value("slawatch_heartbeats_total", {"class": "blocked_address"})


async def test_without_its_database_nothing_is_well(place: World, tmp_path: Path) -> None:
    (tmp_path / "nothing.db").mkdir()
    async with auditing(place, f"sqlite:///{tmp_path / 'nothing.db'}") as auditor:
        lags = await auditor.lags()

    assert {(False, None)} == {(lag.ok, lag.seconds) for lag in lags}


async def test_it_goes_on_by_itself_and_stops(place: World, database_url: str) -> None:
    twice, yes = asyncio.Event(), answers("200 OK")

    async def behave(call: Call) -> None:
        await yes(call)
        if call.number + call.request > 2:
            twice.set()

    async with receiver(behave) as switch, auditing(place, database_url, heartbeat=switch.url) as auditor:
        await auditor.start(every=0.02)
        async with asyncio.timeout(5):
            await twice.wait()
        await auditor.stop()
        stopped = len(switch.calls)
        await asyncio.sleep(0.06)

    assert stopped == len(switch.calls)


async def test_a_worker_that_leaves_things_undone_is_not_ready_and_says_which(place: World, database_url: str) -> None:
    await broken(place)
    async with place.db.begin() as conn:
        await conn.execute(update(escalations).values(next_step_at=place.clock()))
    place.clock.advance(minutes=2)
    async with auditing(place, database_url) as auditor:
        found = await health.checks(place.db, database_url, detects=True, since_detection=0.1, auditor=auditor)
        of_api = await health.checks(place.db, database_url, detects=False, since_detection=None, auditor=auditor)

    assert {"escalations", "deliveries"} == {check.name for check in found if not check.ok}
    assert {"database", "migrations", "configuration"} == {check.name for check in of_api}
