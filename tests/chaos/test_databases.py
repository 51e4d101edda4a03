"""The database that crashes, dies and is replaced, or stands behind a pooler."""

import asyncio
import itertools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chaos.stage import API, WORKER, Helpdesk, check_everything_once, on_postgres
from tests.e2e.stage import events, world
from tests.support.postgres import REPLICATION, Postgres

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

_POOLER = """\
[databases]
* = host={server} user=postgres
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = {folder}
auth_type = any
pool_mode = transaction
default_pool_size = 3
query_wait_timeout = 5
server_login_retry = 1
"""


@pytest.fixture
def primary() -> Iterator[Postgres]:
    server = Postgres(REPLICATION)
    yield server
    server.stop()


async def test_a_database_that_crashes_again_and_again_costs_nothing(primary: Postgres, tmp_path: Path) -> None:
    async with on_postgres(primary, tmp_path) as place:
        api, *_ = await asyncio.gather(place.start(*API), place.start(*WORKER), place.start(*WORKER))
        helpdesk = Helpdesk(place, [api.url])
        async with helpdesk.sending(events(3000)):
            for away in (0.1, 1.0, 8.0, 0.1):
                await asyncio.sleep(2)
                await asyncio.to_thread(primary.crash)
                await asyncio.sleep(away)
                await asyncio.to_thread(primary.start)

        assert set(helpdesk.answers) == {"202", "503"}
        await check_everything_once(place, api, helpdesk.sent)


async def test_a_standby_that_takes_over_has_everything_and_is_found(primary: Postgres, tmp_path: Path) -> None:
    name = primary.create()
    standby = await asyncio.to_thread(lambda: Postgres(REPLICATION, primary=primary))
    primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
    primary.sql("SELECT pg_reload_conf()")
    url = f"postgresql://postgres@/{name}?host={primary.folder},{standby.folder}&target_session_attrs=read-write"
    try:
        async with world(tmp_path, url) as place:
            api, *_ = await asyncio.gather(place.start(*API), place.start(*WORKER), place.start(*WORKER))
            helpdesk = Helpdesk(place, [api.url])
            async with helpdesk.sending(events(3000)):
                await asyncio.sleep(3)
                await asyncio.to_thread(primary.crash)
                await asyncio.sleep(1)
                await asyncio.to_thread(standby.promote)
                before = len(helpdesk.sent)
                await asyncio.sleep(3)

            assert len(helpdesk.sent) > before
            assert set(helpdesk.answers) <= {"202", "503"}
            await check_everything_once(place, api, helpdesk.sent)
    finally:
        standby.stop()


@pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="PgBouncer is not installed here; Debian has it as the package pgbouncer")
async def test_pgbouncer_in_transaction_mode_makes_no_difference(primary: Postgres, tmp_path: Path) -> None:
    name = primary.create()
    with _pooler(primary) as folder:
        async with world(tmp_path, f"postgresql://postgres@/{name}?host={folder}&port=6432&pgbouncer=true") as place:
            api, doomed, _ = await asyncio.gather(place.start(*API), place.start(*WORKER), place.start(*WORKER))
            helpdesk = Helpdesk(place, [api.url])
            async with helpdesk.sending(itertools.islice(events(1000), 3000)):
                await asyncio.sleep(4)
                await doomed.kill()
                await asyncio.to_thread(primary.crash)
                await asyncio.to_thread(primary.start)
                await asyncio.sleep(4)

            assert set(helpdesk.answers) <= {"202", "503"}
            await check_everything_once(place, api, helpdesk.sent)


@contextmanager
def _pooler(server: Postgres) -> Iterator[Path]:
    """PgBouncer before this server; the folder of its socket."""
    folder = server.make_folder("pooler")
    (folder / "pooler.ini").write_text(_POOLER.format(server=server.folder, folder=folder))
    process = server.program("pgbouncer", "--quiet", str(folder / "pooler.ini"))
    try:
        yield folder
    finally:
        process.terminate()
        process.wait(20)
