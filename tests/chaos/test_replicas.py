"""Replicas that are replaced, killed and put to sleep, on PostgreSQL."""

import asyncio
import itertools
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app.store.database import Database
from app.timesource import utc_now
from tests.chaos.stage import API, WORKER, Helpdesk, check_everything_once, on_postgres, slow_receiver
from tests.chaos.stories import DOCUMENT, anyhow, clocks, renamed, story, tell
from tests.e2e.stage import Event, Running, World, events
from tests.support.postgres import Postgres

_FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]


async def test_every_process_is_replaced_under_load_and_nobody_outside_notices(postgres: Postgres, tmp_path: Path) -> None:
    async with on_postgres(postgres, tmp_path) as place:
        apis = [await place.start(*API), await place.start(*API)]
        workers = [await place.start(*WORKER), await place.start(*WORKER)]
        helpdesk = Helpdesk(place, [running.url for running in apis])
        codes = []
        async with helpdesk.sending(events(2000)):
            for old in apis + workers:
                new = await place.start(*(API if old in apis else WORKER))
                if old in apis:  # what a load balancer does
                    helpdesk.urls[:] = [new.url, *(url for url in helpdesk.urls if url != old.url)]
                codes.append(await old.stop())

        assert codes == [0, 0, 0, 0]
        assert set(helpdesk.answers) == {"202"}
        await check_everything_once(place, place.services[-3], helpdesk.sent)


@pytest.mark.parametrize("seed", [1, 2])
async def test_claims_are_exact_while_workers_are_killed_and_put_to_sleep(postgres: Postgres, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    async with on_postgres(postgres, tmp_path) as place:
        api = await place.start(*API)
        workers = list(await asyncio.gather(*(place.start(*WORKER) for _ in range(4))))
        helpdesk = Helpdesk(place, [api.url])
        async with helpdesk.sending(events(3000), pause=0.1):
            for _ in range(12):
                await _trouble(place, workers, rng)

        await check_everything_once(place, api, helpdesk.sent, patience=180)


async def _trouble(place: World, workers: list[Running], rng: random.Random) -> None:
    """One worker is killed and replaced, or sleeps for a while."""
    await asyncio.sleep(rng.uniform(0.2, 1))
    victim = rng.choice(workers)
    if rng.random() < 0.4:
        await victim.kill()
        workers[workers.index(victim)] = await place.start(*WORKER)
    else:
        victim.child.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(rng.uniform(0.3, 4))
        victim.child.process.send_signal(signal.SIGCONT)


async def test_who_wakes_up_after_the_end_of_its_lease_changes_nothing(postgres: Postgres, tmp_path: Path) -> None:
    async with on_postgres(postgres, tmp_path) as place, slow_receiver(place) as receiver:
        api, sleeper = await place.start(*API), await place.start(*WORKER)
        await Helpdesk(place, [api.url]).send(events(1)[:1])
        await asyncio.wait_for(receiver.arrived.wait(), 30)
        sleeper.child.process.send_signal(signal.SIGSTOP)  # it has sent the message and does not hear the answer
        await place.start(*WORKER)
        receiver.let_go.set()
        await place.settle(api, 1, patience=90)
        [before] = await place.api(api).rows("deliveries")
        sleeper.child.process.send_signal(signal.SIGCONT)
        code = await sleeper.stop()  # which waits for what is on its way
        [after] = await place.api(api).rows("deliveries")
        told = [(callback.type, callback.id) for callback in receiver.callbacks]

    assert len(told) == 2, "the lease has ended, and somebody else has sent it"
    assert len(set(told)) == 1
    assert (before["state"], before["attempts"]) == ("delivered", 2)
    assert after == before
    assert code == 0


async def test_who_freezes_while_it_holds_tickets_loses_them_and_changes_nothing_later(postgres: Postgres, tmp_path: Path) -> None:
    async with on_postgres(postgres, tmp_path) as place:
        url = place.database_url
        place.database_url = f"{url}&idle_in_transaction_session_timeout=3s&transaction_timeout=5s"
        api = await place.start(*API)
        place.database_url += "&application_name=frozen"
        frozen = await place.start(*WORKER)
        helpdesk = Helpdesk(place, [api.url])
        opened = events(20)
        async with _no_breach_can_be_written(url):
            await helpdesk.send(opened, pause=0)
            await _until_blocked(postgres)
            frozen.child.process.send_signal(signal.SIGSTOP)
        await helpdesk.send([Event(event.ticket, "while it is frozen") for event in opened[::3]])
        place.database_url = url
        await place.start(*WORKER)
        await place.settle(api, 20, patience=90)
        frozen.child.process.send_signal(signal.SIGCONT)

        assert await frozen.stop() == 0
        assert set(helpdesk.answers) <= {"202", "503"}
        await check_everything_once(place, api, helpdesk.sent)


@asynccontextmanager
async def _no_breach_can_be_written(url: str) -> AsyncIterator[None]:
    database = Database(url)
    await database.open()
    async with database.begin() as connection:
        await connection.execute(text("LOCK TABLE breaches IN EXCLUSIVE MODE"))
        yield
    await database.close()


async def _until_blocked(postgres: Postgres) -> None:
    """Until the process called `frozen` waits in the middle of a transaction."""
    asked = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'frozen' AND wait_event_type = 'Lock'"
    async with asyncio.timeout(15):
        while True:
            if await asyncio.to_thread(postgres.sql, asked) != "0":
                return
            await asyncio.sleep(0.02)


async def test_four_api_processes_told_anyhow_come_to_the_same_clocks_as_one(postgres: Postgres, tmp_path: Path) -> None:
    rng, begin = random.Random(8), utc_now()
    told = [event for number in range(150) for event in story(number, begin, rng)]
    async with on_postgres(postgres, tmp_path) as place:
        place.config.write_text(DOCUMENT, encoding="utf-8")
        urls = [running.url for running in await asyncio.gather(*(place.start(*API) for _ in range(4)))]
        await tell(place, urls[:1], [renamed(event, "truth") for event in told], senders=1)
        await tell(place, urls, anyhow([renamed(event, "shuffled") for event in told], rng, copies=4), senders=32)
        truth, shuffled = [await clocks(place, place.services[0], prefix) for prefix in ("truth", "shuffled")]

    assert len(truth) == 150
    assert shuffled == truth


async def test_processes_that_start_and_stop_all_the_time_lose_nothing(postgres: Postgres, tmp_path: Path) -> None:
    async with on_postgres(postgres, tmp_path) as place:
        steady = await place.start()
        helpdesk = Helpdesk(place, [steady.url])
        async with helpdesk.sending(itertools.cycle(events(150)), pause=0.03):
            for _ in range(5):
                passing = await place.start()
                helpdesk.urls.append(passing.url)
                await asyncio.sleep(0.5)
                assert await passing.stop() == 0  # not taken out before: some requests meet a closed door
                helpdesk.urls.remove(passing.url)

        assert not {answer for answer in helpdesk.answers if answer.startswith("5")} - {"503"}
        await check_everything_once(place, steady, helpdesk.sent)


@pytest.mark.skipif(
    _FAKETIME is None, reason="libfaketime is not installed here; tests/chaos/test_clock_off.py does the same in one process"
)
async def test_machines_whose_clocks_are_ten_minutes_off_change_nothing(postgres: Postgres, tmp_path: Path) -> None:
    def machine(off: str) -> dict[str, str]:
        return {"LD_PRELOAD": str(_FAKETIME), "FAKETIME": off, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    async with on_postgres(postgres, tmp_path) as place:
        straight, ahead, behind, *_ = await asyncio.gather(
            place.start(*API), place.start(*API, **machine("+600s")), place.start(*API, **machine("-600s")),
            place.start(*WORKER, **machine("+600s")), place.start(*WORKER, **machine("-600s")),
        )  # fmt: skip
        helpdesk = Helpdesk(place, [straight.url, ahead.url, behind.url])
        await helpdesk.send(events(60))

        assert set(helpdesk.answers) == {"202"}, "signatures are fresh everywhere"
        await check_everything_once(place, ahead, helpdesk.sent)
        breaches = await place.api(behind).rows("breaches")
        late = [datetime.fromisoformat(row["detected_at"]) - datetime.fromisoformat(row["breached_at"]) for row in breaches]

    assert timedelta(0) <= min(late) <= max(late) < timedelta(seconds=30)
