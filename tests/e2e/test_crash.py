"""kill -9 at any moment: no accepted event is lost, and no breach is told under a second id."""

import asyncio
from pathlib import Path

import pytest

from tests.e2e.stage import World, count_told, events, moments, world
from tests.support.postgres import Postgres

TICKETS = 60


async def crash_and_recover(place: World, *, seed: int, rounds: int, tickets: int) -> None:
    """Post while the service is killed again and again; then check that everything is there, once."""
    waiting = events(tickets)
    killed_while_sending = 0
    for moment in moments(seed, rounds):
        service = await place.start()
        sending = asyncio.create_task(place.send(waiting, [service.url], pause=0.02))
        await asyncio.wait({sending}, timeout=moment)
        killed_while_sending += not sending.done()
        await service.kill()
        waiting = await sending
    service = await place.start()
    accepted = set(place.accepted)
    lost = accepted - await place.keys(service)
    assert await place.send(waiting, [service.url]) == []
    breaches = await place.settle(service, tickets)
    complete = await place.keys(service)
    told = place.ids_told("sla.breached")

    assert killed_while_sending, "no round was killed under load: the load is too small"
    assert accepted
    assert lost == set()
    assert complete == {event.key for event in events(tickets)}
    assert len(breaches) == tickets
    assert told.keys() == {breach["clock_id"] for breach in breaches}
    assert count_told(told) == {1: tickets}
    assert set(count_told(place.ids_told("sla.warning"))) <= {1}
    assert await service.stop() == 0


@pytest.mark.timeout(180)
async def test_kill_9_loses_nothing_and_tells_no_breach_twice(blank_url: str, tmp_path: Path) -> None:
    async with world(tmp_path, blank_url) as place:
        await crash_and_recover(place, seed=1, rounds=3, tickets=TICKETS)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(2, 4))
async def test_kill_9_many_times_over(blank_url: str, tmp_path: Path, seed: int) -> None:
    async with world(tmp_path, blank_url) as place:
        await crash_and_recover(place, seed=seed, rounds=8, tickets=300)


@pytest.mark.timeout(180)
async def test_two_processes_on_one_database_fire_everything_once_and_one_takes_over_from_the_other(
    postgres: Postgres, tmp_path: Path
) -> None:
    name = postgres.create()
    async with world(tmp_path, postgres.url(name)) as place:
        doomed, survivor = await asyncio.gather(place.start(), place.start())  # both migrate, both import the document
        half, rest = events(TICKETS)[: 3 * TICKETS // 2], events(TICKETS)[3 * TICKETS // 2 :]
        assert await place.send(half, [doomed.url, survivor.url]) == []
        first = await place.settle(survivor, TICKETS // 2)
        together = place.ids_told("sla.breached"), place.ids_told("sla.warning")
        sending = asyncio.create_task(place.send(rest, [doomed.url, survivor.url], pause=0.02))
        await asyncio.wait({sending}, timeout=0.3)
        await doomed.kill()
        assert await place.send(await sending, [survivor.url]) == []
        breaches = await place.settle(survivor, TICKETS)
        complete = await place.keys(survivor)
        assert await survivor.stop() == 0
    postgres.drop(name)

    assert len(first) == TICKETS // 2
    assert count_told(together[0]) == {1: TICKETS // 2}
    assert set(count_told(together[1])) == {1}
    assert complete == {event.key for event in events(TICKETS)}
    assert len(breaches) == TICKETS
    assert count_told(place.ids_told("sla.breached")) == {1: TICKETS}
    assert set(count_told(place.ids_told("sla.warning"))) == {1}
