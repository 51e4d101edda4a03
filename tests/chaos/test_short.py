"""The most telling troubles in short. The long ones are in the files beside this one."""

import asyncio
import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.timesource import utc_now
from tests.chaos.stage import API, WORKER, Helpdesk, check_everything_once, on_postgres, slow_receiver
from tests.chaos.stories import DOCUMENT, anyhow, clocks, renamed, story, tell
from tests.e2e.stage import events, world
from tests.support.postgres import Postgres

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A server that this test may crash: what it has committed survives that."""
    server = Postgres({"synchronous_commit": "on"})
    yield server
    server.stop()


async def test_a_worker_that_is_killed_leaves_nothing_unsaid(postgres: Postgres, tmp_path: Path) -> None:
    async with on_postgres(postgres, tmp_path) as place:
        api, doomed, _ = await asyncio.gather(place.start(*API), place.start(*WORKER), place.start(*WORKER))
        helpdesk = Helpdesk(place, [api.url])
        async with helpdesk.sending(events(100)):
            await asyncio.sleep(1)  # before anything is due: what a dead worker has claimed is free only when its lease ends
            await doomed.kill()

        await check_everything_once(place, api, helpdesk.sent)


async def test_two_api_processes_told_twice_and_in_any_order_come_to_the_same_clocks(postgres: Postgres, tmp_path: Path) -> None:
    rng, begin = random.Random(4), utc_now()
    told = [event for number in range(8) for event in story(number, begin, rng)]
    async with on_postgres(postgres, tmp_path) as place:
        place.config.write_text(DOCUMENT, encoding="utf-8")
        urls = [running.url for running in await asyncio.gather(place.start(*API), place.start(*API))]
        await tell(place, urls[:1], [renamed(event, "truth") for event in told], senders=1)
        await tell(place, urls, anyhow([renamed(event, "shuffled") for event in told], rng, copies=3), senders=8)
        truth, shuffled = [await clocks(place, place.services[0], prefix) for prefix in ("truth", "shuffled")]

    assert len(truth) == 8
    assert shuffled == truth


async def test_a_database_that_crashes_under_load_costs_nothing_and_needs_nobody(own_postgres: Postgres, tmp_path: Path) -> None:
    async with on_postgres(own_postgres, tmp_path) as place:
        service = await place.start()
        helpdesk = Helpdesk(place, [service.url])
        async with helpdesk.sending(itertools.islice(events(500), 1500)):
            await asyncio.sleep(0.7)
            await asyncio.to_thread(own_postgres.crash)
            await asyncio.sleep(0.3)
            await asyncio.to_thread(own_postgres.start)
            await asyncio.sleep(0.5)

        assert set(helpdesk.answers) == {"202", "503"}
        await check_everything_once(place, service, helpdesk.sent)


async def test_what_is_on_its_way_at_the_signal_to_stop_arrives_and_is_recorded(tmp_path: Path) -> None:
    async with world(tmp_path, f"sqlite:///{tmp_path}/slawatch.db") as place, slow_receiver(place) as receiver:
        service = await place.start()
        await Helpdesk(place, [service.url]).send(events(1)[:1])
        await asyncio.wait_for(receiver.arrived.wait(), 20)
        stopping = asyncio.create_task(service.stop())
        early, _ = await asyncio.wait({stopping}, timeout=0.7)
        receiver.let_go.set()
        code = await stopping
        again = await place.start()
        await place.settle(again, 1)
        [delivery] = await place.api(again).rows("deliveries")

    assert not early, "it did not wait for the answer"
    assert code == 0
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 1)
    assert [callback.type for callback in receiver.callbacks] == ["sla.breached"]
