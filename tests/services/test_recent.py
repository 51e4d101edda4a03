"""What a process remembers of the tickets it has just judged: never what another one has changed, and not without end."""

from app.rules.timeline import Timeline
from app.services.recent import Recent
from app.store import timeline_codec
from app.store.tickets import Knowledge, LockedTicket
from tests.rules.builders import event, timeline

LINE = timeline("09:00 created by customer", "09:10 agent replies")


def ticket(name: str = "1", version: int = 1, line: Timeline = LINE) -> LockedTicket:
    return LockedTicket(f"tkt_{name}", "desk", name, timeline_codec.dump(line), version, 1)


def known(name: str = "1", version: int = 1, line: Timeline = LINE, *, has_runs: bool = False) -> Knowledge:
    return Knowledge(f"tkt_{name}", version, {}, line, ({"id": f"clk_{name}"},), has_runs)


def test_the_next_change_of_a_ticket_goes_on_from_what_is_remembered() -> None:
    recent = Recent()
    recent.keep([known(version=2, line=LINE.extend([event("09:20 solved")]))])
    again = recent.remind(ticket(version=2))

    assert [event.at.minute for event in again.timeline.events] == [0, 10, 20]
    assert (again.clocks, again.may_have_runs) == (({"id": "clk_1"},), False)


def test_what_another_process_has_changed_is_read_anew() -> None:
    recent = Recent()
    recent.keep([known(version=2)])

    assert recent.remind(ticket(version=3)).known is None
    assert recent.remind(ticket("2", version=2)).known is None


def test_of_what_is_not_remembered_everything_has_to_be_read_save_of_a_ticket_that_is_new() -> None:
    old, new = ticket(version=1), ticket(version=0)

    assert (old.clocks, old.may_have_runs) == (None, True)
    assert (new.clocks, new.may_have_runs) == ((), False)


def test_the_tickets_used_last_stay_and_the_memory_is_bounded() -> None:
    recent = Recent(weight_max=7)
    for name in ("1", "2", "1", "3"):
        recent.keep([known(name)])

    assert [name for name in ("1", "2", "3") if recent.remind(ticket(name)).known is not None] == ["1", "3"]


def test_a_ticket_knows_what_it_was_told_before_and_not_what_it_is_told_now() -> None:
    told = ticket().with_fresh([event("09:20 =new solved")])

    assert [told.knows(key) for key in (LINE.events[0].key, "new", "other")] == [True, False, False]
