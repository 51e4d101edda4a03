"""Whose turn it is."""

from app.channels import Notice
from app.delivery.turns import IN_FLIGHT, PER_CHANNEL, PER_QUICK_CHANNEL, InHand, Turns
from app.store.claims import Claim
from tests.support.clock import START

NOTICE = Notice("msg_1", "sla.breached", b"{}", {})


def in_hand(channel: str, count: int) -> list[InHand]:
    claims = [Claim(f"{channel}-{n}", "msg_1", channel, "sla.breached", None, 1, 0, 1, None, START) for n in range(count)]
    return [InHand(claim, NOTICE, 0.0) for claim in claims]


def taken(turns: Turns, channel: str) -> str | None:
    found = turns.take(channel)
    return found.claim.id if found is not None else None


def test_a_channel_has_four_senders_and_the_first_claimed_goes_first() -> None:
    turns = Turns()
    turns.add(in_hand("up", 6))

    assert turns.free() == ["up"] * PER_CHANNEL
    assert turns.free() == []
    assert [taken(turns, "up") for _ in range(6)] == [f"up-{n}" for n in range(6)]
    assert taken(turns, "up") is None


def test_a_channel_that_answers_quickly_has_eight_senders_until_it_is_slow_again() -> None:
    turns = Turns()
    turns.add(in_hand("up", 1))
    turns.free()
    turns.take("up")
    turns.tried("up", 0.01, answered=True)
    turns.stopped("up")
    turns.add(in_hand("up", 30))
    quick = turns.free()
    taken_by_now = [taken(turns, "up") for _ in quick]
    turns.tried("up", 3.0, answered=True)

    assert quick == ["up"] * PER_QUICK_CHANNEL
    assert None not in taken_by_now
    for _ in range(PER_QUICK_CHANNEL - PER_CHANNEL):
        assert taken(turns, "up") is None
        turns.stopped("up")
    assert taken(turns, "up") is not None
    assert turns.free() == []


def test_all_together_have_two_hundred_and_each_channel_gets_its_share() -> None:
    turns = Turns()
    for number in range(100):
        turns.add(in_hand(f"c{number}", 9))
    started = turns.free()

    assert len(started) == turns.busy == IN_FLIGHT
    assert {started.count(f"c{number}") for number in range(100)} == {IN_FLIGHT // 100}


def test_a_channel_that_gives_no_answer_gets_one_request_at_a_time_and_lets_go_of_the_rest() -> None:
    turns = Turns()
    turns.add(in_hand("up", 10))
    turns.free()
    for _ in range(4):
        turns.take("up")
    released = turns.tried("up", 15.0, answered=False)
    for _ in range(4):
        turns.stopped("up")

    assert [claim.id for claim in released] == [f"up-{n}" for n in range(4, 10)]
    assert turns.room("up") == 1
    turns.add(in_hand("up", 1))
    assert turns.free() == ["up"]
    turns.tried("up", 0.01, answered=True)
    assert turns.room("up") > 1


def test_a_fast_channel_is_claimed_further_ahead_than_a_slow_one() -> None:
    turns = Turns()
    for channel, seconds in (("fast", 0.004), ("slow", 10.0)):
        turns.add(in_hand(channel, 1))
        turns.take(channel)
        for _ in range(50):
            turns.tried(channel, seconds, answered=True)

    assert turns.room("slow") == PER_CHANNEL
    assert turns.room("fast") > 100


def test_what_was_taken_back_does_not_get_its_turn() -> None:
    turns = Turns()
    turns.add(in_hand("up", 3))
    turns.drop({"up-0", "up-2"})

    assert [claim.id for claim in turns.waiting()] == ["up-1"]
    assert [claim.id for claim in turns.clear("up")] == ["up-1"]
    assert turns.clear("nobody") == turns.waiting() == []
