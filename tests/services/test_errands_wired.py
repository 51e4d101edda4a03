"""The running application sends its errands and watches its sources by itself."""

import asyncio
from pathlib import Path

from app.main import create_app
from app.settings import Settings
from app.store import sources
from app.store.tables import tickets
from tests.helpdesks.fetching.desks import basic
from tests.helpdesks.fetching.samples import zendesk
from tests.services.apis import serving

DOCUMENT = """\
version: 1
delivery: {allow_networks: 127.0.0.0/8}
sources:
  desk:
    kind: zendesk
    verify: none
    reconcile: {every: 15m}
    api: {url: "%s", email: bot@example.com, token: "${env:TOKEN}", per_minute: 6000}
"""


class _Asked(list[str]):
    """What was asked for; tells when anything is."""

    def __init__(self) -> None:
        super().__init__()
        self.any = asyncio.Event()

    def append(self, path: str) -> None:
        super().append(path)
        self.any.set()


async def test_the_application_reconciles_and_watches_by_itself(sqlite_url: str, tmp_path: Path) -> None:
    api, asked = zendesk(), _Asked()
    api.authorization, api.asked = basic("bot@example.com/token:t0ken"), asked
    async with serving(api) as url:
        file = tmp_path / "slawatch.yaml"
        file.write_text(DOCUMENT % url)
        app = create_app(Settings(database_url=sqlite_url, config=file, role="worker"), environ={"TOKEN": "t0ken"})
        async with app.router.lifespan_context(app), asyncio.timeout(20):
            await asked.any.wait()
            await app.state.parts.errands.settle()
            async with app.state.parts.db.read() as conn:
                found = [row.external_id for row in await conn.execute(tickets.select())]
                watched = await sources.states(conn, ["desk"])

    assert found == ["35"]
    assert list(watched) == ["desk"]
