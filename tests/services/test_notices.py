"""What is said: the exact body, its size, and the models that describe it."""

import json
from datetime import timedelta

from app.schemas.events_out import event_types
from app.services.notices import BODY_MAX
from app.store.tables import notices
from tests.services.world import World, event


async def test_the_body_is_the_documented_model_with_everything_a_receiver_needs(desk: World) -> None:
    start = desk.clock()
    await desk.tell(event(start, "created", subject="Printer on fire", priority="urgent", tags=("a", "b"), url="https://desk.example/1"))
    desk.clock.set(start + timedelta(hours=1))
    await desk.tick()
    row = next(row for row in await desk.rows(notices) if row.type == "sla.breached")
    body = json.loads(row.body)
    read = event_types()["sla.breached"].model_validate(body)

    assert ("sla.breached", "2026-03-02T10:00:00.000Z") == (body["type"], body["timestamp"])
    assert ("Printer on fire", "urgent", ["a", "b"]) == tuple(body["data"]["ticket"][name] for name in ("subject", "priority", "tags"))
    assert ("first_response", "running", 3600, 0) == tuple(
        body["data"]["clock"][name] for name in ("metric", "state", "elapsed_seconds", "remaining_seconds")
    )
    assert {"ladder": "ladder", "step": 1, "type": "hierarchical"} == body["data"]["step"]
    assert ("everyone", 1, "breach") == tuple(body["data"]["why"][name] for name in ("policy", "revision", "milestone"))
    assert body == json.loads(read.model_dump_json(exclude_none=True))


async def test_the_body_stays_below_what_receivers_take_however_long_the_ticket(desk: World) -> None:
    start = desk.clock()
    tags = tuple("ü" * 400 + str(n) for n in range(60))
    await desk.tell(event(start, "created", subject="ü" * 5000, tags=tags, url="https://desk.example/" + "x" * 3000))
    desk.clock.set(start + timedelta(hours=1))
    await desk.tick()
    bodies = [row.body for row in await desk.rows(notices)]

    assert max(len(body) for body in bodies) <= BODY_MAX
    assert json.loads(bodies[0])["data"]["truncated"] is True
