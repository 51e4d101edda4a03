"""A replica whose machine's clock is wrong: the database's decides, so nothing changes."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from app.cli._demo.zendesk import signed_headers
from app.main import create_app
from app.schemas.instants import rfc3339
from app.settings import Settings
from app.timesource import utc_now
from tests.e2e.stage import KEY, UPSTREAM, ZENDESK, World, events, world

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("off", [10 * MINUTE, -10 * MINUTE], ids=["ahead", "behind"])
async def test_a_replica_whose_clock_is_ten_minutes_off_judges_tells_and_answers_as_any_other(
    postgresql_url: str, tmp_path: Path, off: timedelta
) -> None:
    event = events(1)[0]
    async with world(tmp_path, postgresql_url) as place:
        settings = Settings.model_validate({"database_url": postgresql_url, "config": place.config, "admin_key": KEY})
        app = create_app(settings, now=lambda: utc_now() + off, environ={"ZENDESK": ZENDESK, "UPSTREAM": UPSTREAM})
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="http://off", headers={"Authorization": f"Bearer {KEY}"}
            ) as client,
        ):
            body = event.body()
            accepted = await client.post("/v1/sources/zendesk/webhook", content=body, headers=signed_headers(ZENDESK, body, utc_now()))
            await _until_breached(client, place)
            [clock] = (await client.get("/v1/clocks")).json()["items"]
            [message] = (await client.get("/v1/inbox")).json()["items"]
        told = next(callback for callback in place.receiver.callbacks if callback.type == "sla.breached")

    assert event.ticket.opened is not None
    due_at = event.ticket.opened.replace(microsecond=event.ticket.opened.microsecond // 1000 * 1000) + timedelta(seconds=3)
    assert accepted.status_code == 202, "its signature is fresh"
    assert (clock["due_at"], clock["breached_at"]) == (rfc3339(due_at), rfc3339(due_at))
    assert -60 < clock["remaining_seconds"] <= 0
    assert abs(datetime.fromisoformat(message["received_at"]) - event.ticket.opened) < MINUTE
    assert told.refused is None, "what it signs is fresh for the receiver"
    assert timedelta(0) <= told.received_at - due_at < MINUTE


async def _until_breached(client: httpx.AsyncClient, place: World) -> None:
    async with asyncio.timeout(40):
        while not place.ids_told("sla.breached"):
            await client.get("/healthz")
            await asyncio.sleep(0.05)
