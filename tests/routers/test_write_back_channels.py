"""Sources that are written back to are seen and switched like channels, as `source:NAME`."""

from pathlib import Path

from app.store.database import Database
from tests.routers.api import DOCUMENT, problem, running
from tests.support.clock import FakeClock

WRITES = DOCUMENT.replace(
    "    silent_after: 2h\n",
    '    write_back: {requests: [{what: tags, url: "https://desk.example.com/{ticket}/labels/{tag}"}]}\n',
)


async def test_a_source_that_is_written_back_to_stands_behind_the_channels_and_is_switched_like_one(
    database: Database, database_url: str, clock: FakeClock, tmp_path: Path
) -> None:
    async with running(database, database_url, clock, tmp_path, WRITES) as api:
        listed = (await api.ok("/v1/channels"))["items"]
        off = (await api.post("/v1/channels/source:desk:disable")).json()
        on = (await api.post("/v1/channels/source:desk:enable")).json()
        shown = await api.ok("/v1/channels/source:desk")
        problem(await api.get("/v1/channels/source:attic"), 404, "channel_not_found")
        problem(await api.post("/v1/channels/source:desk:test"), 404, "channel_not_found")

    assert [("upstream", "webhook", False), ("source:desk", "generic", True)] == [(c["name"], c["kind"], c["ordered"]) for c in listed]
    assert ("disabled", "ok") == (off["state"], on["state"])
    assert on == shown


async def test_a_channel_may_be_called_source(database: Database, database_url: str, clock: FakeClock, tmp_path: Path) -> None:
    async with running(database, database_url, clock, tmp_path, DOCUMENT.replace("  upstream:", "  source:")) as api:
        off = (await api.post("/v1/channels/source:disable")).json()

    assert ("source", "disabled") == (off["name"], off["state"])
