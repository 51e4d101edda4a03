"""A breach that is answered while somebody is being told of it."""

from typing import Any

from app.delivery.relay import LEASE
from app.store import claims
from app.store.claims import Ended, Want
from app.store.tables import deliveries
from tests.services.world import World, event
from tests.support.clock import FakeClock


async def told_of(desk: World) -> dict[tuple[str, str], Any]:
    """What `upstream` is told of the first response, by type and state."""
    rows = [row for row in await desk.rows(deliveries) if row.channel == "upstream" and row.type != "sla.warning"]
    return {(row.type, row.state): row for row in rows}


async def answered_meanwhile(desk: World, clock: FakeClock) -> Any:
    """The claim of a breach that is on its way while the answer comes in."""
    await desk.tell(event(clock(), "created"))
    clock.advance(hours=1)
    await desk.tick()
    async with desk.db.begin() as conn:
        taken = await claims.claim(conn, clock(), [Want("upstream", 0, 10)], lease=LEASE)
    await desk.tell(event(clock.advance(minutes=1), "replies"))
    return next(claim for claim in taken if claim.type == "sla.breached")


async def test_both_all_clears_wait_for_it_and_the_one_that_fits_its_end_goes(desk: World, clock: FakeClock) -> None:
    claim = await answered_meanwhile(desk, clock)
    waiting = await told_of(desk)
    async with desk.db.begin() as conn:
        await claims.complete(conn, [Ended(claim, "delivered", clock(), attempt_row=None)])
        sent = await claims.claim(conn, clock(), [Want("upstream", 0, 10)], lease=LEASE)
    after = await told_of(desk)

    assert {("sla.recovered", "pending"): "delivered", ("sla.met_late", "pending"): "superseded"} == {
        key: row.waits_if for key, row in waiting.items() if row.waits_for == claim.id
    }
    assert ["sla.recovered"] == [each.type for each in sent if each.type != "sla.warning"]
    assert ("sla.met_late", "superseded") in after


async def test_one_that_was_refused_is_not_tried_again_and_was_met_late(desk: World, clock: FakeClock) -> None:
    claim = await answered_meanwhile(desk, clock)
    async with desk.db.begin() as conn:
        await claims.complete(conn, [Ended(claim, "pending", clock(), clock(), "http_5xx", "no", None)])
        sent = await claims.claim(conn, clock(), [Want("upstream", 0, 10)], lease=LEASE)
    after = await told_of(desk)

    assert ["sla.met_late"] == [each.type for each in sent if each.type != "sla.warning"]
    assert ("sla.breached", "superseded") in after
    assert ("sla.recovered", "superseded") in after
